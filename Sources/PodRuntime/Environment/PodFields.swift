import ClusterModel
import NetTypes

/// Fields of a pod as texts, for variables and files (semantics 5.5).
enum PodFields {
    /// The text of a field, a limit or a request.
    ///
    /// - Throws: when there is no such field, with those that there are.
    static func text(
        _ source: ContainerSpec.Variable.Source, of pod: Pod, container: ContainerSpec?, facts: PodFacts,
        inFile: Bool = false
    ) throws(ContainerEnvironmentError) -> String {
        switch source {
        case .field(let path):
            if inFile, let lines = lines(path, of: pod) { return lines }
            if let value = field(path, of: pod, facts: facts) { return value }
            throw ContainerEnvironmentError(
                description: "fieldPath \"\(path)\" is not supported; supported are "
                    + "metadata.name, metadata.namespace, metadata.uid, metadata.labels['KEY'], "
                    + "metadata.annotations['KEY'], spec.nodeName, spec.serviceAccountName, status.podIP, "
                    + "status.podIPs, status.hostIP, status.hostIPs")
        case .resource(let resource, let name, let divisor):
            let all = pod.containers + pod.initContainers
            guard let owner = name.map({ name in all.first { $0.name == name } }) ?? container else {
                throw ContainerEnvironmentError(description: "container \(name ?? "") not found")
            }
            guard let amount = amount(resource, of: owner, facts) else {
                throw ContainerEnvironmentError(
                    description: "resource \"\(resource)\" is not supported; supported are limits.cpu, limits.memory, "
                        + "limits.ephemeral-storage, requests.cpu, requests.memory, requests.ephemeral-storage")
            }
            return "\(amount.divided(by: divisor))"
        case .value(let text): return text
        case .key, .unsupported:
            throw ContainerEnvironmentError(description: "needs fieldRef or resourceFieldRef")
        }
    }

    /// A container without a limit may have all that the node has.
    private static func amount(_ resource: String, of container: ContainerSpec, _ facts: PodFacts) -> Quantity? {
        let parts = resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, ["cpu", "memory", "ephemeral-storage"].contains(parts[1]) else { return nil }
        return switch parts[0] {
        case "limits": container.limits[parts[1]] ?? facts.resources[parts[1]] ?? Quantity(milli: 0)
        case "requests": container.requests[parts[1]] ?? Quantity(milli: 0)
        default: nil
        }
    }

    private static func field(_ path: String, of pod: Pod, facts: PodFacts) -> String? {
        switch path {
        case "metadata.name": pod.name
        case "metadata.namespace": pod.namespace
        case "metadata.uid": pod.uid
        case "spec.nodeName": facts.nodeName
        case "spec.serviceAccountName": pod.object.json["spec"]?["serviceAccountName"]?.stringValue ?? "default"
        case "status.podIP", "status.podIPs": facts.podIP.description
        case "status.hostIP", "status.hostIPs": facts.hostIP.description
        default:
            keyed(path, "metadata.labels").map { pod.labels[$0] ?? "" }
                ?? keyed(path, "metadata.annotations").map { pod.object.annotations[$0] ?? "" }
        }
    }

    /// All labels or annotations, a line `key="value"` each.
    private static func lines(_ path: String, of pod: Pod) -> String? {
        let map: [String: String]
        switch path {
        case "metadata.labels": map = pod.labels
        case "metadata.annotations": map = pod.object.annotations
        default: return nil
        }
        return map.sorted { $0.key < $1.key }.map { "\($0.key)=\(quoted($0.value))" }.joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }

    /// `KEY` of a path such as `metadata.labels['KEY']`.
    private static func keyed(_ path: String, _ stem: String) -> String? {
        guard path.hasPrefix(stem + "['"), path.hasSuffix("']") else { return nil }
        return String(path.dropFirst(stem.count + 2).dropLast(2))
    }
}
