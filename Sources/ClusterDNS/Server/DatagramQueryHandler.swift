#if !os(Linux)
import DNSClient
import NIOCore

/// Answers each UDP query where it came from; on Linux ``DatagramThread`` does.
final class DatagramQueryHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let responder: Responder

    init(_ responder: Responder) { self.responder = responder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let client = envelope.remoteAddress
        switch responder.respond(to: Array(envelope.data.readableBytesView), over: .udp, on: context.eventLoop) {
        case .now(let reply): context.write(wrapOutboundOut(Self.envelope(reply, to: client)), promise: nil)
        case .later(let future):
            // The channel outlives the wait or refuses the write; neither needs the context.
            let channel = context.channel
            future.whenSuccess { channel.writeAndFlush(Self.envelope($0, to: client), promise: nil) }
        case .never: return
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    /// An unreachable client is no reason to stop serving the others.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private static func envelope(_ reply: [UInt8], to client: SocketAddress) -> AddressedEnvelope<ByteBuffer> {
        AddressedEnvelope(remoteAddress: client, data: ByteBuffer(bytes: reply))
    }
}
#endif
