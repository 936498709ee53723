import NIOPosix

/// Threads for work that waits, such as writing to a program that does not read.
enum BlockingWork {
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 16)
        pool.start()
        return pool
    }()

    static func run(_ work: @escaping @Sendable () -> Void) {
        threads.submit { state in if case .active = state { work() } }
    }
}
