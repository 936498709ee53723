package import ServiceKit

/// Everything that a page shows, gathered before any text is made of it.
package struct PageContents: Sendable {
    package var quote: Result<Served<String>, UpstreamError>
    package var question: Result<Served<Question>, UpstreamError>
    package var identity: PodIdentity
    /// An IPv4 client as a socket for both families has it: `::ffff:127.0.0.1`.
    package var clientIP: String
    package var statusMessage: String

    package init(
        quote: Result<Served<String>, UpstreamError>, question: Result<Served<Question>, UpstreamError>,
        identity: PodIdentity, clientIP: String, statusMessage: String
    ) {
        self.quote = quote
        self.question = question
        self.identity = identity
        self.clientIP = clientIP
        self.statusMessage = statusMessage
    }
}
