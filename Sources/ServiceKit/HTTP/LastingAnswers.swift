/// Which answers of a service stay the same as long as some content does, so that a connection may give them again.
package struct LastingAnswers: Sendable {
    /// Patterns of the routes whose GET and HEAD answers depend on nothing but the request and the content.
    let routes: Set<String>
    /// Another number for another content, read before an answer is made; called for each request, on any thread.
    let version: @Sendable () -> UInt64

    package init(routes: Set<String>, version: @escaping @Sendable () -> UInt64) {
        self.routes = routes
        self.version = version
    }
}
