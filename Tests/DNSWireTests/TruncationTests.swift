import DNSWire
import NetTypes
import Testing

@Suite("6.11 Size")
struct TruncationTests {
    private func sixtyPods() throws -> Message {
        let name = try Samples.name("quote-headless.kiada.svc.cluster.local")
        var message = Message(id: 1, query: Question(name, .a))
        message.answers = (0..<60).map { ResourceRecord(name, ttl: 5, .a(IPv4Address(bits: 0x0AF4_0100 + UInt32($0)))) }
        return message
    }

    @Test("6.11 [V] sixty addresses: 512 octets hold fewer and say TC, TCP holds 60 and does not")
    func vector() throws {
        let message = try sixtyPods()
        let small = message.encoded(limit: Message.defaultUDPSize)
        #expect(small.count <= 512 && small.count > 512 - 16)
        let cut = try Message(decoding: small)
        #expect(cut.isTruncated)
        #expect(cut.answers == Array(message.answers.prefix(cut.answers.count)))
        let whole = try Message(decoding: message.encoded())
        #expect(!whole.isTruncated && whole.answers.count == 60)
    }

    @Test("6.11 a message of exactly the limit is whole, and one octet less cuts one record")
    func boundary() throws {
        let message = try sixtyPods()
        let size = message.encoded().count
        #expect(try Message(decoding: message.encoded(limit: size)) == message)
        let cut = try Message(decoding: message.encoded(limit: size - 1))
        #expect(cut.isTruncated && cut.answers.count == 59)
    }

    @Test("6.11 additional records go first, then answers; the OPT record stays")
    func order() throws {
        var message = try sixtyPods()
        let answersOnly = message.encoded().count
        message.edns = EDNS(udpPayloadSize: 4096)
        message.additionals = message.answers
        let cut = try Message(decoding: message.encoded(limit: answersOnly + 11))
        #expect(cut.isTruncated && cut.answers.count == 60 && cut.additionals.isEmpty)
        #expect(cut.edns == message.edns)
        let smaller = try Message(decoding: message.encoded(limit: answersOnly + 10))
        #expect(smaller.answers.count == 59 && smaller.edns == message.edns)
    }

    @Test("Names are written in full where a pointer could not reach them, after 16 KiB")
    func farNames() throws {
        var message = Message(id: 1, query: Question(try Samples.name("a.example"), .txt))
        let filler = RecordData.txt(Array(repeating: Array(repeating: 7, count: 255), count: 70))
        message.answers = [ResourceRecord(try Samples.name("a.example"), ttl: 1, filler)]
        for _ in 0..<3 {
            message.answers.append(ResourceRecord(try Samples.name("late.other"), ttl: 1, .a(IPv4Address(bits: 1))))
        }
        #expect(try Message(decoding: message.encoded()) == message)
    }
}
