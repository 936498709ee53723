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
        _ channel: inout Channel, from source: Int32, to destination: Int32, mayCork: Bool, bytes: inout UInt64
    ) -> TransferOutcome {
        for _ in 0..<Self.stepsPerTurn {
            if channel.holdsData {
                guard channel.isWritable else { return .done }
                switch flush(&channel, to: destination, bytes: &bytes) {
                case .empty: break
                case .full: return .done
                case .failed: return .destinationFailed
                }
            }
            if channel.hasFailed { return .sourceFailed }
            guard !channel.hasEnded, channel.isReadable else { return .done }
            let isOpen =
                channel.pipeOut >= 0
                ? splice(into: &channel, from: source)
                : copy(into: &channel, from: source, to: destination, mayCork: mayCork, bytes: &bytes)
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
        _ channel: inout Channel, to destination: Int32, bytes: inout UInt64
    ) -> FlushOutcome {
        while channel.holdsData {
            let count: Int
            if let buffer = channel.buffer {
                count = send(
                    destination, buffer + Int(channel.start), Int(channel.end - channel.start),
                    Int32(MSG_NOSIGNAL))
            } else {
                count = CLinux.splice(
                    channel.pipeOut, nil, destination, nil, Int(channel.inPipe),
                    CLINUX_SPLICE_F_MOVE | CLINUX_SPLICE_F_NONBLOCK)
            }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                guard count < 0, errno == EAGAIN else { return .failed }
                channel.isWritable = false
                return .full
            }
            bytes &+= UInt64(count)
            if let buffer = channel.buffer {
                channel.start += Int32(count)
                if channel.start == channel.end {
                    memory.giveBack(buffer, size: Int(channel.bufferSize))
                    channel.buffer = nil
                }
            } else {
                channel.inPipe -= Int32(count)
            }
        }
        return .empty
    }

    /// One read into the scratch and one send from it; what the destination does not take is kept in a buffer.
    private mutating func copy(
        into channel: inout Channel, from source: Int32, to destination: Int32, mayCork: Bool, bytes: inout UInt64
    ) -> StepOutcome {
        let count = recv(source, memory.scratch, LoopMemory.bufferSize, 0)
        guard count > 0 else { return ended(&channel, count) }
        if count < LoopMemory.bufferSize {
            // Less than a full buffer means that the socket is empty; what comes later raises a new edge.
            if !channel.mayEnd { channel.isReadable = false }
        } else if let pipe = memory.takePipe(mayOpen: hasRoom(for: 2)) {
            channel.pipeOut = pipe.out
            channel.pipeIn = pipe.in
        }
        var sent = 0
        if channel.isWritable {
            // The source has hung up: its end is the next thing to read.
            channel.isCorked = mayCork && channel.mayEnd
            sent = send(
                destination, memory.scratch, count,
                Int32(MSG_NOSIGNAL) | (channel.isCorked ? Int32(MSG_MORE) : 0))
            if sent < 0 {
                if errno == EAGAIN {
                    channel.isWritable = false
                } else if errno != EINTR {
                    keep(count, from: 0, in: &channel)
                    return .destinationFailed
                }
                sent = 0
            }
        }
        bytes &+= UInt64(sent)
        if sent < count { keep(count, from: sent, in: &channel) }
        return .moved
    }

    private mutating func keep(_ count: Int, from start: Int, in channel: inout Channel) {
        let buffer = memory.takeBuffer()
        buffer.copyMemory(from: memory.scratch + start, byteCount: count - start)
        channel.buffer = buffer
        channel.bufferSize = Int32(LoopMemory.bufferSize)
        channel.start = 0
        channel.end = Int32(count - start)
    }

    /// Moves pages from the socket to the pipe without copying them; gives the pipe back when the flow thins out.
    private mutating func splice(into channel: inout Channel, from source: Int32) -> StepOutcome {
        let count = CLinux.splice(
            source, nil, channel.pipeIn, nil, Self.spliceSize, CLINUX_SPLICE_F_MOVE | CLINUX_SPLICE_F_NONBLOCK)
        if count > 0 {
            channel.inPipe = Int32(count)
            return .moved
        }
        memory.giveBack(pipe: (channel.pipeOut, channel.pipeIn), isEmpty: true)
        channel.pipeOut = -1
        channel.pipeIn = -1
        return ended(&channel, count)
    }

    private func ended(_ channel: inout Channel, _ count: Int) -> StepOutcome {
        if count == 0 {
            channel.hasEnded = true
            channel.isReadable = false
            return .moved
        }
        switch errno {
        case EAGAIN:
            channel.isReadable = false
            return .moved
        case EINTR: return .moved
        default: return .sourceFailed
        }
    }
}
#endif
