import ArgumentParser
import ServiceKit
import SuiteRuntime

/// `service-proxy kubeconfig`: what kubectl needs, for where the API is seen from outside.
struct KubeconfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubeconfig", abstract: "Print the kubeconfig of the proxy that runs here.",
        discussion: """
            It holds a private key: keep it to yourself.

            EXAMPLES
              docker compose exec -T service-proxy service-proxy kubeconfig > kiada.kubeconfig
              kubectl --kubeconfig kiada.kubeconfig get services
            """)

    @Option(name: .customLong("state-dir"), help: "The folder in which the proxy keeps its state.")
    var stateDirectory = ".kiada"

    @Option(help: ArgumentHelp("Where kubectl reaches the API, instead of where it listens.", valueName: "url"))
    var server: String?

    func run() throws {
        do {
            StandardStream.output.write(try KubeconfigFile.text(of: StateDirectory(stateDirectory), server: server))
        } catch {
            StandardStream.error.write("service-proxy kubeconfig: \(error)\n")
            throw ExitCode(1)
        }
    }
}
