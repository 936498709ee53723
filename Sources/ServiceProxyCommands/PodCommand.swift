import ArgumentParser
import ComposePods
import FoundationEssentials
import ServiceKit

/// `service-proxy pod`: makes a container a pod, then becomes its program.
struct PodCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pod", abstract: "Run a program as Kubernetes would, in a container that compose has started.",
        discussion: """
            Sets POD_NAME (by the name that the engine's resolver has for this container), POD_IP, NODE_NAME, NODE_IP and \
            the variables of Services (QUOTE_SERVICE_HOST, ...) unless they are set, and becomes the program.

            EXAMPLES
              service-proxy pod -- quote --http-port 8080
              service-proxy pod --no-service-links -- kiada
            """)

    @Option(
        help: ArgumentHelp(
            "The file of variables that service-proxy run --pod-files keeps.", valueName: "file"))
    var file = "/run/kiada/pods/env/kiada"

    @Flag(help: "Leave out the variables of Services; also with SERVICE_LINKS=false in the environment.")
    var noServiceLinks = false

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var command: [String]

    func validate() throws {
        if command.isEmpty { throw ValidationError("no program is named; put it after --") }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let hasLinks = !noServiceLinks && !["false", "0", "no"].contains(environment["SERVICE_LINKS"] ?? "")
        do {
            try await PodLauncher.run(command, file: file, hasServiceLinks: hasLinks, environment: environment)
        } catch {
            StandardStream.error.write("service-proxy pod: \(error)\n")
            throw ExitCode(127)
        }
    }
}
