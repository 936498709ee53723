package import FoundationEssentials
package import Logging
import ServiceLifecycle
import Synchronization

/// The quote that is shown now, kept up to date by ``run()``.
package final class QuoteBoard: Service {
    private let path: String?
    private let logger: Logger
    private let rotation: Mutex<QuoteRotation>
    private let fingerprint: Mutex<String>
    private let changes = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - path: the file of quotes, read again when it changes; nil takes the bundled ones.
    ///   - interval: seconds that each quote is shown, 1 or more.
    /// - Throws: ``QuoteFile/Failure``.
    package init(path: String?, interval: Int, logger: Logger) throws {
        self.path = path
        self.logger = logger
        fingerprint = Mutex(path.map(Self.fingerprint) ?? "")
        let file = try path.map { try QuoteFile(path: $0) } ?? .bundled
        var random = SystemRandomNumberGenerator()
        rotation = Mutex(
            QuoteRotation(file, interval: TimeInterval(interval), now: Date(), using: &random))
    }

    /// Another number with each other quote, a moment after it.
    package var version: UInt64 { changes.load(ordering: .acquiring) }

    package var current: QuoteRotation.Current { rotation.withLock { $0.current } }

    /// Looks at the clock and the file every second until the program stops.
    package func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(1))
                self.look(at: Date())
            }
        }
    }

    /// One look at the file and the clock.
    package func look(at now: Date) {
        var random = SystemRandomNumberGenerator()
        let before = current
        if let path {
            let seen = Self.fingerprint(of: path)
            let isChanged = fingerprint.withLock { known in
                defer { known = seen }
                return known != seen
            }
            if isChanged { reread(path, now, &random) }
        }
        rotation.withLock { $0.advance(to: now, using: &random) }
        if current != before { changes.add(1, ordering: .releasing) }
    }

    private func reread(_ path: String, _ now: Date, _ random: inout some RandomNumberGenerator) {
        do {
            let file = try QuoteFile(path: path)
            rotation.withLock { $0.replace(with: file, now: now, using: &random) }
            logger.notice("the quotes were read again", metadata: ["count": "\(file.quotes.count)"])
        } catch {
            logger.error("the changed file of quotes is not used", metadata: ["reason": "\(error)"])
        }
    }

    private static func fingerprint(of path: String) -> String {
        let attributes = (try? FileManager.default.attributesOfItem(atPath: path)) ?? [:]
        let time = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return "\(attributes[.size] ?? 0) \(time) \(attributes[.systemFileNumber] ?? 0)"
    }
}
