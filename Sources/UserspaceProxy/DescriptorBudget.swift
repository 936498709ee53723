#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// How the descriptors that this process may have are shared out.
///
///     │ rest of the process │ listeners, three quarters at most │ connections, flows, pipes: what is left │
///
/// Without it the listeners of many Services would leave no descriptor to accept a connection with, nor any for the API.
struct DescriptorBudget {
    /// The process's limit.
    private(set) var limit: Int
    /// Nothing can raise it any more.
    private var isFixed: Bool

    /// Those of the rest of the process, which reads files and serves an API.
    private static let reserve = 256

    /// - Parameter limit: nil for the system's, after raising it as far as it lets every process.
    init(limit: Int?) {
        isFixed = limit != nil
        if !isFixed { Self.raise { $0.rlim_cur = $0.rlim_max } }
        self.limit = limit ?? Self.current
    }

    private var usable: Int { limit - min(Self.reserve, limit / 4) }

    /// How many sockets may listen.
    var maximumListeners: Int { usable * 3 / 4 }

    /// How many are left for connections while `listeners` sockets listen.
    func share(besides listeners: Int) -> Int { max(0, usable - listeners) }

    /// Raises the process's limit beyond what every process may have, if `listeners` sockets need that and the system lets us.
    ///
    /// Not before, since all that this process starts inherits it.
    mutating func makeRoom(for listeners: Int) {
        guard !isFixed, listeners > maximumListeners else { return }
        let wanted = rlim_t(max(limit, listeners) * 2)
        Self.raise { limits in
            limits.rlim_cur = max(limits.rlim_cur, wanted)
            limits.rlim_max = max(limits.rlim_max, wanted)
        }
        let raised = max(limit, Self.current)
        isFixed = raised == limit
        limit = raised
    }

    #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(UInt32(7))
    #else
    private static let resource = RLIMIT_NOFILE
    #endif

    private static var current: Int {
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return 1024 }
        return Int(clamping: limits.rlim_cur)
    }

    private static func raise(_ change: (inout rlimit) -> Void) {
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return }
        change(&limits)
        setrlimit(resource, &limits)
    }
}
