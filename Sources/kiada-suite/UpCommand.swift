import ArgumentParser
import ServiceKit
import SuiteRuntime

/// `kiada-suite up`: starts everything.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Start the suite.",
        discussion: """
            EXAMPLES
              kiada-suite up
              kiada-suite up --detach --timeout 60
              kiada-suite up --manifests my-services/ --state-dir /tmp/kiada
            """)

    @OptionGroup var state: StateOptions

    @Option(help: "A folder of Kubernetes manifests (*.yaml, *.yml, *.json), or one file.")
    var manifests = "deploy"

    @Option(help: "Which program stands for which image (default: local/images.yaml in the manifests' folder).")
    var images: String?

    @Option(help: "Seconds within which everything has to be ready.")
    var timeout = 30

    @Flag(help: "Go to the background once everything is ready; exit code 1 and the reason if it is not in time.")
    var detach = false

    @OptionGroup var network: NetworkOptions

    @Option(help: "How much to log on standard error.")
    var logLevel = LogLevel.warning

    @Option(name: .customLong("ready-descriptor"), help: .hidden)
    var readyDescriptor: Int32?

    func validate() throws {
        guard (1...3600).contains(timeout) else {
            throw ValidationError("--timeout \(timeout): must be between 1 and 3600 seconds")
        }
    }

    func run() async throws {
        do {
            if detach {
                try BackgroundStart.run(directory: state.directory, timeout: timeout)
            } else {
                var configuration = SuiteConfiguration(
                    directory: state.directory, manifests: manifests, images: images, nodeName: network.nodeName,
                    timeout: .seconds(timeout), logLevel: logLevel.level)
                network.apply(to: &configuration)
                try await Foreground.run(configuration, readyDescriptor: readyDescriptor)
            }
        } catch let error as SuiteError {
            throw fail(error)
        }
    }
}
