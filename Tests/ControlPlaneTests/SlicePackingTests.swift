import ClusterModel
import NetTypes
import Testing

@testable import ControlPlane

@Suite("3.6 packing of EndpointSlices")
struct SlicePackingTests {
    private static let group = SliceGroup(
        family: .v4, ports: [SlicePort(name: "http", proto: .tcp, port: 80, appProtocol: nil)])

    private static func endpoint(_ number: Int) -> SliceEndpoint {
        let address = "10.244.\(number / 250).\(number % 250 + 1)"
        return SliceEndpoint(
            identity: "\(address) uid-\(number)",
            json: ["addresses": [.string(address)], "targetRef": ["uid": .string("uid-\(number)")]])
    }

    /// Carries a plan out on a list of slices.
    private static func carryOut(_ plan: SlicePacking.Plan, on slices: [KubeObject]) -> [KubeObject] {
        var result = slices.filter { slice in !plan.deletions.contains { $0.name == slice.name } }
        var next = slices.count
        for draft in plan.writes {
            var object = draft.existing ?? KubeObject(.endpointslices, namespace: "kiada", name: "quote-\(next)")
            next += 1
            object.json["addressType"] = .string(draft.group.family.rawValue)
            object.json["ports"] = .array(draft.group.ports.map(\.json))
            object.json["endpoints"] = .array(draft.endpoints)
            result.removeAll { $0.name == object.name }
            result.append(object)
        }
        return result.sorted { $0.name < $1.name }
    }

    private static func counts(_ slices: [KubeObject]) -> [Int] {
        slices.map { $0.json["endpoints"]?.arrayValue?.count ?? 0 }
    }

    private static func plan(_ numbers: [Int], _ slices: [KubeObject]) -> SlicePacking.Plan {
        SlicePacking.plan(
            [group: numbers.map(endpoint)], existing: slices, families: [.v4])
    }

    @Test("[V] 250 pods in three slices; ten replaced pods go back to the slice they left")
    func packing() {
        let all = Array(0..<250)
        let slices = Self.carryOut(Self.plan(all, []), on: [])
        #expect(Self.counts(slices) == [100, 100, 50])
        let replaced = Array(10..<250) + Array(300..<310)
        let plan = Self.plan(replaced, slices)
        #expect(plan.writes.count == 1 && plan.deletions.isEmpty)
        #expect(plan.writes.first?.existing?.name == slices[0].name)
        #expect(plan.writes.first?.endpoints.count == 100)
        let unchanged = Self.plan(replaced, Self.carryOut(plan, on: slices))
        #expect(unchanged == SlicePacking.Plan())
    }

    @Test("no pod: one placeholder slice without ports, which the first pod's slice replaces")
    func placeholder() {
        let empty = SlicePacking.plan([:], existing: [], families: [.v4])
        #expect(empty.writes.map(\.group.ports) == [[]])
        let slices = Self.carryOut(empty, on: [])
        #expect(SlicePacking.plan([:], existing: slices, families: [.v4]) == SlicePacking.Plan())
        let plan = Self.plan([1], slices)
        #expect(plan.deletions.isEmpty && plan.writes.count == 1)
        #expect(plan.writes.first?.existing?.name == slices.first?.name)
        let back = SlicePacking.plan([:], existing: Self.carryOut(plan, on: slices), families: [.v4])
        #expect(back.writes.map(\.endpoints.count) == [0])
    }

    @Test("one slice per family")
    func families() {
        let plan = SlicePacking.plan([:], existing: [], families: [.v4, .v6])
        #expect(Set(plan.writes.map(\.group.family)) == [.v4, .v6])
    }

    @Test("a few new endpoints go into the untouched slice that they fill best")
    func bestFit() {
        let slices = Self.carryOut(Self.plan(Array(0..<250), []), on: [])
        let plan = Self.plan(Array(0..<260), slices)
        #expect(plan.writes.map(\.existing?.name) == [slices[2].name])
    }
}
