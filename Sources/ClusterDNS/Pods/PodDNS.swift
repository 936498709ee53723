package import ClusterModel
import NetTypes

/// How a pod wants to find names: `spec.dnsPolicy` and `spec.dnsConfig`.
package struct PodDNS: Hashable, Sendable {
    /// How `dnsPolicy` spells where a pod's names are looked up.
    package enum Policy: String, Hashable, Sendable, CaseIterable {
        case clusterFirst = "ClusterFirst"
        case clusterFirstWithHostNet = "ClusterFirstWithHostNet"
        case `default` = "Default"
        case none = "None"
    }

    /// One option of resolv.conf.
    package struct Option: Hashable, Sendable, CustomStringConvertible {
        package var name: String
        package var value: String?

        package init(name: String, value: String? = nil) {
            self.name = name
            self.value = value
        }

        /// `name:value`, or `name`.
        package var description: String { value.map { "\(name):\($0)" } ?? name }
    }

    package var policy: Policy
    package var isHostNetwork: Bool
    package var nameservers: [String]
    package var searches: [String]
    package var options: [Option]

    package init(
        policy: Policy = .clusterFirst, isHostNetwork: Bool = false, nameservers: [String] = [],
        searches: [String] = [], options: [Option] = []
    ) {
        self.policy = policy
        self.isHostNetwork = isHostNetwork
        self.nameservers = nameservers
        self.searches = searches
        self.options = options
    }

    /// Reads the `spec` of a Pod; an unknown policy counts as ClusterFirst.
    package init(podSpec spec: JSONValue) {
        let config = spec["dnsConfig"]
        func strings(_ key: String) -> [String] { (config?[key]?.arrayValue ?? []).compactMap(\.stringValue) }
        self.init(
            policy: spec["dnsPolicy"]?.stringValue.flatMap(Policy.init) ?? .clusterFirst,
            isHostNetwork: spec["hostNetwork"]?.boolValue ?? false, nameservers: strings("nameservers"),
            searches: strings("searches"),
            options: (config?["options"]?.arrayValue ?? []).compactMap { json in
                json["name"]?.stringValue.map { Option(name: $0, value: json["value"]?.stringValue) }
            })
    }
}
