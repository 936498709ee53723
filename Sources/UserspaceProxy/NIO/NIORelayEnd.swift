import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// One side of a relay: passes on what comes, and reads only while the other side has room.
final class NIORelayEnd: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Whom to tell; nil once this side is closed.
    var relay: NIORelay?
    private var partner: NIORelayEnd?
    private var context: ChannelHandlerContext?
    private var wantsToRead = false
    private var swallows = false
    private var inputHasEnded = false
    private var outputIsShut = false

    /// Nothing of it is open any more.
    private(set) var isClosed = false
    /// Both directions came to an orderly end.
    var isFinished: Bool { inputHasEnded && outputIsShut }

    /// Begins to pass on, both ways.
    func join(_ partner: NIORelayEnd) {
        self.partner = partner
        partner.partner = self
        readIfWanted()
        partner.readIfWanted()
    }

    /// Reads and drops everything: the client is never answered (7.17).
    func swallow() {
        swallows = true
        readIfWanted()
    }

    /// Sends what it can, then closes so that the peer sees a reset.
    func reset() {
        guard let context else { return }
        context.flush()
        if let options = context.channel as? any SocketOptionProvider {
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
        }
        context.close(promise: nil)
    }

    private var mayRead: Bool { swallows || partner?.hasRoom ?? false }
    private var hasRoom: Bool { context?.channel.isWritable ?? false }

    private func readIfWanted() {
        guard wantsToRead, mayRead else { return }
        wantsToRead = false
        context?.read()
    }

    /// Shuts the output once everything before is written.
    private func finish() {
        guard let context, !outputIsShut else { return }
        outputIsShut = true
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess {
            context.close(mode: self.inputHasEnded ? .all : .output, promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    // MARK: - Events of the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    /// Without having been active, when the channel could not be registered.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
        close()
    }

    private func close() {
        isClosed = true
        let relay = relay
        self.relay = nil
        relay?.closed(self)
    }

    func channelActive(context: ChannelHandlerContext) { relay?.became(active: self) }

    func read(context: ChannelHandlerContext) {
        guard mayRead else {
            wantsToRead = true
            return
        }
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let partner, let target = partner.context else { return }
        let octets = unwrapInboundIn(data)
        relay?.received(octets.readableBytes, from: self)
        target.write(partner.wrapOutboundOut(octets), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { partner?.context?.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) { if hasRoom { partner?.readIfWanted() } }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return }
        endInput()
        if swallows { context.close(promise: nil) }
    }

    private func endInput() {
        inputHasEnded = true
        partner?.finish()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { if error is IOError { relay?.abort() } }

    func channelInactive(context: ChannelHandlerContext) {
        // The end of an input whose output is shut already comes as the end of the channel.
        if outputIsShut, !inputHasEnded { endInput() }
        close()
    }
}
