package import DNSWire

/// What the zone says about a question.
package enum Resolution: Hashable, Sendable {
    /// The whole answer, with authority.
    case answer(Answer)
    /// The name is an alias of one outside the cluster, which has to be asked for; these records come before its own.
    case external([ResourceRecord], target: Name)
    /// Not our name: the upstream servers may know it.
    case outside
}

/// Records and code of a response.
package struct Answer: Hashable, Sendable {
    package var code: ResponseCode
    package var answers: [ResourceRecord]
    package var authorities: [ResourceRecord]
    package var additionals: [ResourceRecord]
    package var isAuthoritative: Bool

    package init(
        code: ResponseCode = .noError, answers: [ResourceRecord] = [], authorities: [ResourceRecord] = [],
        additionals: [ResourceRecord] = [], isAuthoritative: Bool = true
    ) {
        self.code = code
        self.answers = answers
        self.authorities = authorities
        self.additionals = additionals
        self.isAuthoritative = isAuthoritative
    }

    /// A code and nothing else.
    package static func bare(_ code: ResponseCode) -> Answer { Answer(code: code, isAuthoritative: false) }
}
