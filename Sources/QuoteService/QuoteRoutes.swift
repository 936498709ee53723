import FoundationEssentials
import HTTPConnections
import HTTPTypes
import Hummingbird
import NIOCore
package import ServiceKit

/// The paths of the quote service.
///
/// | path | method | answer |
/// |---|---|---|
/// | `/` | GET, HEAD | which pod answers (S29) |
/// | `/quote` | GET, HEAD | the quote of the minute, with ETag and Last-Modified; 304 for those who have it |
package struct QuoteRoutes: Sendable {
    private let board: QuoteBoard
    private let podName: String

    package init(board: QuoteBoard, podName: String) {
        self.board = board
        self.podName = podName
    }

    package func add(to router: ServiceRouter) {
        let identity = "This is the quote service running in pod \(podName)\n"
        router.resource("/", get: { _, _ in .text(identity) })
        router.resource("/quote", get: { [board] request, _ in Self.quote(board.current, request) })
    }

    /// All of them, as long as the quote stays.
    package var lasting: LastingAnswers {
        LastingAnswers(routes: ["/", "/quote"]) { [board] in board.version }
    }

    private static func quote(_ current: QuoteRotation.Current, _ request: Request) -> Response {
        let tag = "\"\(TextDigest.fnv1a(current.text.utf8))\""
        let modified = HTTPDate.text(current.since)
        let headers: HTTPFields = [.eTag: tag, .lastModified: modified, .cacheControl: "no-cache"]
        if isKnown(request, tag: tag, modified: modified) {
            return Response(status: .notModified, headers: headers)
        }
        var response = Response.text(current.text)
        for field in headers { response.headers[field.name] = field.value }
        return response
    }

    /// RFC 9110 section 13.2.2: If-None-Match decides if it is there.
    private static func isKnown(_ request: Request, tag: String, modified: String) -> Bool {
        if let known = request.headers[.ifNoneMatch] {
            return known.split(separator: ",").contains { candidate in
                var text = candidate.drop { $0 == " " }
                while text.last == " " { text.removeLast() }
                if text.hasPrefix("W/") { text = text.dropFirst(2) }
                return text == tag || text == "*"
            }
        }
        guard let since = request.headers[.ifModifiedSince].flatMap(HTTPDate.date),
            let date = HTTPDate.date(modified)
        else { return false }
        return date <= since
    }
}
