/// Whether connections are accepted, and if not, whether that was said.
struct AcceptPause {
    /// In the queue of retries, stands for the listeners.
    static let place = Token.Place(index: .max, generation: .max)

    private(set) var isPaused = false
    /// The reason in the log; nil once a connection was accepted again.
    private(set) var announced: String?

    /// Says whether this is news.
    mutating func begin(_ reason: String) -> Bool {
        isPaused = true
        defer { announced = reason }
        return announced == nil
    }

    mutating func end() { isPaused = false }

    /// Says whether this is news.
    mutating func didAccept() -> Bool {
        defer { announced = nil }
        return announced != nil
    }
}
