import ClusterModel
import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1

/// Requests that are passed on to programs in pods: `kubectl proxy` and a browser, `kubectl get --raw`.
extension APIResponder {
    /// Fields of one connection only, and those that are made anew.
    private static let ownFields: Set<String> = [
        "connection", "content-length", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
        "trailer", "transfer-encoding", "upgrade", "authorization",
    ]

    func proxy(_ request: Request, to target: ProxyTarget, on channel: any Channel) async -> Response {
        let query = request.uri.query.map { "?\($0)" } ?? ""
        if target.path.isEmpty, request.method == .get || request.method == .head {
            return Response(
                status: .movedPermanently, headers: [.location: "\(request.uri.path)/\(query)"], body: ResponseBody())
        }
        do {
            let (host, port) = try target.endpoint(in: store)
            let body = try await BodyReader.bytes(request)
            var head = HTTPRequestHead(
                version: .http1_1, method: .init(rawValue: request.method.rawValue),
                uri: (target.path.isEmpty ? "/" : target.path) + query)
            head.headers.add(name: "host", value: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
            for field in request.headers where !Self.ownFields.contains(field.name.canonicalName) {
                head.headers.add(name: field.name.rawName, value: field.value)
            }
            if !body.isEmpty { head.headers.add(name: "content-length", value: "\(body.count)") }
            head.headers.add(name: "connection", value: "close")
            return Self.response(
                try await ProxyExchange.run(
                    head, body, host: host, port: port, isTLS: target.isTLS, on: channel.eventLoop))
        } catch let error as APIError {
            return Self.json(
                StatusDocument.failure(error, key: target.key), HTTPResponse.Status(code: error.reason.code))
        } catch let failure as BodyFailure {
            return Self.failure(failure)
        } catch {
            let refusal = APIError(.serviceUnavailable, "error trying to reach service: \(error)")
            return Self.json(StatusDocument.failure(refusal), .serviceUnavailable)
        }
    }

    private static func response(_ answer: ProxyExchange.Answer) -> Response {
        var fields = HTTPFields()
        for (name, value) in answer.head.headers where !ownFields.contains(name.lowercased()) {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        return Response(
            status: HTTPResponse.Status(code: Int(answer.head.status.code)), headers: fields,
            body: ResponseBody(byteBuffer: answer.body))
    }
}
