import ClusterModel
import ClusterStore
import Logging

/// Keeps the EndpointSlices and Endpoints of Services with a selector as their pods are, and mirrors the Endpoints that
/// users write for the others (semantics 3.1 to 3.9).
struct EndpointSliceController {
    static let types: Set<ResourceType> = [.services, .pods, .nodes, .endpointslices, .endpoints]

    private let store: Store
    private let logger: Logger
    private let events: EventRecorder
    private var index = EndpointIndex()
    private var hints = HintReports()
    private var triggers = TriggerTimes()

    init(_ store: Store, events: EventRecorder, logger: Logger) {
        self.store = store
        self.events = events
        self.logger = logger
    }

    /// Takes a burst of changes and brings the slices up to date.
    mutating func handle(_ events: [WatchEvent]) {
        var touched: Set<EndpointIndex.ServiceName> = []
        var deleted: Set<EndpointIndex.ServiceName> = []
        for event in events {
            if event.object.type == .services, event.kind == .deleted {
                deleted.insert(EndpointIndex.ServiceName(namespace: event.object.namespace, name: event.object.name))
            }
            touched.formUnion(index.apply(event.object, isDeleted: event.kind == .deleted))
        }
        for name in touched.sorted() { synchronize(name, wasDeleted: deleted.contains(name)) }
    }

    private mutating func synchronize(_ name: EndpointIndex.ServiceName, wasDeleted: Bool) {
        let ours = index.slices(of: name).filter(SliceDocument.isOurs)
        guard let service = index.services[name] else {
            for slice in ours { delete(slice) }
            hints.forget(name)
            triggers.forget(name)
            synchronizeMirror(name, nil)
            if wasDeleted, let endpoints = index.endpoints[name] { delete(endpoints) }
            return
        }
        if service.type == .externalName || service.selector == nil {
            // Without a selector nobody manages endpoints, and nothing is deleted either (3.1).
            return synchronizeMirror(name, service.type == .externalName ? nil : index.endpoints[name])
        }
        for slice in ours where !SliceDocument.isOwned(slice, by: service) { delete(slice) }
        let existing = ours.filter { SliceDocument.isOwned($0, by: service) }
        let (families, nodes) = (EndpointRules.families(of: service), index.nodes)
        let pods = index.pods(of: service)
        var wanted = EndpointRules.endpoints(of: service, pods: pods) { nodes[$0] }
        let trigger = triggers.note(name, service, pods: pods)
        var outcomes: HintReports.Outcomes = [:]
        if TopologyHints.isWanted(by: service) {
            outcomes = TopologyHints.add(to: &wanted, families: families, nodes: nodes.values)
        }
        let plan = SlicePacking.plan(wanted, existing: existing, families: families)
        for draft in plan.writes {
            write(SliceDocument.object(draft, of: service, trigger: trigger), isNew: draft.existing == nil)
        }
        let rewritten = Set(plan.writes.compactMap(\.existing?.name) + plan.deletions.map(\.name))
        let labels = SliceDocument.labels(of: service)
        for slice in existing where !rewritten.contains(slice.name) && slice.labels != labels {
            var slice = slice
            slice.labels = labels
            TriggerTimes.annotate(&slice, trigger)
            write(slice, isNew: false)
        }
        for slice in plan.deletions { delete(slice) }
        synchronizeMirror(name, nil)
        let present = index.endpoints[name]
        let document = EndpointsDocument.object(of: service, pods: pods, existing: present, trigger: trigger)
        if document != present { write(document, isNew: present == nil) }
        report(hints.note(name, outcomes), about: service)
    }

    /// Says that there are hints, or why there are none (3.10).
    private func report(_ reports: [HintReports.Report], about service: Service) {
        for report in reports {
            events.record(
                service.object, by: "endpoint-slice-controller", isWarning: report.isWarning, reason: report.reason,
                message: report.message)
            logger.log(
                level: report.isWarning ? .warning : .info, "\(report.reason)",
                metadata: ["service": "\(service.namespace)/\(service.name)", "reason": "\(report.message)"])
        }
    }

    /// Brings the slices that mirror `endpoints` up to date; nil: there are to be none.
    private mutating func synchronizeMirror(_ name: EndpointIndex.ServiceName, _ endpoints: KubeObject?) {
        var present = index.slices(of: name).filter(EndpointsMirror.isOurs).sorted { $0.name < $1.name }
        let isMirrored = endpoints.map(EndpointsMirror.isMirrored) ?? false
        for wanted in isMirrored ? endpoints.map(EndpointsMirror.slices) ?? [] : [] {
            let fits = present.firstIndex { slice in
                slice.json["addressType"] == wanted.json["addressType"]
                    && slice.ownerReferences == wanted.ownerReferences
            }
            guard let fits else {
                write(wanted, isNew: true)
                continue
            }
            var slice = present.remove(at: fits)
            let before = slice
            for key in ["endpoints", "ports"] { slice.json[key] = wanted.json[key] }
            slice.labels = wanted.labels
            slice.annotations = wanted.annotations
            if slice != before { write(slice, isNew: false) }
        }
        for slice in present { delete(slice) }
    }

    private mutating func write(_ object: KubeObject, isNew: Bool) {
        do throws(APIError) {
            let stored = isNew ? try store.create(object) : try store.update(object)
            note(stored, isDeleted: false)
        } catch {
            // Somebody else was faster, or the namespace is going: the event of that brings us here again.
            if error.reason != .conflict, error.reason != .notFound {
                logger.warning("endpoints were refused", metadata: ["object": "\(object.key)", "reason": "\(error)"])
            }
        }
    }

    private mutating func delete(_ object: KubeObject) {
        do throws(APIError) {
            note(try store.delete(object.key, uid: object.uid), isDeleted: true)
        } catch {
            if error.reason != .notFound, error.reason != .conflict {
                logger.warning(
                    "endpoints were not deleted", metadata: ["object": "\(object.key)", "reason": "\(error)"])
            }
        }
    }

    /// Our own writes count at once, before their events come back.
    private mutating func note(_ object: KubeObject, isDeleted: Bool) {
        _ = index.apply(object, isDeleted: isDeleted)
    }
}
