#if os(Linux)
import CLinux
import Glibc

/// The buffers and pipes that the relays of one loop borrow; idle relays hold none.
struct LoopMemory: ~Copyable {
    static var bufferSize: Int { 65_536 }
    private static var pipeSize: Int32 { 262_144 }
    private static var spares: Int { 64 }

    /// For one read and send at a time.
    let scratch: UnsafeMutableRawPointer
    private var buffers: [UnsafeMutableRawPointer] = []
    private var pipes: [(out: Int32, in: Int32)] = []
    /// Pipes that are lent or spare.
    private(set) var pipeCount = 0

    init() {
        scratch = .allocate(byteCount: Self.bufferSize, alignment: 4096)
        buffers.reserveCapacity(Self.spares)
        pipes.reserveCapacity(Self.spares)
    }

    deinit {
        scratch.deallocate()
        for buffer in buffers { buffer.deallocate() }
        for pipe in pipes {
            close(pipe.out)
            close(pipe.in)
        }
    }

    /// - Parameter size: ``bufferSize``, or more for what a ring had received at once.
    mutating func takeBuffer(_ size: Int = bufferSize) -> UnsafeMutableRawPointer {
        if size == Self.bufferSize, let buffer = buffers.popLast() { return buffer }
        return .allocate(byteCount: size, alignment: 4096)
    }

    mutating func giveBack(_ buffer: UnsafeMutableRawPointer, size: Int) {
        if size == Self.bufferSize, buffers.count < Self.spares { buffers.append(buffer) } else { buffer.deallocate() }
    }

    /// nil when descriptors are short: then bytes are copied.
    ///
    /// - Parameter mayOpen: whether there are descriptors for another one.
    mutating func takePipe(mayOpen: Bool) -> (out: Int32, in: Int32)? {
        if let pipe = pipes.popLast() { return pipe }
        guard mayOpen else { return nil }
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &ends) { bytes in
            bytes.withMemoryRebound(to: Int32.self) { pipe2($0.baseAddress, O_NONBLOCK | O_CLOEXEC) }
        }
        guard made == 0 else { return nil }
        pipeCount += 1
        _ = fcntl(ends.1, setPipeSize, Self.pipeSize)
        return (ends.0, ends.1)
    }

    /// Takes back a pipe; one that still holds bytes is closed.
    mutating func giveBack(pipe: (out: Int32, in: Int32), isEmpty: Bool) {
        if isEmpty, pipes.count < Self.spares {
            pipes.append(pipe)
        } else {
            close(pipe.out)
            close(pipe.in)
            pipeCount -= 1
        }
    }

    mutating func closeSparePipes() {
        for pipe in pipes {
            close(pipe.out)
            close(pipe.in)
        }
        pipeCount -= pipes.count
        pipes.removeAll(keepingCapacity: true)
    }
}

private let setPipeSize: Int32 = 1031
#endif
