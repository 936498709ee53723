/// A DNS message (RFC 1035 section 4), query or response.
package struct Message: Hashable, Sendable {
    /// Octets before the first question.
    package static let headerSize = 12
    /// The largest message there is, over TCP.
    package static let sizeLimit = 65535
    /// What a UDP client takes that says nothing else (RFC 1035 section 4.2.1).
    package static let defaultUDPSize = 512

    package var id: UInt16
    package var isResponse: Bool
    /// 0...15; 0 is a standard query.
    package var opcode: UInt8
    package var isAuthoritative: Bool
    package var isTruncated: Bool
    package var isRecursionDesired: Bool
    package var isRecursionAvailable: Bool
    /// AD and CD (RFC 4035), in their places in the second octet of flags: 0x20 and 0x10.
    package var securityFlags: UInt8
    /// A value above 15 needs ``edns`` to be sent; without it the lower 4 bits are.
    package var code: ResponseCode
    package var questions: [Question]
    package var answers: [ResourceRecord]
    package var authorities: [ResourceRecord]
    /// Without the OPT record, which is ``edns``.
    package var additionals: [ResourceRecord]
    package var edns: EDNS?

    /// A query for one thing.
    package init(id: UInt16, query question: Question, isRecursionDesired: Bool = true, edns: EDNS? = nil) {
        self.id = id
        isResponse = false
        opcode = 0
        isAuthoritative = false
        isTruncated = false
        self.isRecursionDesired = isRecursionDesired
        isRecursionAvailable = false
        securityFlags = 0
        code = .noError
        questions = [question]
        answers = []
        authorities = []
        additionals = []
        self.edns = edns
    }

    /// A response to `query` without records: same id, question, opcode and RD.
    package init(replyingTo query: Message, code: ResponseCode) {
        self = query
        isResponse = true
        isAuthoritative = false
        isTruncated = false
        isRecursionAvailable = false
        securityFlags &= 0x10
        self.code = code
        answers = []
        authorities = []
        additionals = []
        edns = nil
    }
}
