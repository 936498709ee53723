/// The bytes of a message while it is written, in network byte order.
///
/// Names are compressed against all names before them, letter case included, so that each comes out as it was put in.
struct WireWriter {
    private(set) var bytes: [UInt8]
    /// Where the name that hashes to the key begins.
    ///
    /// Entries are checked against the bytes before use, so that a
    /// collision or an entry from before a ``rollBack(to:)`` costs compression and never correctness.
    private var suffixes: [UInt64: Int] = [:]

    init(capacity: Int) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    mutating func append(_ value: UInt8) { bytes.append(value) }
    mutating func append(_ value: UInt16) { appendBigEndian(value) }
    mutating func append(_ value: UInt32) { appendBigEndian(value) }
    mutating func append(_ value: UInt64) { appendBigEndian(value) }
    mutating func append(_ value: ArraySlice<UInt8>) { bytes += value }

    mutating func set(_ value: UInt16, at offset: Int) {
        bytes[offset] = UInt8(value >> 8)
        bytes[offset + 1] = UInt8(value & 0xFF)
    }

    /// Forgets everything from `count` on.
    mutating func rollBack(to count: Int) { bytes.removeSubrange(count...) }

    /// Appends a name without a pointer; later names may still point at it.
    mutating func appendUncompressed(_ name: Name) {
        append(name, mayPoint: false)
    }

    mutating func append(_ name: Name) {
        append(name, mayPoint: true)
    }

    private mutating func append(_ name: Name, mayPoint: Bool) {
        let base = bytes.count
        withUnsafeTemporaryAllocation(of: (offset: Int, hash: UInt64).self, capacity: 128) { labels in
            var count = 0
            var place = 0
            while name.wire[place] != 0 {
                labels.initializeElement(at: count, to: (place, 0))
                count += 1
                place += 1 + Int(name.wire[place])
            }
            // Suffixes are hashed from the right, so that each octet is looked at once (FNV-1a).
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            var end = place
            for index in stride(from: count - 1, through: 0, by: -1) {
                for byte in name.wire[labels[index].offset..<end] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
                labels[index].hash = hash
                end = labels[index].offset
            }
            for index in 0..<count {
                let (offset, hash) = labels[index]
                if let target = suffixes[hash], target + 2 <= base, holds(name.wire[offset...], at: target) {
                    guard mayPoint else { break }
                    bytes += name.wire[..<offset]
                    append(0xC000 | UInt16(target))
                    return
                }
                if base + offset < 0x4000 { suffixes[hash] = base + offset }
            }
            bytes += name.wire
        }
    }

    /// Whether the name at `target`, of which all is written, is exactly `wire`.
    private func holds(_ wire: ArraySlice<UInt8>, at target: Int) -> Bool {
        var place = target
        var index = wire.startIndex
        while true {
            guard place < bytes.count else { return false }
            let length = Int(bytes[place])
            if length >= 0xC0 {
                guard place + 1 < bytes.count else { return false }
                let next = (length & 0x3F) << 8 | Int(bytes[place + 1])
                guard next < place else { return false }
                place = next
                continue
            }
            guard wire[index] == bytes[place], place + 1 + length <= bytes.count else { return false }
            if length == 0 { return true }
            guard wire[(index + 1)...(index + length)] == bytes[(place + 1)...(place + length)] else { return false }
            place += 1 + length
            index += 1 + length
        }
    }

    private mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
