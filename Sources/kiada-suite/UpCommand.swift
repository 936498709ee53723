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

    @Option(name: .customLong("node-name"), help: "The name of the node that the pods see.")
    var nodeName = "kiada-node"

    @Option(help: "Seconds within which everything has to be ready.")
    var timeout = 30

    @Flag(help: "Go to the background once everything is ready; exit code 1 and the reason if it is not in time.")
    var detach = false

    @Option(
        help: ArgumentHelp(
            "Use 127.N.0.0/16 for everything, so that two suites can run side by side.", valueName: "N"))
    var addressBlock: UInt8?

    @Option(help: ArgumentHelp("The port of the Kubernetes API, for kubectl; 0 for none.", valueName: "port"))
    var apiPort: UInt16 = 6443

    @OptionGroup var publishing: PublishOptions

    @Option(help: "How much to log on standard error.")
    var logLevel = LogLevel.warning

    @Option(name: .customLong("ready-descriptor"), help: .hidden)
    var readyDescriptor: Int32?

    func validate() throws {
        guard (1...3600).contains(timeout) else {
            throw ValidationError("--timeout \(timeout): must be between 1 and 3600 seconds")
        }
        if let block = addressBlock, !(1...254).contains(block) {
            throw ValidationError("--address-block \(block): must be between 1 and 254")
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
                var configuration = SuiteConfiguration(
                    directory: state.directory, manifests: manifests, images: images, nodeName: nodeName,
                    timeout: .seconds(timeout), logLevel: logLevel.level)
                configuration.addressBlock = addressBlock
                configuration.apiPort = apiPort == 0 ? nil : apiPort
                configuration.publishAddress = publishing.address
                try await Foreground.run(configuration, readyDescriptor: readyDescriptor)
            }
        } catch let error as SuiteError {
            throw fail(error)
        }
    }
}
