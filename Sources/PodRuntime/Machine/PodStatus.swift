package import ClusterModel
import NetTypes

/// Writes a pod's status, as the kubelet would (semantics 4.6, 4.7).
package enum PodStatus {
    /// The `status` of the machine's pod.
    ///
    /// - Parameters:
    ///   - facts: address and node; nil before the pod has them.
    ///   - previous: the status that the pod has now: times of unchanged conditions are kept, and conditions that
    ///     others wrote (readiness gates) stay.
    package static func document(
        of machine: PodMachine, facts: PodFacts?, startTime: Moment, previous: JSONValue?, at now: Moment
    ) -> JSONValue {
        let main = machine.containers.filter { !$0.isInit }
        let initial = machine.containers.filter(\.isInit)
        var status: [String: JSONValue] = [
            "phase": .string(phase(of: machine)),
            "startTime": .string(timestamp(startTime)),
            "qosClass": .string(QualityOfService(machine.pod.object).rawValue),
        ]
        if machine.hasExceededDeadline {
            status["reason"] = "DeadlineExceeded"
            status["message"] = "Pod was active on the node longer than the specified deadline"
        }
        if let facts {
            status["podIP"] = .string(facts.podIP.description)
            status["podIPs"] = .array(
                ([facts.podIP] + facts.otherIPs).map { .object(["ip": .string($0.description)]) })
            status["hostIP"] = .string(facts.hostIP.description)
            status["hostIPs"] = .array([.object(["ip": .string(facts.hostIP.description)])])
        }
        func list(_ containers: [ContainerMachine]) -> JSONValue {
            .array(containers.map { container in containerStatus(container, of: machine) })
        }
        status["containerStatuses"] = list(main)
        if !initial.isEmpty { status["initContainerStatuses"] = list(initial) }
        status["conditions"] = .array(
            conditions(of: machine, hasAddress: facts != nil, previous: previous, at: now))
        return .object(status)
    }

    private static func phase(of machine: PodMachine) -> String {
        if machine.hasExceededDeadline { return "Failed" }
        let main = machine.containers.filter { !$0.isInit }
        let initialized = machine.containers.allSatisfy { !$0.isInit || $0.isInitialized }
        let ended = main.filter(\.isTerminated)
        if ended.count == main.count, !main.isEmpty {
            let succeeded = main.allSatisfy {
                if case .terminated(let ended) = $0.state { ended.exit == .code(0) } else { false }
            }
            return succeeded ? "Succeeded" : "Failed"
        }
        if machine.containers.contains(where: {
            $0.isInit && !$0.spec.isSidecar && $0.isTerminated && !$0.isInitialized
        }) {
            return "Failed"
        }
        let everStarted = main.allSatisfy {
            $0.isRunning || $0.isTerminated || $0.lastEnded?.containerID.isEmpty == false
        }
        return initialized && everStarted ? "Running" : "Pending"
    }

    // MARK: Conditions

    private static func conditions(
        of machine: PodMachine, hasAddress: Bool, previous: JSONValue?, at now: Moment
    ) -> [JSONValue] {
        let old = previous?["conditions"]?.arrayValue ?? []
        let unready = machine.containers.filter { !$0.isInit && !$0.isReady }.map(\.spec.name)
        let incomplete = machine.containers.filter { $0.isInit && !$0.isInitialized }.map(\.spec.name)
        let phase = phase(of: machine)

        var readyReason: (reason: String, message: String?)?
        if phase == "Succeeded" {
            readyReason = ("PodCompleted", nil)
        } else if phase == "Failed" {
            readyReason = ("PodFailed", nil)
        } else if !unready.isEmpty {
            readyReason = ("ContainersNotReady", "containers with unready status: [\(unready.joined(separator: " "))]")
        }
        let gates = machine.pod.readinessGates.compactMap { gate -> String? in
            let status = old.first { $0["type"]?.stringValue == gate }?["status"]?.stringValue
            switch status {
            case "True": return nil
            case nil: return "corresponding condition of pod readiness gate \"\(gate)\" does not exist."
            case let other?: return "the status of pod readiness gate \"\(gate)\" is not \"True\", but \(other)"
            }
        }
        let gateReason = gates.isEmpty ? nil : ("ReadinessGatesNotReady", gates.joined(separator: ", "))
        let initReason =
            incomplete.isEmpty
            ? nil
            : ("ContainersNotInitialized", "containers with incomplete status: [\(incomplete.joined(separator: " "))]")
        let own: [(type: String, isTrue: Bool, reason: (String, String?)?)] = [
            ("PodReadyToStartContainers", hasAddress, nil),
            ("Initialized", incomplete.isEmpty, initReason),
            ("Ready", readyReason == nil && gates.isEmpty, readyReason ?? gateReason),
            ("ContainersReady", readyReason == nil, readyReason),
            ("PodScheduled", true, nil),
        ]
        let ownTypes = own.map(\.type)
        let foreign = old.filter { condition in !ownTypes.contains(condition["type"]?.stringValue ?? "") }
        return foreign
            + own.map { type, isTrue, reason in
                let text = isTrue ? "True" : "False"
                let before = old.first { $0["type"]?.stringValue == type }
                let since =
                    before?["status"]?.stringValue == text ? before?["lastTransitionTime"]?.stringValue : nil
                var condition: [String: JSONValue] = [
                    "type": .string(type), "status": .string(text), "lastProbeTime": .null,
                    "lastTransitionTime": .string(since ?? timestamp(now)),
                ]
                if !isTrue, let reason {
                    condition["reason"] = .string(reason.0)
                    if let message = reason.1 { condition["message"] = .string(message) }
                }
                return .object(condition)
            }
    }

    // MARK: Containers

    private static func containerStatus(_ container: ContainerMachine, of machine: PodMachine) -> JSONValue {
        let index = machine.containers.firstIndex { $0.spec.name == container.spec.name } ?? 0
        var status: [String: JSONValue] = [
            "name": .string(container.spec.name),
            "image": .string(container.spec.image),
            "imageID": .string(""),
            "ready": .bool(container.isInit && !container.spec.isSidecar ? container.isInitialized : container.isReady),
            "started": .bool(container.isStarted),
            "restartCount": .integer(Int64(container.restartCount)),
            "state": state(container),
            "lastState": .object([:]),
        ]
        if container.isRunning || container.isTerminated {
            status["containerID"] = .string(machine.containerID(index))
        } else if let last = container.lastEnded {
            status["containerID"] = .string(last.containerID)
        }
        if let last = container.lastEnded { status["lastState"] = .object(["terminated": terminated(last)]) }
        return .object(status)
    }

    private static func state(_ container: ContainerMachine) -> JSONValue {
        switch container.state {
        case .waiting(let reason, let message, _):
            var waiting: [String: JSONValue] = ["reason": .string(reason)]
            if let message { waiting["message"] = .string(message) }
            return .object(["waiting": .object(waiting)])
        case .starting:
            return .object(["waiting": .object(["reason": .string("ContainerCreating")])])
        case .running(_, let since):
            return .object(["running": .object(["startedAt": .string(timestamp(since))])])
        case .terminated(let ended):
            return .object(["terminated": terminated(ended)])
        }
    }

    private static func terminated(_ ended: ContainerMachine.Ended) -> JSONValue {
        var value: [String: JSONValue] = [
            "exitCode": .integer(Int64(ended.exit.containerExitCode)),
            "reason": .string(ended.reason),
            "startedAt": .string(timestamp(ended.started)),
            "finishedAt": .string(timestamp(ended.finished)),
            "containerID": .string(ended.containerID),
        ]
        if case .signal(let signal) = ended.exit { value["signal"] = .integer(Int64(signal)) }
        if let message = ended.message { value["message"] = .string(message) }
        return .object(value)
    }

    /// RFC 3339, UTC, whole seconds.
    private static func timestamp(_ moment: Moment) -> String {
        Timestamp.text(unixSeconds: moment.unixSeconds)
    }
}
