import NIOCore
import NIOPosix
import NIOWebSocket

/// Port-forward as the Python client speaks it: channels in messages of a WebSocket, one connection per port
/// (kubectl-wire 11, v4.channel.k8s.io).
///
/// Channel 2i carries the data of the i-th port, channel 2i+1 its error; each begins with the port, little-endian.
final class ChannelPortForwardHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// Bytes on their way to the client above which a pod is cut off.
    private static let mostUnsent = 16 << 20

    private let pod: String
    private let address: String
    private let ports: [UInt16]
    private var channels: [Int: any Channel] = [:]
    private var early: [Int: [ByteBuffer]] = [:]
    private var open: Int
    private var message = ByteBuffer()
    private var unsent = 0

    init(pod: String, address: String, ports: [UInt16]) {
        self.pod = pod
        self.address = address
        self.ports = ports
        open = ports.count
    }

    func handlerAdded(context: ChannelHandlerContext) {
        for (index, port) in ports.enumerated() {
            for channel in [2 * index, 2 * index + 1] {
                send(UInt8(channel), ByteBuffer(bytes: [UInt8(port & 0xFF), UInt8(port >> 8)]), context)
            }
            dial(index, port, context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        var payload = frame.unmaskedData
        switch frame.opcode {
        case .ping: context.writeAndFlush(wrapOutboundOut(frame.pong), promise: nil)
        case .connectionClose: context.close(promise: nil)
        case .binary, .text, .continuation:
            message.writeBuffer(&payload)
            guard frame.fin else { return }
            var whole = message
            message.clear()
            guard let channel = whole.readInteger(as: UInt8.self).map(Int.init), channel % 2 == 0,
                whole.readableBytes > 0
            else { return }
            let bytes = whole.slice()
            if let pod = channels[channel / 2] {
                pod.writeAndFlush(bytes, promise: nil)
            } else {
                early[channel / 2, default: []].append(bytes)
            }
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        for channel in channels.values { channel.close(promise: nil) }
        channels = [:]
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func dial(_ index: Int, _ port: UInt16, _ context: ChannelHandlerContext) {
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        PodConnectionHandler(
                            onBytes: { this.value.send(UInt8(2 * index), $0, bound.value) },
                            onEnd: { this.value.ended(bound.value) }))
                }
            }
            .connect(host: address, port: Int(port))
            .whenComplete { result in
                switch result {
                case .success(let channel): this.value.opened(index, channel)
                case .failure(let error): this.value.failed(index, port, "\(error)", bound.value)
                }
            }
    }

    private func opened(_ index: Int, _ channel: any Channel) {
        channels[index] = channel
        for bytes in early.removeValue(forKey: index) ?? [] { channel.write(bytes, promise: nil) }
        channel.flush()
    }

    private func failed(_ index: Int, _ port: UInt16, _ reason: String, _ context: ChannelHandlerContext) {
        let text = "error forwarding port \(port) to pod \(pod): failed to connect to \(address):\(port): \(reason)"
        send(UInt8(2 * index + 1), ByteBuffer(string: text), context)
        ended(context)
    }

    /// When the last connection has ended, the session has.
    private func ended(_ context: ChannelHandlerContext) {
        open -= 1
        guard open == 0, context.channel.isActive else { return }
        context.writeAndFlush(
            wrapOutboundOut(.normalClosure(context.channel.allocator)), promise: nil)
    }

    private func send(_ channel: UInt8, _ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        var data = context.channel.allocator.buffer(capacity: bytes.readableBytes + 1)
        data.writeInteger(channel)
        data.writeImmutableBuffer(bytes)
        let count = data.readableBytes
        unsent += count
        guard unsent <= Self.mostUnsent else { return context.close(promise: nil) }
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in this.value.unsent -= count }
        context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .binary, data: data)), promise: sent)
    }
}
