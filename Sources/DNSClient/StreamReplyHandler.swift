import DNSWire
import NIOCore

/// Writes one query when its TCP connection stands, and waits for the message that answers it.
///
/// Each message has its length before it, in two octets (RFC 1035 section 4.2.2).
final class StreamReplyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let query: [UInt8]
    private let key: ReplyKey
    private let promise: EventLoopPromise<[UInt8]>
    /// What arrived and is no whole message yet; at most one message, its length and one read.
    private var received = ByteBuffer()

    init(query: [UInt8], key: ReplyKey, promise: EventLoopPromise<[UInt8]>) {
        self.query = query
        self.key = key
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt16(truncatingIfNeeded: query.count))
        buffer.writeBytes(query)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        while let length = received.getInteger(at: received.readerIndex, as: UInt16.self),
            received.readableBytes >= 2 + Int(length)
        {
            received.moveReaderIndex(forwardBy: 2)
            let message = received.readBytes(length: Int(length)) ?? []
            if key.matches(message) { promise.succeed(message) }
        }
        received.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ExchangeError.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(ExchangeError(error))
    }
}
