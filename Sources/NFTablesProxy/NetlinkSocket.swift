#if os(Linux)
import LinuxKernel
import Glibc

/// A socket to the kernel's netfilter, not for use by several threads at a time.
struct NetlinkSocket: ~Copyable {
    let descriptor: Int32
    private var sequence: UInt32 = 1
    private var buffer = [UInt8](repeating: 0, count: 262_144)

    /// The kernel refused, or could not be talked to.
    struct Failure: Error, Equatable {
        /// `errno`.
        let code: Int32
        var reason: String { String(cString: strerror(code)) }
    }

    init() throws(Failure) {
        // NETLINK_NETFILTER is 12.
        descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), 12)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        // SO_RCVBUFFORCE: dumps are long.
        var size: Int32 = 8 << 20
        setsockopt(descriptor, SOL_SOCKET, 33, &size, socklen_t(MemoryLayout<Int32>.size))
        // Without a number of its own a socket is told nothing that it has not asked for.
        let result = Self.withKernelAddress { bind(descriptor, $0, $1) }
        guard result == 0 else { throw Failure(code: errno) }
    }

    /// sockaddr_nl, which has 12 octets: the kernel's address, and nobody's in particular.
    private static func withKernelAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_storage()
        address.ss_family = sa_family_t(AF_NETLINK)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, 12) }
        }
    }

    deinit { close(descriptor) }

    /// Whether the kernel tells of each new connection as soon as its first packet has arrived (NFNLGRP_CONNTRACK_NEW).
    ///
    /// While nobody asks for it, it costs nothing.
    func setTellingOfConnections(_ isTelling: Bool) throws(Failure) {
        // SOL_NETLINK is 270, NETLINK_ADD_MEMBERSHIP 1, NETLINK_DROP_MEMBERSHIP 2.
        var group: UInt32 = 1
        guard setsockopt(descriptor, 270, isTelling ? 1 : 2, &group, socklen_t(MemoryLayout<UInt32>.size)) == 0 else {
            throw Failure(code: errno)
        }
    }

    /// Hands the payloads of the messages that are there to `body`; what came faster than it was read is lost.
    mutating func drain(_ body: (ArraySlice<UInt8>) -> Void) {
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 { Self.messages(in: buffer[..<count]) { _, _, payload in body(payload) } }
            if count <= 0, errno != ENOBUFS, errno != EINTR { return }
        }
    }

    /// Sends a batch and waits until the kernel has done all of it, or none.
    ///
    /// - Parameter transaction: one that changes something.
    mutating func commit(_ transaction: Transaction, table: String) throws(Failure) {
        let batch = Batch(transaction, table: table, firstSequence: sequence)
        sequence = batch.last &+ 2
        try send(batch.bytes)
        var failure: Failure?
        var isDone = false
        // After a failure there is no acknowledgement of the last message; errors all come at once.
        while !isDone, failure == nil {
            try receive { type, number, payload in
                guard type == Netlink.error else { return }
                let code = -Int32(bitPattern: payload.native32(at: payload.startIndex))
                if code != 0 { failure = failure ?? Failure(code: code) }
                if code == 0, number == batch.last { isDone = true }
            }
        }
        guard let failure else { return }
        drain { _ in }
        throw failure
    }

    /// Sends a request and hands the payload of each answer to `body`, until the kernel says that it is done.
    mutating func ask(
        _ request: NetlinkRequest, _ body: (ArraySlice<UInt8>) -> Void = { _ in }
    ) throws(Failure) {
        let number = next()
        try send(request.bytes(sequence: number))
        try wait(for: number, body)
    }

    private mutating func next() -> UInt32 {
        defer { sequence &+= 1 }
        return sequence
    }

    private mutating func wait(for number: UInt32, _ body: (ArraySlice<UInt8>) -> Void) throws(Failure) {
        var isDone = false
        var failure: Failure?
        while !isDone {
            try receive { type, sequence, payload in
                guard sequence == number else { return }
                switch type {
                case Netlink.done: isDone = true
                case Netlink.error:
                    let code = -Int32(bitPattern: payload.native32(at: payload.startIndex))
                    if code != 0 { failure = Failure(code: code) }
                    isDone = true
                default: body(payload)
                }
            }
        }
        if let failure { throw failure }
    }

    private func send(_ bytes: [UInt8]) throws(Failure) {
        // SO_SNDBUFFORCE: a batch is one message, whatever its size.
        var size = Int32(clamping: bytes.count + 65_536)
        if bytes.count > 100_000 { setsockopt(descriptor, SOL_SOCKET, 32, &size, socklen_t(MemoryLayout<Int32>.size)) }
        let sent = Self.withKernelAddress { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
        guard sent == bytes.count else { throw Failure(code: errno) }
    }

    private mutating func receive(_ body: (UInt16, UInt32, ArraySlice<UInt8>) -> Void) throws(Failure) {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else {
            if count < 0, errno == EINTR { return }
            throw Failure(code: count < 0 ? errno : EIO)
        }
        Self.messages(in: buffer[..<count], body)
    }

    private static func messages(in bytes: ArraySlice<UInt8>, _ body: (UInt16, UInt32, ArraySlice<UInt8>) -> Void) {
        var start = bytes.startIndex
        while bytes.endIndex - start >= 16 {
            let length = Int(bytes.native32(at: start))
            guard length >= 16, length <= bytes.endIndex - start else { return }
            body(bytes.native16(at: start + 4), bytes.native32(at: start + 8), bytes[start + 16..<start + length])
            start = min(bytes.endIndex, start + (length + 3) / 4 * 4)
        }
    }
}
#endif
