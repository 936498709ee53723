import Glibc
import NIOCore
import NIOSSL

/// Runs exchanges, one after the other, over one connection; the last handler of its pipeline.
///
/// Every exchange is answered, at the latest at its deadline. A connection that cannot be used again closes itself, and so
/// does an idle one to which anything happens, or nothing for too long. Belongs to the event loop.
final class UpstreamConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Running {
        let exchange: UpstreamExchange
        var reader: ResponseReader
    }

    private struct Timer {
        let due: NIODeadline
        let task: Scheduled<Void>
    }

    private var running: Running?
    private let bodyLimit: Int
    /// nil: every connection serves one exchange.
    private let shelf: UpstreamShelf?
    private var context: ChannelHandlerContext?
    /// When the running exchange or the waiting is over.
    private var due = NIODeadline.distantFuture
    private var timer: Timer?

    init(bodyLimit: Int, shelf: UpstreamShelf?) {
        self.bodyLimit = bodyLimit
        self.shelf = shelf
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Begins an exchange; only after the one before has its answer.
    func run(_ exchange: UpstreamExchange) {
        guard running == nil, let context, context.channel.isActive else {
            return exchange.answer(.failure(.closedEarly))
        }
        watch(until: exchange.deadline, context.eventLoop)
        running = Running(exchange: exchange, reader: ResponseReader(bodyLimit: bodyLimit))
        context.writeAndFlush(wrapOutboundOut(exchange.request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // In place: a copy of what has come would have to be made.
        guard let action = running?.reader.receive(unwrapInboundIn(data)) else { return context.close(promise: nil) }
        perform(action, context)
    }

    private func perform(_ action: ResponseReader.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .wait:
            break
        case .fail(let error):
            fail(error, context: context)
        case .finish(let response, let isReusable):
            let exchange = running?.exchange
            running = nil
            if isReusable, let shelf, shelf.add(UpstreamConnection(context.channel, self)) {
                watch(until: .now() + shelf.limit, context.eventLoop)
            } else {
                context.close(promise: nil)
            }
            exchange?.answer(.success(response))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let action = running?.reader.end() { perform(action, context) } else { fail(.closedEarly, context: context) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(Self.meaning(of: error), context: context)
    }

    private func fail(_ error: UpstreamError, context: ChannelHandlerContext) {
        timer?.task.cancel()
        timer = nil
        let exchange = running?.exchange
        running = nil
        if exchange == nil, let shelf { shelf.remove(UpstreamConnection(context.channel, self)) }
        context.close(promise: nil)
        exchange?.answer(.failure(error))
    }

    /// One timer for all exchanges: one that is due too early looks again, since setting another for each exchange costs
    /// more than the exchange.
    private func watch(until due: NIODeadline, _ loop: any EventLoop) {
        self.due = due
        if let timer {
            guard due < timer.due else { return }
            timer.task.cancel()
        }
        let this = NIOLoopBound(self, eventLoop: loop)
        timer = Timer(due: due, task: loop.scheduleTask(deadline: due) { this.value.timerFired() })
    }

    private func timerFired() {
        timer = nil
        guard let context else { return }
        if due > .now() {
            watch(until: due, context.eventLoop)
        } else if let running {
            fail(.timedOut(after: running.exchange.limit), context: context)
        } else if let shelf, shelf.remove(UpstreamConnection(context.channel, self)) {
            context.close(promise: nil)
        }
    }

    private static func meaning(of error: any Error) -> UpstreamError {
        switch error {
        case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE: .reset
        case NIOSSLError.uncleanShutdown: .closedEarly
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: .insecure("\(error)")
        default: .closedEarly
        }
    }
}
