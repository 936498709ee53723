import ArgumentParser
import FoundationEssentials
import Glibc

/// The entry point of the suite's services: arguments, environment, exit codes.
package enum ServiceMain {
    /// Runs the program to its end and exits: 0 after an orderly stop or help, 64 for arguments that cannot be used,
    /// 1 for the rest.
    package static func run<Command: ServiceCommand>(_ type: Command.Type) async -> Never {
        signal(SIGPIPE, SIG_IGN)
        let environment = ProcessInfo.processInfo.environment
        let given = Array(CommandLine.arguments.dropFirst())
        let isHealthcheck = given.first == "healthcheck"
        let source = isHealthcheck ? HealthcheckCommand.environmentArguments : Command.environmentArguments
        do {
            let inherited = try source.arguments(from: environment)
            // The options of the program itself would take those of a subcommand that have the same names.
            var command =
                isHealthcheck
                ? try HealthcheckCommand.parseAsRoot(inherited + given.dropFirst())
                : try Command.parseAsRoot(inherited + given)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Glibc.exit(0)
        } catch let failure as StartFailure {
            StandardStream.error.write("\(Command.program): \(failure)\n")
            Glibc.exit(1)
        } catch let malformed as EnvironmentArguments.Malformed {
            StandardStream.error.write("Error: \(malformed)\nSee '\(Command.program) --help' for more information.\n")
            Glibc.exit(64)
        } catch {
            let code = Command.exitCode(for: error)
            if code != .success, !(error is ExitCode) {
                let origins = source.origins(in: environment, besides: given)
                if !origins.isEmpty {
                    StandardStream.error.write("From the environment: \(origins.joined(separator: ", "))\n")
                }
            }
            if isHealthcheck { HealthcheckCommand.exit(withError: error) }
            Command.exit(withError: error)
        }
    }
}
