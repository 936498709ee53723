import ClusterModel
package import Logging
package import NetTypes
package import ServiceProxy
package import UserspaceProxy

/// Ranges and addresses outside of 127.0.0.0/8, as in a container's network.
package struct AddressPlan: Hashable, Sendable {
    /// One block, or one of each family.
    package var serviceRanges: [CIDR]
    package var podRanges: [CIDR]
    package var loadBalancerRange: CIDR?
    /// This machine's, where node ports and the API are served.
    package var nodeAddress: IPAddress

    package init(serviceRanges: [CIDR], podRanges: [CIDR], loadBalancerRange: CIDR?, nodeAddress: IPAddress) {
        self.serviceRanges = serviceRanges
        self.podRanges = podRanges
        self.loadBalancerRange = loadBalancerRange
        self.nodeAddress = nodeAddress
    }
}

/// What `kiada-suite up` was told.
package struct SuiteConfiguration: Sendable {
    /// Where the containers of pods run.
    package enum Pods: Sendable {
        /// Here, as processes.
        case processes
        /// Elsewhere, at the addresses that their annotation `kiada.dev/pod-ip` tells; here they are only probed.
        case elsewhere
        /// In containers of a compose project, which the engine's resolver knows.
        case compose
    }

    package var directory: StateDirectory
    /// A folder of manifests, or one file.
    package var manifests: String
    /// The image map; nil looks for `local/images.yaml` in the manifests' folder.
    package var images: String?
    package var nodeName: String
    /// How many nodes are played on this machine, 1...16.
    package var nodeCount = 1
    /// Who starts the pods' containers.
    package var pods = Pods.processes
    /// The second octet of addresses in 127.0.0.0/8 that differ from the usual ones; nil for those.
    package var addressBlock: UInt8?
    /// What all names of Services end with, without a final dot.
    package var clusterDomain = "cluster.local"
    /// Address ranges of the user's own; nil for the usual ones in 127.0.0.0/8.
    package var addresses: AddressPlan?
    /// A folder that pods' containers share (``SharedFolders``); nil for none.
    package var podFiles: String?
    /// A folder for a certificate of the LoadBalancer Services; nil for none.
    package var tlsFiles: String?
    /// The port of the Kubernetes API; nil for no API.
    package var apiPort: UInt16? = 6443
    /// Where LoadBalancer ports are published as well; nil for nowhere.
    package var publishAddress: IPAddress? = .v4(IPv4Address(bits: 0x7F00_0001))
    /// Which plane carries connections.
    package var dataPlane = DataPlaneOption.auto
    /// Engine, choice and limits of the userspace plane.
    package var userspace = UserspaceConfiguration()
    /// The control group that the socket plane serves; nil for all programs.
    package var socketControlGroup: String?
    /// The port of health and metrics; nil for none.
    package var healthPort: UInt16? = 10256
    /// Seconds for which DNS answers may be kept, 0...3600.
    package var dnsTTL: UInt32 = 5
    /// Whether each DNS query is logged.
    package var logsQueries = false
    package var timeout: Duration
    package var logLevel: Logger.Level

    package init(
        directory: StateDirectory, manifests: String, images: String?, nodeName: String, timeout: Duration,
        logLevel: Logger.Level
    ) {
        self.directory = directory
        self.manifests = manifests
        self.images = images
        self.nodeName = nodeName
        self.timeout = timeout
        self.logLevel = logLevel
    }

    /// Why `domain` cannot be the cluster's; nil when it can.
    package static func problem(withClusterDomain domain: String) -> String? {
        NameRules.dns1123Subdomain(domain).first
    }

    /// Why `name` cannot be a node's name; nil when it can.
    package static func problem(withNodeName name: String) -> String? { NameRules.dns1123Subdomain(name).first }
}
