package import DNSClient
import DNSWire
package import Logging
package import NIOCore

/// Turns the bytes of a query into the bytes of a response: header checks, zone, upstream, size.
package struct Responder: Sendable {
    /// The UDP size that we offer: fits into one packet nearly everywhere.
    static let udpSize: UInt16 = 1232

    private let zone: ZoneHolder
    private let forwarder: Forwarder
    let metrics: DNSMetrics
    private let queryLog: Logger?

    /// - Parameter queryLog: gets a line per query; nil for none.
    package init(
        zone: ZoneHolder, forwarder: Forwarder, metrics: DNSMetrics = DNSMetrics(), queryLog: Logger? = nil
    ) {
        self.zone = zone
        self.forwarder = forwarder
        self.metrics = metrics
        self.queryLog = queryLog
    }

    /// Whether replies may be given again without asking: a query log wants to see each query.
    var mayReuseReplies: Bool { queryLog == nil }

    /// What prepared replies are checked against.
    var stamps: ZoneStamps { zone.stamps }

    /// When the response is there.
    package enum Response {
        case now([UInt8])
        /// The future never fails.
        case later(EventLoopFuture<[UInt8]>)
        /// No response at all: what came is a response itself, or has not even a header.
        case never
    }

    /// The response to what a client sent over `transport`.
    package func respond(to bytes: [UInt8], over transport: DNSExchange.Transport, on loop: any EventLoop) -> Response {
        let start = ContinuousClock.now
        let response = decide(bytes, transport, loop)
        switch response {
        case .now: observe(since: start)
        case .later(let future): future.whenSuccess { _ in observe(since: start) }
        case .never: break
        }
        return response
    }

    private func observe(since start: ContinuousClock.Instant) {
        let time = (ContinuousClock.now - start).components
        metrics.observe(
            nanoseconds: UInt64(max(0, time.seconds)) * 1_000_000_000 + UInt64(time.attoseconds / 1_000_000_000))
    }

    /// What the reply to `bytes`, which was one from the zone, depends on; nil when it must not be given again.
    func part(of bytes: UnsafeRawBufferPointer) -> ZoneStamps.Part? {
        guard let query = try? Message(decoding: bytes), let question = query.questions.first,
            question.recordClass == .internet
        else { return nil }
        let zone = zone.current
        guard zone.isSynced else { return nil }
        switch ClusterName(question.name, domain: zone.settings.domain) {
        case .service(let key), .endpoint(_, of: let key), .port(_, proto: _, of: let key):
            // What an alias leads to is another Service's, or nobody's here.
            if case .external = zone.service(key)?.kind { return nil }
            return .service(key)
        case .container, .impossible: return .namespaces
        case .apex, .version, .nameServer, .pod, .reverse, .outside: return nil
        }
    }

    private func decide(_ bytes: [UInt8], _ transport: DNSExchange.Transport, _ loop: any EventLoop) -> Response {
        guard bytes.count >= Message.headerSize, bytes[2] & 0x80 == 0 else { return .never }
        guard let query = try? Message(decoding: bytes) else {
            note(nil, .formatError, transport)
            return .now([bytes[0], bytes[1], 0x80 | bytes[2] & 0x79, 1, 0, 0, 0, 0, 0, 0, 0, 0])
        }
        guard query.opcode == 0 else { return .now(encode(.bare(.notImplemented), to: query, transport)) }
        guard query.questions.count == 1, let question = query.questions.first else {
            return .now(encode(.bare(.formatError), to: query, transport))
        }
        if let edns = query.edns, edns.version != 0 {
            return .now(encode(.bare(.badVersion), to: query, transport))
        }
        switch Resolver(zone.current).resolve(question) {
        case .answer(let answer): return .now(encode(answer, to: query, transport))
        case .outside where forwarder.isOwnProbe(question): return .now(encode(.bare(.refused), to: query, transport))
        case .outside: return .later(forward(bytes, query, transport, loop))
        case .external(let chain, let target): return .later(follow(chain, target, query, question, transport, loop))
        }
    }

    private func forward(
        _ bytes: [UInt8], _ query: Message, _ transport: DNSExchange.Transport, _ loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]> {
        forwarder.ask(Self.withoutOptions(query) ?? bytes, over: transport, on: loop).map { reply in
            guard let reply, reply.count >= Message.headerSize else {
                return encode(.bare(.serverFailure), to: query, transport)
            }
            note(query.questions.first, ResponseCode(rawValue: UInt16(reply[3] & 0xF)), transport)
            return reply
        }
    }

    /// The query without the options of EDNS, which are between neighbours (RFC 6891 section 6.1.1).
    ///
    /// A cookie, which is another one each time, would also keep replies from being found again.
    ///
    /// - Returns: nil when there is none, or records that must not be separated from the rest, such as a signature.
    private static func withoutOptions(_ query: Message) -> [UInt8]? {
        guard let edns = query.edns, !edns.options.isEmpty, query.additionals.isEmpty else { return nil }
        var query = query
        query.edns?.options = []
        return query.encoded()
    }

    /// Finds the records of an alias's target outside the cluster (6.5).
    private func follow(
        _ chain: [ResourceRecord], _ target: Name, _ query: Message, _ question: Question,
        _ transport: DNSExchange.Transport, _ loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]> {
        let outer = Message(
            id: query.id, query: Question(target, question.type), edns: EDNS(udpPayloadSize: Self.udpSize))
        let snapshot = zone.current
        return forwarder.ask(outer.encoded(), over: transport, on: loop).map { bytes in
            guard let bytes, let reply = try? Message(decoding: bytes),
                reply.code == .noError || reply.code == .nameError
            else {
                return encode(Resolver(snapshot).negative(.noError), to: query, transport)
            }
            let answer = Answer(answers: chain + reply.answers)
            return encode(answer, to: query, transport, isTruncated: reply.isTruncated)
        }
    }

    private func note(_ question: Question?, _ code: ResponseCode, _ transport: DNSExchange.Transport) {
        metrics.count(question?.type, code)
        queryLog?.info(
            "dns query",
            metadata: [
                "name": "\(question?.name.description ?? "")", "type": "\(question?.type.description ?? "")",
                "code": "\(code)", "transport": "\(transport)",
            ])
    }

    private func encode(
        _ answer: Answer, to query: Message, _ transport: DNSExchange.Transport, isTruncated: Bool = false
    ) -> [UInt8] {
        note(query.questions.first, answer.code, transport)
        var reply = Message(replyingTo: query, code: answer.code)
        reply.isAuthoritative = answer.isAuthoritative
        reply.isRecursionAvailable = forwarder.isUsable
        reply.isTruncated = isTruncated
        reply.answers = Self.shuffled(answer.answers)
        reply.authorities = answer.authorities
        reply.additionals = answer.additionals
        reply.edns = query.edns.map { EDNS(udpPayloadSize: Self.udpSize, isDNSSECOK: $0.isDNSSECOK) }
        let offered = Int(query.edns?.udpPayloadSize ?? 0)
        return reply.encoded(limit: transport == .tcp ? Message.sizeLimit : max(Message.defaultUDPSize, offered))
    }

    /// Addresses in random order, behind the aliases that lead to them (6.9).
    private static func shuffled(_ records: [ResourceRecord]) -> [ResourceRecord] {
        guard records.count > 1 else { return records }
        let aliases = records.prefix { $0.type == .cname }
        return aliases + records.dropFirst(aliases.count).shuffled()
    }
}
