import FoundationEssentials
import HTTPTypes
import Hummingbird
package import ServiceKit

/// The paths of the quote service where another program writes what it serves, as nginx does it in the book (10.4).
///
/// | path | method | answer |
/// |---|---|---|
/// | `/` | GET, HEAD | `index.html` of the folder |
/// | `/quote` | GET, HEAD | the file `quote` of the folder; 404 until it has been written |
package struct SiteRoutes: Sendable {
    /// Larger files are not served.
    static let largestFile = 1 << 20

    private let folder: String

    package init(folder: String) { self.folder = folder }

    package func add(to router: ServiceRouter) {
        for (path, file) in [("/", "index.html"), ("/quote", "quote")] as [(RouterPath, String)] {
            router.resource(path, get: { [folder] _, _ in Self.answer("\(folder)/\(file)") })
        }
    }

    private static func answer(_ path: String) -> Response {
        guard let data = try? Data(contentsOf: URL(filePath: path)), data.count <= largestFile else {
            return .text("404 Not Found\n", status: .notFound)
        }
        return .text(String(decoding: data, as: UTF8.self))
    }
}
