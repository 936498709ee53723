package import HTTPTypes
package import NIOCore

/// A route whose text can be put together by callbacks on the event loop of the client's connection.
///
/// It spares a text the tasks and the router, which take longer than to make it (docs/benchmarks.md). Everything else that clients may
/// ask at the same path, HEAD for one, is the router's.
package struct DirectRoute: Sendable {
    /// Begins to make the text that is the answer to a GET.
    ///
    /// - Parameters:
    ///   - client: nil if nobody knows.
    ///   - finish: to be called once, on the loop.
    /// - Returns: false when it cannot be made in this way, and `finish` is not called.
    package typealias Begin =
        @Sendable (
            _ request: HTTPRequest, _ client: SocketAddress?, _ loop: any EventLoop,
            _ finish: @escaping (ByteBuffer) -> Void
        ) -> Bool

    /// Without variables: a request's path has to be the same, without a query.
    package let path: String
    /// Of every answer.
    let fields: HTTPFields
    package let begin: Begin

    /// - Parameter further: fields of the answers, besides those of ``Response/text(_:status:)``.
    package init(_ path: String, _ further: HTTPFields, begin: @escaping Begin) {
        self.path = path
        fields = HTTPFields.text + further
        self.begin = begin
    }
}
