import ClusterModel
package import NIOCore
package import NIOWebSocket
import Synchronization

/// One `kubectl exec` or `kubectl attach`: streams of a program as channels in messages of a WebSocket (kubectl-wire 11,
/// v5.channel.k8s.io and v4, which lacks the end of input).
package final class StreamSessionHandler: ChannelInboundHandler {
    package typealias InboundIn = WebSocketFrame
    package typealias OutboundOut = WebSocketFrame

    /// Bytes of input that wait for the program before the client has to wait.
    private static let mostWaiting = 1 << 20
    /// Bytes of output that wait for the client before it is cut off; a program that was started for it is killed, a
    /// container runs on.
    private static let mostUnsent = 64 << 20
    /// Bytes in one message at most.
    private static let largestMessage = 32 * 1024

    private let sessions: any PodSessions
    private let request: SessionRequest
    private var session: (any PodSession)?
    private var input: InputQueue?
    private var message = ByteBuffer()
    private var unsent = 0
    private var hasEnded = false

    package init(_ sessions: any PodSessions, _ request: SessionRequest) {
        self.sessions = sessions
        self.request = request
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let opened = sessions.open(request) { event in loop.execute { this.value.take(event, bound.value) } }
        session = opened
        input = InputQueue(opened)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .ping: context.writeAndFlush(wrapOutboundOut(frame.pong), promise: nil)
        case .connectionClose: context.close(promise: nil)
        case .binary, .text, .continuation:
            var payload = frame.unmaskedData
            frame.data.clear()
            message.writeBuffer(&payload)
            guard frame.fin else { return }
            let whole = message
            message.clear()
            take(whole, context)
        default: break
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        session?.cancel()
        input?.stop()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        session?.cancel()
        input?.stop()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: From the client

    private func take(_ message: ByteBuffer, _ context: ChannelHandlerContext) {
        var message = message
        guard let channel = message.readInteger(as: UInt8.self) else { return }
        switch channel {
        case 0:
            let channelOfClient = context.channel
            let waiting = input?.add(Array(message.readableBytesView)) {
                channelOfClient.setOption(ChannelOptions.autoRead, value: true).whenSuccess {
                    channelOfClient.read()
                }
            }
            if let waiting, waiting > Self.mostWaiting {
                _ = context.channel.setOption(ChannelOptions.autoRead, value: false)
            }
        case 4:
            guard let json = try? JSONValue(parsing: message.readableBytesView),
                let columns = json["Width"]?.intValue.flatMap(UInt16.init(exactly:)),
                let rows = json["Height"]?.intValue.flatMap(UInt16.init(exactly:))
            else { return }
            session?.resize(columns: columns, rows: rows)
        case 255: if message.readInteger(as: UInt8.self) == 0 { input?.close() }
        default: break
        }
    }

    // MARK: From the program

    private func take(_ event: SessionEvent, _ context: ChannelHandlerContext) {
        guard !hasEnded, context.channel.isActive else { return }
        switch event {
        case .started: input?.open()
        case .output(let bytes, let isError):
            for start in stride(from: 0, to: bytes.count, by: Self.largestMessage) {
                let part = bytes[start..<min(start + Self.largestMessage, bytes.count)]
                send(channel: isError ? 2 : 1, part, context)
            }
            context.flush()
        case .ended(let code): end(code == 0 ? Self.success : Self.exitStatus(code), context)
        case .failed(let reason):
            let status: JSONValue = [
                "metadata": [:], "status": "Failure", "message": .string(reason), "reason": "InternalError",
                "code": 500,
            ]
            end(status, context)
        }
    }

    private func send(channel: UInt8, _ bytes: some Collection<UInt8>, _ context: ChannelHandlerContext) {
        var data = context.channel.allocator.buffer(capacity: bytes.count + 1)
        data.writeInteger(channel)
        data.writeBytes(bytes)
        let count = data.readableBytes
        unsent += count
        guard unsent <= Self.mostUnsent else {
            session?.cancel()
            return context.close(promise: nil)
        }
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in this.value.unsent -= count }
        context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .binary, data: data)), promise: sent)
    }

    /// The status, then the close frame: without it kubectl reports an error.
    private func end(_ status: JSONValue, _ context: ChannelHandlerContext) {
        hasEnded = true
        input?.stop()
        send(channel: 3, status.serialized(), context)
        context.writeAndFlush(
            wrapOutboundOut(.normalClosure(context.channel.allocator)), promise: nil)
    }

    private static let success: JSONValue = ["metadata": [:], "status": "Success"]

    private static func exitStatus(_ code: Int32) -> JSONValue {
        [
            "metadata": [:], "status": "Failure",
            "message": .string("command terminated with non-zero exit code: exit status \(code)"),
            "reason": "NonZeroExitCode",
            "details": ["causes": [["reason": "ExitCode", "message": .string("\(code)")]]],
        ]
    }
}

/// Input on its way to a program, written by a thread of its own, because a program may not read for long; it waits here
/// until the program has started.
private final class InputQueue: Sendable {
    private struct State {
        var chunks: [[UInt8]] = []
        var waiting = 0
        var isOpen = false
        var isClosing = false
        var isOver = false
        var isRunning = false
        var onDrained: (@Sendable () -> Void)?
    }

    private let session: any PodSession
    private let state = Mutex(State())

    init(_ session: any PodSession) { self.session = session }

    /// The program takes input from now on.
    func open() {
        change { state in
            state.isOpen = true
            return !state.chunks.isEmpty || state.isClosing
        }
    }

    /// - Parameter onDrained: called once everything has been written.
    /// - Returns: how many bytes wait now.
    func add(_ bytes: [UInt8], onDrained: @escaping @Sendable () -> Void) -> Int {
        change { state in
            state.chunks.append(bytes)
            state.waiting += bytes.count
            state.onDrained = onDrained
            return true
        }
    }

    /// Ends the input after what has been added.
    func close() {
        change { state in
            state.isClosing = true
            return true
        }
    }

    /// Changes the state under its lock, and sees to it that a thread works if there is now something to do.
    ///
    /// - Parameter hasWork: makes the change and says whether there is.
    /// - Returns: how many bytes wait now.
    @discardableResult
    private func change(_ hasWork: (inout State) -> Bool) -> Int {
        let (waiting, starts) = state.withLock { state -> (Int, Bool) in
            let starts = hasWork(&state) && state.isOpen && !state.isRunning
            if starts { state.isRunning = true }
            return (state.waiting, starts)
        }
        if starts { run() }
        return waiting
    }

    func stop() { state.withLock { $0.isOver = true } }

    private func run() {
        BlockingWork.run { [self] in
            while true {
                let step = state.withLock {
                    state -> (chunk: [UInt8]?, closes: Bool, drained: (@Sendable () -> Void)?) in
                    if !state.chunks.isEmpty, !state.isOver {
                        let chunk = state.chunks.removeFirst()
                        state.waiting -= chunk.count
                        return (chunk, false, nil)
                    }
                    state.isRunning = false
                    return (nil, state.isClosing && !state.isOver, state.onDrained)
                }
                guard let chunk = step.chunk else {
                    if step.closes { session.closeInput() }
                    step.drained?()
                    return
                }
                session.write(chunk)
            }
        }
    }
}
