package import ClusterModel

/// What of a pod's spec may change while the pod is there, as the API server's ValidatePodUpdate has it.
///
/// The node may be set once: it is the scheduler's to do, by a binding in a cluster.
enum PodUpdateRules {
    private static let changeable =
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
    /// Changed fields that an error names; further ones are not listed.
    private static let mostDifferences = 10

    /// - Parameters:
    ///   - object: the pod as it is to be, defaults filled in.
    ///   - old: as it is stored.
    static func errors(of object: KubeObject, old: KubeObject) -> [FieldError] {
        guard object.json["spec"] != old.json["spec"] else { return [] }
        // What an earlier version of this program stored may lack a default that is filled in by now.
        var old = old
        PodDefaults.fillIn(&old)
        guard let spec = object.json["spec"], let before = old.json["spec"] else { return [] }
        let moved = ["containers", "initContainers"].filter { list in
            (spec[list]?.arrayValue ?? []).count != (before[list]?.arrayValue ?? []).count
        }
        guard moved.isEmpty else {
            return moved.map { .forbidden("spec.\($0)", "pod updates may not add or remove containers") }
        }
        var errors = deadlineErrors(spec["activeDeadlineSeconds"], before["activeDeadlineSeconds"])
        errors += tolerationErrors(spec["tolerations"]?.arrayValue ?? [], before["tolerations"]?.arrayValue ?? [])
        let lines = differences("spec", Self.fixed(before, nodeOf: before), Self.fixed(spec, nodeOf: before))
        if !lines.isEmpty {
            let listed = lines.prefix(mostDifferences) + (lines.count > mostDifferences ? ["..."] : [])
            errors.append(.forbidden("spec", ([changeable] + listed).joined(separator: "\n")))
        }
        return errors
    }

    private static func deadlineErrors(_ new: JSONValue?, _ old: JSONValue?) -> [FieldError] {
        let path = "spec.activeDeadlineSeconds"
        switch (new?.intValue, old?.intValue) {
        case (let new?, _) where !(0...Int(Int32.max)).contains(new):
            return [.invalid(path, new, "must be between 0 and \(Int32.max), inclusive")]
        case (let new?, let old?) where new > old:
            return [.invalid(path, new, "must be less than or equal to previous value")]
        case (nil, _?):
            return [.invalid(path, json: .null, "must not update from a positive integer to nil value")]
        default: return []
        }
    }

    private static func tolerationErrors(_ new: [JSONValue], _ old: [JSONValue]) -> [FieldError] {
        func lasting(_ toleration: JSONValue) -> JSONValue {
            var toleration = toleration
            toleration["tolerationSeconds"] = nil
            return toleration.essence
        }
        let present = Set(new.map(lasting))
        guard !old.allSatisfy({ present.contains(lasting($0)) }) else { return [] }
        return [.forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")]
    }

    /// The part of a spec that may not change.
    private static func fixed(_ spec: JSONValue, nodeOf old: JSONValue) -> JSONValue {
        var spec = spec
        spec["activeDeadlineSeconds"] = nil
        spec["tolerations"] = nil
        if (old["nodeName"]?.stringValue ?? "").isEmpty {
            spec["nodeName"] = nil
            // What a pod waits for may be taken away, one by one.
            let present = Set(old["schedulingGates"]?.arrayValue ?? [])
            if (spec["schedulingGates"]?.arrayValue ?? []).allSatisfy(present.contains) {
                spec["schedulingGates"] = nil
            }
        }
        for list in ["containers", "initContainers"] {
            guard let containers = spec[list]?.arrayValue else { continue }
            spec[list] = .array(
                containers.map { container in
                    guard container.objectValue != nil else { return container }
                    var container = container
                    container["image"] = nil
                    return container
                })
        }
        return spec.essence
    }

    /// A line with what is gone and one with what is new for each field that is not the same.
    private static func differences(_ path: String, _ old: JSONValue?, _ new: JSONValue?) -> [String] {
        guard old != new else { return [] }
        if let before = old?.objectValue, let after = new?.objectValue {
            let keys = Set(before.keys).union(after.keys).sorted()
            return keys.flatMap { differences("\(path).\($0)", before[$0], after[$0]) }
        }
        if let before = old?.arrayValue, let after = new?.arrayValue, before.count == after.count {
            return zip(before, after).enumerated().flatMap { differences("\(path)[\($0)]", $1.0, $1.1) }
        }
        return [old.map { "- \(path): \($0.serializedText())" }, new.map { "+ \(path): \($0.serializedText())" }]
            .compactMap { $0 }
    }
}

extension APIError {
    /// Whether a pod cannot be changed to what was asked for, and another one has to take its place.
    package var asksForAnotherPod: Bool {
        reason == .invalid
            && causes.contains {
                $0.kind == .forbidden
                    && ["spec", "spec.containers", "spec.initContainers", "spec.tolerations"].contains($0.path)
            }
    }
}
