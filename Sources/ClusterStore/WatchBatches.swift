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
        package func next() async -> [WatchEvent]? {
            var bells = waiting.bell.stream.makeAsyncIterator()
            while true {
                let batch = waiting.events.withLock { events in
                    defer { events = [] }
                    return events
                }
                if !batch.isEmpty { return batch }
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
        let bell = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    }
}
