import NIOCore
import NetTypes

/// Takes what clients send to a UDP frontend.
final class NIODatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let loop: NIORelayLoop
    private let place: Token.Place

    init(loop: NIORelayLoop, place: Token.Place) {
        self.loop = loop
        self.place = place
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let client = SocketEndpoint(envelope.remoteAddress) else { return }
        loop.forward(envelope.data, from: client, at: place, source: context.channel)
    }

    /// A client that is gone says so by ICMP; the frontend stays.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// Takes what an endpoint answers.
final class NIOFlowHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let loop: NIORelayLoop
    private let flow: NIOFlow

    init(loop: NIORelayLoop, flow: NIOFlow) {
        self.loop = loop
        self.flow = flow
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { loop.answer(unwrapInboundIn(data).data, of: flow) }

    /// "Port unreachable", for one.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { loop.fail(flow) }

    func channelInactive(context: ChannelHandlerContext) { loop.fail(flow) }
}
