package import ServiceRouting

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// How the userspace plane learns what its sockets can do, and moves bytes.
package enum UserspaceEngine: String, Sendable, CaseIterable {
    /// io_uring where the kernel permits it, else epoll; outside Linux, SwiftNIO.
    case auto
    case epoll
    /// Nothing else: the plane does not start without it.
    case ioUring = "io-uring"
    /// SwiftNIO, on every system: slower, without `splice`.
    case nio
}

extension UserspaceEngine: CustomStringConvertible {
    /// Its own name, for logs.
    package var description: String {
        switch self {
        case .auto: "the best engine"
        case .epoll: "epoll"
        case .ioUring: "io_uring"
        case .nio: "SwiftNIO"
        }
    }
}

/// The limits of the userspace plane.
package struct UserspaceConfiguration: Sendable {
    package var engine = UserspaceEngine.auto
    /// Threads with a loop each; nil for one per core.
    package var loops: Int?
    /// The most TCP connections relayed at once, over all loops; new ones wait in the kernel's queue meanwhile.
    ///
    /// Fewer where the limit of open descriptors does not allow two each beside the listeners and the rest of the process.
    package var maximumConnections = 65_536
    /// How many descriptors the process may have; nil for the system's limit, which is raised as far as possible.
    package var descriptorLimit: Int?
    /// The most UDP flows at once, over all loops; datagrams of further clients are dropped.
    package var maximumFlows = 16_384
    /// A UDP flow ends when nothing passed for so long.
    ///
    /// Upstream's 250 ms (7.11) loses slower answers; the kernel's
    /// own tables keep an unanswered flow for 30 s.
    package var flowIdleTimeout: Duration = .seconds(30)
    /// How long each dial may take (7.3); the last failure closes the client's connection.
    package var dialTimeouts: [Duration] = [.milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2)]
    /// The most clients that each Service port with affinity remembers.
    package var affinityCapacity = 65_536
    /// How endpoints are chosen where no affinity decides (7.3).
    package var choice = ChoiceMode.random
    /// Seeds the choice of endpoints; nil for a seed of the system's.
    package var seed: UInt64?

    /// Nanoseconds of a clock that only goes forward; all deadlines are measured with it.
    package var clock: @Sendable () -> UInt64 = Self.monotonicClock

    package init() {}

    /// Nanoseconds since some fixed moment, by the system's monotonic clock.
    @Sendable package static func monotonicClock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
