import DNSWire
import NetTypes
import ServiceDiscovery
import Synchronization
import Testing

/// Replies that scripts are made of.
enum Replies {
    static func records(_ data: [RecordData], ttl: UInt32 = 30, to query: Message) -> [UInt8] {
        var reply = Message(replyingTo: query, code: .noError)
        reply.isRecursionAvailable = true
        reply.answers = data.map { ResourceRecord(query.questions[0].name, ttl: ttl, $0) }
        return reply.encoded()
    }

    /// "No such name" or "no such type", with an SOA record when `ttl` is given.
    static func negative(_ code: ResponseCode, ttl: UInt32? = nil, to query: Message) -> [UInt8] {
        var reply = Message(replyingTo: query, code: code)
        reply.isRecursionAvailable = true
        if let ttl {
            let soa = StartOfAuthority(
                primary: .root, mailbox: .root, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: ttl)
            reply.authorities = [ResourceRecord(.root, ttl: 3600, .soa(soa))]
        }
        return reply.encoded()
    }

    static func ipv4(_ text: String) -> RecordData { .a(IPv4Address(text) ?? IPv4Address(bits: 0)) }

    /// A script that knows these answers, says "no such type" for other types of known names, else "no such name".
    static func zone(_ answers: [String: [RecordData]]) -> ScriptedServer.Script {
        { query, _ in
            let question = query.questions[0]
            if let data = answers["\(question)"] { return [records(data, to: query)] }
            let isKnown = answers.keys.contains { $0.hasPrefix("\(question.name) ") }
            return [negative(isKnown ? .noError : .nameError, ttl: 30, to: query)]
        }
    }
}

/// A clock that stands still until it is moved.
final class ManualClock: Sendable {
    private let instant = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { instant.withLock { $0 } }
    func advance(by duration: Duration) { instant.withLock { $0 += duration } }
}
