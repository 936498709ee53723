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

        @OptionGroup var network: NetworkOptions

        @Option(help: "How much to log on standard error.")
        var logLevel = LogLevel.notice

        func run() async throws {
            var configuration = SuiteConfiguration(
                directory: StateDirectory(stateDirectory), manifests: manifests, images: nil,
                nodeName: network.nodeName,
                timeout: .seconds(30), logLevel: logLevel.level)
            configuration.pods = .elsewhere
            network.apply(to: &configuration)
            do {
                try await Foreground.run(configuration, readyDescriptor: nil)
            } catch let error as SuiteError {
                StandardStream.error.write("service-proxy: \(error)\n")
                throw ExitCode(1)
            }
        }
    }
}
