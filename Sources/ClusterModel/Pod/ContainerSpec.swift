package import NetTypes

/// One container of a pod, as its manifest says it.
package struct ContainerSpec: Hashable, Sendable {
    /// A port that the container says it listens on: documentation, except that names can be referred to.
    package struct Port: Hashable, Sendable {
        package let name: String?
        package let number: UInt16
        package let transport: TransportProtocol
    }

    /// A variable that the manifest sets.
    package struct Variable: Hashable, Sendable {
        /// Where a value comes from.
        package enum Source: Hashable, Sendable {
            /// Text, in which `$(NAME)` refers to earlier variables (5.4).
            case value(String)
            /// A field of the pod itself, such as `status.podIP` (5.5).
            case field(path: String)
            /// A container's limit or request, such as `limits.cpu`, counted in `divisor`s; `container` nil is its own.
            case resource(String, container: String?, divisor: Quantity)
            /// A key of a ConfigMap or Secret; an optional one may be missing.
            case key(String, of: Settings, isOptional: Bool)
            /// A source that the runtime does not know; `description` names it for the error.
            case unsupported(description: String)
        }
        package let name: String
        package let source: Source
    }

    /// A ConfigMap or Secret, by name.
    package enum Settings: Hashable, Sendable {
        case configMap(String)
        case secret(String)
    }

    /// All keys of a ConfigMap or Secret as variables.
    package struct VariableSource: Hashable, Sendable {
        package let settings: Settings
        package let prefix: String
        package let isOptional: Bool
    }

    /// Where a volume shows up in the container's file system.
    package struct Mount: Hashable, Sendable {
        package let volume: String
        package let path: String
        /// What of the volume is shown; nil is all of it.
        package let subPath: String?
        /// The same with `$(NAME)` of the container's variables.
        package let subPathExpression: String?
        package let isReadOnly: Bool
    }

    package let name: String
    package let image: String
    /// Replaces the image's program; empty: the image's own.
    package let command: [String]
    /// Arguments of `command`, or of the image's program.
    package let args: [String]
    package let workingDirectory: String?
    package let variables: [Variable]
    /// `envFrom`, in order; what `variables` sets wins.
    package let variableSources: [VariableSource]
    package let ports: [Port]
    package let mounts: [Mount]
    /// `resources.limits` and `resources.requests`; a request that is not set is the limit.
    package let limits: [String: Quantity]
    package let requests: [String: Quantity]
    package internal(set) var readinessProbe: Probe?
    package let livenessProbe: Probe?
    package let startupProbe: Probe?
    package let postStart: LifecycleHook?
    package let preStop: LifecycleHook?
    /// True for an init container with restartPolicy Always, which keeps running beside the others.
    package let isSidecar: Bool
    /// `stdin`: there is a standard input, for who attaches.
    package let hasInput: Bool
    /// `stdinOnce`: the input ends when the first who has attached leaves.
    package let hasInputOnce: Bool
    /// `tty`: the standard streams are a terminal.
    package let hasTerminal: Bool
    /// The file in which the container writes why it ends.
    package let terminationMessagePath: String
    /// Whether the end of the log stands for that where a container that fails has written nothing.
    package let takesLogAsMessage: Bool

    init(_ json: JSONValue) {
        name = json["name"]?.stringValue ?? ""
        image = json["image"]?.stringValue ?? ""
        command = json["command"]?.strings ?? []
        args = json["args"]?.strings ?? []
        workingDirectory = json["workingDir"]?.stringValue?.nilIfEmpty
        variables = (json["env"]?.arrayValue ?? []).compactMap(Variable.init)
        variableSources = (json["envFrom"]?.arrayValue ?? []).compactMap(VariableSource.init)
        ports = (json["ports"]?.arrayValue ?? []).compactMap(Port.init)
        limits = (json["resources"]?["limits"]?.objectValue ?? [:]).compactMapValues { Quantity($0) }
        requests = (json["resources"]?["requests"]?.objectValue ?? [:]).compactMapValues { Quantity($0) }
            .merging(limits) { own, _ in own }
        mounts = (json["volumeMounts"]?.arrayValue ?? []).compactMap(Mount.init)
        readinessProbe = json["readinessProbe"].flatMap(Probe.init)
        livenessProbe = json["livenessProbe"].flatMap(Probe.init)
        startupProbe = json["startupProbe"].flatMap(Probe.init)
        postStart = json["lifecycle"]?["postStart"].flatMap(LifecycleHook.init)
        preStop = json["lifecycle"]?["preStop"].flatMap(LifecycleHook.init)
        isSidecar = json["restartPolicy"]?.stringValue == "Always"
        hasInput = json["stdin"]?.boolValue ?? false
        hasInputOnce = json["stdinOnce"]?.boolValue ?? false
        hasTerminal = json["tty"]?.boolValue ?? false
        terminationMessagePath = json["terminationMessagePath"]?.stringValue?.nilIfEmpty ?? "/dev/termination-log"
        takesLogAsMessage = json["terminationMessagePolicy"]?.stringValue == "FallbackToLogsOnError"
    }

    /// The number that a port name or number means for this container; nil for an unknown name.
    package func port(_ port: IntOrString) -> UInt16? {
        switch port {
        case .int(let number): UInt16(exactly: number)
        case .string(let name): ports.first { $0.name == name }?.number ?? UInt16(name)
        }
    }
}

extension ContainerSpec.Port {
    fileprivate init?(_ json: JSONValue) {
        guard let number = json["containerPort"]?.intValue.flatMap(UInt16.init(exactly:)) else { return nil }
        self.number = number
        name = json["name"]?.stringValue?.nilIfEmpty
        transport = json["protocol"]?.stringValue.flatMap(TransportProtocol.init(rawValue:)) ?? .tcp
    }
}

extension ContainerSpec.Variable {
    fileprivate init?(_ json: JSONValue) {
        guard let name = json["name"]?.stringValue else { return nil }
        self.name = name
        if let from = json["valueFrom"] {
            source = .init(reference: from)
        } else {
            source = .value(json["value"]?.stringValue ?? "")
        }
    }
}

extension ContainerSpec.Variable.Source {
    /// Reads what `valueFrom`, or an item of a downwardAPI volume, refers to.
    init(reference from: JSONValue) {
        if let path = from["fieldRef"]?["fieldPath"]?.stringValue {
            self = .field(path: path)
        } else if let reference = from["resourceFieldRef"], let resource = reference["resource"]?.stringValue {
            let divisor = Quantity(reference["divisor"])
            self = .resource(
                resource, container: reference["containerName"]?.stringValue?.nilIfEmpty,
                divisor: divisor.flatMap { $0.milli > 0 ? $0 : nil } ?? Quantity(milli: 1000))
        } else if let (settings, json) = ContainerSpec.Settings.read(from, "KeyRef") {
            self = .key(
                json["key"]?.stringValue ?? "", of: settings, isOptional: json["optional"]?.boolValue ?? false)
        } else {
            self = .unsupported(description: from.objectValue?.keys.sorted().joined(separator: ", ") ?? "valueFrom")
        }
    }
}

extension ContainerSpec.VariableSource {
    fileprivate init?(_ json: JSONValue) {
        guard let (settings, reference) = ContainerSpec.Settings.read(json, "Ref") else { return nil }
        self.settings = settings
        prefix = json["prefix"]?.stringValue ?? ""
        isOptional = reference["optional"]?.boolValue ?? false
    }
}

extension ContainerSpec.Settings {
    /// Reads `configMapRef`, `secretKeyRef` and their like, and answers the reference too.
    fileprivate static func read(_ json: JSONValue, _ ending: String) -> (Self, JSONValue)? {
        if let reference = json["configMap\(ending)"], let name = reference["name"]?.stringValue {
            return (.configMap(name), reference)
        }
        if let reference = json["secret\(ending)"], let name = reference["name"]?.stringValue {
            return (.secret(name), reference)
        }
        return nil
    }
}

extension ContainerSpec.Mount {
    fileprivate init?(_ json: JSONValue) {
        guard let volume = json["name"]?.stringValue, let path = json["mountPath"]?.stringValue else { return nil }
        self.volume = volume
        self.path = path
        subPath = json["subPath"]?.stringValue?.nilIfEmpty
        subPathExpression = json["subPathExpr"]?.stringValue?.nilIfEmpty
        isReadOnly = json["readOnly"]?.boolValue ?? false
    }
}
