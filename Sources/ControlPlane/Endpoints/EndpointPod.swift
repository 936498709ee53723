import ClusterModel
import NetTypes

/// What Services need to know of a pod, read once from its JSON object.
///
/// A small reference: there is one per pod of the cluster, and whatever can be is shared with the stored object.
final class EndpointPod: Sendable {
    let name: String
    let namespace: String
    let uid: String
    private let labels: JSONValue?
    private let spec: JSONValue?
    /// `status.podIPs`, primary first; empty before the pod has an address.
    let addresses: [IPAddress]
    /// Seconds since 1970 at which the condition Ready last changed; nil when it does not say so.
    let readyChange: Int64?
    /// Phase Succeeded or Failed.
    let isOver: Bool
    /// Condition Ready is True.
    let isServing: Bool
    /// Being deleted.
    let isTerminating: Bool

    init(_ object: KubeObject) {
        name = object.name
        namespace = object.namespace
        uid = object.uid ?? ""
        labels = object.json["metadata"]?["labels"]
        spec = object.json["spec"]
        isTerminating = object.deletionTimestamp != nil
        let status = object.json["status"]
        isOver = ["Succeeded", "Failed"].contains(status?["phase"]?.stringValue)
        let listed = (status?["podIPs"]?.arrayValue ?? []).compactMap { $0["ip"]?.stringValue }
        let texts = listed.isEmpty ? [status?["podIP"]?.stringValue].compactMap(\.self) : listed
        addresses = texts.compactMap { IPAddress($0) }
        let ready = status?["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == "Ready" }
        isServing = ready?["status"]?.stringValue == "True"
        readyChange = ready?["lastTransitionTime"]?.stringValue.flatMap(Timestamp.unixSeconds)
    }

    func label(_ key: String) -> String? { labels?[key]?.stringValue }

    /// All labels; made anew with each call.
    var allLabels: [String: String] { labels?.stringMap ?? [:] }

    func matches(_ selector: [String: String]) -> Bool { selector.allSatisfy { label($0.key) == $0.value } }

    var nodeName: String? { text("nodeName") }
    var hostname: String? { text("hostname") }
    var subdomain: String? { text("subdomain") }

    /// The number of the first container port with this name and protocol; sidecars come after the containers (3.4).
    func port(named name: String, _ proto: TransportProtocol) -> UInt16? {
        let sidecars = (spec?["initContainers"]?.arrayValue ?? []).filter { $0["restartPolicy"] == "Always" }
        for container in (spec?["containers"]?.arrayValue ?? []) + sidecars {
            for port in container["ports"]?.arrayValue ?? []
            where port["name"]?.stringValue == name && port["protocol"]?.stringValue ?? "TCP" == proto.rawValue {
                return port["containerPort"]?.intValue.flatMap(UInt16.init(exactly:))
            }
        }
        return nil
    }

    private func text(_ key: String) -> String? {
        guard let text = spec?[key]?.stringValue, !text.isEmpty else { return nil }
        return text
    }
}
