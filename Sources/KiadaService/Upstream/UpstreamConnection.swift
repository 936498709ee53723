import NIOCore

/// A connection that can carry one exchange after the other.
struct UpstreamConnection: Sendable {
    let channel: any Channel
    private let handler: NIOLoopBound<UpstreamConnectionHandler>

    /// To be made on the channel's event loop.
    init(_ channel: any Channel, _ handler: UpstreamConnectionHandler) {
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    func run(_ exchange: UpstreamExchange) {
        if channel.eventLoop.inEventLoop {
            handler.value.run(exchange)
        } else {
            channel.eventLoop.execute { handler.value.run(exchange) }
        }
    }
}
