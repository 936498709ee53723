import HTTPTypes
package import Hummingbird
import NIOCore
package import ServiceKit

/// All paths of the front end.
///
/// | path | method | answer |
/// |---|---|---|
/// | `/` | GET | the text page; 302 to `/html` if Accept begins with `text/html` |
/// | `/text`, `/html` | GET | the pages |
/// | `/question/{id}/answers/{index}` | POST | whether the answer is right, as text, or as the page for browsers |
/// | `/proxy/quote` | GET | the quote as a JSON string |
/// | `/proxy/quiz/questions/random`, `/proxy/quiz/questions/{id}` | GET | a question in JSON |
/// | `/proxy/quiz/questions/{id}/answers` | POST | the verdict in JSON |
/// | `/discovery` | GET | how the dependencies were found, in JSON |
/// | `/stylesheet.css`, `/javascript.js`, `/favicon.svg`, `/favicon.ico` | GET | the page's files |
package struct KiadaRoutes: Sendable {
    let quote: QuoteBackend
    let quiz: QuizBackend
    let identity: PodIdentity
    let status: StatusMessage
    let page: HTMLPage

    package init(quote: Dependency, quiz: Dependency, identity: PodIdentity, status: StatusMessage) throws {
        self.quote = QuoteBackend(quote)
        self.quiz = QuizBackend(quiz)
        self.identity = identity
        self.status = status
        page = try HTMLPage()
    }

    /// Adds the routes, and to every answer of `router` the headers that all have in common.
    package func add<Context: RemoteAddressRequestContext>(to router: Router<Context>) {
        router.add(middleware: ResponseHeaders())
        router.resource("/", get: { request, context in await start(request, context) })
        router.resource("/text", get: { request, context in await text(request, context) })
        router.resource(
            "/html",
            get: { request, context in
                let contents = await contents(.random, request, context)
                return .html(page.html(contents))
            })
        router.resource(
            "/question/:id/answers/:index",
            post: { request, context in
                try await answer(request, context)
            })
        router.resource("/discovery", get: { _, _ in try await discovery() })
        for asset in Asset.all {
            router.resource(
                RouterPath(asset.path), get: { request, _ in AssetResponse.response(for: asset, to: request) })
        }
        addProxy(to: router)
    }

    private func start(_ request: Request, _ context: some RemoteAddressRequestContext) async -> Response {
        var response: Response
        if request.prefersHTML {
            response = Response(status: .found, headers: [.location: "/html", .cacheControl: "no-store"])
        } else {
            response = await text(request, context)
        }
        response.headers[.vary] = "Accept"
        return response
    }

    private func text(_ request: Request, _ context: some RemoteAddressRequestContext) async -> Response {
        .text(TextPage.text(await contents(.random, request, context)))
    }

    /// What the pages show; quote and quiz are asked at the same time.
    func contents(
        _ choice: QuizBackend.Choice, _ request: Request, _ context: some RemoteAddressRequestContext
    ) async -> PageContents {
        let trace = request.trace
        async let quote = Result { () async throws(UpstreamError) in try await self.quote.quote(trace: trace) }
        let question = await Result { () async throws(UpstreamError) in
            try await self.quiz.question(choice, trace: trace)
        }
        return await page(showing: quote, question, to: context.remoteAddress)
    }

    func page(
        showing quote: Result<Served<String>, UpstreamError>, _ question: Result<Served<Question>, UpstreamError>,
        to client: SocketAddress?
    ) -> PageContents {
        PageContents(
            quote: quote, question: question, identity: identity, clientIP: Self.clientIP(client?.ipAddress),
            statusMessage: status.text)
    }

    /// As the book's front end shows it (S62): on a socket for both families, which writes IPv4 addresses as
    /// `::ffff:192.0.2.1`; here also on a socket for IPv4 alone, which is what a pod has where it shares a network with others.
    static func clientIP(_ text: String?) -> String {
        guard let text else { return "unknown" }
        return text.utf8.contains(UInt8(ascii: ":")) ? text : "::ffff:\(text)"
    }
}

extension Request {
    /// Whether the client is a browser: its first choice is HTML.
    var prefersHTML: Bool { head.prefersHTML }

    var trace: TraceContext { head.trace }
}

extension HTTPRequest {
    var prefersHTML: Bool { headerFields[.accept]?.hasPrefix("text/html") == true }

    var trace: TraceContext {
        TraceContext(traceparent: headerFields[.traceparent], tracestate: headerFields[.tracestate])
    }
}

extension Result {
    init(catching body: () async throws(Failure) -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
