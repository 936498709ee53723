import ClusterModel
import ClusterStore
import Synchronization

/// Lists in parts: each part is of the moment of the first one (kubectl-wire 5).
///
/// What a list was is kept until it has been read to its end, for a few lists and some minutes: as values it shares its memory
/// with what is stored. Where nothing has changed it is not needed.
final class ListPages: Sendable {
    /// Lists that are being read.
    private static let most = 32
    /// Seconds for which one can be read on.
    private static let patience: Int64 = 300

    private struct Kept {
        let type: ResourceType
        let namespace: String
        let revision: UInt64
        let items: [KubeObject]
        let time: Int64
    }

    private let kept = Mutex<[Kept]>([])

    /// A part of a list.
    struct Page {
        let items: [KubeObject]
        /// Of the list.
        let metadata: JSONValue
    }

    /// The part that a client asks for.
    ///
    /// - Parameter now: seconds since 1970.
    func page(_ selection: Selection, _ query: Query, in store: Store, now: Int64) throws(APIError) -> Page {
        let namespace = selection.namespace
        let limit = try query.number("limit") ?? 0
        let token = try query["continue"].flatMap { $0.isEmpty ? nil : $0 }.map { text throws(APIError) in
            try ListToken(text)
        }
        let current = store.list(selection.type, namespace: namespace.isEmpty ? nil : namespace)
        var (all, revision) = current
        if let token {
            if !(query["resourceVersion"] ?? "").isEmpty, query["resourceVersion"] != "0" {
                throw APIError(.badRequest, "specifying resource version is not allowed when using continue")
            }
            if let wanted = token.revision {
                guard let items = items(selection, at: wanted, current: current, in: store) else {
                    throw Self.expired(token)
                }
                (all, revision) = (items, wanted)
            }
        } else {
            try Self.check(query, selection.type, revision: revision, in: store)
        }
        var matching = selection.isEverything ? all[...] : all.filter(selection.matches)[...]
        if let token { matching = matching.drop { ($0.namespace, $0.name) <= (token.namespace, token.name) } }
        let items = Array(limit > 0 ? matching.prefix(limit) : matching)
        var metadata: JSONValue = ["resourceVersion": .string("\(revision)")]
        if matching.count > items.count, let last = items.last {
            let next = ListToken(revision: revision, namespace: last.namespace, name: last.name)
            metadata["continue"] = .string(next.text)
            // With a selector it is not said, as it would have to be counted.
            if selection.isEverything { metadata["remainingItemCount"] = JSONValue(matching.count - items.count) }
            keep(Kept(type: selection.type, namespace: namespace, revision: revision, items: all, time: now))
        }
        return Page(items: items, metadata: metadata)
    }

    private func items(
        _ selection: Selection, at revision: UInt64, current: (items: [KubeObject], revision: UInt64), in store: Store
    ) -> [KubeObject]? {
        let found = kept.withLock { kept in
            kept.first {
                $0.type == selection.type && $0.namespace == selection.namespace && $0.revision == revision
            }?.items
        }
        if let found { return found }
        let isAsThen = revision <= current.revision && store.lastChange(of: [selection.type]) <= revision
        return isAsThen ? current.items : nil
    }

    private func keep(_ list: Kept) {
        kept.withLock { kept in
            kept.removeAll {
                $0.time + Self.patience < list.time
                    || $0.type == list.type && $0.namespace == list.namespace && $0.revision == list.revision
            }
            if kept.count >= Self.most { kept.removeFirst() }
            kept.append(list)
        }
    }

    private static func expired(_ token: ListToken) -> APIError {
        var refusal = APIError(
            .expired,
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
                + "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
                + "the results. Continuing with the provided token results in an inconsistent list - objects that were "
                + "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
                + "list.")
        refusal.continueToken = ListToken(revision: nil, namespace: token.namespace, name: token.name).text
        return refusal
    }

    /// Which version of a list is asked for: the present one is the only one.
    private static func check(
        _ query: Query, _ type: ResourceType, revision: UInt64, in store: Store
    ) throws(APIError) {
        guard let text = query["resourceVersion"], !text.isEmpty, text != "0" else { return }
        guard let wanted = UInt64(text) else {
            throw APIError(
                .badRequest,
                "invalid resource version: resourceVersion: Invalid value: \(FieldError.quoted(text)): "
                    + "strconv.ParseUint: parsing \(FieldError.quoted(text)): invalid syntax")
        }
        if wanted > revision {
            var refusal = APIError(.timeout, "Too large resource version: \(wanted), current: \(revision)")
            refusal.otherCauses = [
                APIError.Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")
            ]
            refusal.retryAfterSeconds = 1
            throw refusal
        }
        if query["resourceVersionMatch"] == "Exact", store.lastChange(of: [type]) > wanted {
            throw APIError(.expired, "The resourceVersion for the provided list is too old.")
        }
    }
}

/// Where a list goes on: the version that it is of, and the last object that was sent.
struct ListToken: Equatable {
    /// nil for the present one, whatever has changed.
    let revision: UInt64?
    let namespace: String
    let name: String

    init(revision: UInt64?, namespace: String, name: String) {
        self.revision = revision
        self.namespace = namespace
        self.name = name
    }

    /// - Throws: BadRequest for anything but one of ours.
    init(_ text: String) throws(APIError) {
        guard let bytes = Base64.bytes(text), let json = try? JSONValue(parsing: bytes),
            json["v"]?.stringValue == "meta.k8s.io/v1", let start = json["start"]?.stringValue,
            let version = json["rv"]?.intValue
        else { throw APIError(.badRequest, "continue key is not valid: illegal base64 data at input byte 0") }
        let parts = start.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { throw APIError(.badRequest, "continue key is not valid: incorrect key") }
        revision = version < 0 ? nil : UInt64(version)
        namespace = parts[0]
        name = parts[1]
    }

    /// As clients hand it back.
    var text: String {
        let json: JSONValue = [
            "v": "meta.k8s.io/v1", "rv": revision.map { JSONValue($0) } ?? -1, "start": .string("\(namespace)/\(name)"),
        ]
        // It stands in URLs.
        return Base64.text(json.serialized()).replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }
}
