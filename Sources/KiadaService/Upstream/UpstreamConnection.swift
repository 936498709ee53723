import NIOCore

/// A connection that can carry one exchange after the other.
struct UpstreamConnection: Sendable {
    private enum Carrier {
        case channel(any Channel, NIOLoopBound<UpstreamConnectionHandler>)
        case loopback(NIOLoopBound<LoopbackConnection>)
    }

    let loop: any EventLoop
    /// Tells connections apart while they are open.
    let identity: ObjectIdentifier
    private let carrier: Carrier

    /// To be made on the channel's event loop.
    init(_ channel: any Channel, _ handler: UpstreamConnectionHandler) {
        loop = channel.eventLoop
        identity = ObjectIdentifier(handler)
        carrier = .channel(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
    }

    /// To be made on `loop`, which is the connection's.
    init(_ connection: LoopbackConnection, on loop: any EventLoop) {
        self.loop = loop
        identity = ObjectIdentifier(connection)
        carrier = .loopback(NIOLoopBound(connection, eventLoop: loop))
    }

    /// Whether it is worth trying: what ends just now is noticed when an exchange runs.
    var isOpen: Bool {
        switch carrier {
        case .channel(let channel, _): channel.isActive
        case .loopback: true
        }
    }

    /// Begins an exchange; only after the one before has its answer.
    func run(_ exchange: UpstreamExchange) {
        if loop.inEventLoop { runHere(exchange) } else { loop.execute { runHere(exchange) } }
    }

    private func runHere(_ exchange: UpstreamExchange) {
        switch carrier {
        case .channel(_, let handler): handler.value.run(exchange)
        case .loopback(let connection): connection.value.run(exchange)
        }
    }

    /// Closes a connection that no exchange uses.
    func close() {
        switch carrier {
        case .channel(let channel, _): channel.close(promise: nil)
        case .loopback(let connection):
            if loop.inEventLoop { connection.value.stop() } else { loop.execute { connection.value.stop() } }
        }
    }
}
