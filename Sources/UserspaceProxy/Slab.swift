/// Items of one loop at fixed addresses, found by number; a number that is reused gets a new generation.
///
/// Chunks are never moved or given back, so that a pointer stays good as long as its item is taken.
struct Slab<Item>: ~Copyable {
    private static var chunkSize: Int { 1024 }
    private var items: [UnsafeMutablePointer<Item>] = []
    private var marks: [Mark] = []
    private var free: [UInt32] = []
    private(set) var count = 0

    /// Whether a place is taken, and how often it was.
    private struct Mark {
        var generation: UInt32 = 0
        var isTaken = false
    }

    init() {}

    deinit {
        for chunk in items {
            chunk.deinitialize(count: Self.chunkSize)
            chunk.deallocate()
        }
    }

    /// Takes a place for `item`.
    mutating func insert(_ item: Item) -> Token.Place {
        if free.isEmpty { addChunk(filledWith: item) }
        let index = free.removeLast()
        marks[Int(index)].isTaken = true
        chunk(index).pointee = item
        count += 1
        return Token.Place(index: index, generation: marks[Int(index)].generation)
    }

    /// The item, unless it is gone.
    func pointer(_ place: Token.Place) -> UnsafeMutablePointer<Item>? {
        let index = Int(place.index)
        guard index < marks.count, marks[index].isTaken, marks[index].generation == place.generation else { return nil }
        return chunk(place.index)
    }

    mutating func remove(_ place: Token.Place) {
        let index = Int(place.index)
        guard marks[index].isTaken, marks[index].generation == place.generation else { return }
        marks[index].isTaken = false
        marks[index].generation &+= 1
        free.append(place.index)
        count -= 1
    }

    /// The places of all items.
    var places: [Token.Place] {
        marks.indices.compactMap { index in
            marks[index].isTaken ? Token.Place(index: UInt32(index), generation: marks[index].generation) : nil
        }
    }

    private func chunk(_ index: UInt32) -> UnsafeMutablePointer<Item> {
        items[Int(index) / Self.chunkSize] + Int(index) % Self.chunkSize
    }

    private mutating func addChunk(filledWith item: Item) {
        let chunk = UnsafeMutablePointer<Item>.allocate(capacity: Self.chunkSize)
        chunk.initialize(repeating: item, count: Self.chunkSize)
        let first = UInt32(marks.count)
        items.append(chunk)
        marks.append(contentsOf: repeatElement(Mark(), count: Self.chunkSize))
        free.append(contentsOf: (first..<first + UInt32(Self.chunkSize)).reversed())
    }
}
