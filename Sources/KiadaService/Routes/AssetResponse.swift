import HTTPTypes
import Hummingbird
import NIOCore

/// Answers for the page's files.
enum AssetResponse {
    /// The asset, or 304 when the client has it.
    ///
    /// At the URL that names this very content it may be kept for a year; at any other one, clients have to ask.
    static func response(for asset: Asset, to request: Request) -> Response {
        let tag = "\"\(asset.fingerprint)\""
        let isNamed = request.uri.queryParameters.get("v") == asset.fingerprint
        var response = Response(
            status: .notModified,
            headers: [.eTag: tag, .cacheControl: isNamed ? "public, max-age=31536000, immutable" : "no-cache"])
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { tag in
            let tag = tag.drop { $0 == " " }.prefix { $0 != " " }
            return tag.hasPrefix("W/") ? tag.dropFirst(2) : tag
        }
        if known?.contains(where: { $0 == tag || $0 == "*" }) == true { return response }
        response.status = .ok
        response.headers[.contentType] = asset.contentType
        response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes))
        return response
    }
}
