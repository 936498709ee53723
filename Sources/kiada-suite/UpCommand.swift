import ArgumentParser
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

    @Option(name: .customLong("node-name"), help: "The name of the node that the pods see.")
    var nodeName = "kiada-node"

    @Option(help: "Seconds within which everything has to be ready.")
    var timeout = 30

    @Flag(help: "Go to the background once everything is ready; exit code 1 and the reason if it is not in time.")
    var detach = false

    @Option(help: "How much to log: debug, info, warning, error.")
    var logLevel = "warning"

    @Option(name: .customLong("ready-descriptor"), help: .hidden)
    var readyDescriptor: Int32?

    func validate() throws {
        guard (1...3600).contains(timeout) else {
            throw ValidationError("--timeout \(timeout): must be between 1 and 3600 seconds")
        }
        guard SuiteConfiguration.logLevels.contains(logLevel) else {
            throw ValidationError(
                "--log-level \(logLevel): must be one of \(SuiteConfiguration.logLevels.joined(separator: ", "))")
        }
        if let reason = SuiteConfiguration.problem(withNodeName: nodeName) {
            throw ValidationError("--node-name \"\(nodeName)\": \(reason)")
        }
    }

    func run() async throws {
        do {
            if detach {
                try BackgroundStart.run(directory: state.directory, timeout: timeout)
            } else {
                let configuration = SuiteConfiguration(
                    directory: state.directory, manifests: manifests, images: images, nodeName: nodeName,
                    timeout: .seconds(timeout), logLevel: logLevel)
                try await Foreground.run(configuration, readyDescriptor: readyDescriptor)
            }
        } catch let error as SuiteError {
            throw fail(error)
        }
    }
}
