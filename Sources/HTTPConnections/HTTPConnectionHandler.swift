import NIOCore
import NIOHTTP1

/// The end of a connection's pipeline: hands out requests and takes the bytes of answers.
///
/// Belongs to the event loop.
final class HTTPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Octets of a streamed body that wait for more to be sent with them.
    private static let mostUnsent = 32 * 1024

    private var queue: ExchangeQueue
    /// Handed out by the queue, and not fetched yet.
    private var ready: ExchangeQueue.Exchange?
    private var waiter: CheckedContinuation<ExchangeQueue.Exchange?, Never>?
    private var context: ChannelHandlerContext?
    private var isOver = false
    private var isReadHeld = false
    /// Whether an answer waits for the client to take what was sent before.
    private var isHeldUp = false
    /// Whether an answer's body is sent piece by piece.
    private var isStreaming = false
    /// Waits for the client in the middle of such a body.
    private var roomWaiter: CheckedContinuation<Void, Never>?
    /// Octets written and not sent.
    private var unsent = 0
    /// Whether another protocol is spoken on the connection.
    private var isSwitched = false
    /// Answers what needs no task; nil when the connection is over.
    private var direct: DirectExchanges?
    private let idleTimeout: TimeAmount
    private var lastActivity = NIODeadline.now()
    private var idleTimer: Scheduled<Void>?

    /// - Parameters:
    ///   - idleTimeout: how long a client may take to go on: with reading an answer, with a body, with its next request.
    ///   - bodyLimit: octets of a request's body that are kept.
    init(idleTimeout: TimeAmount, bodyLimit: Int) {
        self.idleTimeout = idleTimeout
        queue = ExchangeQueue(bodyLimit: bodyLimit)
    }

    /// Has requests answered by `direct` if they can be; to be called before the connection begins.
    func answer(by direct: DirectExchanges) { self.direct = direct }

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
    /// To be called again only after `answer` or `finish`.
    func next() async -> ExchangeQueue.Exchange? {
        if let exchange = ready {
            ready = nil
            return exchange
        }
        if isOver { return nil }
        return await withCheckedContinuation { waiter = $0 }
    }

    /// Sends the answer to the request handed out last.
    func answer(_ bytes: ResponseBytes) {
        guard let context, !isOver else { return }
        if let rest = bytes.rest {
            context.write(wrapOutboundOut(bytes.start.buffer), promise: nil)
            context.writeAndFlush(wrapOutboundOut(rest), promise: nil)
        } else {
            context.writeAndFlush(wrapOutboundOut(bytes.start.buffer), promise: nil)
        }
        endAnswer(context)
    }

    /// Sends the head of an answer whose body follows.
    func begin(_ head: DatedBytes) {
        guard let context, !isOver else { return }
        isStreaming = true
        write(head.buffer, context)
    }

    /// Sends a piece of a body, when the client has taken enough of what was sent before.
    ///
    /// Pieces that come without a pause leave together.
    ///
    /// - Throws: ChannelError when the client has gone.
    func send(_ piece: ByteBuffer) async throws {
        if let context, !isOver { write(piece, context) }
        if isHeldUp { await withCheckedContinuation { roomWaiter = $0 } }
        if isOver { throw ChannelError.ioOnClosedChannel }
    }

    /// The body that was sent piece by piece is complete.
    ///
    /// - Parameter closes: whether the connection's end is the body's.
    func finish(closes: Bool) {
        guard let context, !isOver else { return }
        isStreaming = false
        flush(context)
        if closes { perform(queue.stop(), context) }
        endAnswer(context)
    }

    /// Ends the connection in the middle of an answer.
    func abort() { context?.close(promise: nil) }

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(bytes), promise: nil)
        lastActivity = .now()
        if unsent == 0 {
            let this = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.eventLoop.execute { if let context = this.value.context { this.value.flush(context) } }
        }
        unsent += bytes.readableBytes
        if unsent > Self.mostUnsent { flush(context) }
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard unsent > 0 else { return }
        unsent = 0
        context.flush()
        isHeldUp = !context.channel.isWritable
    }

    private func endAnswer(_ context: ChannelHandlerContext) {
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
            if let direct, direct.begin(exchange, of: self, on: context.channel) { return }
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
        direct = nil
        waiter?.resume(returning: nil)
        waiter = nil
        // Whoever comes with a further piece must not wait for a client that has gone.
        isHeldUp = false
        roomWaiter?.resume()
        roomWaiter = nil
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
            if let roomWaiter {
                self.roomWaiter = nil
                roomWaiter.resume()
            } else if !isStreaming {
                goOn(context)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if queue.wantsInput { context.read() } else { isReadHeld = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is HTTPConnectionSwitched:
            isSwitched = true
            queue.end()
            end()
            if isReadHeld {
                isReadHeld = false
                context.read()
            }
        case is ChannelShouldQuiesceEvent where isSwitched: context.close(promise: nil)
        case _ where isSwitched: context.fireUserInboundEventTriggered(event)
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
