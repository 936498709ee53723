import NetTypes
import ServiceRouting

/// One write to the kernel's maps; in the order given, no program ever sees half of a change.
enum RouteChange: Hashable, Sendable {
    case addEndpoint(UInt32, SocketEndpoint)
    case addSlot(list: UInt32, index: UInt32, endpoint: UInt32)
    /// The list has the endpoint: asked for clients with affinity.
    case addMember(list: UInt32, endpoint: UInt32)
    case setRoute(Frontend, RouteRecord)
    case removeRoute(Frontend)
    case removeSlot(list: UInt32, index: UInt32)
    case removeMember(list: UInt32, endpoint: UInt32)
    case removeEndpoint(UInt32)
}

/// How programs serve a frontend.
struct RouteRecord: Hashable, Sendable {
    let list: UInt32
    /// Zero where clients are refused.
    let count: UInt32
    /// The number of the Service port, for affinity.
    let servicePort: UInt32
    /// Zero without affinity.
    let affinitySeconds: UInt32
    let reason: RouteReason
}

/// Why an endpoint is chosen where affinity does not decide; raw values as in `layout.h`.
enum RouteReason: UInt32, Sendable {
    case random = 0
    case onlyReadyEndpoint = 2
    case terminatingFallback = 3
}
