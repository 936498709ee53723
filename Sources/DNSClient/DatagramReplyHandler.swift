import DNSWire
import NIOCore

/// Writes one query when its UDP channel is connected, and waits for the datagram that answers it.
final class DatagramReplyHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let query: [UInt8]
    private let key: ReplyKey
    private let promise: EventLoopPromise<[UInt8]>

    init(query: [UInt8], key: ReplyKey, promise: EventLoopPromise<[UInt8]>) {
        self.query = query
        self.key = key
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        guard let remote = context.remoteAddress else { return promise.fail(ExchangeError.closed) }
        let envelope = AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(bytes: query))
        context.writeAndFlush(wrapOutboundOut(envelope), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let message = Array(unwrapInboundIn(data).data.readableBytesView)
        if key.matches(message) { promise.succeed(message) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ExchangeError.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(ExchangeError(error))
    }
}
