import ClusterModel

/// The rules for a Lease, in the API server's words.
enum LeaseRules {
    static func errors(of object: KubeObject) -> [FieldError] {
        let spec = object.json["spec"]
        var errors: [FieldError] = []
        if spec?["holderIdentity"]?.stringValue?.isEmpty == true {
            errors.append(.invalid("spec.holderIdentity", "", "must not be empty"))
        }
        if let seconds = spec?["leaseDurationSeconds"]?.intValue, seconds <= 0 {
            errors.append(.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
        }
        if let count = spec?["leaseTransitions"]?.intValue, count < 0 {
            errors.append(.invalid("spec.leaseTransitions", count, "must be greater than or equal to 0"))
        }
        return errors
    }
}
