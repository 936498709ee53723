import ClusterModel
import NetTypes

/// Spreads a Service's endpoints over slices with as few changed slices as possible (semantics 3.6).
enum SlicePacking {
    /// A slice that is to be, or is to be changed.
    struct Draft: Equatable {
        /// The slice that is changed; nil for a new one.
        let existing: KubeObject?
        let group: SliceGroup
        let endpoints: [JSONValue]
    }

    struct Plan: Equatable {
        var writes: [Draft] = []
        var deletions: [KubeObject] = []
    }

    static let mostEndpoints = 100

    private struct Slice {
        let object: KubeObject
        var endpoints: [JSONValue]
        var isTouched = false
    }

    /// How to get from the slices that there are to the endpoints that are wanted.
    ///
    /// - Parameters:
    ///   - families: of the Service; each keeps at least an empty slice.
    ///   - mostEndpoints: per slice.
    static func plan(
        _ wanted: [SliceGroup: [SliceEndpoint]], existing: [KubeObject], families: [IPFamily],
        mostEndpoints: Int = Self.mostEndpoints
    ) -> Plan {
        var plan = Plan()
        var byGroup: [SliceGroup: [KubeObject]] = [:]
        var free: [KubeObject] = []
        for object in existing.sorted(by: { $0.name < $1.name }) {
            if let group = group(of: object), families.contains(group.family) {
                byGroup[group, default: []].append(object)
            } else {
                free.append(object)
            }
        }
        var wanted = wanted
        for family in families where !wanted.contains(where: { $0.key.family == family && !$0.value.isEmpty }) {
            wanted[SliceGroup(family: family, ports: [])] = []
        }
        var created: [Draft] = []
        for (group, objects) in byGroup where wanted[group] == nil { free += objects }
        for (group, endpoints) in wanted.sorted(by: { Self.isFirst($0.key, $1.key) }) {
            pack(endpoints, group, byGroup[group] ?? [], mostEndpoints, &plan, &created, &free)
        }
        // A slice that would be deleted becomes one that would be created, if the address type allows it.
        for draft in created {
            guard let index = free.firstIndex(where: { self.group(of: $0)?.family == draft.group.family }) else {
                plan.writes.append(draft)
                continue
            }
            plan.writes.append(
                Draft(existing: free.remove(at: index), group: draft.group, endpoints: draft.endpoints))
        }
        plan.deletions = free
        return plan
    }

    private static func pack(
        _ endpoints: [SliceEndpoint], _ group: SliceGroup, _ existing: [KubeObject], _ most: Int, _ plan: inout Plan,
        _ created: inout [Draft], _ free: inout [KubeObject]
    ) {
        var open = Dictionary(endpoints.map { ($0.identity, $0.json) }) { first, _ in first }
        var order = endpoints.map(\.identity)
        var slices = existing.map { object -> Slice in
            var slice = Slice(object: object, endpoints: [])
            for endpoint in object.json["endpoints"]?.arrayValue ?? [] {
                guard let new = open.removeValue(forKey: identity(of: endpoint)) else {
                    slice.isTouched = true
                    continue
                }
                // What is the same stays the same memory.
                slice.endpoints.append(new == endpoint ? endpoint : new)
                if new != endpoint { slice.isTouched = true }
            }
            return slice
        }
        order = order.filter { open[$0] != nil }
        var rest = order.compactMap { open.removeValue(forKey: $0) }[...]

        // First into slices that change anyway, the fullest first.
        let touched = slices.indices.filter { slices[$0].isTouched && !slices[$0].endpoints.isEmpty }
            .sorted { slices[$0].endpoints.count > slices[$1].endpoints.count }
        for index in touched + slices.indices.filter({ slices[$0].isTouched && slices[$0].endpoints.isEmpty }) {
            fill(&slices[index], from: &rest, most)
        }
        // Then into the one slice that the rest fills best, if it fits as a whole.
        if !rest.isEmpty, rest.count < most {
            let best = slices.indices.filter {
                !slices[$0].isTouched && slices[$0].endpoints.count + rest.count <= most
            }
            .max { slices[$0].endpoints.count < slices[$1].endpoints.count }
            if let best { fill(&slices[best], from: &rest, most) }
        }
        while !rest.isEmpty {
            created.append(Draft(existing: nil, group: group, endpoints: Array(rest.prefix(most))))
            rest = rest.dropFirst(most)
        }
        var isEmpty = endpoints.isEmpty
        for slice in slices {
            if slice.endpoints.isEmpty, !isEmpty {
                free.append(slice.object)
            } else if slice.isTouched {
                plan.writes.append(Draft(existing: slice.object, group: group, endpoints: slice.endpoints))
            }
            // Of several empty slices one stays.
            if endpoints.isEmpty { isEmpty = false }
        }
        if endpoints.isEmpty, slices.isEmpty { created.append(Draft(existing: nil, group: group, endpoints: [])) }
    }

    private static func fill(_ slice: inout Slice, from rest: inout ArraySlice<JSONValue>, _ most: Int) {
        let room = rest.prefix(most - slice.endpoints.count)
        guard !room.isEmpty else { return }
        slice.endpoints += room
        slice.isTouched = true
        rest = rest.dropFirst(room.count)
    }

    /// The group of a slice in the store; nil for one of names.
    static func group(of object: KubeObject) -> SliceGroup? {
        guard let family = object.json["addressType"]?.stringValue.flatMap(IPFamily.init) else { return nil }
        let ports = (object.json["ports"]?.arrayValue ?? []).compactMap { json -> SlicePort? in
            json["port"]?.intValue.flatMap(UInt16.init(exactly:)).map {
                SlicePort(
                    name: json["name"]?.stringValue ?? "",
                    proto: json["protocol"]?.stringValue.flatMap(TransportProtocol.init) ?? .tcp, port: $0,
                    appProtocol: json["appProtocol"]?.stringValue)
            }
        }
        return SliceGroup(family: family, ports: ports.sorted())
    }

    static func identity(of endpoint: JSONValue) -> String {
        let addresses = (endpoint["addresses"]?.arrayValue ?? []).compactMap(\.stringValue)
        return addresses.joined(separator: ",") + " " + (endpoint["targetRef"]?["uid"]?.stringValue ?? "")
    }

    private static func isFirst(_ left: SliceGroup, _ right: SliceGroup) -> Bool {
        left.family == right.family
            ? left.ports.lexicographicallyPrecedes(right.ports) : left.family.rawValue < right.family.rawValue
    }
}
