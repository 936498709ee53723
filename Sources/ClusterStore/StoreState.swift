import ClusterModel

/// What a store holds at one moment; what follows from a write is decided here, without a lock.
struct StoreState {
    private(set) var revision: UInt64
    private(set) var objects: [ResourceType: [ObjectKey: KubeObject]] = [:]
    /// The revision of the last change of each type.
    private(set) var lastChange: [ResourceType: UInt64] = [:]
    private(set) var history: EventHistory
    var watchers: [Int: StoreWatcher] = [:]
    var nextWatcher = 0
    /// What objects have in common is in memory once.
    var sharing = ValueSharing()

    init(_ contents: StoreContents) {
        revision = contents.revision
        history = EventHistory(after: contents.revision)
        for object in contents.objects {
            guard let type = object.type else { continue }
            objects[type, default: [:]][object.key] = object
            lastChange[type] = contents.revision
        }
    }

    /// Makes a write that was decided: `object` as it is from now on, or as it was when it went.
    mutating func apply(_ kind: WatchEvent.Kind, _ object: KubeObject) -> WatchEvent {
        let key = object.key
        revision += 1
        let previous = objects[key.type]?[key]
        objects[key.type, default: [:]][key] = kind == .deleted ? nil : object
        lastChange[key.type] = revision
        let event = WatchEvent(
            kind: kind, object: object, revision: revision, previous: kind == .modified ? previous : nil)
        history.append(event)
        return event
    }
}

/// Who follows changes, and which.
struct StoreWatcher {
    let types: Set<ResourceType>
    let namespace: String?
    let continuation: WatchStream.Continuation

    /// Hands over an event that the watcher wants; a watcher that is too far behind is ended.
    func feed(_ event: WatchEvent) {
        guard let type = event.object.type, types.contains(type),
            namespace == nil || namespace == event.object.namespace
        else { return }
        if case .dropped = continuation.yield(event) { continuation.finish() }
    }
}
