import NetTypes
import ServiceRouting

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// What moves the connections of the userspace plane: loops of one engine, each on a thread of its own.
///
/// All carriers promise the same; the plane decides what is served where, they do it.
protocol RelayCarrier: Sendable {
    var loopCount: Int { get }

    /// Makes changes effective, in their order; returns when every loop follows them. Not to be called on a loop.
    func make(_ changes: [FrontendChange])

    /// What each loop has counted so far; nothing once the carrier has stopped.
    func counters() async -> [[EndpointCounters]]

    /// Resets all connections and closes everything. To be called once.
    func stop() async
}

/// What loops are told.
enum FrontendChange: Sendable {
    /// Serve a frontend on a socket, which belongs to the carrier from now on.
    case serve(FrontendRoute, socket: Int32, slot: Int, choice: SharedChoice?)
    /// Follow a changed route; nothing is dialled any more that it does not list.
    case update(FrontendRoute, slot: Int, choice: SharedChoice?)
    /// Serve no more there and close the socket; established TCP connections stay.
    case retire(Frontend, slot: Int)
    /// How many descriptors the relays, flows and pipes of each loop may take together.
    case shareDescriptors(Int)
}

extension Frontend {
    /// The loops, of so many, that serve it: all accept TCP; the flows of a UDP frontend need one place, so one has it.
    func loops(of count: Int) -> Range<Int> {
        guard proto == .udp else { return 0..<count }
        let number = Int(hashValue.magnitude % UInt(count))
        return number..<number + 1
    }
}

extension UserspaceEngine {
    /// The engines to try, the best first.
    var candidates: [UserspaceEngine] {
        #if os(Linux)
        self == .auto ? [.ioUring, .epoll] : [self]
        #else
        self == .auto ? [.nio] : [self]
        #endif
    }

    /// Starts loops of this engine, one for each of `settings`.
    func start(_ settings: [LoopSettings]) throws(SocketFailure) -> any RelayCarrier {
        switch self {
        #if os(Linux)
        case .ioUring: return try LoopThreads(settings, usesRing: true)
        case .epoll: return try LoopThreads(settings, usesRing: false)
        #endif
        case .nio: return NIOCarrier(settings)
        default: throw SocketFailure(code: ENOTSUP)
        }
    }
}
