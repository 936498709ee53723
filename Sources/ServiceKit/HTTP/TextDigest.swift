/// A short name for a text: changes when, and practically only when, the text does.
package enum TextDigest {
    /// The FNV-1a hash of `bytes` as 16 hexadecimal digits.
    package static func fnv1a(_ bytes: some Sequence<UInt8>) -> String {
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
