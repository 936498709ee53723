import EventLoopTasks
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Serves HTTP/1.1 connections, each on its own event loop: requests are read, answered and written without a change of threads.
///
/// Hummingbird's own server hands the parts of a request from the event loop to a pool of threads and those of the answer back,
/// which takes half as much processor time again (docs/benchmarks.md). Parsing stays with NIOHTTP1.
struct HTTPConnectionSetup: ServerChildChannel {
    /// One connection.
    struct Connection: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let handler: NIOLoopBound<HTTPConnectionHandler>
        fileprivate let repetition: NIOLoopBound<RepetitionHandler>
    }

    let responder: ServiceResponder
    let idleTimeout: TimeAmount
    let limits: NIOHTTPDecoderLimitConfiguration
    /// nil in a service none of whose answers last.
    var lasting: LastingAnswers?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let handler = HTTPConnectionHandler(idleTimeout: idleTimeout)
            let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
            let repetition = RepetitionHandler(before: handler, lasting: lasting)
            try pipeline.addHandlers(repetition, ByteToMessageHandler(decoder), handler)
            return Connection(
                channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop),
                repetition: NIOLoopBound(repetition, eventLoop: channel.eventLoop))
        }
    }

    func handle(value connection: Connection, logger: Logger) async {
        let channel = connection.channel
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(LoopExecutor(channel.eventLoop)) {
                await serve(connection, logger)
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func serve(_ connection: Connection, _ logger: Logger) async {
        while let exchange = await connection.handler.value.next() {
            // Before the content is looked at: an answer may be newer than the version, never older.
            let version = lasting?.version()
            let answer = await answer(to: exchange, connection.channel, logger)
            let bytes = await ResponseBytes.of(
                answer?.response ?? Response(status: .badRequest), isLast: exchange.isLast)
            connection.repetition.value.answered(exchange, with: remembered(answer, bytes, version, exchange))
            connection.handler.value.answer(bytes.buffer)
        }
        try? await connection.channel.closeFuture.get()
    }

    /// nil for what is no request.
    private func answer(
        to exchange: ExchangeQueue.Exchange, _ channel: any Channel, _ logger: Logger
    ) async -> ServiceResponder.Answer? {
        guard let head = exchange.request else { return nil }
        let request = Request(head: head, body: RequestBody(buffer: exchange.body))
        let source = ApplicationRequestContextSource(channel: channel, logger: logger)
        return try? await responder.answer(to: request, context: ServiceRequestContext(source: source))
    }

    /// What may be given again; nil for an answer that does not last.
    private func remembered(
        _ answer: ServiceResponder.Answer?, _ bytes: DatedBytes, _ version: UInt64?, _ exchange: ExchangeQueue.Exchange
    ) -> RememberedAnswer? {
        guard let answer, let version, let lasting, let route = answer.route, lasting.routes.contains(route),
            exchange.request?.method == .get || exchange.request?.method == .head
        else { return nil }
        return RememberedAnswer(bytes: bytes, version: version, record: answer.record)
    }
}

extension NIOHTTPDecoderLimitConfiguration {
    /// What the suite's services take: more than any client sends who means well.
    static let services = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1024
        limits.maxHeaderListSize = 32 * 1024
        limits.maxHeaderFieldCount = 100
        return limits
    }()
}
