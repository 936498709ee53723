import HTTPTypes
import NIOCore
package import ServiceKit

extension KiadaRoutes {
    /// The text pages where quote and quiz can be asked without a task.
    package var direct: [DirectRoute] {
        guard quote.dependency.isSettled, quiz.dependency.isSettled else { return [] }
        var careful = HTTPFields.careful
        careful[.vary] = "Accept"
        return [
            DirectRoute("/text", .careful) { request, client, loop, finish in
                beginText(request, client, loop, finish)
                return true
            },
            DirectRoute("/", careful) { request, client, loop, finish in
                guard !request.prefersHTML else { return false }
                beginText(request, client, loop, finish)
                return true
            },
        ]
    }

    /// Asks quote and quiz at the same time, and makes the text when both have answered.
    private func beginText(
        _ request: HTTPRequest, _ client: SocketAddress?, _ loop: any EventLoop,
        _ finish: @escaping (ByteBuffer) -> Void
    ) {
        let trace = request.trace
        let answers = PageAnswers { quote, question in
            var text = ByteBufferAllocator().buffer(capacity: 2048)
            TextPage.write(page(showing: quote, question, to: client), to: &text)
            finish(text)
        }
        quote.ask(trace: trace, on: loop) { answers.quote = $0 }
        quiz.askRandom(trace: trace, on: loop) { answers.question = $0 }
    }
}

/// What the dependencies of one page have answered so far; belongs to an event loop.
private final class PageAnswers {
    typealias Quote = Result<Served<String>, UpstreamError>
    typealias Question = Result<Served<KiadaService.Question>, UpstreamError>

    var quote: Quote? { didSet { finishIfComplete() } }
    var question: Question? { didSet { finishIfComplete() } }
    private let finish: (Quote, Question) -> Void

    init(_ finish: @escaping (Quote, Question) -> Void) { self.finish = finish }

    private func finishIfComplete() {
        if let quote, let question { finish(quote, question) }
    }
}
