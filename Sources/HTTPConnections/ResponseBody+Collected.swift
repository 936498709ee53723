import HTTPTypes
package import HummingbirdCore
package import NIOCore

extension ResponseBody {
    /// All of it; nil if it is empty.
    package func collected() async throws -> ByteBuffer? {
        if contentLength == 0 { return nil }
        let collected = CollectedBody()
        try await write(CollectedBody.Writer(collected))
        return collected.buffer
    }
}

private final class CollectedBody {
    private(set) var buffer: ByteBuffer?

    struct Writer: ResponseBodyWriter {
        private let collected: CollectedBody

        init(_ collected: CollectedBody) { self.collected = collected }

        mutating func write(_ buffer: ByteBuffer) async throws {
            guard collected.buffer != nil else {
                collected.buffer = buffer
                return
            }
            var buffer = buffer
            collected.buffer?.writeBuffer(&buffer)
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
