import Logging
import NIOCore
import NIOPosix
import NetTypes
import ServiceRouting
import Synchronization

/// Loops of SwiftNIO, for systems without epoll and io_uring.
///
///     listener, on one event loop ──accepts──▶ client, on any event loop ──▶ endpoint, on the client's
///     frontend's datagrams, on one event loop ──▶ a socket per client, on the same one
///
/// Each event loop has its own ``NIORelayLoop``, so nothing of a relay is shared; ``AcceptGate`` counts for all.
final class NIOCarrier: RelayCarrier {
    private let group: MultiThreadedEventLoopGroup
    private let gate: AcceptGate
    private let loops: [NIOLoopBoundBox<NIORelayLoop>]
    private let logger: Logger
    /// What listens, by slot, and the last generation that a place was given.
    private let state = Mutex((listeners: [Int: any Channel](), generation: UInt32(0)))

    /// Starts an event loop for each of `settings`, which are not empty.
    init(_ settings: [LoopSettings]) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.count)
        logger = settings[0].logger
        let gate = AcceptGate(
            maximumRelays: settings.map(\.maximumRelays).reduce(0, +),
            descriptorShare: settings.map(\.descriptorShare).reduce(0, +), logger: logger)
        loops = zip(group.makeIterator(), settings).map { eventLoop, settings in
            NIOLoopBoundBox.makeBoxSendingValue(
                NIORelayLoop(settings, on: eventLoop, gate: gate), eventLoop: eventLoop)
        }
        self.group = group
        self.gate = gate
    }

    var loopCount: Int { loops.count }

    func make(_ changes: [FrontendChange]) {
        let placed = changes.map { change in (change, state.withLock { state in Self.place(change, &state.generation) })
        }
        // Every loop knows a frontend before its first client comes.
        let told = loops.indices.map { number in
            loops[number].eventLoop.submit { [loops] in
                for (change, place) in placed where change.concerns(number, of: loops.count) {
                    loops[number].value.make(change, at: place)
                }
            }
        }
        Self.wait(for: told)
        for case (.shareDescriptors(let share), _) in placed { gate.setShare(share * loops.count) }
        Self.wait(for: placed.compactMap { change, place in listen(change, at: place) })
    }

    func counters() async -> [[EndpointCounters]] {
        var all: [[EndpointCounters]] = []
        for loop in loops {
            // Fails once the loop has ended.
            all.append((try? await loop.eventLoop.submit { loop.value.currentCounters() }.get()) ?? [])
        }
        return all
    }

    func stop() async {
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            return state.listeners.values
        }
        for listener in listeners { try? await listener.close() }
        for loop in loops { try? await loop.eventLoop.submit { loop.value.closeAll() }.get() }
        try? await group.shutdownGracefully()
    }

    private static func wait(for futures: [EventLoopFuture<Void>]) {
        // What failed was logged where it was begun.
        for future in futures { try? future.wait() }
    }

    /// Where a change puts its frontend; only a new one needs a place.
    private static func place(_ change: FrontendChange, _ generation: inout UInt32) -> Token.Place {
        switch change {
        case .serve(_, _, let slot, _):
            generation &+= 1
            return Token.Place(index: UInt32(slot), generation: generation)
        case .update(_, let slot, _), .retire(_, let slot):
            return Token.Place(index: UInt32(slot), generation: generation)
        case .shareDescriptors: return Token.Place(index: .max, generation: generation)
        }
    }

    // MARK: - Listening

    /// Opens or closes what listens; nil for a change that does neither.
    private func listen(_ change: FrontendChange, at place: Token.Place) -> EventLoopFuture<Void>? {
        switch change {
        case .serve(let route, let socket, let slot, _):
            let number =
                route.frontend.proto == .udp ? route.frontend.loops(of: loopCount).lowerBound : slot % loopCount
            let opening =
                route.frontend.proto == .udp
                ? receive(on: socket, at: place, by: loops[number]) : accept(on: socket, at: place, by: loops[number])
            opening.whenFailure { [logger] error in
                logger.error("\(route.frontend) cannot be watched", metadata: ["reason": "\(error)"])
            }
            return opening.map { channel in self.state.withLock { $0.listeners[slot] = channel } }
        case .retire(_, let slot):
            guard let channel = state.withLock({ $0.listeners.removeValue(forKey: slot) }) else { return nil }
            return channel.close()
        case .update, .shareDescriptors: return nil
        }
    }

    private func accept(
        on socket: Int32, at place: Token.Place, by loop: NIOLoopBoundBox<NIORelayLoop>
    ) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: loop.eventLoop, childGroup: group)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { [gate] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOListenerHandler(gate: gate))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [loops] client in
                client.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.eventLoop === client.eventLoop }) else { return }
                    try loop.value.admit(client, at: place)
                }
            }
            .withBoundSocket(socket)
    }

    private func receive(
        on socket: Int32, at place: Token.Place, by loop: NIOLoopBoundBox<NIORelayLoop>
    ) -> EventLoopFuture<any Channel> {
        DatagramBootstrap(group: loop.eventLoop)
            .channelOption(.recvAllocator, value: NIORelayLoop.datagramAllocator)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = NIODatagramHandler(loop: loop.value, place: place)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .withBoundSocket(socket)
    }
}

extension FrontendChange {
    /// Whether a loop, one of so many, has to know.
    fileprivate func concerns(_ number: Int, of count: Int) -> Bool {
        switch self {
        case .serve(let route, _, _, _), .update(let route, _, _): route.frontend.loops(of: count).contains(number)
        case .retire(let frontend, _): frontend.loops(of: count).contains(number)
        case .shareDescriptors: false
        }
    }
}
