import ClusterModel
import Testing

@testable import ControlPlane

/// Zone hints by annotation (semantics 3.10b).
struct TopologyHintsTests {
    private func node(_ name: String, zone: String?, cpu: String?, labels: [String: String] = [:]) -> Node {
        var node = KubeObject(.nodes, name: name)
        node.labels = labels
        if let zone { node.labels["topology.kubernetes.io/zone"] = zone }
        node.json["status"] = ["conditions": [["type": "Ready", "status": "True"]]]
        if let cpu { node.json["status"]?["allocatable"] = ["cpu": .string(cpu)] }
        return Node(node)
    }

    private func hints(_ zones: [String?], _ shares: [String: Double]) throws -> [String: Int] {
        Dictionary(
            try TopologyHints.zonesToServe(endpointZones: zones, shares: shares).map { ($0, 1) }, uniquingKeysWith: +)
    }

    @Test("[V] two zones of equal CPU, four endpoints in one of them: two for each")
    func moved() throws {
        #expect(try hints(["a", "a", "a", "a"], ["a": 0.5, "b": 0.5]) == ["a": 2, "b": 2])
    }

    @Test("Endpoints stay in their zone where its share allows it")
    func kept() throws {
        let zones = ["a", "b", "a", "b", "c", "c"]
        let shares = ["a": 1.0 / 3, "b": 1.0 / 3, "c": 1.0 / 3]
        #expect(try TopologyHints.zonesToServe(endpointZones: zones, shares: shares) == zones)
    }

    @Test("Shares follow the CPUs of ready nodes; the control plane does not count")
    func shares() throws {
        let nodes = [
            node("1", zone: "a", cpu: "3"), node("2", zone: "b", cpu: "1000m"),
            node("3", zone: nil, cpu: nil, labels: ["node-role.kubernetes.io/control-plane": ""]),
        ]
        #expect(try TopologyHints.shares(of: nodes) == ["a": 0.75, "b": 0.25])
    }

    @Test("Failures name their reason in the words of a cluster")
    func failures() {
        func text(_ body: () throws -> Void) -> String? {
            do { try body() } catch { return "\(error)" }
            return nil
        }
        #expect(
            text { _ = try TopologyHints.shares(of: [node("1", zone: "a", cpu: nil)]) }
                == "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes")
        #expect(
            text { _ = try TopologyHints.shares(of: [node("1", zone: "a", cpu: "1")]) }
                == "Nodes only ready in one zone")
        let half = ["a": 0.5, "b": 0.5]
        #expect(text { _ = try hints(["a"], half) } == "Insufficient number of endpoints (1 endpoints, 2 zones)")
        #expect(
            text { _ = try hints(["a", "a", "b"], half) }
                == "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold "
                + "(3 endpoints, 2 zones)")
        #expect(text { _ = try hints(["a", nil], half) } == "One or more endpoints do not have a zone specified")
    }
}
