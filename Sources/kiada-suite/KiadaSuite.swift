import ArgumentParser
import ServiceKit
import SuiteRuntime

/// The native way to run the suite: one process tree is the whole "cluster".
@main
struct KiadaSuite: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiada-suite",
        abstract:
            "Runs kiada, quote and quiz as pods behind Kubernetes Services, on this machine and without a cluster.",
        discussion: """
            EXAMPLES
              kiada-suite up                  run in the foreground; ^C stops in order, a second ^C at once
              kiada-suite up --detach         run in the background; returns when everything is ready
              kiada-suite status              Services, addresses and pods
              kiada-suite logs quote-001 -f   follow a pod's log
              kiada-suite down                stop

            Then: curl http://localhost:8080, or open it in a browser.
            """,
        version: SuiteVersion.text,
        subcommands: [UpCommand.self, DownCommand.self, StatusCommand.self, LogsCommand.self])
}

/// What all commands need to know.
struct StateOptions: ParsableArguments {
    @Option(name: .customLong("state-dir"), help: "The folder in which the suite keeps its state.")
    var stateDirectory = ".kiada"

    var directory: StateDirectory { StateDirectory(stateDirectory) }
}

/// Ends a command with a message on stderr and exit code 1.
func fail(_ error: SuiteError) -> ExitCode {
    StandardStream.error.write("kiada-suite: \(error)\n")
    return ExitCode(1)
}
