package import ClusterModel
package import NetTypes

/// What the pod runtime has to know of its surroundings.
package struct PodRuntimeConfiguration: Sendable {
    /// Who starts the containers.
    package enum Mode: Sendable {
        /// The runtime, as processes of this machine.
        case processes
        /// Somebody else. The runtime only probes the pods at the addresses that the function knows, the
        /// first of which is asked.
        case observed(addresses: @Sendable (Pod) -> [IPAddress])
    }

    package var mode = Mode.processes
    /// The node that the pods run on, as `spec.nodeName` and NODE_NAME show it.
    package var nodeName: String
    package var hostIP: IPAddress
    /// The state folder, absolute; the runtime writes below `pods/`, `volumes/` and `logs/`.
    package var stateDirectory: String
    /// Pods get addresses from here.
    package var podRange: CIDR
    /// More nodes whose pods run here.
    package var otherNodes: [PodNode] = []
    package var images: ImageMap
    /// Where programs of the image map are looked for, before PATH.
    package var programDirectory: String
    /// The program search path of containers and of the image map.
    package var searchPath: String
    /// Service variables for a container that starts now: (namespace, enableServiceLinks).
    package var serviceVariables: @Sendable (String, Bool) -> [(name: String, value: String)]
    /// The text of a pod's resolv.conf; nil leaves the machine's own.
    package var resolvConf: @Sendable (Pod) -> String?
    /// The cluster domain, for the full names of pods.
    package var clusterDomain = "cluster.local"
    /// The content of a ConfigMap or Secret of a namespace; nil when there is none.
    package var settings: @Sendable (String, ContainerSpec.Settings) -> SettingsContent? = { _, _ in nil }
    /// True where containers may get files, process numbers and a host name of their own, as far as the kernel allows
    /// (root on Linux).
    package var hasNamespaces: Bool

    package init(
        nodeName: String, hostIP: IPAddress, stateDirectory: String, podRange: CIDR, images: ImageMap,
        programDirectory: String, searchPath: String, hasNamespaces: Bool,
        serviceVariables: @escaping @Sendable (String, Bool) -> [(name: String, value: String)],
        resolvConf: @escaping @Sendable (Pod) -> String? = { _ in nil }
    ) {
        self.nodeName = nodeName
        self.hostIP = hostIP
        self.stateDirectory = stateDirectory
        self.podRange = podRange
        self.images = images
        self.programDirectory = programDirectory
        self.searchPath = searchPath
        self.hasNamespaces = hasNamespaces
        self.serviceVariables = serviceVariables
        self.resolvConf = resolvConf
    }
}

/// Who is told what becomes of pods.
///
/// Called from the runtime's own task, in order.
package protocol PodRuntimeObserver: Sendable {
    /// The pod's status differs: `write` makes the new `status` from the present one.
    func statusChanged(_ pod: Pod, write: @Sendable (JSONValue?) -> JSONValue)
    /// No process of the pod runs any more and its address is free; the pod can be removed.
    func finished(_ pod: Pod)
    /// Something for `kubectl describe` and the log.
    func note(_ pod: Pod, isWarning: Bool, reason: String, message: String)
}

/// A node whose pods the runtime runs.
package struct PodNode: Hashable, Sendable {
    package let name: String
    package let hostIP: IPAddress
    package let podRange: CIDR

    package init(name: String, hostIP: IPAddress, podRange: CIDR) {
        self.name = name
        self.hostIP = hostIP
        self.podRange = podRange
    }
}

extension PodRuntimeConfiguration {
    /// All nodes, the first one first.
    var nodes: [PodNode] { [PodNode(name: nodeName, hostIP: hostIP, podRange: podRange)] + otherNodes }

    /// nil for a node whose pods run elsewhere.
    func node(_ name: String?) -> PodNode? { nodes.first { $0.name == name } }
}
