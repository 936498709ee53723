#if os(Linux)
import CLinux
import Glibc

/// The operations that the loops use.
extension SubmissionRing {
    /// Codes of operations (io_uring_enter(2)).
    private enum Operation {
        static let poll: UInt8 = 6
        static let accept: UInt8 = 13
        static let cancel: UInt8 = 14
        static let close: UInt8 = 19
        static let send: UInt8 = 26
        static let receive: UInt8 = 27
    }

    private static var receiveAgainAndAgain: UInt16 { 2 }
    private static var selectBuffer: UInt8 { 1 << 5 }

    /// Accepts one connection.
    mutating func accept(_ listener: Int32, _ token: Token) {
        let submission = push(Operation.accept, listener, token)
        submission.pointee.operation_flags = UInt32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    }

    /// Receives into buffers of ``ReceiveBuffers``, with a completion each, until the end, a failure, or no buffer is left.
    mutating func receive(_ descriptor: Int32, _ token: Token) {
        let submission = push(Operation.receive, descriptor, token)
        submission.pointee.priority = Self.receiveAgainAndAgain
        submission.pointee.flags |= Self.selectBuffer
    }

    /// Sends what there is room for now; nothing waits in the kernel, so the next completions tell the result.
    mutating func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, hasMore: Bool, _ token: Token) {
        let submission = push(Operation.send, descriptor, token)
        submission.pointee.address = UInt64(UInt(bitPattern: bytes.baseAddress))
        submission.pointee.length = UInt32(bytes.count)
        submission.pointee.operation_flags = UInt32(
            Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT) | (hasMore ? Int32(MSG_MORE) : 0))
    }

    /// Tells once when a descriptor is, or becomes, readable.
    mutating func pollInput(_ descriptor: Int32, _ token: Token) {
        let submission = push(Operation.poll, descriptor, token)
        submission.pointee.operation_flags = Readiness.input
    }

    /// Ends the operation that was started with `target`.
    mutating func cancel(_ target: Token) {
        let submission = push(Operation.cancel, -1, .none)
        submission.pointee.address = target.bits
    }

    /// Closes a descriptor after all that was queued before.
    mutating func close(_ descriptor: Int32) { push(Operation.close, descriptor, .none) }

    @discardableResult
    private mutating func push(
        _ operation: UInt8, _ descriptor: Int32, _ token: Token
    ) -> UnsafeMutablePointer<clinux_uring_submission> {
        let submission = push(isAwaited: token.kind != .none)
        submission.pointee.opcode = operation
        submission.pointee.descriptor = descriptor
        submission.pointee.token = token.bits
        return submission
    }
}
#endif
