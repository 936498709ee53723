import FoundationEssentials
import Testing

@testable import HTTPConnections

@Suite("Dates in HTTP (RFC 9110 5.6.7)")
struct HTTPDateTests {
    @Test("RFC 9110's own example, both ways")
    func example() throws {
        let date = Date(timeIntervalSince1970: 784_111_777)
        #expect(HTTPDate.text(date) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.date("Sun, 06 Nov 1994 08:49:37 GMT") == date)
    }

    @Test("anything else is no date", arguments: ["", "yesterday", "Sun, 06 Nov 1994 08:49 GMT", "a b c d e GMT"])
    func malformed(text: String) { #expect(HTTPDate.date(text) == nil) }
}
