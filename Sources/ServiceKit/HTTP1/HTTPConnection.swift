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
    }

    let responder: ServiceResponder
    let idleTimeout: TimeAmount
    let limits: NIOHTTPDecoderLimitConfiguration

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let handler = HTTPConnectionHandler(idleTimeout: idleTimeout)
            let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
            try pipeline.addHandlers(ByteToMessageHandler(decoder), handler)
            return Connection(channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
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
            var response: Response
            do {
                let request = Request(
                    head: try HTTPRequest(exchange.head, secure: false, splitCookie: false),
                    body: RequestBody(buffer: exchange.body))
                let source = ApplicationRequestContextSource(channel: connection.channel, logger: logger)
                response = try await responder.respond(to: request, context: ServiceRequestContext(source: source))
            } catch {
                response = Response(status: .badRequest)
            }
            connection.handler.value.answer(await ResponseBytes.of(response, isLast: exchange.isLast))
        }
        try? await connection.channel.closeFuture.get()
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
