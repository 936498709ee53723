package import ClusterModel

/// Server-side apply: manifests that say what their manager wants, and who owns which field (kubectl-wire 9).
///
/// An object is watched over from its first server-side apply on; before, it has no `managedFields`, so that objects that
/// nobody applies this way cost nothing. What is there at that moment belongs to who must have written it, as far as the
/// object tells (``Author``): else to ``earlier``, as in an API server that finds an object without owners.
package enum FieldOwnership {
    /// Owner of what an object has before its first server-side apply.
    static let earlier = "before-first-apply"
    /// Managers that update, at most; what the oldest own is put together.
    static let mostUpdaters = 10

    static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

    /// Fields that others own and that a manifest would change.
    package struct Conflicts: Error, Equatable {
        package struct Conflict: Hashable, Sendable {
            package let manager: FieldManager
            package let path: String

            package init(manager: FieldManager, path: String) {
                self.manager = manager
                self.path = path
            }
        }
        /// By manager, then by path.
        package let conflicts: [Conflict]

        package init(conflicts: [Conflict]) { self.conflicts = conflicts }
    }

    /// Why a manifest cannot be applied at all.
    package enum Failure: Error, Equatable {
        case conflicts(Conflicts)
        /// Items of a list cannot be told apart.
        case manifest(String)
    }

    // MARK: Apply

    /// A new object from a manifest.
    package static func created(
        _ manifest: JSONValue, by manager: FieldManager, at time: String
    ) throws(Failure) -> JSONValue {
        var object = FieldTree.withoutNulls(manifest)
        let fields = try fields(of: owned(object, manager.subresource))
        object["metadata"]?["managedFields"] = ManagedFields.list([
            ManagedFields(manager, time: time, fields: fields)
        ])
        return object
    }

    /// An object after `manager` has applied a manifest to it.
    ///
    /// - Parameter force: takes fields from their owners instead of reporting conflicts.
    package static func applied(
        _ manifest: JSONValue, to live: JSONValue, by manager: FieldManager, force: Bool, at time: String
    ) throws(Failure) -> JSONValue {
        let manifest = FieldTree.withoutNulls(manifest)
        var result: JSONValue
        do throws(Failure) {
            result = try applied(plain: manifest, to: live, by: manager, force: force, at: time)
        } catch {
            // What kubectl has applied by itself, kubectl may change by a server-side apply.
            guard case .conflicts(let found) = error, manager.name == "kubectl" else { throw error }
            let allowed = allowed(from: live)
            guard found.conflicts.allSatisfy({ allowed.contains($0.path) }) else { throw error }
            result = try applied(plain: manifest, to: live, by: manager, force: true, at: time)
        }
        if manager.name == "kubectl", result["metadata"]?["annotations"]?[lastApplied] != nil {
            var text = manifest
            text["metadata"]?["managedFields"] = nil
            text["metadata"]?["annotations"]?[lastApplied] = nil
            result["metadata"]?["annotations"]?[lastApplied] = .string(text.serializedText() + "\n")
        }
        return result
    }

    private static func applied(
        plain manifest: JSONValue, to live: JSONValue, by manager: FieldManager, force: Bool, at time: String
    ) throws(Failure) -> JSONValue {
        let wanted = owned(manifest, manager.subresource)
        let fields = try fields(of: wanted)
        var entries = ManagedFields.read(live["metadata"]?["managedFields"]) ?? []
        if entries.isEmpty { entries = [beginning(live, apiVersion: manager.apiVersion, at: time)] }
        let own = entries.firstIndex { $0.manager.isSame(as: manager) }
        let last = own.map { entries[$0].fields }
        let before = own.flatMap { entries[$0].time }
        if let own { entries.remove(at: own) }

        var result = FieldTree.merged(wanted, into: live)
        if let last {
            let all = entries.reduce(fields) { $0.union($1.fields) }
            result = FieldTree.removing(FieldTree.abandoned(last, owned: all), from: result)
        }
        let change = FieldTree.comparison(owned(live, manager.subresource), owned(result, manager.subresource))
        let written = change.added.union(change.changed)
        if !force {
            let conflicts = entries.flatMap { entry in
                entry.fields.intersection(written).paths.map { path in
                    Conflicts.Conflict(manager: entry.manager, path: path.map(\.description).joined())
                }
            }
            guard conflicts.isEmpty else {
                throw .conflicts(
                    Conflicts(
                        conflicts: conflicts.sorted {
                            ($0.manager.description, $0.path) < ($1.manager.description, $1.path)
                        }))
            }
        }
        for index in entries.indices {
            entries[index].fields = entries[index].fields.subtracting(written).subtracting(change.removed)
        }
        entries.append(ManagedFields(manager, time: change.isEmpty ? before ?? time : time, fields: fields))
        result["metadata"]?["managedFields"] = ManagedFields.list(entries)
        return result
    }

    /// Who owns what an object has before its first server-side apply.
    private static func beginning(_ live: JSONValue, apiVersion: String, at time: String) -> ManagedFields {
        ManagedFields(
            FieldManager(Author.name(of: live) ?? earlier, .update, apiVersion: apiVersion), time: time,
            fields: FieldTree.comparison([:], owned(live, "")).added)
    }

    /// The fields, as they are printed, that kubectl's client-side apply has set and nobody has changed since.
    private static func allowed(from live: JSONValue) -> Set<String> {
        guard let text = live["metadata"]?["annotations"]?[lastApplied]?.stringValue,
            let json = try? JSONValue(parsing: text)
        else { return [] }
        let applied = owned(FieldTree.withoutNulls(json), "")
        guard let fields = try? FieldTree.fields(of: applied) else { return [] }
        let change = FieldTree.comparison(applied, owned(live, ""))
        let kept = fields.subtracting(change.changed).subtracting(change.removed)
        return Set(kept.paths.map { $0.map(\.description).joined() } + [".metadata.annotations.\(lastApplied)"])
    }

    // MARK: Update

    /// `new` with its owners, after `manager` has changed `old` to it; without owners when nobody watches over it.
    ///
    /// Who updates takes the fields that it changes from their owners. A client may write the list of owners itself; an
    /// empty list, or one with an empty entry, ends the watching.
    package static func updated(
        _ new: JSONValue, from old: JSONValue, by manager: FieldManager, at time: String
    ) -> JSONValue {
        var result = new
        let present = old["metadata"]?["managedFields"]
        guard let present, present != .null else {
            result["metadata"]?["managedFields"] = nil
            return result
        }
        let given = new["metadata"]?["managedFields"]
        if given == [] || given == [[:]] {
            result["metadata"]?["managedFields"] = nil
            return result
        }
        var entries = given.flatMap { ManagedFields.read($0) } ?? ManagedFields.read(present) ?? []
        let change = FieldTree.comparison(owned(old, manager.subresource), owned(new, manager.subresource))
        if !change.isEmpty {
            let written = change.added.union(change.changed)
            let own = entries.firstIndex { $0.manager.isSame(as: manager) }
            var fields = own.map { entries[$0].fields } ?? FieldSet()
            if let own { entries.remove(at: own) }
            for index in entries.indices {
                entries[index].fields = entries[index].fields.subtracting(written).subtracting(change.removed)
            }
            fields = fields.subtracting(change.removed).union(written)
            entries.append(ManagedFields(manager, time: time, fields: fields))
            entries = bounded(entries)
        }
        result["metadata"]?["managedFields"] = ManagedFields.list(entries)
        return result
    }

    /// Puts what the oldest updaters own together, so that an object with many writers does not grow.
    private static func bounded(_ entries: [ManagedFields]) -> [ManagedFields] {
        let updaters = entries.filter { $0.manager.operation == .update && !$0.fields.isEmpty }
            .sorted { ($0.time ?? "") < ($1.time ?? "") }
        guard updaters.count > mostUpdaters, let first = updaters.first else { return entries }
        let oldest = updaters.prefix(updaters.count - mostUpdaters + 1)
        let fields = oldest.reduce(FieldSet()) { $0.union($1.fields) }
        let ancient = FieldManager("ancient-changes", .update, apiVersion: first.manager.apiVersion)
        return entries.filter { !oldest.contains($0) }
            + [ManagedFields(ancient, time: oldest.last?.time, fields: fields)]
    }

    // MARK: What can be owned

    private static let unowned = [
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
        "deletionTimestamp", "deletionGracePeriodSeconds",
    ]

    /// What of an object can be owned by writers of a subresource: its status, or everything but that.
    private static func owned(_ object: JSONValue, _ subresource: String) -> JSONValue {
        guard case .object(var members) = object else { return [:] }
        if subresource == "status" { return .object(members.filter { $0.key == "status" }) }
        for key in ["apiVersion", "kind", "status"] { members[key] = nil }
        if case .object(var metadata)? = members["metadata"] {
            for key in unowned { metadata[key] = nil }
            members["metadata"] = metadata.isEmpty ? nil : .object(metadata)
        }
        return .object(members)
    }

    private static func fields(of wanted: JSONValue) throws(Failure) -> FieldSet {
        do throws(FieldTree.Failure) {
            var fields = try FieldTree.fields(of: wanted)
            // An empty manifest owns nothing.
            fields.isMember = false
            return fields
        } catch {
            throw .manifest(error.description)
        }
    }
}

extension FieldOwnership.Conflicts {
    /// In the API server's words.
    package var message: String {
        if conflicts.count == 1, let conflict = conflicts.first {
            return "Apply failed with 1 conflict: conflict with \(conflict.manager.description): \(conflict.path)"
        }
        var lines: [String] = []
        var last: FieldManager?
        for conflict in conflicts {
            if conflict.manager != last { lines.append("conflicts with \(conflict.manager.description):") }
            last = conflict.manager
            lines.append("- \(conflict.path)")
        }
        return "Apply failed with \(conflicts.count) conflicts: \(lines.joined(separator: "\n"))"
    }
}
