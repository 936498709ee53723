import ClusterModel

/// The rules for a container's probes (semantics 4.1).
enum ProbeRules {
    static func errors(of container: JSONValue, at path: String) -> [FieldError] {
        ["livenessProbe", "readinessProbe", "startupProbe"].flatMap { kind -> [FieldError] in
            guard let probe = container[kind], probe != .null else { return [] }
            return errors(of: probe, kind: kind, at: "\(path).\(kind)")
        }
    }

    private static func errors(of probe: JSONValue, kind: String, at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        let handlers = ["exec", "httpGet", "tcpSocket", "grpc"].filter { probe[$0] != nil && probe[$0] != .null }
        if let first = handlers.first { errors += handlerErrors(probe[first] ?? [:], first, at: "\(path).\(first)") }
        for handler in handlers.dropFirst() {
            errors.append(.forbidden("\(path).\(handler)", "may not specify more than 1 handler type"))
        }
        if handlers.isEmpty { errors.append(.required(path, "must specify a handler type")) }
        for key in [
            "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold",
        ] {
            if let value = probe[key]?.intValue, value < 0 {
                errors.append(.invalid("\(path).\(key)", value, "must be greater than or equal to 0"))
            }
        }
        let grace = "terminationGracePeriodSeconds"
        if kind == "readinessProbe" {
            if probe[grace] != nil {
                errors.append(.forbidden("\(path).\(grace)", "must not be set for readinessProbes"))
            }
        } else {
            if let value = probe[grace]?.intValue, value <= 0 {
                errors.append(.invalid("\(path).\(grace)", value, "must be greater than 0"))
            }
            if let value = probe["successThreshold"]?.intValue, value > 1 {
                errors.append(.invalid("\(path).successThreshold", value, "must be 1"))
            }
        }
        return errors
    }

    private static func handlerErrors(_ handler: JSONValue, _ kind: String, at path: String) -> [FieldError] {
        switch kind {
        case "exec":
            return (handler["command"]?.arrayValue ?? []).isEmpty ? [.required("\(path).command")] : []
        case "httpGet":
            var errors = portErrors(handler["port"], at: "\(path).port")
            let scheme = handler["scheme"]?.stringValue ?? ""
            if scheme != "HTTP", scheme != "HTTPS" {
                errors.append(.unsupported("\(path).scheme", scheme, supported: ["HTTP", "HTTPS"]))
            }
            for header in handler["httpHeaders"]?.arrayValue ?? [] {
                let name = header["name"]?.stringValue ?? ""
                errors += FieldError.invalid("\(path).httpHeaders", name, problems: NameRules.headerName(name))
            }
            return errors
        default: return portErrors(handler["port"], at: "\(path).port", takesNames: kind != "grpc")
        }
    }

    private static func portErrors(_ json: JSONValue?, at path: String, takesNames: Bool = true) -> [FieldError] {
        switch IntOrString(json) {
        case .string(let name) where takesNames:
            return FieldError.invalid(path, name, problems: NameRules.portName(name))
        case .int(let number) where (1...65535).contains(number): return []
        case .int(let number): return [.invalid(path, number, "must be between 1 and 65535, inclusive")]
        case .string, nil: return [.invalid(path, 0, "must be between 1 and 65535, inclusive")]
        }
    }
}
