import NIOCore

/// An answer that a connection may give again, and for how long.
struct RememberedAnswer {
    /// Head and body as they went to the client.
    let bytes: DatedBytes
    /// Of the content that the answer was made from; see ``ExchangeResponder/contentVersion``.
    let version: UInt64
    /// Counts the answer and logs it, as for any other; told how long it took.
    let record: @Sendable (Duration) -> Void
}

/// What a connection remembers of its last request, so that the same one needs no second look: a state machine without I/O.
///
///     settled ──one whole request──▶ open ──answered──▶ settled, with the request, and the answer if it lasts
///        ├──the same request──▶ repeated ──answered──▶ settled
///        └──anything else──▶ unclear, until the connection's end
///
/// Requests are the same when all their octets are: method, path, and each field. A request is taken as whole when its
/// octets came in one piece that ends with the first empty line (RFC 9112 section 2.1); a body that it may announce comes
/// before the answer, and makes the rest unclear.
struct RequestMemory {
    /// Octets of request and answer together; what is longer is not remembered, for there may be thousands of connections.
    static let limit = 2048

    /// What the memory has of a request.
    enum Recollection {
        /// The answer, which still holds; with it the request is answered.
        case answer(RememberedAnswer)
        /// What the octets say; to be answered anew.
        case request(ExchangeQueue.Exchange)
    }

    private struct Known {
        let octets: ByteBuffer
        let exchange: ExchangeQueue.Exchange
        var answer: RememberedAnswer?
    }

    private enum State {
        case settled
        case open(ByteBuffer)
        case repeated
        case unclear
    }

    private var state = State.settled
    private var known: Known?

    /// What is known of these octets, if they are the last request again.
    ///
    /// Unless that is an answer, somebody has to tell what came of them with ``answered(_:with:)``, and to read them first when
    /// nothing is known.
    ///
    /// - Parameters:
    ///   - version: of the content that an answer has to be made from; nil when none lasts.
    ///   - isAtRest: whether the client has taken all answers so far.
    mutating func recall(_ octets: ByteBuffer, version: UInt64?, isAtRest: Bool) -> Recollection? {
        guard case .settled = state, isAtRest else {
            state = .unclear
            return nil
        }
        if let known, known.octets == octets {
            if let answer = known.answer, answer.version == version { return .answer(answer) }
            state = .repeated
            return .request(known.exchange)
        }
        state = Self.isWhole(octets) ? .open(octets) : .unclear
        return nil
    }

    /// The request under way is answered; with an answer that lasts the same octets need nobody's attention again.
    mutating func answered(_ exchange: ExchangeQueue.Exchange, with answer: RememberedAnswer?) {
        switch state {
        case .settled, .unclear:
            break
        case .repeated:
            state = .settled
            guard var known else { return }
            self.known = nil  // so that it is changed in place
            known.answer = Self.fitting(answer, known.octets)
            self.known = known
        case .open(let octets):
            state = .settled
            guard !exchange.isLast else { return }
            // The octets share a large buffer with others of the connection's.
            known = Known(
                octets: ByteBuffer(bytes: octets.readableBytesView), exchange: exchange,
                answer: Self.fitting(answer, octets))
        }
    }

    private static func fitting(_ answer: RememberedAnswer?, _ octets: ByteBuffer) -> RememberedAnswer? {
        answer.flatMap { octets.readableBytes + $0.bytes.count <= limit ? $0 : nil }
    }

    /// Keeps the answer's bytes with another date in them.
    mutating func refresh(_ bytes: DatedBytes) {
        guard let old = known?.answer else { return }
        known?.answer = RememberedAnswer(bytes: bytes, version: old.version, record: old.record)
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
