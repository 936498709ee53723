import NIOCore
import NIOHTTP1

/// The end of a connection's pipeline: hands out requests and takes the bytes of answers.
///
/// Belongs to the event loop.
final class HTTPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Octets of a body that are kept; the routes have lower limits.
    private static let bodyLimit = 64 * 1024

    private var queue = ExchangeQueue(bodyLimit: bodyLimit)
    /// Handed out by the queue, and not fetched yet.
    private var ready: ExchangeQueue.Exchange?
    private var waiter: CheckedContinuation<ExchangeQueue.Exchange?, Never>?
    private var context: ChannelHandlerContext?
    private var isOver = false
    private var isReadHeld = false
    /// Whether an answer waits for the client to take what was sent before.
    private var isHeldUp = false
    private let idleTimeout: TimeAmount
    private var lastActivity = NIODeadline.now()
    private var idleTimer: Scheduled<Void>?

    /// - Parameter idleTimeout: how long a client may take to go on: with reading an answer, with a body, with its next
    ///   request.
    init(idleTimeout: TimeAmount) { self.idleTimeout = idleTimeout }

    /// Whether nothing is under way in either direction.
    var isAtRest: Bool { queue.isIdle && !isOver && !isHeldUp }

    /// A request was answered without this handler.
    func noteExchange() { lastActivity = .now() }

    /// Takes a request that was read already; only while ``isAtRest``.
    func receive(_ exchange: ExchangeQueue.Exchange) {
        guard let context else { return }
        perform(queue.receive(exchange), context)
    }

    // MARK: For the task that serves the connection

    /// The next request; nil when there will be none.
    ///
    /// To be called again only after `answer`.
    func next() async -> ExchangeQueue.Exchange? {
        if let exchange = ready {
            ready = nil
            return exchange
        }
        if isOver { return nil }
        return await withCheckedContinuation { waiter = $0 }
    }

    /// Sends the answer to the request handed out last.
    func answer(_ bytes: ByteBuffer) {
        guard let context, !isOver else { return }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        lastActivity = .now()
        isHeldUp = !context.channel.isWritable
        if !isHeldUp { goOn(context) }
    }

    private func goOn(_ context: ChannelHandlerContext) {
        perform(queue.answered(), context)
        if isReadHeld, queue.wantsInput {
            isReadHeld = false
            context.read()
        }
    }

    private func perform(_ action: ExchangeQueue.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .wait:
            break
        case .answer(let exchange):
            guard let waiter else {
                ready = exchange
                return
            }
            self.waiter = nil
            waiter.resume(returning: exchange)
        case .close:
            close(context)
        }
    }

    /// Closes once everything that was written is with the kernel: what is not would be lost.
    private func close(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in bound.value.close(promise: nil) }
    }

    private func end() {
        isOver = true
        idleTimer?.cancel()
        idleTimer = nil
        context = nil
        waiter?.resume(returning: nil)
        waiter = nil
    }

    // MARK: ChannelHandler

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { armIdleTimer(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelActive(context: ChannelHandlerContext) {
        armIdleTimer(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .body = part { lastActivity = .now() }
        perform(queue.receive(part), context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isHeldUp, context.channel.isWritable {
            isHeldUp = false
            goOn(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if queue.wantsInput { context.read() } else { isReadHeld = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: perform(queue.endInput(), context)
        case is ChannelShouldQuiesceEvent: perform(queue.stop(), context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, !isOver else { return context.close(promise: nil) }
        // What was asked for before the nonsense is still answered.
        guard !queue.isAnswering else { return perform(queue.endInput(), context) }
        context.writeAndFlush(wrapOutboundOut(ResponseBytes.badRequest), promise: nil)
        close(context)
    }

    /// One timer per connection, however many requests there are: it looks when it is due whether anything has happened.
    private func armIdleTimer(_ context: ChannelHandlerContext) {
        guard idleTimer == nil else { return }
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        idleTimer = context.eventLoop.scheduleTask(deadline: max(lastActivity + idleTimeout, .now() + .milliseconds(1)))
        {
            this.value.idleTimerFired()
        }
    }

    private func idleTimerFired() {
        idleTimer = nil
        guard let context, !isOver else { return }
        if queue.isAnswering, !isHeldUp {
            lastActivity = .now()
        } else if lastActivity + idleTimeout <= .now() {
            context.close(promise: nil)
            return
        }
        armIdleTimer(context)
    }
}
