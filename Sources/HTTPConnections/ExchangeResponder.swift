package import HTTPTypes
package import HummingbirdCore
package import Logging
package import NIOCore

/// Makes the answers that HTTP/1.1 connections give.
package protocol ExchangeResponder: Sendable {
    /// The number of the content that lasting answers are made from; nil where none lasts.
    ///
    /// Another number for another content. Asked for on the event loops, before each request that may repeat the one before.
    var contentVersion: UInt64? { get }

    /// Begins to answer without a task, which a small answer is not worth.
    ///
    /// Called on the connection's event loop, before ``answer(to:on:logger:)`` is.
    ///
    /// - Parameter finish: to be called once, on the same event loop; the connection may have ended by then.
    /// - Returns: false for a request that has to be answered in the usual way.
    func begin(_ request: HTTPRequest, on channel: any Channel, finish: @escaping (DirectAnswer) -> Void) -> Bool

    /// Called on the connection's event loop, one request of a connection after the other.
    ///
    /// - Returns: nil for what HTTP's grammar allows and its rules do not; the client is told so.
    func answer(to request: Request, on channel: any Channel, logger: Logger) async -> ExchangeAnswer?
}

extension ExchangeResponder {
    package var contentVersion: UInt64? { nil }

    package func begin(
        _ request: HTTPRequest, on channel: any Channel, finish: @escaping (DirectAnswer) -> Void
    ) -> Bool { false }
}

/// An answer, and whether the connection may give it again.
package struct ExchangeAnswer: Sendable {
    /// A body whose length is not known is sent piece by piece as it comes (RFC 9112 section 7.1).
    package let response: Response
    /// Counts the answer and logs it once more, told how long that took; nil for an answer that does not last.
    let repetition: (@Sendable (Duration) -> Void)?

    /// - Parameter repetition: what to do whenever the same request gets this answer again while ``ExchangeResponder/contentVersion``
    ///   stays the same; nil for an answer that does not last.
    package init(_ response: Response, repetition: (@Sendable (Duration) -> Void)? = nil) {
        self.response = response
        self.repetition = repetition
    }
}
