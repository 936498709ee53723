import DNSClient
import NIOCore

/// Answers queries on one TCP connection, several under way at a time and each when it is ready (RFC 7766).
///
/// Nothing more is read while the client takes no replies, or while ``outstandingLimit`` queries wait for the upstream. An
/// idle connection is closed.
final class StreamQueryHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let outstandingLimit = 64

    private let responder: Responder
    /// What arrived and is no whole query yet.
    private var received = ByteBuffer()
    private var outstanding = 0
    /// The client has sent its last query; the connection is closed after the last reply.
    private var isInputClosed = false

    init(_ responder: Responder) { self.responder = responder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        while let length = received.getInteger(at: received.readerIndex, as: UInt16.self),
            received.readableBytes >= 2 + Int(length)
        {
            received.moveReaderIndex(forwardBy: 2)
            answer(received.readBytes(length: Int(length)) ?? [], context)
        }
        received.discardReadBytes()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        updateReading(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        updateReading(context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is IdleStateHandler.IdleStateEvent: context.close(promise: nil)
        case ChannelEvent.inputClosed:
            isInputClosed = true
            closeIfDone(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ query: [UInt8], _ context: ChannelHandlerContext) {
        switch responder.respond(to: query, over: .tcp, on: context.eventLoop) {
        case .now(let reply): context.write(wrapOutboundOut(Self.frame(reply)), promise: nil)
        case .later(let future):
            outstanding += 1
            future.assumeIsolated().whenSuccess { reply in
                self.outstanding -= 1
                guard context.channel.isActive else { return }
                context.writeAndFlush(self.wrapOutboundOut(Self.frame(reply)), promise: nil)
                self.updateReading(context)
                self.closeIfDone(context)
            }
        // Nonsense on a connection of its own: no more of it.
        case .never: context.close(promise: nil)
        }
    }

    private func updateReading(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let isWelcome = context.channel.isWritable && outstanding < Self.outstandingLimit
        try? context.channel.syncOptions?.setOption(.autoRead, value: isWelcome)
    }

    private func closeIfDone(_ context: ChannelHandlerContext) {
        guard isInputClosed, outstanding == 0 else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    private static func frame(_ reply: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(reply.count + 2)
        buffer.writeInteger(UInt16(truncatingIfNeeded: reply.count))
        buffer.writeBytes(reply)
        return buffer
    }
}
