#if os(Linux)
import Dispatch
import Glibc
import ServiceRouting
import Synchronization

/// Loops of our own, on io_uring or epoll.
final class LoopThreads: RelayCarrier {
    private let threads: [LoopThread]
    /// By slot; all loops share them.
    private let sockets = Mutex<[Int: Int32]>([:])

    init(_ settings: [LoopSettings], usesRing: Bool) throws(SocketFailure) {
        var threads: [LoopThread] = []
        do {
            for settings in settings { threads.append(try LoopThread(settings, usesRing: usesRing)) }
        } catch {
            for thread in threads { thread.join() }
            throw error
        }
        self.threads = threads
    }

    var loopCount: Int { threads.count }

    func make(_ changes: [FrontendChange]) {
        var works = LoopWorks(count: threads.count)
        var retired: [Int32] = []
        for change in changes {
            switch change {
            case .serve(let route, let socket, let slot, let choice):
                sockets.withLock { $0[slot] = socket }
                works.add(route.frontend.loops(of: loopCount)) {
                    $0.serve(route, on: socket, slot: slot, choice: choice)
                }
            case .update(let route, let slot, let choice):
                works.add(route.frontend.loops(of: loopCount)) { $0.update(route, slot: slot, choice: choice) }
            case .retire(let frontend, let slot):
                works.add(frontend.loops(of: loopCount)) { $0.retire(slot: slot) }
                if let socket = sockets.withLock({ $0.removeValue(forKey: slot) }) { retired.append(socket) }
            case .shareDescriptors(let share): works.add(threads.indices) { $0.descriptorShare = share }
            }
        }
        works.run(on: threads)
        for socket in retired { close(socket) }
    }

    func counters() async -> [[EndpointCounters]] {
        var all: [[EndpointCounters]] = []
        for thread in threads {
            let part = await withCheckedContinuation { continuation in
                let isTaken = thread.perform { continuation.resume(returning: $0.records.counters) }
                if !isTaken { continuation.resume(returning: []) }
            }
            all.append(part)
        }
        return all
    }

    func stop() async {
        for thread in threads { thread.join() }
        let sockets = self.sockets.withLock { sockets in
            defer { sockets = [:] }
            return sockets.values
        }
        for socket in sockets { close(socket) }
    }
}
#endif
