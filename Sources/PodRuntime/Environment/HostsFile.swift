package import ClusterModel
package import NetTypes

/// The names that a pod's own files give it (semantics 6.14).
package enum HostsFile {
    /// Octets that the kernel takes for a host name.
    static let hostnameLimit = 64

    /// The pod's /etc/hosts: its address with its names, and its host aliases.
    ///
    /// - Parameter node: the node's file, which a pod in the node's network has instead of one of its own.
    package static func text(for pod: Pod, at address: IPAddress, clusterDomain: String, node: String) -> String {
        var text = node
        if !pod.isHostNetwork {
            var names = pod.effectiveHostname
            if let full = fullName(of: pod, clusterDomain: clusterDomain) { names = "\(full)\t\(names)" }
            text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\(address)\t\(names)\n"
        }
        let aliases = (pod.object.json["spec"]?["hostAliases"]?.arrayValue ?? []).compactMap(line)
        guard !aliases.isEmpty else { return text }
        if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        return text + "\n# Entries added by HostAliases.\n" + aliases.joined()
    }

    /// What the pod's programs see as the kernel's host name; nil leaves the node's.
    ///
    /// - Throws: when it is too long, as setHostnameAsFQDN can make it.
    static func kernelHostname(of pod: Pod, clusterDomain: String) throws(ContainerCommandError) -> String? {
        guard !pod.isHostNetwork else { return nil }
        guard pod.object.json["spec"]?["setHostnameAsFQDN"]?.boolValue == true,
            let full = fullName(of: pod, clusterDomain: clusterDomain)
        else { return pod.effectiveHostname }
        guard full.utf8.count <= hostnameLimit else {
            throw ContainerCommandError(
                reason: "FailedCreatePodSandBox",
                description: "setHostnameAsFQDN: \(full) is longer than the \(hostnameLimit) characters of a host name")
        }
        return full
    }

    /// `host.subdomain.N.svc.Z`; nil without a subdomain.
    private static func fullName(of pod: Pod, clusterDomain: String) -> String? {
        pod.subdomain.map { "\(pod.effectiveHostname).\($0).\(pod.namespace).svc.\(clusterDomain)" }
    }

    private static func line(_ alias: JSONValue) -> String? {
        let names = (alias["hostnames"]?.arrayValue ?? []).compactMap(\.stringValue)
        guard let address = alias["ip"]?.stringValue, !names.isEmpty else { return nil }
        return ([address] + names).joined(separator: "\t") + "\n"
    }
}
