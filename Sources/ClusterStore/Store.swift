package import ClusterModel
import Synchronization

/// Keeps all objects: every write gets a new `resourceVersion` and is seen by every watcher, in order.
///
/// Values are decided under one lock and watchers are fed under it too, so that no two of them see another order.
package final class Store: Sendable {
    /// Events that a watcher may be behind before it is cut off.
    package static let watchBound = 16384

    private let state: Mutex<StoreState>
    /// Watchers that have ended and are still to be forgotten.
    ///
    /// A lock of its own, under which no other is taken: streams end while their task is being cancelled, under locks of the
    /// concurrency runtime that a writer, who feeds watchers under the state's lock, waits for.
    private let ended = Mutex<[Int]>([])
    private let admission: any Admission
    private let source: any StoreSource
    private let journal: (any StoreJournal)?

    /// - Parameters:
    ///   - admission: decides over every write.
    ///   - source: time and random identifiers.
    ///   - journal: takes every write before it is acknowledged; nil keeps nothing beyond the process.
    ///   - contents: what an earlier run has left in the journal.
    package init(
        admission: any Admission, source: any StoreSource, journal: (any StoreJournal)? = nil,
        contents: StoreContents = StoreContents()
    ) {
        self.admission = admission
        self.source = source
        self.journal = journal
        state = Mutex(StoreState(contents))
    }

    // MARK: Reading

    package func get(_ key: ObjectKey) -> KubeObject? { state.withLock { $0.objects[key.type]?[key] } }

    /// The objects of a type, sorted by namespace and name, and the store's revision at that moment.
    package func list(_ type: ResourceType, namespace: String? = nil) -> (items: [KubeObject], revision: UInt64) {
        let (objects, revision) = state.withLock { ($0.objects[type] ?? [:], $0.revision) }
        guard let namespace else { return (objects.sorted { $0.key < $1.key }.map(\.value), revision) }
        let items = objects.lazy.filter { $0.key.namespace == namespace }.sorted { $0.key < $1.key }.map(\.value)
        return (items, revision)
    }

    /// The revision of the last change of any object of `types`; 0 when there was none.
    package func lastChange(of types: Set<ResourceType>) -> UInt64 {
        state.withLock { state in types.reduce(0) { max($0, state.lastChange[$1] ?? 0) } }
    }

    /// Follows changes of `types`.
    ///
    /// - Parameter revision: what the caller has seen; nil begins with an added event per present object.
    /// - Throws: ``APIError`` with reason Expired when the history no longer reaches back to `revision`.
    package func watch(
        _ types: Set<ResourceType>, namespace: String? = nil, after revision: UInt64? = nil
    ) throws(APIError) -> WatchStream {
        try state.withLock { state throws(APIError) -> WatchStream in
            forgetEnded(in: &state)
            var missed: [WatchEvent] = []
            if let revision {
                missed = try state.history.events(after: revision)
            } else {
                for type in types.sorted() {
                    for (_, object) in (state.objects[type] ?? [:]).sorted(by: { $0.key < $1.key }) {
                        missed.append(WatchEvent(kind: .added, object: object, revision: state.revision))
                    }
                }
            }
            // What is there already comes on top of the bound, however much it is.
            let (stream, continuation) = WatchStream.makeStream(
                bufferingPolicy: .bufferingOldest(Self.watchBound + missed.count))
            let watcher = StoreWatcher(types: types, namespace: namespace, continuation: continuation)
            for event in missed { watcher.feed(event) }
            state.nextWatcher += 1
            let number = state.nextWatcher
            state.watchers[number] = watcher
            continuation.onTermination = { [weak self] _ in self?.ended.withLock { $0.append(number) } }
            return stream
        }
    }

    // MARK: Writing

    /// Stores a new object.
    ///
    /// - Parameter isDryRun: true answers what would be stored and stores nothing.
    /// - Throws: ``APIError``: exists already, namespace missing or ending, or what the admission says.
    package func create(_ object: KubeObject, isDryRun: Bool = false) throws(APIError) -> KubeObject {
        var object = object
        guard let type = object.type else {
            throw APIError(.badRequest, "no kind \"\(object.kind)\" is registered for version \"\(object.apiVersion)\"")
        }
        if type.isNamespaced, object.namespace.isEmpty { object.namespace = "default" }
        if object.name.isEmpty, let base = object.generateName, !base.isEmpty {
            object.name = base.prefix(58) + source.nameSuffix()
        }
        if object.name.isEmpty {
            throw .invalid(object, [.required("metadata.name", "name or generateName is required")])
        }
        return try state.withLock { state throws(APIError) in
            let key = object.key
            try state.checkNamespace(of: object, type)
            if state.objects[type]?[key] != nil { throw .alreadyExists(key) }
            object.uid = source.uid()
            object.creationTimestamp = source.timestamp()
            object.deletionTimestamp = nil
            if object.deletionGracePeriodSeconds != nil { object.deletionGracePeriodSeconds = nil }
            if type == .namespaces { NamespaceRules.complete(&object) }
            try admission.admit(&object, replacing: nil, isDryRun: isDryRun)
            guard !isDryRun else { return object }
            do throws(APIError) {
                return try commit(.added, object, to: &state)
            } catch {
                admission.released(object)
                throw error
            }
        }
    }

    /// Replaces an object; its status stays as it was (semantics 1.3).
    ///
    /// A write that changes nothing is none.
    ///
    /// - Throws: ``APIError``: missing, changed since the given resourceVersion, or what the admission says.
    package func update(_ object: KubeObject, isDryRun: Bool = false) throws(APIError) -> KubeObject {
        try replace(object.key, object.resourceVersion, isDryRun: isDryRun) { old in
            var new = object
            new.json["status"] = old.json["status"]
            if object.type == .namespaces { new.json["spec"] = old.json["spec"] }
            return new
        }
    }

    /// Replaces the status of an object, and of its metadata what can be written with it: annotations, finalizers, and, where
    /// the kind's status has them, labels and owners.
    package func updateStatus(_ object: KubeObject, isDryRun: Bool = false) throws(APIError) -> KubeObject {
        let key = object.key
        var fixed = Self.identity
        if key.type == .deployments { fixed.append("labels") }
        if key.type == .pods { fixed.append("ownerReferences") }
        return try replace(key, object.resourceVersion, isDryRun: isDryRun) { old in
            var new = old
            new.json["status"] = object.json["status"]
            guard var metadata = object.json["metadata"] else { return new }
            for name in fixed { metadata[name] = old.json["metadata"]?[name] }
            new.json["metadata"] = metadata
            return new
        }
    }

    /// What of an object's metadata the store alone sets.
    private static let identity = [
        "name", "namespace", "uid", "generation", "resourceVersion", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "generateName", "selfLink",
    ]

    /// Replaces nothing but what a namespace waits for before it goes; with the last of it an empty one that is being deleted
    /// goes.
    package func finalize(_ namespace: KubeObject, isDryRun: Bool = false) throws(APIError) -> KubeObject {
        let finalized = try replace(namespace.key, namespace.resourceVersion, isDryRun: isDryRun) { old in
            var new = old
            new.json["spec"] = ["finalizers": namespace.json["spec"]?["finalizers"] ?? []]
            return new
        }
        if !isDryRun, finalized.deletionTimestamp != nil, NamespaceRules.awaited(by: finalized).isEmpty {
            do throws(APIError) {
                return try delete(finalized.key)
            } catch {
                if error.reason != .notFound { throw error }
            }
        }
        return finalized
    }

    /// Reads, changes and writes an object in one step, status included.
    package func modify(_ key: ObjectKey, _ change: (inout KubeObject) -> Void) throws(APIError) -> KubeObject {
        try replace(key, nil, isDryRun: false) { old in
            var new = old
            change(&new)
            return new
        }
    }

    /// Deletes an object.
    ///
    /// A pod first gets a deletionTimestamp and stays until its runtime deletes it with a grace of 0. An object with
    /// finalizers gets one, too, and goes with the write that takes its last finalizer away.
    ///
    /// - Parameters:
    ///   - gracePeriod: seconds; nil takes the pod's own.
    ///   - uid: deletes only the object with this uid.
    ///   - propagation: what becomes of dependents; nil leaves it to the object's finalizers.
    package func delete(
        _ key: ObjectKey, gracePeriod: Int? = nil, uid: String? = nil, propagation: DeletionPropagation? = nil
    ) throws(APIError) -> KubeObject {
        try state.withLock { state throws(APIError) in
            guard var object = state.objects[key.type]?[key] else { throw .notFound(key) }
            if let uid, uid != object.uid { throw .conflict(key) }
            if key.type == .namespaces,
                let ending = try state.ending(namespace: object, at: source.timestamp())
            {
                return ending == object ? object : try commit(.modified, ending, to: &state)
            }
            let before = object
            if let propagation { object.finalizers = propagation.finalizers(from: object.finalizers) }
            let own = object.json["spec"]?["terminationGracePeriodSeconds"]?.intValue ?? 30
            let grace = key.type == .pods ? gracePeriod ?? own : 0
            guard grace > 0 || !object.finalizers.isEmpty else { return try remove(object, from: &state) }
            if object.deletionTimestamp == nil || grace == 0 {
                object.deletionTimestamp = object.deletionTimestamp ?? source.timestamp()
                object.deletionGracePeriodSeconds = grace
            }
            return object == before ? object : try commit(.modified, object, to: &state)
        }
    }

    private func remove(_ object: KubeObject, from state: inout StoreState) throws(APIError) -> KubeObject {
        let gone = try commit(.deleted, object, to: &state)
        admission.released(gone)
        return gone
    }

    private func replace(
        _ key: ObjectKey, _ expected: String?, isDryRun: Bool, with make: (KubeObject) -> KubeObject
    ) throws(APIError) -> KubeObject {
        try state.withLock { state throws(APIError) in
            guard let old = state.objects[key.type]?[key] else { throw .notFound(key) }
            if let expected, expected != old.resourceVersion { throw .conflict(key) }
            var new = make(old)
            new.uid = old.uid
            new.creationTimestamp = old.creationTimestamp
            new.deletionTimestamp = old.deletionTimestamp
            if new.deletionGracePeriodSeconds != old.deletionGracePeriodSeconds {
                new.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds
            }
            new.resourceVersion = old.resourceVersion
            if key.type == .namespaces { NamespaceRules.complete(&new) }
            try admission.admit(&new, replacing: old, isDryRun: isDryRun)
            if new == old || isDryRun { return new }
            // The last finalizer was all that a deletion waited for.
            if !old.finalizers.isEmpty, new.finalizers.isEmpty, new.deletionGracePeriodSeconds == 0 {
                return try remove(new, from: &state)
            }
            return try commit(.modified, new, to: &state)
        }
    }

    private func commit(
        _ kind: WatchEvent.Kind, _ object: KubeObject, to state: inout StoreState
    ) throws(APIError) -> KubeObject {
        var object = object
        object.resourceVersion = String(state.revision + 1)
        if kind != .deleted { state.sharing.share(&object) }
        let key = object.key
        do {
            try journal?.write(key, kind == .deleted ? nil : object, revision: state.revision + 1)
        } catch {
            throw .internalError("the write could not be kept: \(error)")
        }
        let event = state.apply(kind, object)
        forgetEnded(in: &state)
        for watcher in state.watchers.values { watcher.feed(event) }
        return object
    }

    private func forgetEnded(in state: inout StoreState) {
        let numbers = ended.withLock { ended in
            defer { ended.removeAll() }
            return ended
        }
        for number in numbers { state.watchers[number] = nil }
    }
}
