/// What the health server answers to one request.
package struct HealthReply: Hashable, Sendable {
    /// The HTTP status code.
    package var status: Int
    package var contentType: String
    package var body: String
    /// Further header fields, in order.
    package var headers: [Header]

    /// One header field.
    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(status: Int = 200, contentType: String, body: String, headers: [Header] = []) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.headers = headers
    }

    /// Plain text.
    package static func text(_ body: String, status: Int = 200) -> HealthReply {
        HealthReply(status: status, contentType: "text/plain; charset=utf-8", body: body)
    }

    /// Prometheus's text format.
    package static func metrics(_ body: String) -> HealthReply {
        HealthReply(contentType: "text/plain; version=0.0.4; charset=utf-8", body: body)
    }

    /// JSON that browsers must not take for anything else.
    package static func json(_ body: String, status: Int, headers: [Header] = []) -> HealthReply {
        HealthReply(
            status: status, contentType: "application/json", body: body,
            headers: [Header("X-Content-Type-Options", "nosniff")] + headers)
    }
}
