import NIOCore

/// Has requests answered on the event loop itself, without the connection's task, where their responder can.
///
/// To resume a task, and what it awaits, takes longer than to make a small answer (docs/benchmarks.md). Belongs to the event loop.
final class DirectExchanges {
    private let responder: any ExchangeResponder
    private let repetition: RepetitionHandler?
    private var isBeginning = false

    /// - Parameter repetition: of the same connection; nil if none remembers requests.
    init(_ responder: any ExchangeResponder, _ repetition: RepetitionHandler?) {
        self.responder = responder
        self.repetition = repetition
    }

    /// Whether the request is answered here; otherwise somebody else has to.
    func begin(_ exchange: ExchangeQueue.Exchange, of connection: HTTPConnectionHandler, on channel: any Channel)
        -> Bool
    {
        guard let request = exchange.request else { return false }
        isBeginning = true
        defer { isBeginning = false }
        return responder.begin(request, on: channel) { [self] answer in
            guard isBeginning else { return finish(answer, exchange, connection) }
            // The next request may have come already: one after the other, not one within the other.
            channel.eventLoop.assumeIsolatedUnsafeUnchecked().execute { [self] in finish(answer, exchange, connection) }
        }
    }

    private func finish(_ answer: DirectAnswer, _ exchange: ExchangeQueue.Exchange, _ connection: HTTPConnectionHandler)
    {
        repetition?.answered(exchange, with: nil)
        connection.answer(ResponseBytes.whole(answer, to: exchange))
    }
}
