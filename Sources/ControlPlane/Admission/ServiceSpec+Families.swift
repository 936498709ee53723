import ClusterModel
import NetTypes

/// IP families and their policy (semantics 9).
extension ServiceSpec {
    /// Settles policy and families as far as the cluster allows, before validation.
    ///
    /// - Parameter cluster: the families of the cluster, the default one first.
    /// - Returns: what cannot be.
    mutating func settleFamilies(cluster: [IPFamily], old: ServiceSpec?) -> [FieldError] {
        guard !isExternalName else {
            var errors: [FieldError] = []
            let reason = "may not be set for ExternalName services"
            if !clusterIPs.isEmpty { errors.append(.forbidden("spec.clusterIPs", reason)) }
            if familyPolicy != nil { errors.append(.forbidden("spec.ipFamilyPolicy", reason)) }
            if !families.isEmpty { errors.append(.forbidden("spec.ipFamilies", reason)) }
            return errors
        }
        var errors = listErrors()
        if let old, familyPolicy == "SingleStack", old.clusterIPs.count == 2 || old.families.count == 2 {
            releaseSecondary(old)
        }
        let given = families.compactMap(IPFamily.init)
        let addresses = isHeadless ? [] : clusterIPs.compactMap { IPAddress($0) }
        let isOpenHeadless = isHeadless && !hasSelector
        errors += policyErrors(given: given, addresses: addresses, cluster: cluster, isOpenHeadless: isOpenHeadless)
        guard errors.isEmpty else { return errors }

        if familyPolicy == nil { familyPolicy = isOpenHeadless ? "RequireDualStack" : "SingleStack" }
        var settled = given
        for (index, address) in addresses.enumerated() where index >= settled.count { settled.append(address.family) }
        if settled.isEmpty, let first = cluster.first { settled = [first] }
        let other: IPFamily = settled.first == .v4 ? .v6 : .v4
        let wantsBoth = familyPolicy == "RequireDualStack" || familyPolicy == "PreferDualStack"
        if settled.count == 1, wantsBoth,
            cluster.contains(other) || (isOpenHeadless && familyPolicy != "PreferDualStack")
        {
            settled.append(other)
        }
        families = settled.map(\.rawValue)
        return []
    }

    /// A change to SingleStack that leaves the lists as they were gives the second address back (9.4).
    private mutating func releaseSecondary(_ old: ServiceSpec) {
        if clusterIPs == old.clusterIPs { clusterIPs = Array(clusterIPs.prefix(1)) }
        if families == old.families { families = Array(families.prefix(1)) }
    }

    private func listErrors() -> [FieldError] {
        var errors: [FieldError] = []
        if let policy = familyPolicy, !["SingleStack", "PreferDualStack", "RequireDualStack"].contains(policy) {
            errors.append(
                .unsupported(
                    "spec.ipFamilyPolicy", policy, supported: ["SingleStack", "PreferDualStack", "RequireDualStack"]))
        }
        for (index, family) in families.enumerated() {
            if IPFamily(rawValue: family) == nil {
                errors.append(.unsupported("spec.ipFamilies[\(index)]", family, supported: ["IPv4", "IPv6"]))
            } else if families.firstIndex(of: family) != index {
                errors.append(.duplicate("spec.ipFamilies[\(index)]", printed: FieldError.quoted(family)))
            }
        }
        if clusterIPs.count > 2 {
            errors.append(.invalid("spec.clusterIPs", clusterIPs, "may only hold up to 2 values"))
        }
        if clusterIPs.count > 1, clusterIPs.contains("None") {
            errors.append(.invalid("spec.clusterIPs", clusterIPs, "'None' must be the first and only value"))
        }
        let addresses = clusterIPs.compactMap { IPAddress($0) }
        if addresses.count == 2, addresses[0].family == addresses[1].family {
            errors.append(
                .invalid("spec.clusterIPs", clusterIPs, "may specify no more than one IP for each IP family"))
        }
        for (index, text) in clusterIPs.enumerated() where text != "None" {
            guard let address = IPAddress(text) else {
                errors.append(
                    .invalid(
                        "spec.clusterIPs[\(index)]", text,
                        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
                continue
            }
            if index < families.count, let family = IPFamily(rawValue: families[index]), family != address.family {
                errors.append(
                    .invalid(
                        "spec.clusterIPs[\(index)]", text,
                        "expected an \(family.rawValue) value as indicated by `ipFamilies[\(index)]`"))
            }
        }
        return errors
    }

    private func policyErrors(
        given: [IPFamily], addresses: [IPAddress], cluster: [IPFamily], isOpenHeadless: Bool
    ) -> [FieldError] {
        var errors: [FieldError] = []
        let isSingle = familyPolicy == nil && !isOpenHeadless || familyPolicy == "SingleStack"
        let path = "spec.ipFamilyPolicy"
        if isSingle, given.count > 1 || addresses.count > 1 {
            let what = given.count > 1 ? "multiple IP families are specified" : "multiple cluster IPs are specified"
            errors.append(
                .invalid(path, "SingleStack", "must be 'RequireDualStack' or 'PreferDualStack' when \(what)"))
        }
        if familyPolicy == "RequireDualStack", cluster.count < 2, !isOpenHeadless {
            errors.append(
                .invalid(path, "RequireDualStack", "this cluster is not configured for dual-stack services"))
        }
        if !isOpenHeadless {
            for (index, family) in given.enumerated() where !cluster.contains(family) {
                errors.append(
                    .invalid("spec.ipFamilies[\(index)]", family.rawValue, "not configured on this cluster"))
            }
        }
        for (index, address) in addresses.enumerated() where !cluster.contains(address.family) {
            errors.append(
                .invalid(
                    "spec.clusterIPs[\(index)]", clusterIPs,
                    "\(address.family.rawValue) is not configured on this cluster"))
        }
        return errors
    }
}
