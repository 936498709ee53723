import ClusterModel
import ClusterStore
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Logs of pods (kubectl-wire 11).
extension APIResponder {
    func log(_ target: ResourcePath, _ query: Query) throws(APIError) -> Response {
        guard let key = target.key else { throw APIError(.badRequest, "a name is missing") }
        guard let object = store.get(key) else { throw .notFound(key) }
        let pod = Pod(object)
        let names = pod.containers.map(\.name)
        let container: String
        if let name = query["container"], !name.isEmpty {
            guard (names + pod.initContainers.map(\.name)).contains(name) else {
                throw APIError(.badRequest, "container \(name) is not valid for pod \(pod.name)")
            }
            container = name
        } else {
            guard names.count == 1 else {
                throw APIError(
                    .badRequest,
                    "a container name must be specified for pod \(pod.name), choose one of: "
                        + "[\(names.joined(separator: " "))]")
            }
            container = names[0]
        }
        var options = PodLogOptions(container: container)
        options.follows = query.flag("follow")
        options.tailLines = try query.number("tailLines")
        options.limitBytes = try query.number("limitBytes")
        options.hasTimestamps = query.flag("timestamps")
        options.isPrevious = query.flag("previous")
        if let seconds = try query.number("sinceSeconds") { options.since = now() - Int64(seconds) }
        if let text = query["sinceTime"], !text.isEmpty {
            guard let time = Timestamp.unixSeconds(of: text) else {
                throw APIError(.badRequest, "sinceTime=\(text): must be a time in RFC 3339")
            }
            options.since = time
        }
        let chunks = try logs.log(of: pod, options)
        return Response(
            status: .ok, headers: [.contentType: "text/plain"],
            body: ResponseBody { writer in
                for await chunk in chunks { try await writer.write(ByteBuffer(bytes: chunk)) }
                try await writer.finish(nil)
            })
    }
}
