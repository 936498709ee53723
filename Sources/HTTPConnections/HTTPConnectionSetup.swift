import EventLoopTasks
import HTTPTypes
import HummingbirdCore
package import Logging
package import NIOCore
package import NIOHTTP1

/// Serves HTTP/1.1 connections, each on its own event loop: requests are read, answered and written without a change of threads.
///
/// Hummingbird's own server hands the parts of a request through asynchronous sequences and those of the answer back, which
/// takes half as much processor time again (docs/benchmarks.md). Parsing stays with NIOHTTP1.
package struct HTTPConnectionSetup: ServerChildChannel {
    /// One connection.
    package struct Connection: ServerChildChannelValue {
        package let channel: any Channel
        fileprivate let handler: NIOLoopBound<HTTPConnectionHandler>
        fileprivate let repetition: NIOLoopBound<RepetitionHandler>?
        fileprivate let exit: NIOLoopBound<ExitHandler>
    }

    private let responder: any ExchangeResponder
    private let settings: HTTPConnectionSettings
    private let handlers: @Sendable () -> [any ChannelHandler]

    /// - Parameter handlers: makes what stands between the decoder and the answers of each connection: it sees
    ///   `HTTPServerRequestPart`s, and may write bytes.
    package init(
        _ responder: any ExchangeResponder, _ settings: HTTPConnectionSettings,
        handlers: @Sendable @escaping () -> [any ChannelHandler] = { [] }
    ) {
        self.responder = responder
        self.settings = settings
        self.handlers = handlers
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let exit = ExitHandler()
            try pipeline.addHandler(exit, position: .first)
            let handler = HTTPConnectionHandler(
                idleTimeout: settings.idleTimeout, bodyLimit: settings.bodyLimit)
            var repetition: RepetitionHandler?
            if settings.remembersRequests {
                let first = RepetitionHandler(before: handler, responder)
                try pipeline.addHandler(first)
                repetition = first
            }
            handler.answer(by: DirectExchanges(responder, repetition))
            let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: settings.limits)
            try pipeline.addHandlers([ByteToMessageHandler(decoder)] + handlers() + [handler])
            return Connection(
                channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop),
                repetition: repetition.map { NIOLoopBound($0, eventLoop: channel.eventLoop) },
                exit: NIOLoopBound(exit, eventLoop: channel.eventLoop))
        }
    }

    package func handle(value connection: Connection, logger: Logger) async {
        let channel = connection.channel
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(LoopExecutor(channel.eventLoop)) {
                await serve(connection, logger)
            }
        } onCancel: {
            channel.eventLoop.execute { connection.exit.value.leave() }
        }
    }

    private func serve(_ connection: Connection, _ logger: Logger) async {
        let handler = connection.handler.value
        while let exchange = await handler.next() {
            // Before the content is looked at: an answer may be newer than the version, never older.
            let version = connection.repetition == nil ? nil : responder.contentVersion
            let answer = await answer(to: exchange, connection.channel, logger)
            let response = answer?.response ?? Response(status: .badRequest)
            guard let bytes = await ResponseBytes.of(response, to: exchange) else {
                connection.repetition?.value.answered(exchange, with: nil)
                await stream(response, to: exchange, connection.handler)
                continue
            }
            connection.repetition?.value.answered(
                exchange, with: remembered(answer?.repetition, bytes, version, exchange))
            handler.answer(bytes)
        }
        try? await connection.channel.closeFuture.get()
    }

    /// nil for what is no request.
    private func answer(
        to exchange: ExchangeQueue.Exchange, _ channel: any Channel, _ logger: Logger
    ) async -> ExchangeAnswer? {
        guard let head = exchange.request else { return nil }
        let request = Request(head: head, body: RequestBody(buffer: exchange.body))
        return await responder.answer(to: request, on: channel, logger: logger)
    }

    /// What may be given again; nil for an answer that does not last.
    private func remembered(
        _ record: (@Sendable (Duration) -> Void)?, _ bytes: ResponseBytes, _ version: UInt64?,
        _ exchange: ExchangeQueue.Exchange
    ) -> RememberedAnswer? {
        guard let record, let version, bytes.rest == nil,
            exchange.request?.method == .get || exchange.request?.method == .head
        else { return nil }
        return RememberedAnswer(bytes: bytes.start, version: version, record: record)
    }

    /// Sends a body as it comes; a failure on the way ends the connection, so that the client sees that something is missing.
    private func stream(
        _ response: Response, to exchange: ExchangeQueue.Exchange, _ handler: NIOLoopBound<HTTPConnectionHandler>
    ) async {
        handler.value.begin(ResponseBytes.head(of: response, to: exchange))
        do {
            try await response.body.write(StreamedBody(handler, isChunked: exchange.takesChunks))
            handler.value.finish(closes: !exchange.takesChunks)
        } catch {
            handler.value.abort()
        }
    }
}

/// What a server of HTTP/1.1 connections grants its clients.
package struct HTTPConnectionSettings: Sendable {
    /// How long a client may take to go on: with reading an answer, with a body, with its next request.
    package var idleTimeout: TimeAmount
    package var limits: NIOHTTPDecoderLimitConfiguration
    /// Octets of a request's body that are kept; of a longer one as much as shows that it is longer.
    package var bodyLimit: Int
    /// Whether a request that repeats the one before on its connection octet by octet is known again.
    ///
    /// It spares such requests their parsing and costs others a copy.
    package var remembersRequests: Bool

    package init(
        idleTimeout: TimeAmount, limits: NIOHTTPDecoderLimitConfiguration, bodyLimit: Int, remembersRequests: Bool
    ) {
        self.idleTimeout = idleTimeout
        self.limits = limits
        self.bodyLimit = bodyLimit
        self.remembersRequests = remembersRequests
    }
}

/// The event of a pipeline that its connection speaks no HTTP any more (RFC 9110 section 7.8).
///
/// Whoever fires it towards the end of the pipeline has answered the request, and takes over everything but the closing
/// when the server stops.
package struct HTTPConnectionSwitched: Sendable {
    package init() {}
}
