import Testing

@testable import UserspaceProxy

/// The order of received buffers.
struct BufferQueueTests {
    @Test("buffers leave in the order of their arrival, also when one arrives after the queue was empty")
    func order() {
        var queue = BufferQueue()
        var next: [UInt16: UInt16] = [:]
        func append(_ number: UInt16) {
            if !queue.isEmpty { next[queue.last] = number }
            queue.didAppend(number)
        }
        func remove() -> UInt16 {
            let number = queue.first
            queue.didRemoveFirst(next: next[number] ?? .max)
            return number
        }
        for number in [7, 0, 3] as [UInt16] { append(number) }
        #expect(queue.count == 3)
        #expect([remove(), remove()] == [7, 0])
        append(7)
        #expect([remove(), remove()] == [3, 7])
        #expect(queue.isEmpty)
        append(5)
        #expect((queue.first, queue.last, queue.count) == (5, 5, 1))
    }
}

#if os(Linux)
/// What is in the buffers that the kernel has filled.
struct ReceiveBuffersTests {
    @Test("a buffer is sent in parts, in its turn, and knows whose it is")
    func parts() {
        var buffers = ReceiveBuffers()
        var queue = BufferQueue()
        let owner = Token.Place(index: 70_000, generation: 3)
        buffers.append(4, length: 100, to: &queue, owner: owner, isForClient: true)
        buffers.append(9, length: 8192, to: &queue, owner: owner, isForClient: true)
        let known = buffers.owner(of: 9)
        #expect(known.place == owner && known.isForClient)
        // The macro cannot take what cannot be copied.
        let isDoneEarly = buffers.consume(60, of: queue.first)
        let left = buffers.bytes(in: queue.first).count
        let isDone = buffers.consume(40, of: queue.first)
        #expect(!isDoneEarly && left == 40 && isDone)
        buffers.removeFirst(of: &queue)
        let next = buffers.bytes(in: queue.first).count
        #expect(queue.first == 9 && queue.count == 1 && next == 8192)
    }

    @Test("the first buffer can be left to its send while the others go back")
    func skipping() {
        var buffers = ReceiveBuffers()
        var queue = BufferQueue()
        let owner = Token.Place(index: 1, generation: 0)
        for number in [2, 0, 1] as [UInt16] {
            buffers.append(number, length: 1, to: &queue, owner: owner, isForClient: false)
        }
        buffers.skipFirst(of: &queue)
        #expect(queue.first == 0 && queue.count == 2)
        while !queue.isEmpty { buffers.removeFirst(of: &queue) }
        let kept = buffers.bytes(in: 2).count
        #expect(kept == 1)
    }
}
#endif

/// What the kernel keeps for us.
struct TokenTests {
    @Test("a token survives its way through the kernel, at the limits of its fields too")
    func bits() {
        for kind in (0...UInt64(Token.Kind.none.rawValue)).compactMap(Token.Kind.init) {
            for place in [
                Token.Place(index: 0, generation: 0), Token.Place(index: 0x0FFF_FFFF, generation: .max),
            ] {
                #expect(Token(bits: Token(kind, place).bits) == Token(kind, place))
            }
        }
    }
}
