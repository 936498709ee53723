#if os(Linux)
import CSocketProxy
import Glibc

/// The reading end of the programs' ring buffer.
///
/// Not thread-safe: its owner reads under a lock.
struct RingBuffer: ~Copyable {
    private let size: Int
    private let consumer: UnsafeMutableRawPointer
    private let producer: UnsafeMutableRawPointer
    private let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    private let descriptor: BPFDescriptor

    /// - Parameter size: of the data in bytes, a power of two, as the map was made.
    init(_ descriptor: BPFDescriptor, size: Int) throws(SocketPlaneFailure) {
        self.descriptor = descriptor
        self.size = size
        let ours = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number, 0)
        // The data is there twice in a row, so that no record is split at the end.
        let theirs = mmap(nil, page + 2 * size, PROT_READ, MAP_SHARED, descriptor.number, page)
        guard let ours, let theirs, ours != MAP_FAILED, theirs != MAP_FAILED else {
            throw .kernel("mapping the ring buffer: \(String(cString: strerror(errno)))")
        }
        consumer = ours
        producer = theirs
    }

    deinit {
        munmap(consumer, page)
        munmap(producer, page + 2 * size)
    }

    /// Passes on every record that is complete.
    func read(_ body: (UnsafeRawBufferPointer) -> Void) {
        var position = csocketproxy_load64(consumer)
        while position < csocketproxy_load64(producer) {
            let record = producer + page + Int(position & UInt64(size - 1))
            let header = csocketproxy_load32(record)
            if header & UInt32(BPF_RINGBUF_BUSY_BIT) != 0 { return }
            let length = Int(header & 0x3FFF_FFFF)
            if header & UInt32(BPF_RINGBUF_DISCARD_BIT) == 0 {
                body(UnsafeRawBufferPointer(start: record + Int(BPF_RINGBUF_HDR_SZ), count: length))
            }
            position += UInt64((length + Int(BPF_RINGBUF_HDR_SZ) + 7) & ~7)
            csocketproxy_store64(consumer, position)
        }
    }
}
#endif
