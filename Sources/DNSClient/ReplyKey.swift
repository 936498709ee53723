import DNSWire

/// What a reply has to repeat of its query: the id and the question.
struct ReplyKey: Sendable {
    private let id: [UInt8]
    private let question: [UInt8]

    /// Nil unless `query` has exactly one question with an uncompressed name.
    init?(query: [UInt8]) {
        guard query.count > Message.headerSize, query[4] == 0, query[5] == 1 else { return nil }
        var end = Message.headerSize
        while end < query.count, query[end] != 0 {
            guard query[end] < 0x40 else { return nil }
            end += 1 + Int(query[end])
        }
        end += 5
        guard end <= query.count else { return nil }
        id = Array(query[..<2])
        question = query[Message.headerSize..<end].map(\.asciiLowercased)
    }

    /// Whether `reply` answers the query (RFC 5452 section 9.1, without the addresses, which the socket has checked).
    func matches(_ reply: [UInt8]) -> Bool {
        guard reply.count >= Message.headerSize, reply[2] & 0x80 != 0, reply[..<2].elementsEqual(id) else {
            return false
        }
        if reply[4] == 0, reply[5] == 0 { return reply[3] & 0xF != 0 }
        let end = Message.headerSize + question.count
        guard reply[4] == 0, reply[5] == 1, reply.count >= end else { return false }
        return zip(reply[Message.headerSize..<end], question).allSatisfy { $0.asciiLowercased == $1 }
    }
}
