package import HTTPTypes
package import NIOCore

/// Status and fields of answers that differ in nothing but their bodies, as they go over a connection.
package struct AnswerHead: Sendable {
    /// Each line with its end; without length and date.
    let bytes: ByteBuffer

    package init(_ status: HTTPResponse.Status, _ fields: HTTPFields) {
        var bytes = ByteBuffer()
        Self.write(status, fields, to: &bytes)
        self.bytes = bytes
    }

    package var text: String { String(buffer: bytes) }

    static func write(_ status: HTTPResponse.Status, _ fields: HTTPFields, to bytes: inout ByteBuffer) {
        bytes.writeStaticString("HTTP/1.1 ")
        bytes.writeString("\(status.code)")
        bytes.writeStaticString(" ")
        bytes.writeString(status.reasonPhrase)
        bytes.writeStaticString("\r\n")
        for field in fields {
            bytes.writeString(field.name.rawName)
            bytes.writeStaticString(": ")
            bytes.writeString(field.value)
            bytes.writeStaticString("\r\n")
        }
    }
}

/// A whole answer that was made without a task; see ``ExchangeResponder/begin(_:on:finish:)``.
package struct DirectAnswer {
    package let head: AnswerHead
    package let body: ByteBuffer

    package init(_ head: AnswerHead, _ body: ByteBuffer) {
        self.head = head
        self.body = body
    }
}
