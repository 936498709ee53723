/// Why bytes are no JSON value.
package struct JSONParseError: Error, Equatable, CustomStringConvertible {
    /// Bytes before the place where reading stopped.
    package let offset: Int
    package let reason: String

    package init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    package var description: String { "\(reason) at byte \(offset)" }
}
