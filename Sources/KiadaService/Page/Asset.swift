import ServiceKit

/// A file that the page needs, kept in the program.
package struct Asset: Sendable {
    /// Where it is served; begins with a slash.
    package let path: String
    package let contentType: String
    package let bytes: [UInt8]
    /// Changes when, and practically only when, the bytes do: their digest.
    package let fingerprint: String

    package init(path: String, contentType: String, bytes: [UInt8]) {
        self.path = path
        self.contentType = contentType
        self.bytes = bytes
        fingerprint = TextDigest.fnv1a(bytes)
    }

    /// The URL that pages use: it names the content, so that browsers may keep what they get for ever, and a page of
    /// another release, as during a canary, never meets this one's files.
    package var url: String { "\(path)?v=\(fingerprint)" }

    package static let stylesheet = Asset(
        path: "/stylesheet.css", contentType: "text/css; charset=utf-8", bytes: PackageResources.stylesheet_css)
    package static let script = Asset(
        path: "/javascript.js", contentType: "text/javascript; charset=utf-8", bytes: PackageResources.javascript_js)
    package static let emblem = Asset(
        path: "/favicon.svg", contentType: "image/svg+xml", bytes: PackageResources.emblem_svg)
    /// Browsers ask for this path when no page has told them another; all present ones read SVG.
    package static let favicon = Asset(
        path: "/favicon.ico", contentType: "image/svg+xml", bytes: PackageResources.emblem_svg)

    package static let all = [stylesheet, script, emblem, favicon]
}
