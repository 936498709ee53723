import Foundation
import ServiceKit
import Testing

@testable import KiadaService

@Suite("Pages")
struct PageTests {
    private let identity = PodIdentity(
        podName: "kiada-001", nodeName: "kind-worker", podIP: "10.244.2.15", nodeIP: "172.18.0.2", hostname: "kiada-001"
    )

    private func contents(
        quote: Result<Served<String>, UpstreamError> = .success(Served("Be quick,\nbe dead.", podName: "quote-002")),
        text: String = "What?", answers: [String] = ["one", "two"], status: String = ""
    ) throws -> PageContents {
        let id = try #require(QuestionID("7"))
        return PageContents(
            quote: quote,
            question: .success(Served(Question(id: id, text: text, answers: answers), podName: "quiz")),
            identity: identity, clientIP: "::ffff:127.0.0.1", statusMessage: status)
    }

    @Test("S59, 10.1 the text page, word for word")
    func text() throws {
        #expect(
            TextPage.text(try contents(status: "This is a stable pod.")) == """
                KUBERNETES IN ACTION DEMO APPLICATION v0.5

                ==== TIP OF THE MINUTE
                Be quick,
                be dead.

                ==== POP QUIZ
                What?
                0) one
                1) two

                Submit your answer to /question/7/answers/<index of answer> using the POST method.

                ==== REQUEST INFO
                Request processed by Kiada 0.5 running in pod "kiada-001" on node "kind-worker".
                Pod hostname: kiada-001; Pod IP: 10.244.2.15; Node IP: 172.18.0.2; Client IP: ::ffff:127.0.0.1
                This is a stable pod.

                HTML version of this content is available at /html

                """)
    }

    @Test("10.2 what could not be had stands as ERROR in its section")
    func failures() throws {
        var contents = try contents(quote: .failure(.unknownHost("quote")))
        contents.question = .failure(.timedOut(after: .seconds(2)))
        let text = TextPage.text(contents)
        #expect(text.contains("==== TIP OF THE MINUTE\nERROR: getaddrinfo ENOTFOUND quote\n\n"))
        #expect(text.contains("==== POP QUIZ\nERROR: timeout of 2000ms exceeded\n\n"))
        #expect(text.contains("/question/undefined/answers/"))
    }

    @Test("everything in the HTML page is escaped")
    func escaping() throws {
        let evil = "<script>alert('x')</script>\"&"
        let html = try HTMLPage().html(
            try contents(
                quote: .success(Served(evil, podName: evil)), text: evil, answers: [evil], status: evil))
        #expect(!html.contains("<script>alert"))
        #expect(html.contains("&lt;script&gt;"))
        #expect(html.components(separatedBy: "<script").count == 2)
        #expect(!html.contains("style="))
    }

    @Test("after an answer the page marks the right one and the chosen one")
    func outcome() throws {
        let verdict = Verdict(correctAnswerIndex: 1, correct: false)
        let html = try HTMLPage().html(try contents(), outcome: .init(answerIndex: 0, verdict: .success(verdict)))
        #expect(html.contains("Wrong. The right answer is: two"))
        #expect(html.contains("✓ right") && html.contains("✗ your answer"))
    }

    @Test("assets are named by their content")
    func assets() {
        for asset in Asset.all {
            #expect(asset.fingerprint.count == 16)
            #expect(asset.url.hasSuffix("?v=\(asset.fingerprint)"))
            #expect(!asset.bytes.isEmpty)
        }
    }

    @Test("question ids in paths", arguments: [("a b/ü", "a%20b%2F%C3%BC"), ("7", "7")])
    func identifiers(text: String, path: String) throws {
        let id = try #require(QuestionID(text))
        #expect(id.pathComponent == path)
        #expect(QuestionID(pathComponent: path) == id)
        #expect(QuestionID(pathComponent: "%zz") == nil)
        #expect(QuestionID("..") == nil && QuestionID("") == nil)
    }
}

@Suite("Status message")
struct StatusMessageTests {
    @Test("lines from wherever the stream was cut; control characters are left out")
    func lines() {
        var splitter = LineSplitter(limit: 8)
        #expect(splitter.lines(after: Array("one\r\ntw".utf8)) == ["one"])
        #expect(splitter.lines(after: Array("o\nmuch too long\n".utf8)) == ["two", "much too"])
        let message = StatusMessage("  a\u{1B}[31mb  ")
        #expect(message.text == "a[31mb")
        message.change(to: "new")
        #expect(message.text == "new")
    }
}
