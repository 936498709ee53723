/// The received buffers of one direction in the order of their arrival, by number; the links are their keeper's.
struct BufferQueue: BitwiseCopyable, Equatable {
    private(set) var first: UInt16 = 0
    private(set) var last: UInt16 = 0
    private(set) var count: UInt16 = 0

    var isEmpty: Bool { count == 0 }

    mutating func didAppend(_ number: UInt16) {
        if count == 0 { first = number }
        last = number
        count += 1
    }

    /// - Parameter next: the second one; anything when there is none.
    mutating func didRemoveFirst(next: UInt16) {
        first = next
        count -= 1
    }
}
