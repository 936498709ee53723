import ClusterModel
import NetTypes

/// IP families and their policy (semantics 9).
extension ServiceSpec {
    private static let policyPath = "spec.ipFamilyPolicy"

    /// Settles policy and families as far as the cluster allows, before the rest is validated.
    ///
    /// - Parameter cluster: the families of the cluster, the default one first.
    /// - Returns: what cannot be; then nothing is settled.
    mutating func settleFamilies(cluster: [IPFamily], old: ServiceSpec?) -> [FieldError] {
        guard !isExternalName else { return errorsOfExternalName() }
        // What prefers two families does not change by itself when the cluster gets or loses one (9.5).
        if let old, prefersTheSame(as: old) { return [] }
        let isOpenHeadless = isHeadless && !hasSelector
        let policy = familyPolicy ?? old?.familyPolicy ?? (isOpenHeadless ? "RequireDualStack" : "SingleStack")
        familyPolicy = policy
        let listErrors = clusterIPErrors() + listErrors()
        guard listErrors.isEmpty else { return listErrors }

        var errors: [FieldError] = []
        if policy == "SingleStack" {
            if let old { releaseSecondary(old) }
            errors += singleStackErrors()
        } else if let old {
            errors += releaseErrors(old)
        }
        var settled = families.compactMap(IPFamily.init)
        for (index, text) in clusterIPs.enumerated() where index >= settled.count {
            guard let family = IPAddress(text)?.family else { continue }
            if cluster.contains(family) {
                settled.append(family)
            } else {
                errors.append(
                    .invalid(
                        "spec.clusterIPs[\(index)]", clusterIPs,
                        "\(family.rawValue) is not configured on this cluster"))
            }
        }
        guard errors.isEmpty else { return errors }

        if !isOpenHeadless {
            if policy == "RequireDualStack", cluster.count < 2 {
                errors.append(
                    .invalid(Self.policyPath, policy, "this cluster is not configured for dual-stack services"))
            }
            for (index, family) in settled.enumerated() where !cluster.contains(family) {
                errors.append(
                    .invalid("spec.ipFamilies[\(index)]", family.rawValue, "not configured on this cluster"))
            }
            guard errors.isEmpty else { return errors }
        }
        if settled.isEmpty, let first = cluster.first { settled = [first] }
        if settled.count == 1, policy != "SingleStack", isOpenHeadless || cluster.count == 2 {
            settled.append(settled[0] == .v4 ? .v6 : .v4)
        }
        families = settled.map(\.rawValue)
        return []
    }

    private func errorsOfExternalName() -> [FieldError] {
        var errors: [FieldError] = []
        let reason = "may not be set for ExternalName services"
        if !clusterIPs.isEmpty { errors.append(.forbidden("spec.clusterIPs", reason)) }
        if !families.isEmpty { errors.append(.forbidden("spec.ipFamilies", reason)) }
        if familyPolicy != nil { errors.append(.forbidden(Self.policyPath, reason)) }
        return errors
    }

    private func prefersTheSame(as old: ServiceSpec) -> Bool {
        familyPolicy == "PreferDualStack" && old.familyPolicy == familyPolicy && clusterIPs == old.clusterIPs
            && families == old.families && clusterIP == old.clusterIP
    }

    /// A change to SingleStack that leaves the lists as they were gives the second address back (9.4).
    private mutating func releaseSecondary(_ old: ServiceSpec) {
        if clusterIPs == old.clusterIPs { clusterIPs = Array(clusterIPs.prefix(1)) }
        if families == old.families { families = Array(families.prefix(1)) }
    }

    /// Without SingleStack the second family and address stay (9.4).
    private func releaseErrors(_ old: ServiceSpec) -> [FieldError] {
        func refused(_ what: String) -> FieldError {
            .invalid(
                Self.policyPath, familyPolicy ?? "", "must be 'SingleStack' to release the secondary \(what)")
        }
        var errors: [FieldError] = []
        if old.clusterIPs.count == 2, clusterIPs.count == 1 { errors.append(refused("cluster IP")) }
        if old.families.count == 2, families.count == 1 { errors.append(refused("IP family")) }
        return errors
    }

    private func singleStackErrors() -> [FieldError] {
        func refused(_ what: String) -> FieldError {
            .invalid(
                Self.policyPath, "SingleStack",
                "must be 'RequireDualStack' or 'PreferDualStack' when multiple \(what) are specified")
        }
        return (clusterIPs.count == 2 ? [refused("cluster IPs")] : [])
            + (families.count == 2 ? [refused("IP families")] : [])
    }

    /// What is wrong with the lists by themselves (9.3).
    private func listErrors() -> [FieldError] {
        var errors: [FieldError] = []
        for (index, family) in families.enumerated() {
            let path = "spec.ipFamilies[\(index)]"
            if IPFamily(rawValue: family) == nil {
                errors.append(.unsupported(path, family, supported: IPFamily.allCases.map(\.rawValue)))
            }
            if families.firstIndex(of: family) != index {
                errors.append(.duplicate(path, printed: FieldError.quoted(family)))
            }
        }
        let policies = ["SingleStack", "PreferDualStack", "RequireDualStack"]
        if let policy = familyPolicy, !policies.contains(policy) {
            errors.append(.unsupported(Self.policyPath, policy, supported: policies))
        }
        var areAddresses = true
        for (index, text) in clusterIPs.enumerated() {
            if index == 0, text == "None" {
                if clusterIPs.count == 1 { continue }
                errors.append(.invalid("spec.clusterIPs", clusterIPs, "'None' must be the first and only value"))
                areAddresses = false
            } else if IPAddress(text) == nil {
                errors.append(
                    .invalid(
                        "spec.clusterIPs[\(index)]", text,
                        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
                areAddresses = false
            }
        }
        if clusterIPs.count > 2 {
            errors.append(.invalid("spec.clusterIPs", clusterIPs, "may only hold up to 2 values"))
        }
        return areAddresses ? errors + addressFamilyErrors() : errors
    }

    private func addressFamilyErrors() -> [FieldError] {
        var errors: [FieldError] = []
        let addresses = clusterIPs.compactMap { IPAddress($0) }
        if addresses.count > 1, addresses.count != Set(addresses.map(\.family)).count {
            errors.append(
                .invalid("spec.clusterIPs", clusterIPs, "may specify no more than one IP for each IP family"))
        }
        for (index, address) in addresses.enumerated() where index < families.count {
            guard let family = IPFamily(rawValue: families[index]), family != address.family else { continue }
            errors.append(
                .invalid(
                    "spec.clusterIPs[\(index)]", clusterIPs[index],
                    "expected an \(family.rawValue) value as indicated by `ipFamilies[\(index)]`"))
        }
        return errors
    }
}
