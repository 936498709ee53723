import ArgumentParser
import ServiceKit
import SuiteRuntime

/// `kiada-suite down`: stops a suite, wherever it was started.
struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stop the suite that runs with this state folder.",
        discussion: "Without a running suite there is nothing to do, and the exit code is 0.")

    @OptionGroup var state: StateOptions

    @Option(help: "Seconds to wait for an orderly stop before everything is killed.")
    var timeout = 40

    func run() async throws {
        do throws(SuiteError) {
            let result = try SuiteStop.run(directory: state.directory, timeout: .seconds(timeout))
            switch result {
            case .notRunning: print("no suite runs with the state folder \(state.directory.path)")
            case .stopped: print("stopped")
            case .killed: print("killed: it did not stop within \(timeout) s")
            }
        } catch {
            throw fail(error)
        }
    }
}

/// `kiada-suite status`: what runs.
struct StatusCommand: AsyncParsableCommand {
    enum Output: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the suite's Services and pods.",
        discussion: "Exit code 0: everything is ready; 1: something is not; 3: no suite runs.")

    @OptionGroup var state: StateOptions

    @Option(name: .shortAndLong, help: "table or json.")
    var output = Output.table

    func run() async throws {
        do {
            guard InstanceLock.holder(of: state.directory) != nil else {
                StandardStream.error.write(
                    "kiada-suite: no suite runs with the state folder \(state.directory.path); start one with `kiada-suite up`\n"
                )
                throw ExitCode(3)
            }
            let report = try StatusReport.read(from: state.directory)
            print(output == .json ? report.json : report.text(), terminator: "")
            if report.state != .ready { throw ExitCode(1) }
        } catch let error as SuiteError {
            throw fail(error)
        }
    }
}

/// `kiada-suite logs`: what pods wrote.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print the logs of one pod, or of all.",
        discussion: """
            EXAMPLES
              kiada-suite logs               all pods, each line with its pod's name
              kiada-suite logs quiz          one pod
              kiada-suite logs quote-001 -f  and what comes next
            """)

    @OptionGroup var state: StateOptions

    @Argument(help: "A pod's name, or namespace/name.")
    var pod: String?

    @Flag(name: .shortAndLong, help: "Go on until ^C.")
    var follow = false

    func run() async throws {
        do {
            let reader = LogReader(state.directory)
            try await reader.print(pod: pod, follow: follow)
        } catch let error as SuiteError {
            throw fail(error)
        }
    }
}
