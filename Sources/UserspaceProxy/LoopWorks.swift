#if os(Linux)
import Dispatch

/// What a change means for each loop: one message per loop, and the wait until all have done it.
struct LoopWorks {
    private var works: [[LoopInbox.Work]]

    init(count: Int) { works = Array(repeating: [], count: count) }

    mutating func add(_ loops: Range<Int>, _ work: @escaping LoopInbox.Work) {
        for loop in loops { works[loop].append(work) }
    }

    func run(on threads: [LoopThread]) {
        let group = DispatchGroup()
        for (thread, works) in zip(threads, works) where !works.isEmpty {
            group.enter()
            let isTaken = thread.perform { loop in
                for work in works { work(&loop) }
                group.leave()
            }
            if !isTaken { group.leave() }
        }
        group.wait()
    }
}
#endif
