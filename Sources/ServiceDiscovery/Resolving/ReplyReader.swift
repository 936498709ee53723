import DNSWire

/// Reads what a reply says about a question: follows its aliases and finds out for how long it is true.
struct ReplyReader {
    enum Reading: Equatable {
        /// An answer and for how many seconds it may be kept; nil when it may not be.
        case answer(Lookup, ttl: UInt32?)
        /// The reply ends at an alias whose target has to be asked for.
        case alias(Name, ttl: UInt32)
        /// The server has nothing to say; the text says why.
        case failure(String)
    }

    static func read(_ reply: Message, to question: Question) -> Reading {
        guard reply.code == .noError || reply.code == .nameError else { return .failure("\(reply.code)") }
        var name = question.name
        var ttl = UInt32.max
        // Each alias is used at most once, so that a loop of them ends.
        var aliases = reply.answers.filter { $0.type == .cname && $0.recordClass == .internet }
        while true {
            let records = reply.answers.filter {
                $0.name == name && $0.type == question.type && $0.recordClass == question.recordClass
            }
            if !records.isEmpty {
                return .answer(.records(records), ttl: records.reduce(ttl) { min($0, $1.ttl) })
            }
            guard let index = aliases.firstIndex(where: { $0.name == name }) else { break }
            let alias = aliases.remove(at: index)
            guard case .cname(let target) = alias.data else { break }
            name = target
            ttl = min(ttl, alias.ttl)
        }
        if reply.code == .noError, name != question.name, !reply.authorities.contains(where: { $0.type == .soa }) {
            return .alias(name, ttl: ttl)
        }
        let isReferral =
            reply.code == .noError && !reply.isAuthoritative && !reply.isRecursionAvailable
            && reply.authorities.contains { $0.type == .ns }
        if isReferral { return .failure("a referral to other servers") }
        return .answer(reply.code == .nameError ? .noName : .noData, ttl: negativeTTL(reply).map { min($0, ttl) })
    }

    private static func negativeTTL(_ reply: Message) -> UInt32? {
        for record in reply.authorities {
            if case .soa(let soa) = record.data { return min(record.ttl, soa.minimum) }
        }
        return nil
    }
}
