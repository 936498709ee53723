import DNSWire
import NetTypes
import Testing

@Suite("Messages")
struct MessageTests {
    @Test("A query for quiz.kiada has exactly the octets that RFC 1035 wants")
    func vector() throws {
        let query = Message(id: 0x1234, query: Question(try Samples.name("quiz.kiada"), .a))
        let bytes: [UInt8] =
            [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 4] + Array("quiz".utf8) + [5] + Array("kiada".utf8)
            + [0, 0, 1, 0, 1]
        #expect(query.encoded() == bytes)
        #expect(try Message(decoding: bytes) == query)
    }

    @Test("An answer with a compressed owner reads like one without")
    func compressedVector() throws {
        let name = [UInt8(4)] + Array("quiz".utf8) + [0]
        let bytes: [UInt8] =
            [0, 7, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + name + [
                0, 1, 0, 1, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 96, 0, 5,
            ]
        let message = try Message(decoding: bytes)
        let quiz = try Samples.name("quiz")
        #expect(message.answers == [ResourceRecord(quiz, ttl: 30, .a(try #require(IPv4Address("10.96.0.5"))))])
        #expect(message.isAuthoritative && message.isRecursionAvailable && message.isRecursionDesired)
        #expect(message.encoded() == bytes)
    }

    @Test("Every record type, class and flag survives the way to bytes and back, letter case included")
    func roundTrip() throws {
        let message = try Samples.everything()
        let back = try Message(decoding: message.encoded())
        #expect(back == message)
        #expect(back.questions[0].name.wire == message.questions[0].name.wire)
        guard case .cname(let target) = back.answers[2].data else { throw WireError.messageTooLong }
        #expect(target.description == "quote.kiada.svc.cluster.local.")
    }

    @Test("Repeated names are written once and then pointed at, except the target of SRV (RFC 2782)")
    func compression() throws {
        let message = try Samples.everything()
        let plain = message.answers.reduce(0) { $0 + $1.name.wire.count }
        #expect(message.encoded().count < 12 + plain + 250)
        let owner = try Samples.name("quote.kiada.svc.cluster.local")
        var srv = Message(id: 1, query: Question(owner, .srv))
        srv.answers = [
            ResourceRecord(owner, ttl: 5, .srv(ServiceLocation(priority: 0, weight: 1, port: 2, target: owner)))
        ]
        // header, question, then: pointer 2, type to length 10, three numbers 6, whole target
        #expect(srv.encoded().count == 12 + owner.wire.count + 4 + 2 + 10 + 6 + owner.wire.count)
    }

    @Test("Cutting a message anywhere is an error and never a trap")
    func cutAnywhere() throws {
        let bytes = try Samples.everything().encoded()
        for length in bytes.indices {
            #expect(throws: WireError.self) { try Message(decoding: bytes.prefix(length)) }
        }
    }

    @Test("Bytes after the last record are an error")
    func trailingBytes() throws {
        let bytes = try Samples.everything().encoded()
        #expect(throws: WireError.trailingBytes(offset: bytes.count)) { try Message(decoding: bytes + [0]) }
    }

    @Test("Random bytes and random changes give a message or an error; what is read can be written and read again")
    func randomBytes() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix(state: seed)
        let sample = try Samples.everything().encoded()
        for round in 0..<4000 {
            var bytes = sample
            if round % 2 == 0 {
                bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in .random(in: 0...255, using: &random) }
                if bytes.count > 12 { for index in 4..<12 where index % 2 == 0 { bytes[index] = 0 } }
            } else {
                for _ in 0...Int.random(in: 0...4, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
                }
            }
            guard let message = try? Message(decoding: bytes) else { continue }
            let written = message.encoded()
            #expect((try? Message(decoding: written)) == message, "seed \(seed), round \(round)")
        }
    }

    @Test("A response code above 15 travels in the OPT record")
    func extendedCode() throws {
        var message = Message(id: 1, query: Question(.root, .ns), edns: EDNS(udpPayloadSize: 512))
        message.code = .badVersion
        let back = try Message(decoding: message.encoded())
        #expect(back.code == .badVersion)
        #expect(back.edns?.version == 0)
    }

    @Test("Two OPT records, one among the answers, or one with a name, are errors (RFC 6891, 6.1.1)")
    func misplacedOPT() throws {
        let query = Message(id: 1, query: Question(.root, .ns), edns: EDNS(udpPayloadSize: 512)).encoded()
        let opt = Array(query.suffix(11))
        var twice = query + opt
        twice[11] = 2
        #expect(throws: WireError.misplacedOPT(offset: query.count)) { try Message(decoding: twice) }
        var answer = query
        (answer[7], answer[11]) = (1, 0)
        #expect(throws: WireError.misplacedOPT(offset: 17)) { try Message(decoding: answer) }
        let named = Array(query.prefix(17)) + [1, 97] + opt
        #expect(throws: WireError.misplacedOPT(offset: 17)) { try Message(decoding: named) }
    }

    @Test("A TTL with the upper bit set counts as 0 (RFC 2181 section 8)")
    func negativeTTL() throws {
        var message = Message(id: 1, query: Question(.root, .a))
        message.answers = [ResourceRecord(.root, ttl: 0x8000_0001, .a(IPv4Address(bits: 1)))]
        #expect(try Message(decoding: message.encoded()).answers[0].ttl == 0)
    }

    @Test("A reply takes id, question, opcode and RD from its query and nothing else")
    func reply() throws {
        var query = Message(id: 9, query: Question(.root, .a), edns: EDNS(udpPayloadSize: 4096))
        query.additionals = [ResourceRecord(.root, ttl: 1, .a(IPv4Address(bits: 1)))]
        query.isTruncated = true
        let reply = Message(replyingTo: query, code: .refused)
        #expect(reply.id == 9 && reply.isResponse && reply.isRecursionDesired && !reply.isTruncated)
        #expect(reply.questions == query.questions && reply.code == .refused)
        #expect(reply.edns == nil && reply.additionals.isEmpty)
    }
}

/// A small seeded generator (SplitMix64), so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
