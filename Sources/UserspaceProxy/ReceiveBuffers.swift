#if os(Linux)
import CLinux
import Glibc

/// The buffers that the kernel fills for all connections of one loop, and what is in them.
///
/// The kernel takes one when bytes arrive, so idle connections hold none. It gets each back when its bytes were sent.
struct ReceiveBuffers: ~Copyable {
    static var count: Int { 512 }
    static var size: Int { 8192 }

    /// What is in a buffer, for whom, and which one is behind it.
    private struct Slot {
        var owner = Token.Place(index: 0, generation: 0)
        var isForClient = false
        var next: UInt16 = 0
        var start: Int32 = 0
        var end: Int32 = 0
    }

    private let memory: UnsafeMutableRawPointer
    private let slots: UnsafeMutablePointer<Slot>
    /// Read by the kernel.
    private let ring: UnsafeMutablePointer<clinux_uring_buffer>
    private var tail: UInt16 = 0

    init() {
        memory = .allocate(byteCount: Self.count * Self.size, alignment: 4096)
        slots = .allocate(capacity: Self.count)
        slots.initialize(repeating: Slot(), count: Self.count)
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: Self.count * MemoryLayout<clinux_uring_buffer>.stride, alignment: 4096)
        ring = raw.initializeMemory(as: clinux_uring_buffer.self, repeating: clinux_uring_buffer(), count: Self.count)
        for number in 0..<UInt16(Self.count) { giveBack(number) }
    }

    deinit {
        ring.deallocate()
        slots.deallocate()
        memory.deallocate()
    }

    /// Lends the buffers to the operations of a ring, as its group 0.
    func register(with ring: borrowing SubmissionRing) throws(SocketFailure) {
        var registration = clinux_uring_buffer_ring()
        registration.address = UInt64(UInt(bitPattern: self.ring))
        registration.entries = UInt32(Self.count)
        guard clinux_uring_register(ring.descriptor, SubmissionRing.Register.bufferRing, &registration, 1) == 0 else {
            throw SocketFailure(code: errno)
        }
    }

    /// Lets the kernel fill a buffer again.
    mutating func giveBack(_ number: UInt16) {
        let entry = ring + (Int(tail) & (Self.count - 1))
        entry.pointee.address = UInt64(UInt(bitPattern: memory + Int(number) * Self.size))
        entry.pointee.length = UInt32(Self.size)
        entry.pointee.number = number
        tail &+= 1
        clinux_uring_publish_buffers(ring, tail)
    }

    /// Puts a buffer that the kernel has filled behind the others of its direction.
    func append(
        _ number: UInt16, length: Int32, to queue: inout BufferQueue, owner: Token.Place, isForClient: Bool
    ) {
        slots[Int(number)] = Slot(owner: owner, isForClient: isForClient, start: 0, end: length)
        if !queue.isEmpty { slots[Int(queue.last)].next = number }
        queue.didAppend(number)
    }

    /// Takes the first buffer out of a queue and gives it back.
    mutating func removeFirst(of queue: inout BufferQueue) {
        let number = queue.first
        queue.didRemoveFirst(next: slots[Int(number)].next)
        giveBack(number)
    }

    /// Takes the first buffer out of a queue and leaves it to its send.
    func skipFirst(of queue: inout BufferQueue) { queue.didRemoveFirst(next: slots[Int(queue.first)].next) }

    func owner(of number: UInt16) -> (place: Token.Place, isForClient: Bool) {
        (slots[Int(number)].owner, slots[Int(number)].isForClient)
    }

    /// What is left to send of a buffer.
    func bytes(in number: UInt16) -> UnsafeRawBufferPointer {
        let slot = slots[Int(number)]
        return UnsafeRawBufferPointer(
            start: memory + Int(number) * Self.size + Int(slot.start), count: Int(slot.end - slot.start))
    }

    /// Notes that the first bytes of a buffer were sent; says whether that was all.
    func consume(_ count: Int32, of number: UInt16) -> Bool {
        slots[Int(number)].start += count
        return slots[Int(number)].start == slots[Int(number)].end
    }
}
#endif
