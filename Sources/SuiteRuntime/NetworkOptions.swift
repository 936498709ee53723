package import ArgumentParser
import NetTypes
package import ServiceProxy
package import ServiceRouting
package import UserspaceProxy

/// The options about names and addresses that all commands have which start Services.
package struct NetworkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The name of the node.", valueName: "name"))
    package var nodeName = "kiada-node"

    @Option(
        help: ArgumentHelp(
            "Play N nodes, in the zones zone-a to zone-c: NAME, NAME-2, NAME-3.", valueName: "N"))
    package var nodes = 1

    @Option(
        help: ArgumentHelp(
            "Use 127.N.0.0/16 for everything, so that several can run side by side.", valueName: "N"))
    package var addressBlock: UInt8?

    @Option(help: ArgumentHelp("What the full names of Services end with.", valueName: "domain"))
    package var clusterDomain = "cluster.local"

    @Option(help: ArgumentHelp("The port of the Kubernetes API, for kubectl; 0 for none.", valueName: "port"))
    package var apiPort: UInt16 = 6443

    @Option(
        help: ArgumentHelp(
            "Where LoadBalancer ports are published too: port P at P, or at 8000+P below 1024; \"none\" for nowhere.",
            valueName: "address"))
    package var publishAddress = "127.0.0.1"

    @Option(
        help: ArgumentHelp(
            "What carries connections: auto, socket, nftables or userspace.",
            discussion: "auto is nftables in a container's network namespace, else userspace."))
    package var dataPlane = DataPlaneOption.auto

    @Option(
        help: ArgumentHelp(
            "What relays connections in the userspace plane: auto, epoll, io-uring or nio.",
            discussion: "auto is io_uring where the kernel permits it (Linux 6.1), else epoll. nio is SwiftNIO: slower."
        ))
    package var userspaceEngine = UserspaceEngine.auto

    @Option(
        help: ArgumentHelp(
            "How a pod is chosen for each connection: random, as a cluster does, or round-robin.",
            discussion: "round-robin needs --data-plane userspace; clients with affinity stay where they are."))
    package var userspaceChoice = ChoiceMode.random

    @Option(
        help: ArgumentHelp(
            "The control group whose programs --data-plane socket serves.",
            discussion: "A folder of a cgroup2 file system; without this option, every program of the machine.",
            valueName: "path"))
    package var socketCgroup: String?

    @Option(
        help: ArgumentHelp(
            "The port of health and metrics: /healthz, /livez, /metrics; 0 for none.",
            discussion: "On 127.0.0.1, or on the node's address where it has one of its own.", valueName: "port"))
    package var healthPort: UInt16 = 10256

    @Option(
        name: .customLong("dns-ttl"),
        help: ArgumentHelp("Seconds for which DNS answers may be kept, 0 to 3600.", valueName: "seconds"))
    package var dnsTTL: UInt32 = 5

    @ArgumentParser.Flag(help: "Log each DNS query; this costs most of the name server's speed.")
    package var logQueries = false

    package init() {}

    package mutating func validate() throws {
        if let reason = SuiteConfiguration.problem(withNodeName: nodeName) {
            throw ValidationError("--node-name \"\(nodeName)\": \(reason)")
        }
        guard (1...PlayedNode.most).contains(nodes) else {
            throw ValidationError("--nodes \(nodes): must be between 1 and \(PlayedNode.most)")
        }
        if let block = addressBlock, !(1...254).contains(block) {
            throw ValidationError("--address-block \(block): must be between 1 and 254")
        }
        guard userspaceChoice == .random || dataPlane == .userspace else {
            throw ValidationError(
                "--userspace-choice \(userspaceChoice.rawValue): the kernel's data planes choose at random; add --data-plane userspace"
            )
        }
        guard dnsTTL <= 3600 else {
            throw ValidationError("--dns-ttl \(dnsTTL): must be between 0 and 3600 seconds")
        }
        if let reason = SuiteConfiguration.problem(withClusterDomain: clusterDomain) {
            throw ValidationError("--cluster-domain \"\(clusterDomain)\": \(reason)")
        }
        guard publishAddress == "none" || IPAddress(publishAddress) != nil else {
            throw ValidationError(
                "--publish-address \(publishAddress): must be an IP address of this machine, or none")
        }
    }

    /// Puts what was chosen into a configuration.
    package func apply(to configuration: inout SuiteConfiguration) {
        configuration.nodeName = nodeName
        configuration.nodeCount = nodes
        configuration.addressBlock = addressBlock
        configuration.clusterDomain = clusterDomain
        configuration.apiPort = apiPort == 0 ? nil : apiPort
        configuration.healthPort = healthPort == 0 ? nil : healthPort
        configuration.dnsTTL = dnsTTL
        configuration.logsQueries = logQueries
        configuration.publishAddress = IPAddress(publishAddress)
        configuration.dataPlane = dataPlane
        configuration.userspace.engine = userspaceEngine
        configuration.userspace.choice = userspaceChoice
        configuration.socketControlGroup = socketCgroup
    }
}

extension DataPlaneOption: ExpressibleByArgument {}
extension UserspaceEngine: ExpressibleByArgument {}
extension ChoiceMode: ExpressibleByArgument {}
