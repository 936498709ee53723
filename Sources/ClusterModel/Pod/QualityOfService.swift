/// How much a pod may count on processor and memory: `status.qosClass`.
package enum QualityOfService: String, Sendable {
    /// Each container has limits of both, and asks for no less.
    case guaranteed = "Guaranteed"
    /// Some container asks for something, or is limited.
    case burstable = "Burstable"
    case bestEffort = "BestEffort"

    /// What a pod's limits and requests make of it.
    package init(_ pod: KubeObject) {
        let spec = pod.json["spec"]
        var hasAny = false
        var isGuaranteed = true
        for list in ["initContainers", "containers"] {
            for container in spec?[list]?.arrayValue ?? [] {
                let resources = container["resources"]
                for name in ["cpu", "memory"] {
                    let limit = Quantity(resources?["limits"]?[name])
                    let request = Quantity(resources?["requests"]?[name]) ?? limit
                    let zero = Quantity(milli: 0)
                    if (limit ?? zero) > zero || (request ?? zero) > zero { hasAny = true }
                    if limit == nil || limit == zero || request != limit { isGuaranteed = false }
                }
            }
        }
        self = !hasAny ? .bestEffort : isGuaranteed ? .guaranteed : .burstable
    }
}
