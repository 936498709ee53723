import HTTPTypes
import HummingbirdCore
import NIOCore

/// Sends the pieces of a body of unknown length: in chunks (RFC 9112 section 7.1), or up to the connection's end where the client
/// knows no chunks.
struct StreamedBody: ResponseBodyWriter {
    private static let lineEnd: StaticString = "\r\n"
    private let handler: NIOLoopBound<HTTPConnectionHandler>
    private let isChunked: Bool

    /// - Parameter handler: of the connection, on whose event loop all of this happens.
    init(_ handler: NIOLoopBound<HTTPConnectionHandler>, isChunked: Bool) {
        self.handler = handler
        self.isChunked = isChunked
    }

    /// - Throws: ChannelError when the client has gone.
    mutating func write(_ buffer: ByteBuffer) async throws {
        // An empty chunk would be the end.
        guard buffer.readableBytes > 0 else { return }
        guard isChunked else { return try await handler.value.send(buffer) }
        var chunk = ByteBuffer()
        chunk.reserveCapacity(buffer.readableBytes + 16)
        chunk.writeString(String(buffer.readableBytes, radix: 16))
        chunk.writeStaticString(Self.lineEnd)
        chunk.writeImmutableBuffer(buffer)
        chunk.writeStaticString(Self.lineEnd)
        try await handler.value.send(chunk)
    }

    /// Trailers are not sent: nobody here has any.
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        if isChunked { try await handler.value.send(ByteBuffer(string: "0\r\n\r\n")) }
    }
}
