/// Why bytes are no JSON value.
package struct JSONParseError: Error, Equatable, CustomStringConvertible {
    /// Bytes before the place where reading stopped.
    package let offset: Int
    package let reason: String
    /// An object has a key twice, which is not JSON's but our own rule.
    package var isDuplicateKey = false

    package init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    package var description: String { "\(reason) at byte \(offset)" }
}
