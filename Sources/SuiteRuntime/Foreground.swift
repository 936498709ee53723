import FoundationEssentials
import Glibc
import ServiceKit
import Synchronization
import UnixSignals

/// Runs a suite in this process: `kiada-suite up`.
package enum Foreground {
    /// How far the start has come, as several tasks see it.
    private final class Progress: Sendable {
        struct State {
            var isReady = false
            var failure: String?
            var last: StatusReport?
        }

        private let state = Mutex(State())

        func withLock<Result>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }
    }

    /// Returns after an orderly stop.
    ///
    /// - Parameter readyDescriptor: where to write `ready` or the reason, for a start in the background; nil in the
    ///   foreground.
    /// - Throws: ``SuiteError``: it could not start, or was not ready in time.
    package static func run(_ configuration: SuiteConfiguration, readyDescriptor: Int32?) async throws {
        let start = ContinuousClock.now
        let channel = readyDescriptor.map(ReadyChannel.init)
        do {
            try configuration.directory.create()
            let lock = try InstanceLock(configuration.directory)
            let claim = try AddressClaim(block: configuration.addressBlock)
            let suite = try Suite(configuration)
            try await run(suite, configuration, start: start, channel: channel)
            _ = consume claim
            _ = consume lock
        } catch let error as SuiteError {
            channel?.tell(error.description)
            throw error
        }
    }

    private static func run(
        _ suite: Suite, _ configuration: SuiteConfiguration, start: ContinuousClock.Instant, channel: ReadyChannel?
    ) async throws {
        let progress = Progress()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals {
                    if channel == nil { StandardStream.error.write("\nstopping; once more to stop at once\n") }
                    suite.stop()
                }
            }
            group.addTask {
                try await Task.sleep(for: configuration.timeout)
                // In the foreground somebody is watching, who may want to see what becomes of it.
                let isFatal = channel != nil
                let explanation = progress.withLock { progress -> String? in
                    guard !progress.isReady else { return nil }
                    let reason = reason(progress.last, configuration)
                    if isFatal { progress.failure = reason }
                    return reason
                }
                guard let explanation else { return }
                channel?.tell(explanation)
                if isFatal { suite.stop() } else { StandardStream.error.write("\(explanation)\n") }
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
                    if let channel {
                        channel.tell("ready\n" + text)
                    } else {
                        StandardStream.output.write(text)
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
        var lines = ["ready after \(rounded) s: \(report.pods.count) pods, \(report.services.count) Services", ""]
        lines += report.urls.map { "  \($0)" }
        let rows = report.services.filter { $0.clusterIP.contains(".") }
        let width = rows.map { $0.namespace.count + $0.name.count + 1 }.max() ?? 0
        for row in rows {
            let name = "\(row.namespace)/\(row.name)"
            let padding = String(repeating: " ", count: width - name.count)
            lines.append("  \(name)\(padding)   \(row.clusterIP)   \(row.ports)")
        }
        lines.append("")
        lines += report.problems.map { "! \($0)" }
        if let dataPlane = report.dataPlane { lines.append(dataPlane) }
        if configuration.apiPort != nil {
            lines.append("export KUBECONFIG=\(configuration.directory.kubeconfig)")
        }
        lines.append("certificate authority: \(configuration.directory.caCertificate)")
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Where a suite in the background says once that it is ready, or why it is not.
private final class ReadyChannel: Sendable {
    private let descriptor: Mutex<Int32?>

    init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    /// Says `text` and closes the channel; nothing happens the second time.
    func tell(_ text: String) {
        guard let descriptor = descriptor.withLock({ $0.take() }) else { return }
        signal(SIGPIPE, SIG_IGN)
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }
}
