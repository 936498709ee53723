import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL

/// Runs exchanges, one after the other, over one connection; the last handler of its pipeline.
///
/// Write an `UpstreamExchange`; its promise is kept in every case, at the latest at its deadline. A connection that
/// cannot be used again closes itself, and so does an idle one to which anything happens.
final class UpstreamConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = UpstreamExchange
    typealias OutboundOut = HTTPClientRequestPart

    private struct Running {
        let exchange: UpstreamExchange
        var collector: ResponseCollector
        let timeout: Scheduled<Void>
    }

    private var running: Running?
    private let bodyLimit: Int
    /// Takes the connection when an exchange left it usable; nil: every connection serves one exchange.
    private let release: (@Sendable (any Channel) -> Void)?

    init(bodyLimit: Int, release: (@Sendable (any Channel) -> Void)?) {
        self.bodyLimit = bodyLimit
        self.release = release
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let exchange = unwrapOutboundIn(data)
        guard running == nil, context.channel.isActive else {
            exchange.response.fail(UpstreamError.closedEarly)
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let timeout = context.eventLoop.scheduleTask(deadline: exchange.deadline) {
            this.value.fail(.timedOut(after: exchange.limit), context: bound.value)
        }
        running = Running(exchange: exchange, collector: ResponseCollector(bodyLimit: bodyLimit), timeout: timeout)
        context.write(wrapOutboundOut(.head(exchange.head(keepsAlive: release != nil))), promise: nil)
        if let json = exchange.request.json {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: json)))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard var current = running else { return context.close(promise: nil) }
        running = nil  // so that the body is changed in place
        let action = current.collector.receive(unwrapInboundIn(data))
        running = current
        switch action {
        case .wait:
            break
        case .fail(let error):
            fail(error, context: context)
        case .finish(let response, let isReusable):
            running = nil
            current.timeout.cancel()
            if isReusable, let release { release(context.channel) } else { context.close(promise: nil) }
            current.exchange.response.succeed(response)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closedEarly, context: context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(Self.meaning(of: error), context: context)
    }

    private func fail(_ error: UpstreamError, context: ChannelHandlerContext) {
        if let running {
            self.running = nil
            running.timeout.cancel()
            running.exchange.response.fail(error)
        }
        context.close(promise: nil)
    }

    private static func meaning(of error: any Error) -> UpstreamError {
        switch error {
        case HTTPParserError.invalidEOFState: .closedEarly
        case is HTTPParserError, is NIOHTTPDecoderError: .invalidResponse
        case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE: .reset
        case NIOSSLError.uncleanShutdown: .closedEarly
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: .insecure("\(error)")
        default: .closedEarly
        }
    }
}
