#if os(Linux)
import CLinux
import DNSClient
import DNSWire
import Glibc
import NIOCore
import Synchronization

/// A thread that answers the queries of one UDP socket, as many as are there at a time.
///
/// Two system calls serve a batch. A reply that the thread has given before comes from its ``AnswerTable``; every other
/// query goes through the ``Responder``, and what the responder has to wait for is sent from the event loop.
final class DatagramThread: Sendable {
    private let thread: pthread_t
    private let work: DatagramWork

    init(_ socket: DatagramSocket, _ responder: Responder, on loop: any EventLoop) throws {
        work = DatagramWork(socket: socket, responder: responder, loop: loop)
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(work)
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                // Signals are for others to handle.
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                Unmanaged<DatagramWork>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        self.thread = thread
        guard code == 0 else {
            argument.release()
            throw DatagramSocket.Failure(code: code)
        }
    }

    /// Ends the thread and closes its socket; to be called once.
    func stop() {
        work.stop()
        pthread_join(thread, nil)
        work.socket.close()
    }
}

/// What a ``DatagramThread`` runs.
private final class DatagramWork: Sendable {
    private static let batchSize = 64
    /// Octets of a query that are read; longer ones end early and are broken.
    private static let querySize = 4096

    let socket: DatagramSocket
    private let responder: Responder
    private let loop: any EventLoop
    private let isStopping = Atomic(false)

    init(socket: DatagramSocket, responder: Responder, loop: any EventLoop) {
        self.socket = socket
        self.responder = responder
        self.loop = loop
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        socket.interrupt()
    }

    func run() {
        let incoming = DatagramBatch(count: Self.batchSize, size: Self.querySize)
        let outgoing = DatagramBatch(count: Self.batchSize, size: AnswerTable.replyLimit)
        defer {
            incoming.deallocate()
            outgoing.deallocate()
        }
        var table = AnswerTable()
        let metrics = responder.metrics
        let stamps = responder.stamps
        let mayReuse = responder.mayReuseReplies
        // While queries come fast the thread gives way before it waits: who shares its core then asks more at a time, and
        // neither is woken up for each query. This answers a fifth more queries per second (docs/benchmarks.md).
        var pace = QueryPace()
        var givesWay = false
        while true {
            incoming.makeRoom()
            let count = clinux_recvmmsg(
                socket.descriptor, incoming.messages, UInt32(Self.batchSize),
                givesWay ? Int32(MSG_DONTWAIT) : Int32(CLINUX_MSG_WAITFORONE))
            if isStopping.load(ordering: .acquiring) { return }
            if count <= 0, givesWay {
                givesWay = false
                sched_yield()
                continue
            }
            guard count > 0 else {
                // Short of memory, say: it may pass, and must not cost a core until then.
                if count < 0, errno != EINTR { usleep(1_000) }
                continue
            }
            let start = Self.nanoseconds()
            pace.take(Int(count), at: start)
            givesWay = pace.isFast
            var replies = 0
            var last = AnswerTable.Hit(length: 0, type: .a, code: .noError)
            var run = 0
            for index in 0..<Int(count) {
                let query = incoming.bytes(at: index)
                if mayReuse, let hit = table.answer(query, into: outgoing.buffer(at: replies), stamps) {
                    outgoing.address(replies, like: incoming, index, length: hit.length)
                    replies += 1
                    // The threads share the counters: one addition for a run of the same kind.
                    if hit.type != last.type || hit.code != last.code {
                        metrics.count(last.type, last.code, times: run)
                        (last, run) = (hit, 0)
                    }
                    run += 1
                } else {
                    answer(query, from: incoming, index, &table, mayReuse)
                }
            }
            guard replies > 0 else { continue }
            metrics.count(last.type, last.code, times: run)
            metrics.countPrepared(replies)
            outgoing.send(replies, over: socket.descriptor)
            metrics.observe(nanoseconds: Self.nanoseconds() &- start, count: replies)
        }
    }

    private func answer(
        _ query: UnsafeRawBufferPointer, from incoming: DatagramBatch, _ index: Int, _ table: inout AnswerTable,
        _ mayReuse: Bool
    ) {
        let (client, length) = incoming.client(at: index)
        let generation = responder.stamps.generation
        switch responder.respond(to: Array(query), over: .udp, on: loop) {
        case .now(let reply):
            socket.send(reply, to: client, length)
            if mayReuse, let part = responder.part(of: query) {
                table.store(reply, to: query, generation: generation, part: part)
            }
        case .later(let future):
            let socket = socket
            future.whenSuccess { socket.send($0, to: client, length) }
        case .never: return
        }
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

/// Buffers, addresses and headers for many datagrams at once; belongs to one thread.
private struct DatagramBatch {
    let messages: UnsafeMutablePointer<clinux_mmsghdr>
    private let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutablePointer<sockaddr_storage>
    private let buffers: UnsafeMutableRawPointer
    private let count: Int
    private let size: Int

    init(count: Int, size: Int) {
        self.count = count
        self.size = size
        messages = .allocate(capacity: count)
        vectors = .allocate(capacity: count)
        names = .allocate(capacity: count)
        names.initialize(repeating: sockaddr_storage(), count: count)
        buffers = .allocate(byteCount: count * size, alignment: 16)
        for index in 0..<count {
            (vectors + index).initialize(to: iovec(iov_base: buffers + index * size, iov_len: size))
            var message = clinux_mmsghdr()
            message.header.msg_name = UnsafeMutableRawPointer(names + index)
            message.header.msg_iov = vectors + index
            message.header.msg_iovlen = 1
            (messages + index).initialize(to: message)
        }
    }

    func deallocate() {
        messages.deallocate()
        vectors.deallocate()
        names.deallocate()
        buffers.deallocate()
    }

    /// Makes all of it ready to receive: the kernel writes lengths of addresses where their room was.
    func makeRoom() {
        for index in 0..<count {
            messages[index].header.msg_namelen = socklen_t(MemoryLayout<sockaddr_storage>.size)
        }
    }

    func buffer(at index: Int) -> UnsafeMutableRawPointer { buffers + index * size }

    /// What was received.
    func bytes(at index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: buffers + index * size, count: min(size, Int(messages[index].length)))
    }

    func client(at index: Int) -> (sockaddr_storage, socklen_t) {
        (names[index], messages[index].header.msg_namelen)
    }

    /// Has `length` octets of a buffer go to where a received datagram came from.
    func address(_ place: Int, like other: DatagramBatch, _ index: Int, length: Int) {
        messages[place].header.msg_name = other.messages[index].header.msg_name
        messages[place].header.msg_namelen = other.messages[index].header.msg_namelen
        vectors[place].iov_len = length
    }

    /// Sends the first `count` datagrams; one that is refused does not hold up the others.
    func send(_ count: Int, over descriptor: Int32) {
        var sent = 0
        while sent < count {
            let result = clinux_sendmmsg(descriptor, messages + sent, UInt32(count - sent), 0)
            if result > 0 {
                sent += Int(result)
            } else if errno != EINTR {
                sent += 1
            }
        }
    }
}
#endif
