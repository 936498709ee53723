import NIOCore
import NIOPosix
import NIOWebSocket

/// One `kubectl port-forward`: connections to a pod's ports as SPDY streams inside of a WebSocket (kubectl-wire 11).
///
/// kubectl opens two streams per connection, `error` and `data`, with the same request id.
final class PortForwardHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private struct Stream {
        let kind: String
        let request: String
        let port: Int
    }

    /// A connection to the pod, or one that is being opened.
    private struct Connection {
        var error: UInt32?
        var data: UInt32?
        var channel: (any Channel)?
        /// What came from the client before the connection was open.
        var early: [[UInt8]] = []
        var clientHasEnded = false
    }

    /// Bytes on their way to kubectl above which pods have to wait.
    private static let mostUnsent = 1 << 20
    private static let mostStreams = 2048

    private let pod: String
    private let address: String
    private let headers = SPDYHeaders()
    private var buffer: [UInt8] = []
    private var streams: [UInt32: Stream] = [:]
    private var connections: [String: Connection] = [:]
    private var hasReplied = false
    private var unsent = 0

    init(pod: String, address: String) {
        self.pod = pod
        self.address = address
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .ping: context.writeAndFlush(wrapOutboundOut(frame.pong), promise: nil)
        case .connectionClose: context.close(promise: nil)
        case .binary, .continuation:
            // A message is any piece of the byte stream, even an empty one.
            buffer += frame.unmaskedData.readableBytesView
            do {
                while let next = try SPDYFrame.next(from: &buffer) { try take(next, context) }
            } catch {
                context.close(promise: nil)
            }
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        for connection in connections.values { connection.channel?.close(promise: nil) }
        connections = [:]
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: From kubectl

    private func take(_ frame: SPDYFrame, _ context: ChannelHandlerContext) throws {
        switch frame {
        case .synStream(let id, let block, _):
            let fields = try headers.headers(in: block)
            guard streams.count < Self.mostStreams, let kind = fields["streamtype"],
                let port = fields["port"].flatMap({ Int($0) }), (1...65535).contains(port)
            else { throw SPDYFrame.Malformed() }
            let request = fields["requestid"] ?? "\(port)"
            streams[id] = Stream(kind: kind, request: request, port: port)
            send(SPDYFrame.synReply(id, block: SPDYHeaders.emptyBlock(isFirst: !hasReplied)), context)
            hasReplied = true
            var connection = connections[request] ?? Connection()
            if kind == "error" { connection.error = id } else { connection.data = id }
            connections[request] = connection
            if connection.error != nil, connection.data != nil { dial(request, port, context) }
        case .data(let id, let bytes, let isLast):
            guard let stream = streams[id], stream.kind == "data" else { return }
            forward(bytes, isLast: isLast, stream.request)
        case .reset(let id): if let stream = streams[id] { drop(stream.request) }
        case .ping(let id): send(SPDYFrame.ping(id), context)
        case .headers(let block): _ = try headers.headers(in: block)
        case .goAway, .other: break
        }
    }

    private func forward(_ bytes: [UInt8], isLast: Bool, _ request: String) {
        guard var connection = connections[request] else { return }
        if isLast { connection.clientHasEnded = true }
        if let channel = connection.channel {
            if !bytes.isEmpty { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
            if isLast { channel.close(mode: .output, promise: nil) }
        } else if !bytes.isEmpty {
            connection.early.append(bytes)
        }
        connections[request] = connection
    }

    private func drop(_ request: String) {
        guard let connection = connections.removeValue(forKey: request) else { return }
        for id in [connection.data, connection.error] { if let id { streams[id] = nil } }
        connection.channel?.close(promise: nil)
    }

    // MARK: To the pod

    private func dial(_ request: String, _ port: Int, _ context: ChannelHandlerContext) {
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let channel = ClientBootstrap(group: context.eventLoop)
            .connectTimeout(.seconds(10))
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        PodConnectionHandler(
                            onBytes: { this.value.received($0, request, from: channel, bound.value) },
                            onEnd: { this.value.ended(request, bound.value) }))
                }
            }
            .connect(host: address, port: port)
        channel.whenComplete { result in
            switch result {
            case .success(let channel): this.value.opened(channel, request)
            case .failure(let error): this.value.failed(request, port, "\(error)", bound.value)
            }
        }
    }

    private func opened(_ channel: any Channel, _ request: String) {
        guard var connection = connections[request] else { return channel.close(promise: nil) }
        connection.channel = channel
        for bytes in connection.early { channel.write(ByteBuffer(bytes: bytes), promise: nil) }
        channel.flush()
        connection.early = []
        if connection.clientHasEnded { channel.close(mode: .output, promise: nil) }
        connections[request] = connection
    }

    private func received(
        _ bytes: ByteBuffer, _ request: String, from channel: any Channel, _ context: ChannelHandlerContext
    ) {
        guard let id = connections[request]?.data else { return }
        send(SPDYFrame.data(id, bytes.readableBytesView), context)
        guard unsent > Self.mostUnsent else { return }
        // The pod waits until kubectl has taken what there is.
        _ = channel.setOption(ChannelOptions.autoRead, value: false)
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(2)) { this.value.resume(channel) }
    }

    private func resume(_ channel: any Channel) {
        guard unsent > Self.mostUnsent / 2 else {
            channel.setOption(ChannelOptions.autoRead, value: true).whenSuccess { channel.read() }
            return
        }
        let this = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.eventLoop.scheduleTask(in: .milliseconds(2)) { this.value.resume(channel) }
    }

    private func ended(_ request: String, _ context: ChannelHandlerContext) {
        guard let connection = connections[request] else { return }
        for id in [connection.data, connection.error] {
            if let id { send(SPDYFrame.data(id, [], isLast: true), context) }
        }
        drop(request)
    }

    private func failed(_ request: String, _ port: Int, _ reason: String, _ context: ChannelHandlerContext) {
        guard let connection = connections[request] else { return }
        let text =
            "error forwarding port \(port) to pod \(pod), uid : failed to connect to \(address):\(port): \(reason)"
        if let id = connection.error {
            send(SPDYFrame.data(id, Array(text.utf8)), context)
            send(SPDYFrame.data(id, [], isLast: true), context)
        }
        if let id = connection.data { send(SPDYFrame.data(id, [], isLast: true), context) }
        drop(request)
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let count = bytes.count
        unsent += count
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in this.value.unsent -= count }
        context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: .binary, data: ByteBuffer(bytes: bytes))), promise: sent)
    }
}

/// What comes from a pod's port.
final class PodConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onBytes: (ByteBuffer) -> Void
    private let onEnd: () -> Void
    private var hasEnded = false

    init(onBytes: @escaping (ByteBuffer) -> Void, onEnd: @escaping () -> Void) {
        self.onBytes = onBytes
        self.onEnd = onEnd
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { onBytes(unwrapInboundIn(data)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { end() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end() {
        if hasEnded { return }
        hasEnded = true
        onEnd()
    }
}
