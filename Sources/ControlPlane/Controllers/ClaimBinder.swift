import ClusterModel
import ClusterStore
import Logging

/// Binds PersistentVolumeClaims: each has a folder of this machine, however much it asks for (semantics 11).
struct ClaimBinder {
    private let store: Store
    private let logger: Logger

    init(_ store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    mutating func handle(_ changes: [WatchEvent]) {
        for change in changes where change.kind != .deleted {
            let claim = change.object
            let isBound =
                claim.json["status"]?["phase"]?.stringValue == "Bound" && claim.json["spec"]?["volumeName"] != nil
            guard !isBound, let uid = claim.uid else { continue }
            do throws(APIError) {
                _ = try store.modify(claim.key) { claim in
                    var spec = claim.json["spec"] ?? [:]
                    if spec["volumeName"] == nil { spec["volumeName"] = .string("pvc-\(uid)") }
                    if spec["volumeMode"] == nil { spec["volumeMode"] = "Filesystem" }
                    claim.json["spec"] = spec
                    var status: JSONValue = ["phase": "Bound"]
                    status["accessModes"] = spec["accessModes"]
                    status["capacity"] = spec["resources"]?["requests"]
                    claim.json["status"] = status
                }
            } catch {
                if error.reason != .notFound { logger.warning("a claim was not bound: \(error)") }
            }
        }
    }
}
