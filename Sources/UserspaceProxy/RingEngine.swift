#if os(Linux)
import CLinux

/// What a loop has when io_uring carries its relays: the ring, the buffers, and who has something to do.
struct RingEngine: ~Copyable {
    var ring: SubmissionRing
    var buffers: ReceiveBuffers
    /// Relays that completions of this turn were about.
    var touched: [Token.Place] = []
    /// The loop's epoll descriptor has events.
    var hasReadiness = false

    /// The place at `index`; nil behind the last.
    func touched(_ index: Int) -> Token.Place? { index < touched.count ? touched[index] : nil }

    /// - Throws: what the kernel said, see ``SubmissionRing/init()``.
    init() throws(SocketFailure) {
        let ring = try SubmissionRing()
        let buffers = ReceiveBuffers()
        try buffers.register(with: ring)
        self.ring = ring
        self.buffers = buffers
        touched.reserveCapacity(1024)
    }
}
#endif
