import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import KiadaTesting
import Logging
import ServiceKit
import Testing

@testable import QuoteService

@Suite("Quotes in fortune format")
struct QuoteFileTests {
    @Test("texts between lines of %; blank ones are left out, line breaks inside are kept")
    func parsing() throws {
        let file = try QuoteFile(parsing: "one\n%\n\ntwo\nlines\n%\n%\n   \n%\nthree % is not a line\n", name: "f")
        #expect(file.quotes == ["one", "two\nlines", "three % is not a line"])
    }

    @Test("CR LF as well")
    func carriageReturns() throws {
        #expect(try QuoteFile(parsing: "one\r\n%\r\ntwo\r\n", name: "f").quotes == ["one", "two"])
    }

    @Test("a file without quotes is named")
    func empty() {
        let error = #expect(throws: QuoteFile.Failure.self) { try QuoteFile(parsing: "%\n%\n", name: "f.txt") }
        #expect(error?.description.hasPrefix("f.txt has no quotes") == true)
        #expect(throws: QuoteFile.Failure.self) { try QuoteFile(path: "/nonexistent/quotes") }
    }

    @Test("at least 60 tips ship with the program, each once")
    func bundled() {
        let quotes = QuoteFile.bundled.quotes
        #expect(quotes.count >= 60)
        #expect(Set(quotes).count == quotes.count)
        #expect(quotes.allSatisfy { $0.count > 20 && $0.count < 200 })
    }
}

@Suite("The quote of the minute")
struct QuoteRotationTests {
    private let start = Date(timeIntervalSince1970: 1_000_000)

    @Test("stays for its interval, then another one comes")
    func interval() throws {
        let file = try QuoteFile(parsing: "a\n%\nb\n", name: "f")
        var random = SystemRandomNumberGenerator()
        var rotation = QuoteRotation(file, interval: 60, now: start, using: &random)
        let first = rotation.current.text
        rotation.advance(to: start + 59, using: &random)
        #expect(rotation.current.text == first)
        rotation.advance(to: start + 60, using: &random)
        #expect(rotation.current.text != first)
        #expect(rotation.current.since == start + 60)
    }

    @Test("a new file: the present quote stays if the file still has it")
    func replacement() throws {
        var random = SystemRandomNumberGenerator()
        var rotation = QuoteRotation(
            try QuoteFile(parsing: "a\n", name: "f"), interval: 60, now: start, using: &random)
        rotation.replace(with: try QuoteFile(parsing: "a\n%\nb\n", name: "f"), now: start + 1, using: &random)
        #expect(rotation.current == QuoteRotation.Current(text: "a", since: start))
        rotation.replace(with: try QuoteFile(parsing: "c\n", name: "f"), now: start + 2, using: &random)
        #expect(rotation.current == QuoteRotation.Current(text: "c", since: start + 2))
    }
}

@Suite("Paths of the quote service")
struct QuoteRoutesTests {
    private let folder: TemporaryFolder
    private let board: QuoteBoard

    init() throws {
        folder = try TemporaryFolder("quote")
        let path = try folder.write("only one\n", to: "quotes")
        board = try QuoteBoard(path: path, interval: 60, logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
    }

    private func application() -> some ApplicationProtocol {
        let router = ServiceRouter(context: ServiceRequestContext.self)
        QuoteRoutes(board: board, podName: "quote-003").add(to: router)
        return Application(
            responder: ServiceResponder(router, podName: "quote-003", metrics: ServiceMetrics(program: "quote")))
    }

    @Test("S29 the identity line")
    func identity() async throws {
        try await application().test(.router) { client in
            try await client.execute(uri: "/", method: .get) { response in
                #expect(String(buffer: response.body) == "This is the quote service running in pod quote-003\n")
            }
            try await client.execute(uri: "/", method: .post) { #expect($0.status == .methodNotAllowed) }
        }
    }

    @Test("the quote with ETag and Last-Modified; 304 for those who have it; HEAD without a body")
    func quote() async throws {
        try await application().test(.router) { client in
            let first = try await client.execute(uri: "/quote", method: .get)
            #expect(String(buffer: first.body) == "only one\n")
            let tag = try #require(first.headers[.eTag])
            let date = try #require(first.headers[.lastModified])
            for headers in [
                [.ifNoneMatch: tag], [.ifNoneMatch: "\"x\", W/\(tag)"], [.ifModifiedSince: date],
            ] as [HTTPFields] {
                try await client.execute(uri: "/quote", method: .get, headers: headers) { response in
                    #expect(response.status == .notModified)
                    #expect(response.body.readableBytes == 0)
                }
            }
            try await client.execute(uri: "/quote", method: .get, headers: [.ifNoneMatch: "\"other\""]) {
                #expect($0.status == .ok)
            }
            try await client.execute(uri: "/quote", method: .head) { response in
                #expect(response.status == .ok && response.body.readableBytes == 0)
                #expect(response.headers[.eTag] == tag)
            }
        }
    }

    @Test("10.4 where others write what is served: the page and the quote are files, 404 until they are there")
    func site() async throws {
        let router = ServiceRouter(context: ServiceRequestContext.self)
        SiteRoutes(folder: folder.path).add(to: router)
        let application = Application(
            responder: ServiceResponder(router, podName: "quote-003", metrics: ServiceMetrics(program: "quote")))
        try await application.test(.router) { client in
            try await client.execute(uri: "/quote", method: .get) { #expect($0.status == .notFound) }
            try folder.write("a quote\n", to: "quote")
            try folder.write("the page\n", to: "index.html")
            for (path, text) in [("/", "the page\n"), ("/quote", "a quote\n")] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.status == .ok && String(buffer: response.body) == text)
                }
            }
            try FileManager.default.removeItem(atPath: folder.path + "/quote")
            try await client.execute(uri: "/quote", method: .get) { #expect($0.status == .notFound) }
        }
    }

    @Test("a changed file is read again, a broken one is not")
    func reread() throws {
        let before = board.version
        try folder.write("another one\n", to: "quotes")
        board.look(at: Date())
        #expect(board.current.text == "another one")
        let after = board.version
        #expect(after != before)
        try folder.write("", to: "quotes")
        board.look(at: Date())
        #expect(board.current.text == "another one")
        #expect(board.version == after)
    }
}
