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
