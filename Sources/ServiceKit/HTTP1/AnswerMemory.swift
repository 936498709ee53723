import NIOCore

/// An answer that a connection may give again, and for how long.
struct RememberedAnswer {
    /// Head and body as they went to the client.
    let bytes: DatedBytes
    /// Of the content that the answer was made from; see ``LastingAnswers``.
    let version: UInt64
    /// Counts the answer and logs it, as for any other; told how long it took.
    let record: @Sendable (Duration) -> Void
}

/// What a connection remembers of its last request, so that the same one needs no second look: a state machine without I/O.
///
///     settled ──one whole request──▶ open ──answered──▶ settled, with the answer if it lasts
///        └──anything else──▶ unclear, until the connection's end
///
/// Requests are the same when all their octets are: method, path, and each field. A request is taken as whole when its
/// octets came in one piece that ends with the first empty line (RFC 9112 section 2.1); a body that it may announce comes
/// before the answer, and makes the rest unclear.
struct AnswerMemory {
    /// Octets of request and answer together; what is longer is not remembered, for there may be thousands of connections.
    static let limit = 2048

    private enum State {
        case settled
        case open(ByteBuffer)
        case unclear
    }

    private var state = State.settled
    private var request = ByteBuffer()
    private var answer: RememberedAnswer?

    /// The answer to these octets, if they are the last request again and its answer still holds; it is then answered.
    ///
    /// Otherwise somebody else has to read them, and to tell what came of it with ``answered(with:)``.
    ///
    /// - Parameter isAtRest: whether the client has taken all answers so far.
    mutating func recall(_ octets: ByteBuffer, version: UInt64, isAtRest: Bool) -> RememberedAnswer? {
        guard case .settled = state, isAtRest else {
            state = .unclear
            return nil
        }
        if let answer, answer.version == version, request == octets { return answer }
        state = Self.isWhole(octets) ? .open(octets) : .unclear
        return nil
    }

    /// The request under way is answered; with an answer that lasts the same octets need nobody's attention again.
    mutating func answered(with answer: RememberedAnswer?) {
        guard case .open(let octets) = state else { return }
        state = .settled
        guard let answer, octets.readableBytes + answer.bytes.count <= Self.limit else { return }
        // The octets share a large buffer with others of the connection's.
        request = ByteBuffer(bytes: octets.readableBytesView)
        self.answer = answer
    }

    /// Keeps the answer's bytes with another date in them.
    mutating func refresh(_ bytes: DatedBytes) {
        guard let old = answer else { return }
        answer = RememberedAnswer(bytes: bytes, version: old.version, record: old.record)
    }

    /// Whether the first empty line ends the octets.
    private static func isWhole(_ octets: ByteBuffer) -> Bool {
        octets.withUnsafeReadableBytes { bytes in
            guard bytes.count >= 4, bytes.count <= limit else { return false }
            var index = 3
            while index < bytes.count {
                // Only a line feed can end the empty line: look at nothing else closely.
                if bytes[index] == 0x0A, bytes[index - 1] == 0x0D, bytes[index - 2] == 0x0A, bytes[index - 3] == 0x0D {
                    return index == bytes.count - 1
                }
                index += 1
            }
            return false
        }
    }
}
