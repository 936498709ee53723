package import NetTypes

/// A Pod, read once from its JSON object.
package struct Pod: Sendable {
    /// What becomes of a container that has ended.
    package enum RestartPolicy: String, Sendable {
        case always = "Always"
        case onFailure = "OnFailure"
        case never = "Never"
    }

    /// A volume of the pod: what is behind it, as far as the runtime knows it.
    package enum VolumeSource: Hashable, Sendable {
        /// A folder that lives as long as the pod.
        case emptyDirectory
        /// A folder that outlives the pod, named by its claim.
        case claim(name: String)
        /// A folder or file of this machine, and what has to be there or is made: `DirectoryOrCreate` and its like, empty
        /// for anything.
        case hostPath(String, type: String)
        /// Files from ConfigMaps, Secrets or the pod's own fields.
        case files(FileVolume)
        /// Any other kind; `description` names it for the error.
        case unsupported(description: String)
    }

    /// The annotation of a pod that only shows what a node runs by itself.
    package static let mirrorAnnotation = "kubernetes.io/config.mirror"

    package let object: KubeObject
    package let name: String
    package let namespace: String
    package let uid: String
    package let labels: [String: String]
    package let containers: [ContainerSpec]
    package let initContainers: [ContainerSpec]
    package let restartPolicy: RestartPolicy
    /// Seconds from SIGTERM to SIGKILL when the pod is deleted; 30 unless the manifest says so.
    package let terminationGracePeriodSeconds: Int
    /// Seconds after its start when the pod has failed; nil for never.
    package let activeDeadlineSeconds: Int?
    package let nodeName: String?
    package let hostname: String?
    package let subdomain: String?
    /// False leaves out the variables of all Services but `kubernetes` (5.1).
    package let enableServiceLinks: Bool
    package let isHostNetwork: Bool
    package let volumes: [String: VolumeSource]
    /// Condition types that have to be True, beside the containers, for the pod to be Ready (4.6).
    package let readinessGates: [String]
    package let deletionTimestamp: String?
    /// `status.phase`; Pending when the status is empty.
    package let phase: String
    /// `status.podIPs`, primary first; empty before the pod has an address.
    package let addresses: [IPAddress]
    /// Condition Ready is True.
    package let isReady: Bool

    /// Reads `object`, which should be valid; fields that cannot be read count as absent.
    package init(_ object: KubeObject) {
        self.object = object
        name = object.name
        namespace = object.namespace
        uid = object.uid ?? ""
        labels = object.labels
        deletionTimestamp = object.deletionTimestamp
        let spec = object.json["spec"]
        let pace = object.annotations[Probe.paceAnnotation].flatMap(Int.init).map {
            Duration.milliseconds(min(max($0, 50), 1000))
        }
        containers = (spec?["containers"]?.arrayValue ?? []).map { json in
            var container = ContainerSpec(json)
            container.readinessProbe?.pace = pace
            return container
        }
        initContainers = (spec?["initContainers"]?.arrayValue ?? []).map(ContainerSpec.init)
        restartPolicy = spec?["restartPolicy"]?.stringValue.flatMap(RestartPolicy.init) ?? .always
        terminationGracePeriodSeconds = max(0, spec?["terminationGracePeriodSeconds"]?.intValue ?? 30)
        activeDeadlineSeconds = spec?["activeDeadlineSeconds"]?.intValue
        nodeName = spec?["nodeName"]?.stringValue?.nilIfEmpty
        hostname = spec?["hostname"]?.stringValue?.nilIfEmpty
        subdomain = spec?["subdomain"]?.stringValue?.nilIfEmpty
        enableServiceLinks = spec?["enableServiceLinks"]?.boolValue ?? true
        isHostNetwork = spec?["hostNetwork"]?.boolValue ?? false
        let named = (spec?["volumes"]?.arrayValue ?? []).compactMap { volume in
            volume["name"]?.stringValue.map { ($0, VolumeSource(volume)) }
        }
        volumes = Dictionary(named) { first, _ in first }
        readinessGates = (spec?["readinessGates"]?.arrayValue ?? []).compactMap { $0["conditionType"]?.stringValue }

        let status = object.json["status"]
        phase = status?["phase"]?.stringValue ?? "Pending"
        let listed = (status?["podIPs"]?.arrayValue ?? []).compactMap { $0["ip"]?.stringValue }
        let texts = listed.isEmpty ? [status?["podIP"]?.stringValue].compactMap(\.self) : listed
        addresses = texts.compactMap { IPAddress($0) }
        isReady = (status?["conditions"]?.arrayValue ?? []).contains {
            $0["type"]?.stringValue == "Ready" && $0["status"]?.stringValue == "True"
        }
    }

    /// Whether it has a container of this name, those that prepare it among them.
    package func hasContainer(_ name: String) -> Bool { (containers + initContainers).contains { $0.name == name } }

    /// Whether it only shows what the node runs by itself: no runtime starts it.
    package var isMirror: Bool { object.annotations[Self.mirrorAnnotation] != nil }

    /// The name that the pod's programs see as their host name (6.14).
    package var effectiveHostname: String {
        var text = (hostname ?? name).prefix(63)
        while let last = text.last, last == "-" || last == "." { text.removeLast() }
        return String(text)
    }
}

extension Pod.VolumeSource {
    fileprivate init(_ json: JSONValue) {
        if json["emptyDir"] != nil {
            self = .emptyDirectory
        } else if let claim = json["persistentVolumeClaim"]?["claimName"]?.stringValue {
            self = .claim(name: claim)
        } else if let path = json["hostPath"]?["path"]?.stringValue {
            self = .hostPath(path, type: json["hostPath"]?["type"]?.stringValue ?? "")
        } else if let files = FileVolume(volume: json) {
            self = .files(files)
        } else {
            let kinds = json.objectValue?.keys.filter { $0 != "name" }.sorted() ?? []
            self = kinds.isEmpty ? .emptyDirectory : .unsupported(description: kinds.joined(separator: ", "))
        }
    }
}
