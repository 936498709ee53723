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
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
    private let now: @Sendable () -> Int64

    /// - Parameter now: seconds since 1970.
    package init(now: @escaping @Sendable () -> Int64) { self.now = now }

    package func timestamp() -> String { Timestamp.text(unixSeconds: now()) }

    package func uid() -> String {
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef")
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }

    package func nameSuffix() -> String {
        String((0..<5).map { _ in Self.alphabet[Int.random(in: 0..<Self.alphabet.count)] })
    }
}
