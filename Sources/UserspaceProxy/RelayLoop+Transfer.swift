#if os(Linux)
import CLinux
import Glibc

/// How far one direction of a relay got.
enum TransferOutcome {
    /// Until the source is empty, the destination full or the stream over.
    case done
    /// Until its share of the turn was used up.
    case more
    case sourceFailed
    case destinationFailed
}

extension RelayLoop {
    /// Reads and sends per turn, so that one fast stream does not hold up the others.
    private static let stepsPerTurn = 16
    private static let spliceSize = 262_144

    /// Moves bytes one way; the caller passes the end on.
    ///
    /// `mayCork` lets the kernel hold back the last bytes, so that they leave in one segment with the end. `bytes` grows
    /// by what the destination took.
    mutating func transfer(
        _ direction: inout RelayDirection, from source: Int32, to destination: Int32, mayCork: Bool, bytes: inout UInt64
    ) -> TransferOutcome {
        for _ in 0..<Self.stepsPerTurn {
            if direction.holdsData {
                guard direction.isWritable else { return .done }
                switch flush(&direction, to: destination, bytes: &bytes) {
                case .empty: break
                case .full: return .done
                case .failed: return .destinationFailed
                }
            }
            if direction.hasFailed { return .sourceFailed }
            guard !direction.hasEnded, direction.isReadable else { return .done }
            let isOpen =
                direction.pipeOut >= 0
                ? splice(into: &direction, from: source)
                : copy(into: &direction, from: source, to: destination, mayCork: mayCork, bytes: &bytes)
            switch isOpen {
            case .moved: continue
            case .sourceFailed: return .sourceFailed
            case .destinationFailed: return .destinationFailed
            }
        }
        return .more
    }

    /// What became of bytes that were kept.
    private enum FlushOutcome { case empty, full, failed }
    /// What became of one read and its send.
    private enum StepOutcome { case moved, sourceFailed, destinationFailed }

    private mutating func flush(
        _ direction: inout RelayDirection, to destination: Int32, bytes: inout UInt64
    ) -> FlushOutcome {
        while direction.holdsData {
            let count: Int
            if let buffer = direction.buffer {
                count = send(
                    destination, buffer + Int(direction.start), Int(direction.end - direction.start),
                    Int32(MSG_NOSIGNAL))
            } else {
                count = CLinux.splice(
                    direction.pipeOut, nil, destination, nil, Int(direction.inPipe),
                    CLINUX_SPLICE_F_MOVE | CLINUX_SPLICE_F_NONBLOCK)
            }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                guard count < 0, errno == EAGAIN else { return .failed }
                direction.isWritable = false
                return .full
            }
            bytes &+= UInt64(count)
            if let buffer = direction.buffer {
                direction.start += Int32(count)
                if direction.start == direction.end {
                    memory.giveBack(buffer, size: Int(direction.bufferSize))
                    direction.buffer = nil
                }
            } else {
                direction.inPipe -= Int32(count)
            }
        }
        return .empty
    }

    /// One read into the scratch and one send from it; what the destination does not take is kept in a buffer.
    private mutating func copy(
        into direction: inout RelayDirection, from source: Int32, to destination: Int32, mayCork: Bool,
        bytes: inout UInt64
    ) -> StepOutcome {
        let count = recv(source, memory.scratch, LoopMemory.bufferSize, 0)
        guard count > 0 else { return ended(&direction, count) }
        if count < LoopMemory.bufferSize {
            // Less than a full buffer means that the socket is empty; what comes later raises a new edge.
            if !direction.mayEnd { direction.isReadable = false }
        } else if let pipe = memory.takePipe(mayOpen: hasRoom(for: 2)) {
            direction.pipeOut = pipe.out
            direction.pipeIn = pipe.in
        }
        var sent = 0
        if direction.isWritable {
            // The source has hung up: its end is the next thing to read.
            direction.isCorked = mayCork && direction.mayEnd
            sent = send(
                destination, memory.scratch, count,
                Int32(MSG_NOSIGNAL) | (direction.isCorked ? Int32(MSG_MORE) : 0))
            if sent < 0 {
                if errno == EAGAIN {
                    direction.isWritable = false
                } else if errno != EINTR {
                    keep(count, from: 0, in: &direction)
                    return .destinationFailed
                }
                sent = 0
            }
        }
        bytes &+= UInt64(sent)
        if sent < count { keep(count, from: sent, in: &direction) }
        return .moved
    }

    private mutating func keep(_ count: Int, from start: Int, in direction: inout RelayDirection) {
        let buffer = memory.takeBuffer()
        buffer.copyMemory(from: memory.scratch + start, byteCount: count - start)
        direction.buffer = buffer
        direction.bufferSize = Int32(LoopMemory.bufferSize)
        direction.start = 0
        direction.end = Int32(count - start)
    }

    /// Moves pages from the socket to the pipe without copying them; gives the pipe back when the flow thins out.
    private mutating func splice(into direction: inout RelayDirection, from source: Int32) -> StepOutcome {
        let count = CLinux.splice(
            source, nil, direction.pipeIn, nil, Self.spliceSize, CLINUX_SPLICE_F_MOVE | CLINUX_SPLICE_F_NONBLOCK)
        if count > 0 {
            direction.inPipe = Int32(count)
            return .moved
        }
        memory.giveBack(pipe: (direction.pipeOut, direction.pipeIn), isEmpty: true)
        direction.pipeOut = -1
        direction.pipeIn = -1
        return ended(&direction, count)
    }

    private func ended(_ direction: inout RelayDirection, _ count: Int) -> StepOutcome {
        if count == 0 {
            direction.hasEnded = true
            direction.isReadable = false
            return .moved
        }
        switch errno {
        case EAGAIN:
            direction.isReadable = false
            return .moved
        case EINTR: return .moved
        default: return .sourceFailed
        }
    }
}
#endif
