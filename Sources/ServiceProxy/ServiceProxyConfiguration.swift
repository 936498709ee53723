package import ControlPlane
package import DNSWire
import Glibc
package import NetTypes
package import UserspaceProxy

/// What a service proxy is told.
///
/// The defaults are the addresses of the native mode, all in 127.0.0.0/8, which Linux can bind without any set-up.
package struct ServiceProxyConfiguration: Sendable {
    package var nodeName: String
    package var nodeAddress: IPAddress
    /// How many nodes are played, 1...``PlayedNode/most``.
    package var nodeCount = 1
    /// A folder of manifests, or one file; nil for none.
    package var manifests: String?
    package var networks: ClusterNetworks
    package var podRange: CIDR
    package var clusterDomain: Name
    /// Where LoadBalancer ports are published as well (the localhost rule); nil for nowhere.
    package var publishAddress: IPAddress?
    /// The node's resolv.conf.
    package var nodeResolvConf: String
    package var dnsPort: UInt16
    /// Seconds for which DNS answers may be kept, 0...3600.
    package var dnsTTL: UInt32 = 5
    /// Whether each DNS query is logged; this costs most of the server's speed.
    package var logsQueries = false
    /// Where health and metrics are served.
    package var healthAddress: IPAddress
    /// The port of health and metrics; nil for none.
    package var healthPort: UInt16? = 10256
    /// Which plane carries connections.
    package var dataPlane = DataPlaneOption.auto
    /// Engine, choice and limits of the userspace plane.
    package var userspace = UserspaceConfiguration()
    /// The control group that the socket plane serves; nil for all programs.
    package var socketControlGroup: String?
    /// The file in which objects outlive the process; nil keeps them in memory only.
    package var storeFile: String?
    /// The time of an SOA's serial and of objects, seconds since 1970.
    package var unixSeconds: @Sendable () -> Int64

    package init(nodeName: String, manifests: String?) {
        self.nodeName = nodeName
        self.manifests = manifests
        nodeAddress = .v4(Self.address(127, 18, 0, 2))
        networks = ClusterNetworks(
            serviceRanges: [Self.range(127, 96, 16)],
            loadBalancerRange: Self.range(127, 80, 24), podRanges: [Self.range(127, 244, 16)])
        podRange = Self.range(127, 244, 16)
        clusterDomain = Name(labels: ["cluster".utf8, "local".utf8].map(Array.init)) ?? .root
        publishAddress = .v4(Self.address(127, 0, 0, 1))
        nodeResolvConf = "/etc/resolv.conf"
        dnsPort = 53
        healthAddress = .v4(Self.address(127, 0, 0, 1))
        unixSeconds = { Int64(time(nil)) }
    }

    /// Sets the domain from its text; one that is no domain leaves it as it is.
    package mutating func setClusterDomain(_ text: String) {
        let labels = text.split(separator: ".").map { Array($0.utf8) }
        if let name = Name(labels: labels), !labels.isEmpty { clusterDomain = name }
    }

    /// Moves all addresses into 127.`block`.0.0/16, so that several proxies can run side by side.
    ///
    /// Services get the lower half, pods the upper one, load balancers and the node its last addresses.
    package mutating func use(block: UInt8) {
        func range(_ third: UInt8, _ length: Int) -> CIDR {
            CIDR(containing: .v4(Self.address(127, block, third, 0)), prefixLength: length)
        }
        networks.serviceRanges = [range(0, 18)]
        networks.loadBalancerRange = range(64, 24)
        podRange = range(128, 17)
        networks.podRanges = [podRange]
        nodeAddress = .v4(Self.address(127, block, 65, 2))
        healthAddress = nodeAddress
    }

    /// The nodes, of which the first one is described above.
    package var nodes: [PlayedNode] {
        PlayedNode.nodes(nodeCount, name: nodeName, address: nodeAddress, podRange: podRange)
    }

    private static func address(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> IPv4Address {
        IPv4Address(bits: UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d))
    }

    private static func range(_ a: UInt8, _ b: UInt8, _ length: Int) -> CIDR {
        CIDR(containing: .v4(address(a, b, 0, 0)), prefixLength: length)
    }
}
