import ArgumentParser
import ServiceKit
import SuiteRuntime

/// The proxy alone: Services for pods that run elsewhere.
@main
struct ServiceProxyProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service-proxy",
        abstract: "Kubernetes Services on one machine: stable addresses, balancing, readiness, DNS; no cluster.",
        discussion: """
            EXAMPLES
              service-proxy run --manifests deploy/
            """,
        version: "service-proxy \(SuiteVersion.text)",
        subcommands: [RunCommand.self])

    /// `service-proxy run`: until ^C.
    struct RunCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Serve the Services of a folder of manifests.",
            discussion: """
                Pods of the manifests are not started: they run elsewhere, at the address in their annotation \
                kiada.dev/pod-ip. Their probes decide whether they get traffic.
                """)

        @Option(help: "A folder of Kubernetes manifests (*.yaml, *.yml, *.json), or one file.")
        var manifests = "deploy"

        @Option(name: .customLong("state-dir"), help: "The folder in which the proxy keeps its state.")
        var stateDirectory = ".kiada"

        @Option(name: .customLong("node-name"), help: "The name of this node.")
        var nodeName = "kiada-node"

        @Option(
            help: ArgumentHelp(
                "Use 127.N.0.0/16 for everything, so that two proxies can run side by side.", valueName: "N"))
        var addressBlock: UInt8?

        @Option(help: ArgumentHelp("The port of the Kubernetes API, for kubectl; 0 for none.", valueName: "port"))
        var apiPort: UInt16 = 6443

        @OptionGroup var publishing: PublishOptions

        @Option(help: "How much to log on standard error.")
        var logLevel = LogLevel.notice

        func validate() throws {
            if let reason = SuiteConfiguration.problem(withNodeName: nodeName) {
                throw ValidationError("--node-name \"\(nodeName)\": \(reason)")
            }
            if let block = addressBlock, !(1...254).contains(block) {
                throw ValidationError("--address-block \(block): must be between 1 and 254")
            }
        }

        func run() async throws {
            var configuration = SuiteConfiguration(
                directory: StateDirectory(stateDirectory), manifests: manifests, images: nil, nodeName: nodeName,
                timeout: .seconds(30), logLevel: logLevel.level)
            configuration.pods = .elsewhere
            configuration.addressBlock = addressBlock
            configuration.apiPort = apiPort == 0 ? nil : apiPort
            configuration.publishAddress = publishing.address
            do {
                try await Foreground.run(configuration, readyDescriptor: nil)
            } catch let error as SuiteError {
                StandardStream.error.write("service-proxy: \(error)\n")
                throw ExitCode(1)
            }
        }
    }
}
