package import NetTypes

/// The resolv.conf file of a pod, or of the node (rule 6.12).
package struct ResolvConf: Hashable, Sendable, CustomStringConvertible {
    package var nameservers: [String]
    package var searches: [String]
    package var options: [PodDNS.Option]

    static let nameserverLimit = 3
    static let searchLimit = 32
    static let domainLengthLimit = 253
    static let searchLengthLimit = 2048

    package init(nameservers: [String] = [], searches: [String] = [], options: [PodDNS.Option] = []) {
        self.nameservers = nameservers
        self.searches = searches
        self.options = options
    }

    /// Reads a node's file: name servers add up, the last `search` and the last `options` line win.
    package init(parsing text: String) {
        self.init()
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") && !line.hasPrefix(";") {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            switch words.first {
            case "nameserver": nameservers += words.dropFirst().prefix(1)
            case "search":
                searches = words.dropFirst().map { $0.hasSuffix(".") && $0 != "." ? String($0.dropLast()) : $0 }
            case "options":
                options = words.dropFirst().map { word in
                    let parts = word.split(separator: ":", maxSplits: 1).map(String.init)
                    return PodDNS.Option(name: parts[0], value: parts.count > 1 ? parts[1] : nil)
                }
            default: continue
            }
        }
    }

    /// The lines `search`, `nameserver` and `options`, in this order; a list that is empty has no line.
    package var description: String {
        var lines: [String] = []
        if !searches.isEmpty { lines.append("search " + searches.joined(separator: " ")) }
        lines += nameservers.map { "nameserver " + $0 }
        if !options.isEmpty { lines.append("options " + options.map(\.description).joined(separator: " ")) }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The file of a pod, and the warnings that Kubernetes would give as events.
    package struct PodResult: Hashable, Sendable {
        package var file: ResolvConf
        /// Reason and message of each event.
        package var warnings: [Warning]

        /// What was left out of a file because it exceeds a limit.
        package struct Warning: Hashable, Sendable {
            package var reason: String
            package var message: String
        }
    }

    /// Makes the file of a pod in `namespace`.
    ///
    /// `clusterDNS` is the address of the DNS Service, if there is one; `domain` the cluster domain without a final dot;
    /// `node` the node's own file.
    package static func forPod(
        _ pod: PodDNS, namespace: String, clusterDNS: [IPAddress], domain: String, node: ResolvConf
    ) -> PodResult {
        var warnings: [PodResult.Warning] = []
        var file: ResolvConf
        switch pod.policy {
        case .none: file = ResolvConf()
        case .default: file = node
        case .clusterFirst where pod.isHostNetwork: file = node
        case .clusterFirst, .clusterFirstWithHostNet:
            if clusterDNS.isEmpty {
                file = node
                let message =
                    "The cluster has no DNS Service, so \(pod.policy.rawValue) is not possible; "
                    + "the pod gets the node's resolv.conf."
                warnings.append(PodResult.Warning(reason: "MissingClusterDNS", message: message))
            } else {
                let own = ["\(namespace).svc.\(domain)", "svc.\(domain)", domain]
                file = ResolvConf(
                    nameservers: clusterDNS.map(\.description), searches: own + node.searches,
                    options: [PodDNS.Option(name: "ndots", value: "5")])
            }
        }
        file.append(pod)
        warnings += file.applyLimits()
        return PodResult(file: file, warnings: warnings)
    }

    /// Adds what `dnsConfig` says: duplicates keep their first place, options of the same name are replaced.
    private mutating func append(_ pod: PodDNS) {
        nameservers = Self.unique(nameservers + pod.nameservers)
        searches = Self.unique(
            searches + pod.searches.map { $0.hasSuffix(".") && $0 != "." ? String($0.dropLast()) : $0 })
        for option in pod.options {
            if let index = options.firstIndex(where: { $0.name == option.name }) {
                options[index] = option
            } else {
                options.append(option)
            }
        }
    }

    private mutating func applyLimits() -> [PodResult.Warning] {
        var warnings: [PodResult.Warning] = []
        if nameservers.count > Self.nameserverLimit {
            nameservers = Array(nameservers.prefix(Self.nameserverLimit))
            let line = nameservers.joined(separator: " ")
            let message =
                "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: \(line)"
            warnings.append(PodResult.Warning(reason: "DNSConfigForming", message: message))
        }
        let before = searches.count
        searches = Array(searches.filter { $0.utf8.count <= Self.domainLengthLimit }.prefix(Self.searchLimit))
        while searches.reduce(-1, { $0 + 1 + $1.utf8.count }) > Self.searchLengthLimit { searches.removeLast() }
        if searches.count < before {
            let line = searches.joined(separator: " ")
            let message =
                "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: \(line)"
            warnings.append(PodResult.Warning(reason: "DNSConfigForming", message: message))
        }
        return warnings
    }

    private static func unique(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }
}
