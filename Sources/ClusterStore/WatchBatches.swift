import Synchronization

/// The events of a watch in batches: each holds all that came while its reader was busy with the one before.
///
/// A burst of changes is then one round of work.
package struct WatchBatches: AsyncSequence, Sendable {
    package typealias Element = [WatchEvent]

    private let stream: WatchStream

    package init(_ stream: WatchStream) { self.stream = stream }

    package func makeAsyncIterator() -> Iterator { Iterator(stream) }

    package final class Iterator: AsyncIteratorProtocol {
        private let waiting: Waiting
        private let task: Task<Void, Never>

        init(_ stream: WatchStream) {
            let waiting = Waiting()
            self.waiting = waiting
            task = Task {
                for await event in stream {
                    waiting.events.withLock { $0.append(event) }
                    waiting.bell.continuation.yield()
                }
                waiting.bell.continuation.finish()
            }
        }

        deinit { task.cancel() }

        /// The next batch, never empty; nil once the watch has ended and everything has been read.
        package func next() async -> [WatchEvent]? { await next(within: nil) }

        /// The next batch, or an empty one once `limit` has passed without any; nil once the watch has ended.
        package func next(within limit: Duration?) async -> [WatchEvent]? {
            waiting.isDue.withLock { $0 = false }
            guard let limit else { return await nextOrDue() }
            return await withTaskGroup(of: Void.self) { group in
                group.addTask { [waiting] in
                    guard (try? await ContinuousClock().sleep(for: limit)) != nil else { return }
                    waiting.isDue.withLock { $0 = true }
                    waiting.bell.continuation.yield()
                }
                defer { group.cancelAll() }
                return await nextOrDue()
            }
        }

        private func nextOrDue() async -> [WatchEvent]? {
            var bells = waiting.bell.stream.makeAsyncIterator()
            while true {
                let batch = waiting.events.withLock { events in
                    defer { events = [] }
                    return events
                }
                if !batch.isEmpty || waiting.isDue.withLock({ $0 }) { return batch }
                if await bells.next() == nil {
                    let rest = waiting.events.withLock { events in
                        defer { events = [] }
                        return events
                    }
                    return rest.isEmpty ? nil : rest
                }
            }
        }
    }

    private final class Waiting: Sendable {
        let events = Mutex<[WatchEvent]>([])
        /// The reader has waited for as long as it wanted.
        let isDue = Mutex(false)
        let bell = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    }
}
