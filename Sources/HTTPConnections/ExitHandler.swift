import NIOCore

/// Closes a connection at once when the server has to go; the first handler of the pipeline, before TLS.
///
/// TLS says goodbye and then waits for the client's, which one that is busy otherwise does not send (RFC 8446 section 6.1
/// does not ask to wait for it). Belongs to the event loop.
final class ExitHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Lets everybody in the pipeline say goodbye, and closes.
    func leave() {
        guard let context else { return }
        context.channel.close(promise: nil)
        context.close(promise: nil)
    }
}
