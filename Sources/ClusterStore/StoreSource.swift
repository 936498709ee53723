import ClusterModel

/// Where the store gets times and random names from: the system, or a test's script.
package protocol StoreSource: Sendable {
    /// Now, as RFC 3339 in UTC with whole seconds.
    func timestamp() -> String
    /// A random version-4 UUID in lower case.
    func uid() -> String
    /// Five characters of generated names (semantics 1.2).
    func nameSuffix() -> String
}

/// The system's clock and random numbers.
package struct SystemStoreSource: StoreSource {
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
    private static let suffixLength = 5
    private static let digits = Array("0123456789abcdef".utf8)
    private let now: @Sendable () -> Int64

    /// - Parameter now: seconds since 1970.
    package init(now: @escaping @Sendable () -> Int64) { self.now = now }

    package func timestamp() -> String { Timestamp.text(unixSeconds: now()) }

    package func uid() -> String {
        let high = UInt64.random(in: .min ... .max) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = UInt64.random(in: .min ... .max) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            let byte = UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> UInt64(56 - index % 8 * 8))
            text.append(Self.digits[Int(byte >> 4)])
            text.append(Self.digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    package func nameSuffix() -> String {
        // One random number for all: each is a system call.
        let count = Self.alphabet.count
        var rest = Int.random(in: 0..<(0..<Self.suffixLength).reduce(1) { power, _ in power * count })
        let text = (0..<Self.suffixLength).map { _ in
            defer { rest /= count }
            return Self.alphabet[rest % count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
