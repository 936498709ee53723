import ClusterModel
import ClusterStore
import Logging

/// Keeps the EndpointSlices of Services with a selector as their pods are (semantics 3.1 to 3.6).
struct EndpointSliceController {
    static let types: Set<ResourceType> = [.services, .pods, .nodes, .endpointslices]

    private let store: Store
    private let logger: Logger
    private var index = EndpointIndex()

    init(_ store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Takes a burst of changes and brings the slices up to date.
    mutating func handle(_ events: [WatchEvent]) {
        var touched: Set<EndpointIndex.ServiceName> = []
        for event in events {
            touched.formUnion(index.apply(event.object, isDeleted: event.kind == .deleted))
        }
        for name in touched.sorted() { synchronize(name) }
    }

    private mutating func synchronize(_ name: EndpointIndex.ServiceName) {
        let ours = index.slices(of: name).filter(SliceDocument.isOurs)
        guard let service = index.services[name] else {
            for slice in ours { delete(slice) }
            return
        }
        // Without a selector nobody manages endpoints, and nothing is deleted either (3.1).
        guard service.type != .externalName, service.selector != nil else { return }
        for slice in ours where !SliceDocument.isOwned(slice, by: service) { delete(slice) }
        let existing = ours.filter { SliceDocument.isOwned($0, by: service) }
        let (families, nodes) = (EndpointRules.families(of: service), index.nodes)
        let wanted = EndpointRules.endpoints(of: service, pods: index.pods(of: service)) { nodes[$0] }
        let plan = SlicePacking.plan(wanted, existing: existing, families: families)
        for draft in plan.writes { write(SliceDocument.object(draft, of: service), replaces: draft.existing) }
        let rewritten = Set(plan.writes.compactMap(\.existing?.name) + plan.deletions.map(\.name))
        let labels = SliceDocument.labels(of: service)
        for slice in existing where !rewritten.contains(slice.name) && slice.labels != labels {
            var slice = slice
            slice.labels = labels
            write(slice, replaces: slice)
        }
        for slice in plan.deletions { delete(slice) }
    }

    private mutating func write(_ slice: KubeObject, replaces old: KubeObject?) {
        do throws(APIError) {
            let stored = old == nil ? try store.create(slice) : try store.update(slice)
            _ = index.noteSlice(stored, isDeleted: false)
        } catch {
            // Somebody else was faster, or the namespace is going: the event of that brings us here again.
            if error.reason != .conflict, error.reason != .notFound {
                logger.warning("an EndpointSlice was refused", metadata: ["reason": "\(error)"])
            }
        }
    }

    private mutating func delete(_ slice: KubeObject) {
        do throws(APIError) {
            let gone = try store.delete(slice.key, uid: slice.uid)
            _ = index.noteSlice(gone, isDeleted: true)
        } catch {
            if error.reason != .notFound, error.reason != .conflict {
                logger.warning("an EndpointSlice was not deleted", metadata: ["reason": "\(error)"])
            }
        }
    }
}
