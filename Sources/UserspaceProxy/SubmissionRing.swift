#if os(Linux)
import CLinux
import Glibc

/// The two queues of an io_uring: what this thread asks the kernel for, and what came of it.
///
///     push ─▶ │ submissions │ ─enter─▶ kernel ─▶ │ completions │ ─▶ next
///
/// One system call per turn hands over all submissions and waits. Needs Linux 6.1 (deferred task work); queues are the
/// kernel's memory, mapped here (io_uring_setup(2), io_uring_enter(2)). Only the thread that made a ring may use it; a
/// system call of that thread may be interrupted once when the ring is closed.
struct SubmissionRing: ~Copyable {
    private static var capacity: UInt32 { 256 }
    /// A turn's completions; more are kept by the kernel until there is room (IORING_FEAT_NODROP).
    private static var completionCapacity: UInt32 { 4096 }

    private static var skipSuccess: UInt8 { 1 << 6 }

    let descriptor: Int32
    private let queues: UnsafeMutableRawPointer
    private let queuesSize: Int
    private let submissions: UnsafeMutablePointer<clinux_uring_submission>
    private let submissionsSize: Int
    private let submissionTail: UnsafeMutablePointer<UInt32>
    private let submissionMask: UInt32
    private let completions: UnsafePointer<clinux_uring_completion>
    private let completionHead: UnsafeMutablePointer<UInt32>
    private let completionTail: UnsafePointer<UInt32>
    private let completionMask: UInt32
    private var tail: UInt32 = 0
    private var head: UInt32 = 0
    private var knownTail: UInt32 = 0
    /// Pushed and not yet handed over.
    private var queued: UInt32 = 0
    /// Awaited operations that were pushed and have not completed for the last time.
    private(set) var inFlight = 0

    /// A ring of the calling thread.
    ///
    /// - Throws: What the kernel said: EINVAL when it is too old, EPERM or ENOSYS where it is forbidden.
    init() throws(SocketFailure) {
        var parameters = clinux_uring_parameters()
        parameters.flags =
            Setup.completionSize | Setup.submitAll | Setup.cooperative | Setup.singleIssuer
            | Setup.deferred
        parameters.completions = Self.completionCapacity
        let ring = clinux_uring_setup(Self.capacity, &parameters)
        guard ring >= 0 else { throw SocketFailure(code: errno) }
        let (submission, completion) = (parameters.submission_offsets, parameters.completion_offsets)
        let queuesSize = max(
            Int(submission.array) + Int(parameters.submissions) * MemoryLayout<UInt32>.stride,
            Int(completion.completions)
                + Int(parameters.completions) * MemoryLayout<clinux_uring_completion>.stride)
        let submissionsSize = Int(parameters.submissions) * MemoryLayout<clinux_uring_submission>.stride
        let access = (PROT_READ | PROT_WRITE, MAP_SHARED | Int32(mapPopulated))
        let queues = mmap(nil, queuesSize, access.0, access.1, ring, 0)
        let entries = mmap(nil, submissionsSize, access.0, access.1, ring, submissionsOffset)
        guard let queues, let entries, queues != MAP_FAILED, entries != MAP_FAILED else {
            let code = errno
            if let queues, queues != MAP_FAILED { munmap(queues, queuesSize) }
            Glibc.close(ring)
            throw SocketFailure(code: code)
        }
        descriptor = ring
        self.queues = queues
        self.queuesSize = queuesSize
        self.submissionsSize = submissionsSize
        submissions = entries.assumingMemoryBound(to: clinux_uring_submission.self)
        submissionTail = (queues + Int(submission.tail)).assumingMemoryBound(to: UInt32.self)
        submissionMask = parameters.submissions - 1
        completions = UnsafePointer(
            (queues + Int(completion.completions)).assumingMemoryBound(to: clinux_uring_completion.self))
        completionHead = (queues + Int(completion.head)).assumingMemoryBound(to: UInt32.self)
        completionTail = UnsafePointer((queues + Int(completion.tail)).assumingMemoryBound(to: UInt32.self))
        completionMask = parameters.completions - 1
        // Entries are used in their order.
        let order = (queues + Int(submission.array)).assumingMemoryBound(to: UInt32.self)
        for index in 0..<parameters.submissions { order[Int(index)] = index }
    }

    deinit {
        munmap(submissions, submissionsSize)
        munmap(queues, queuesSize)
        Glibc.close(descriptor)
    }

    /// Queues an operation, to be filled in at once; what is queued is handed over in its order.
    ///
    /// - Parameter isAwaited: whether it always has a completion; else only when it fails.
    mutating func push(isAwaited: Bool) -> UnsafeMutablePointer<clinux_uring_submission> {
        while queued > submissionMask { submit() }
        let submission = submissions + Int(tail & submissionMask)
        submission.initialize(to: clinux_uring_submission())
        tail &+= 1
        queued += 1
        if isAwaited { inFlight += 1 } else { submission.pointee.flags = Self.skipSuccess }
        return submission
    }

    /// Hands over what is queued.
    mutating func submit() { enter(completions: 0, flags: 0, nanoseconds: 0) }

    /// Hands over what is queued and waits for a completion.
    ///
    /// - Parameter nanoseconds: at most so long; negative for ever, 0 to have only done what can be done now.
    mutating func submitAndWait(nanoseconds: Int64) {
        enter(completions: nanoseconds == 0 ? 0 : 1, flags: Enter.getEvents, nanoseconds: nanoseconds)
    }

    private mutating func enter(completions: UInt32, flags: UInt32, nanoseconds: Int64) {
        clinux_store_release(submissionTail, tail)
        let count = clinux_uring_enter(descriptor, queued, completions, flags, nanoseconds)
        // What was not taken, for want of memory, is handed over the next time.
        if count > 0 { queued -= UInt32(count) }
    }

    /// The next completion that is there.
    mutating func next() -> clinux_uring_completion? {
        if head == knownTail {
            knownTail = clinux_load_acquire(completionTail)
            guard head != knownTail else { return nil }
        }
        let completion = completions[Int(head & completionMask)]
        head &+= 1
        clinux_store_release(completionHead, head)
        if completion.flags & Completion.more == 0, completion.token != Token.none.bits { inFlight -= 1 }
        return completion
    }

    /// Flags of io_uring_setup(2).
    private enum Setup {
        static let completionSize: UInt32 = 1 << 3
        static let submitAll: UInt32 = 1 << 7
        static let cooperative: UInt32 = 1 << 8
        static let singleIssuer: UInt32 = 1 << 12
        static let deferred: UInt32 = 1 << 13
    }

    /// Flags of io_uring_enter(2).
    private enum Enter { static let getEvents: UInt32 = 1 }

    /// Operations of io_uring_register(2).
    enum Register {
        static let bufferRing: UInt32 = 22
    }

    /// Flags of a completion.
    enum Completion {
        static let buffer: UInt32 = 1
        /// The operation goes on.
        static let more: UInt32 = 2
    }
}

private let submissionsOffset = 0x1000_0000
private let mapPopulated = 0x8000
#endif
