/// The frames of SPDY/3.1 that port-forward needs (kubectl-wire 11).
enum SPDYFrame: Equatable {
    case data(stream: UInt32, bytes: [UInt8], isLast: Bool)
    /// `headers` is the compressed block.
    case synStream(stream: UInt32, headers: [UInt8], isLast: Bool)
    case reset(stream: UInt32)
    case ping(id: UInt32)
    case goAway
    /// A block that has to be inflated all the same, because the compression goes on over all of them.
    case headers(block: [UInt8])
    case other

    /// Payload bytes of one frame at most.
    static let largest = 16 << 20

    struct Malformed: Error {}

    /// Takes the first frame from `buffer`; nil when it is not complete yet.
    static func next(from buffer: inout [UInt8]) throws(Malformed) -> SPDYFrame? {
        guard buffer.count >= 8 else { return nil }
        let length = Int(buffer[5]) << 16 | Int(buffer[6]) << 8 | Int(buffer[7])
        guard length <= largest else { throw Malformed() }
        guard buffer.count >= 8 + length else { return nil }
        let flags = buffer[4]
        let head = number(buffer, 0)
        let payload = Array(buffer[8..<8 + length])
        buffer.removeFirst(8 + length)
        let isLast = flags & 1 != 0
        guard head & 0x8000_0000 != 0 else { return .data(stream: head, bytes: payload, isLast: isLast) }
        guard head >> 16 == 0x8003 else { throw Malformed() }
        switch head & 0xFFFF {
        case 1:
            guard payload.count >= 10 else { throw Malformed() }
            return .synStream(
                stream: number(payload, 0) & 0x7FFF_FFFF, headers: Array(payload[10...]), isLast: isLast)
        case 3:
            guard payload.count >= 8 else { throw Malformed() }
            return .reset(stream: number(payload, 0) & 0x7FFF_FFFF)
        case 6:
            guard payload.count >= 4 else { throw Malformed() }
            return .ping(id: number(payload, 0))
        case 7: return .goAway
        case 8:
            guard payload.count >= 4 else { throw Malformed() }
            return .headers(block: Array(payload[4...]))
        default: return .other
        }
    }

    static func data(_ stream: UInt32, _ bytes: some Collection<UInt8>, isLast: Bool = false) -> [UInt8] {
        octets(stream) + [isLast ? 1 : 0] + length(bytes.count) + bytes
    }

    /// - Parameter block: the compressed headers.
    static func synReply(_ stream: UInt32, block: [UInt8]) -> [UInt8] {
        [0x80, 0x03, 0x00, 0x02, 0x00] + length(4 + block.count) + octets(stream) + block
    }

    static func ping(_ id: UInt32) -> [UInt8] { [0x80, 0x03, 0x00, 0x06, 0x00] + length(4) + octets(id) }

    private static func length(_ count: Int) -> [UInt8] {
        [UInt8(count >> 16 & 0xFF), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
    }

    private static func octets(_ number: UInt32) -> [UInt8] {
        [UInt8(number >> 24), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
    }

    private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
