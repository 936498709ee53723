import DNSWire
import Testing

@Suite("TTL fields")
struct TTLOffsetTests {
    @Test("The offsets are those of all TTLs but the OPT record's: writing there changes these and nothing else")
    func offsets() throws {
        let message = try Samples.everything()
        var bytes = message.encoded()
        let offsets = try Message.ttlOffsets(in: bytes)
        #expect(offsets.count == message.answers.count + message.authorities.count + message.additionals.count)
        for offset in offsets { bytes.replaceSubrange(offset..<(offset + 4), with: [0, 0, 0, 77]) }
        var expected = message
        for index in expected.answers.indices { expected.answers[index].ttl = 77 }
        for index in expected.authorities.indices { expected.authorities[index].ttl = 77 }
        for index in expected.additionals.indices { expected.additionals[index].ttl = 77 }
        #expect(try Message(decoding: bytes) == expected)
    }

    @Test("Cut anywhere, looking for them is an error and never a trap")
    func cut() throws {
        let bytes = try Samples.everything().encoded()
        for length in bytes.indices {
            #expect(throws: WireError.self) { try Message.ttlOffsets(in: Array(bytes.prefix(length))) }
        }
    }
}
