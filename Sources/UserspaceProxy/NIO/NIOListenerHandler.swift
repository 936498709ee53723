import NIOCore

/// Puts a listener under an ``AcceptGate``.
///
/// SwiftNIO itself waits for a second after an error of `accept`; this one says so.
final class NIOListenerHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let gate: AcceptGate

    init(gate: AcceptGate) { self.gate = gate }

    func channelActive(context: ChannelHandlerContext) {
        gate.add(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        gate.remove(context.channel)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError { gate.pause("\(error)", on: context.eventLoop) }
        context.fireErrorCaught(error)
    }
}
