import DNSWire
import NetTypes
import Testing

@Suite("Hostile messages")
struct HostileMessageTests {
    /// A header that promises one question, then these octets, then type A and class IN.
    private func query(_ name: [UInt8]) -> [UInt8] { [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name + [0, 1, 0, 1] }

    @Test("A pointer to itself, forwards, or into the header is refused", arguments: [12, 14, 100, 0, 4, 11])
    func pointersMustLeadBack(target: UInt8) {
        #expect(throws: WireError.badPointer(offset: 12)) { try Message(decoding: query([0xC0, target])) }
    }

    @Test("Two names that point at each other are refused")
    func loop() {
        // 12: "a" then a pointer to 12, its own beginning
        #expect(throws: WireError.badPointer(offset: 14)) { try Message(decoding: query([1, 97, 0xC0, 12])) }
    }

    @Test("Labels of the kinds 01 and 10 are refused", arguments: [0x40, 0x80, 0xBF])
    func badKinds(length: UInt8) {
        #expect(throws: WireError.badLabel(offset: 12)) { try Message(decoding: query([length, 0])) }
    }

    @Test("A name of 256 octets is refused and one of 255 is read")
    func longNames() throws {
        let label = [UInt8(63)] + Array(repeating: UInt8(97), count: 63)
        let longest = label + label + label + [61] + Array(repeating: 97, count: 61) + [0]
        #expect(try Message(decoding: query(longest)).questions[0].name.wire.count == 255)
        let longer = label + label + label + [62] + Array(repeating: 97, count: 62) + [0]
        #expect(throws: WireError.nameTooLong(offset: 12)) { try Message(decoding: query(longer)) }
    }

    @Test("A chain of thousands of pointers is refused instead of followed")
    func pointerChain() {
        // Owner names: the first is the root in full, each later one points at the one before it.
        var bytes: [UInt8] = [0, 1, 0x80, 0, 0, 0, 0x10, 0, 0, 0, 0, 0]
        var last = 0
        for index in 0..<0x1000 {
            let start = bytes.count
            bytes += index == 0 ? [0] : [0xC0 | UInt8(last >> 8 & 0x3F), UInt8(last & 0xFF)]
            bytes += [0x12, 0x34, 0, 1, 0, 0, 0, 0, 0, 0]
            last = start
            if bytes.count > 0x3FF0 { break }
        }
        #expect(throws: WireError.self) { try Message(decoding: bytes) }
    }

    @Test("Counts that promise 65,535 records in an empty message cost nothing")
    func falseCounts() {
        #expect(throws: WireError.truncated(offset: 12)) {
            try Message(decoding: [0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255])
        }
    }

    @Test(
        "Data of the wrong length for its type is refused",
        arguments: [
            (RecordType.a, [1, 2, 3]), (.a, [1, 2, 3, 4, 5]), (.aaaa, [1]), (.srv, [0, 0, 0, 0, 0, 0]), (.txt, []),
            (.txt, [5, 1]),
            (.cname, [0, 0]), (.soa, [0, 0, 1]),
        ] as [(RecordType, [UInt8])])
    func badData(type: RecordType, data: [UInt8]) {
        var message = Message(id: 1, query: Question(.root, .a))
        message.answers = [ResourceRecord(.root, ttl: 1, .unknown(type, data))]
        #expect(throws: WireError.self) { try Message(decoding: message.encoded()) }
    }

    @Test("More than 65,535 octets are refused unread")
    func tooLong() {
        #expect(throws: WireError.messageTooLong) { try Message(decoding: Array(repeating: 0, count: 65536)) }
    }
}
