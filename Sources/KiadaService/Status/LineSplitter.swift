/// Cuts a stream of bytes into lines, wherever the stream was cut before.
///
/// A line ends with LF or CR LF. What is longer than `limit` bytes loses the rest; what is not UTF-8 is repaired.
struct LineSplitter {
    private var pending: [UInt8] = []
    private let limit: Int

    init(limit: Int = 1024) { self.limit = limit }

    /// The lines that `bytes` complete.
    mutating func lines(after bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
                lines.append(String(decoding: pending, as: UTF8.self))
                pending.removeAll(keepingCapacity: true)
            } else if pending.count < limit {
                pending.append(byte)
            }
        }
        return lines
    }
}
