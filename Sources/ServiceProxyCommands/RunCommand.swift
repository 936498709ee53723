import ArgumentParser
import NetTypes
import ServiceKit
import SuiteRuntime

/// `service-proxy run`: the proxy alone, until ^C.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Serve the Services of a folder of manifests.",
        discussion: """
            Pods of the manifests are not started: they run elsewhere, at the address in their annotation \
            kiada.dev/pod-ip. Their probes decide whether they get traffic.

            With --compose, pods are the containers of a compose project: those of service S for each PodTemplate with the \
            annotation kiada.dev/compose-service: S.

            EXAMPLES
              service-proxy run --manifests deploy/
              service-proxy run --compose --service-cidr 10.96.0.0/17 --pod-cidr 10.96.128.0/17 --node-address 10.96.192.2
            """)

    @Option(help: "A folder of Kubernetes manifests (*.yaml, *.yml, *.json), or one file.")
    var manifests = "deploy"

    @Option(name: .customLong("state-dir"), help: "The folder in which the proxy keeps its state.")
    var stateDirectory = ".kiada"

    @OptionGroup var network: NetworkOptions

    @OptionGroup var addresses: AddressOptions

    @Flag(help: "Find pods among the containers of the compose project that this one is part of.")
    var compose = false

    @Option(
        help: ArgumentHelp(
            "Keep files here for containers that are pods: variables in env/NAMESPACE, and ca.crt.",
            valueName: "folder"))
    var podFiles: String?

    @Option(
        help: ArgumentHelp(
            "Keep tls.crt and tls.key here, for the names of LoadBalancer Services and localhost.",
            valueName: "folder"))
    var tlsFiles: String?

    @Option(help: "How much to log on standard error.")
    var logLevel = LogLevel.notice

    func run() async throws {
        var configuration = SuiteConfiguration(
            directory: StateDirectory(stateDirectory), manifests: manifests, images: nil,
            nodeName: network.nodeName,
            timeout: .seconds(30), logLevel: logLevel.level)
        configuration.pods = compose ? .compose : .elsewhere
        configuration.podFiles = podFiles
        configuration.tlsFiles = tlsFiles
        network.apply(to: &configuration)
        configuration.addresses = addresses.plan
        do {
            try await Foreground.run(configuration, readyDescriptor: nil)
        } catch let error as SuiteError {
            StandardStream.error.write("service-proxy: \(error)\n")
            throw ExitCode(1)
        }
    }
}

/// Address ranges outside of 127.0.0.0/8: given together or not at all.
struct AddressOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where Services get their addresses: one block, or one of each family, separated by a comma.",
            valueName: "cidr"))
    var serviceCidr: String?

    @Option(help: ArgumentHelp("Where pods have their addresses, in the same form.", valueName: "cidr"))
    var podCidr: String?

    @Option(help: ArgumentHelp("Where LoadBalancer Services get their external addresses.", valueName: "cidr"))
    var loadBalancerCidr: String?

    @Option(
        help: ArgumentHelp(
            "An address of this machine, on whose link the Services' addresses are answered.", valueName: "address"))
    var nodeAddress: String?

    /// nil without any of the options.
    var plan: AddressPlan? {
        guard let serviceCidr, let podCidr, let node = nodeAddress.flatMap({ IPAddress($0) }) else { return nil }
        return AddressPlan(
            serviceRanges: Self.blocks(serviceCidr), podRanges: Self.blocks(podCidr),
            loadBalancerRange: loadBalancerCidr.flatMap { CIDR($0) }, nodeAddress: node)
    }

    mutating func validate() throws {
        let given = [serviceCidr, podCidr, nodeAddress].compactMap { $0 }
        guard given.isEmpty || given.count == 3 else {
            throw ValidationError("--service-cidr, --pod-cidr and --node-address belong together")
        }
        for (option, text) in [("service-cidr", serviceCidr), ("pod-cidr", podCidr)] {
            guard let text else { continue }
            let blocks = Self.blocks(text)
            guard !blocks.isEmpty, blocks.count == text.split(separator: ",").count,
                Set(blocks.map(\.family)).count == blocks.count
            else {
                throw ValidationError(
                    "--\(option) \(text): must be a block such as 10.96.0.0/17, or one of each family with a comma")
            }
        }
        if let text = loadBalancerCidr, CIDR(text) == nil {
            throw ValidationError("--load-balancer-cidr \(text): must be a block such as 10.96.193.0/24")
        }
        if let text = nodeAddress, IPAddress(text) == nil {
            throw ValidationError("--node-address \(text): must be an IP address")
        }
    }

    private static func blocks(_ text: String) -> [CIDR] { text.split(separator: ",").compactMap { CIDR(String($0)) } }
}
