import NIOCore
import NIOPosix
import NetTypes
import ServiceRouting

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// One relayed TCP connection: finds an endpoint, then leaves the octets to its two ends.
///
/// Used on its event loop only; ends when both ends are closed.
final class NIORelay {
    private static let waitForDescriptor = TimeAmount.milliseconds(100)

    private let client: any Channel
    private let place: Token.Place
    private let loop: NIORelayLoop
    let clientEnd = NIORelayEnd()
    private var backendEnd: NIORelayEnd?
    /// Endpoints that dials failed at.
    private var tried: [SocketEndpoint] = []
    private var record: RecordPointer?
    private var isOver = false

    init(client: any Channel, place: Token.Place, loop: NIORelayLoop) {
        self.client = client
        self.place = place
        self.loop = loop
        clientEnd.relay = self
    }

    /// Connects to an endpoint that was not tried; resets the client when there is none.
    private func dial() {
        guard !isOver else { return }
        guard let frontend = loop.frontends[place] else { return abort() }
        let source = SocketEndpoint(client.remoteAddress)
        // Already gone, and nobody can say where it might have gone.
        if source == nil, frontend.readsSource { return abort() }
        let verdict = frontend.verdict(for: source?.address)
        guard case .forward(let list) = verdict else {
            return verdict == .drop ? clientEnd.swallow() : abort()
        }
        let now = loop.settings.clock()
        guard tried.count < loop.settings.dialTimeouts.count,
            let (index, reason) = frontend.pick(
                from: list, tried: tried, for: source?.address, with: &loop.picker, now: now)
        else { return abort() }
        let record = frontend.records(for: verdict)[index]
        record.pointee.active += 1
        self.record = record
        if loop.settings.hub.hasReaders, let source {
            loop.settings.hub.send(
                ConnectionEvent(
                    client: source, frontend: frontend.route.frontend, port: frontend.route.port,
                    endpoint: list.endpoints[index], reason: reason))
        }
        connect(to: record, within: loop.settings.dialTimeouts[tried.count])
    }

    private func connect(to record: RecordPointer, within timeout: Duration) {
        let end = NIORelayEnd()
        let bound = NIOLoopBound(end, eventLoop: loop.eventLoop)
        ClientBootstrap(group: loop.eventLoop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .connectTimeout(TimeAmount(timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .connect(to: record.pointee.address.forNIO)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): self.connected(channel, end)
                case .failure(let error): self.dialFailed(error)
                }
            }
    }

    private func connected(_ channel: any Channel, _ end: NIORelayEnd) {
        guard !isOver else { return channel.close(promise: nil) }
        record?.pointee.connections += 1
        end.relay = self
        backendEnd = end
        clientEnd.join(end)
    }

    /// The dial under way came to nothing: tries another endpoint.
    private func dialFailed(_ error: any Error) {
        guard let record, !isOver else { return }
        self.record = nil
        if let error = error as? IOError, [EMFILE, ENFILE].contains(error.errnoCode) {
            loop.records.leave(record)
            loop.gate.pause("no descriptor to dial with", on: loop.eventLoop)
            loop.eventLoop.assumeIsolated().scheduleTask(in: Self.waitForDescriptor) { self.dial() }
            return
        }
        record.pointee.dialFailures += 1
        tried.append(record.pointee.key.endpoint)
        loop.records.leave(record)
        dial()
    }

    /// Ends the relay with a reset for both sides.
    func abort() {
        clientEnd.reset()
        backendEnd?.reset()
        end()
    }

    private func end() {
        guard !isOver else { return }
        isOver = true
        if let record { loop.records.leave(record) }
        record = nil
        loop.remove(self)
    }
}

extension NIORelay {
    // MARK: - Told by the ends

    func became(active end: NIORelayEnd) { if end === clientEnd { dial() } }

    func received(_ count: Int, from end: NIORelayEnd) {
        guard let record else { return }
        if end === clientEnd {
            record.pointee.bytesToEndpoint += UInt64(count)
        } else {
            record.pointee.bytesToClient += UInt64(count)
        }
    }

    /// An end is closed, orderly or not.
    func closed(_ end: NIORelayEnd) {
        guard end.isFinished else { return abort() }
        if clientEnd.isClosed, backendEnd?.isClosed ?? true { self.end() }
    }
}
