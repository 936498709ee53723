import NIOCore
import NIOWebSocket

extension WebSocketFrame {
    /// The answer to this ping: the same payload.
    var pong: WebSocketFrame { WebSocketFrame(fin: true, opcode: .pong, data: unmaskedData) }

    /// The end of a session that went as it should (1000): without it kubectl reports an error.
    static func normalClosure(_ allocator: ByteBufferAllocator) -> WebSocketFrame {
        var code = allocator.buffer(capacity: 2)
        code.writeInteger(UInt16(1000))
        return WebSocketFrame(fin: true, opcode: .connectionClose, data: code)
    }
}
