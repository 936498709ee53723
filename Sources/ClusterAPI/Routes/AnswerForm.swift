import ClusterModel
import HTTPTypes
import HummingbirdCore

/// In which form a client wants to read objects (kubectl-wire 4).
enum AnswerForm: Equatable, Sendable {
    /// As they are.
    case plain
    /// As a table, with its cells.
    case table(Table.Inclusion)
    /// Nothing but their metadata.
    case metadata

    /// The first form in `Accept` that there is.
    ///
    /// - Throws: NotAcceptable when there is none.
    init(_ request: Request, _ query: Query) throws(APIError) {
        self = try Self(request.headers[.accept] ?? "", inclusion: query["includeObject"])
    }

    init(_ accept: String, inclusion: String?) throws(APIError) {
        // What most clients say.
        if accept.isEmpty || accept == "application/json" || accept == "*/*" {
            self = .plain
            return
        }
        for part in accept.split(separator: ",") {
            let pieces = part.split(separator: ";").map(\.trimmedText)
            guard let type = pieces.first, ["application/json", "application/*", "*/*"].contains(type) else { continue }
            guard let form = pieces.first(where: { $0.hasPrefix("as=") })?.dropFirst(3) else {
                self = .plain
                return
            }
            guard pieces.contains("v=v1"), pieces.contains("g=meta.k8s.io") else { continue }
            switch form {
            case "Table":
                self = .table(inclusion.flatMap(Table.Inclusion.init) ?? .metadata)
                return
            case "PartialObjectMetadata", "PartialObjectMetadataList":
                self = .metadata
                return
            default: continue
            }
        }
        throw Self.notAcceptable
    }

    private static let notAcceptable = APIError(
        .notAcceptable, "only the following media types are accepted: application/json")

    /// Refuses other forms where there is only one.
    static func requirePlain(_ request: Request) throws(APIError) {
        guard try AnswerForm(request.headers[.accept] ?? "", inclusion: nil) == .plain else { throw notAcceptable }
    }

    /// The object with nothing but its metadata.
    static func partial(_ object: KubeObject) -> JSONValue {
        [
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": object.json["metadata"] ?? [:],
        ]
    }
}

extension Substring {
    /// Without spaces at both ends.
    fileprivate var trimmedText: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
