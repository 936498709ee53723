import ClusterModel
import NetTypes

/// Which addresses may stand in externalIPs and Endpoints (semantics 2.1).
enum AddressRules {
    /// - Parameter podRanges: where pods live, which endpoints may point at. Where that is loopback, so is all that runs beside
    ///   the pods on this machine, and endpoints may point at it, too: nothing else of it has an address for certain.
    static func errors(of text: String, at path: String, podRanges: [CIDR] = []) -> [FieldError] {
        guard let address = IPAddress(text) else {
            return [.invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
        }
        if podRanges.contains(where: { $0.contains(address) }) { return [] }
        if address.isUnspecified { return [.invalid(path, text, "may not be unspecified (0.0.0.0)")] }
        if address.isLoopback, !podRanges.contains(where: \.network.isLoopback) {
            return [.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")]
        }
        if isIn(["169.254.0.0/16", "fe80::/10"], address) {
            return [.invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")]
        }
        if isIn(["224.0.0.0/24", "ff02::/10"], address) {
            return [.invalid(path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")]
        }
        return []
    }

    private static func isIn(_ ranges: [String], _ address: IPAddress) -> Bool {
        ranges.contains { CIDR($0)?.contains(address) ?? false }
    }
}
