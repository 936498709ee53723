import FoundationEssentials
import Glibc
import Synchronization
import UnixSignals

/// Runs a suite in this process: `kiada-suite up`.
package enum Foreground {
    private struct Progress {
        var isReady = false
        var failure: String?
        var last: StatusReport?
    }

    /// Returns after an orderly stop.
    ///
    /// - Parameter readyDescriptor: where to write `ready` or the reason, for a start in the background; nil in the
    ///   foreground.
    /// - Throws: ``SuiteError``: it could not start, or was not ready in time.
    package static func run(_ configuration: SuiteConfiguration, readyDescriptor: Int32?) async throws {
        let start = ContinuousClock.now
        do {
            try configuration.directory.create()
            let lock = try InstanceLock(configuration.directory)
            let suite = try Suite(configuration)
            try await run(suite, configuration, start: start, readyDescriptor: readyDescriptor)
            _ = consume lock
        } catch let error as SuiteError {
            if let readyDescriptor { tell(readyDescriptor, error.description) }
            throw error
        }
    }

    private static func run(
        _ suite: Suite, _ configuration: SuiteConfiguration, start: ContinuousClock.Instant, readyDescriptor: Int32?
    ) async throws {
        let progress = Mutex(Progress())
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals {
                    if readyDescriptor == nil { StandardError.write("\nstopping; once more to stop at once\n") }
                    suite.stop()
                }
            }
            group.addTask {
                try await Task.sleep(for: configuration.timeout)
                let late = progress.withLock { progress -> StatusReport? in
                    guard !progress.isReady, progress.failure == nil else { return nil }
                    let report = progress.last
                    progress.failure = reason(report, configuration)
                    return report
                }
                if late != nil { suite.stop() }
            }
            group.addTask {
                try await suite.run { report in
                    try? report.write(to: configuration.directory)
                    let isFirst = progress.withLock { progress in
                        progress.last = report
                        guard !progress.isReady, report.state == .ready || report.state == .degraded else {
                            return false
                        }
                        progress.isReady = true
                        return true
                    }
                    guard isFirst else { return }
                    let text = welcome(report, configuration, after: ContinuousClock.now - start)
                    if let readyDescriptor {
                        tell(readyDescriptor, "ready\n" + text)
                    } else {
                        print(text, terminator: "")
                        fflush(stdout)
                    }
                }
                throw CancellationError()
            }
            do {
                while try await group.next() != nil {}
            } catch is CancellationError {
                // The suite has ended.
            }
            group.cancelAll()
        }
        unlink(configuration.directory.statusFile)
        if let failure = progress.withLock({ $0.failure }) { throw SuiteError(failure) }
    }

    private static func reason(_ report: StatusReport?, _ configuration: SuiteConfiguration) -> String {
        var lines = ["not everything was ready within \(configuration.timeout.components.seconds) s:"]
        for pod in report?.pods ?? [] where !pod.isGood {
            lines.append("  pod \(pod.name): \(pod.ready) ready, \(pod.status)\(pod.message.map { ": \($0)" } ?? "")")
        }
        lines += (report?.problems ?? ["the manifests were not read"]).map { "  \($0)" }
        lines.append("  logs: kiada-suite logs --state-dir \(configuration.directory.path)")
        return lines.joined(separator: "\n")
    }

    private static func welcome(_ report: StatusReport, _ configuration: SuiteConfiguration, after time: Duration)
        -> String
    {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        let rounded = "\((seconds * 100).rounded() / 100)"
        var lines = ["ready after \(rounded) s: \(report.pods.count) pods, \(report.services.count) Services"]
        lines += report.urls.map { "  \($0)" }
        for service in report.services where service.type != "ExternalName" && service.clusterIP.contains(".") {
            lines.append("  \(service.namespace)/\(service.name)\t\(service.clusterIP)\t\(service.ports)")
        }
        lines += report.problems.map { "! \($0)" }
        lines.append("certificate authority: \(configuration.directory.caCertificate)")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func tell(_ descriptor: Int32, _ text: String) {
        signal(SIGPIPE, SIG_IGN)
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }
}
