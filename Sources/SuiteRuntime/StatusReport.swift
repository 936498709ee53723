package import ClusterModel
package import FoundationEssentials
import NetTypes

/// What `kiada-suite status` shows: the suite's state, its Services and pods.
package struct StatusReport: Codable, Equatable, Sendable {
    /// Where the suite is in its life.
    package enum State: String, Codable, Sendable {
        case starting
        case ready
        case degraded
        case stopping
    }

    package struct ServiceRow: Codable, Equatable, Sendable {
        package var namespace: String
        package var name: String
        package var type: String
        package var clusterIP: String
        package var externalIP: String
        package var ports: String
        package var readyEndpoints: Int
    }

    package struct PodRow: Codable, Equatable, Sendable {
        package var namespace: String
        package var name: String
        package var ready: String
        package var status: String
        package var restarts: Int
        package var ip: String
        package var started: String?
        package var message: String?

        /// All containers ready, or ended as they should.
        package var isGood: Bool
    }

    package var state: State
    package var pid: Int32
    package var node: String
    /// Where a browser finds the LoadBalancer Services.
    package var urls: [String]
    package var services: [ServiceRow]
    package var pods: [PodRow]
    /// What does not work, in sentences.
    package var problems: [String]
    /// Which data plane runs, and why.
    package var dataPlane: String?

    package init(
        state: State, pid: Int32, node: String, urls: [String], services: [ServiceRow], pods: [PodRow],
        problems: [String], dataPlane: String? = nil
    ) {
        self.state = state
        self.pid = pid
        self.node = node
        self.urls = urls
        self.services = services
        self.pods = pods
        self.problems = problems
        self.dataPlane = dataPlane
    }
}

extension StatusReport.PodRow {
    /// Reads a row from a Pod object, with the words of `kubectl get pods`.
    package init(_ pod: Pod) {
        namespace = pod.namespace
        name = pod.name
        let statuses = pod.object.json["status"]?["containerStatuses"]?.arrayValue ?? []
        let readyCount = statuses.count { $0["ready"]?.boolValue == true }
        ready = "\(readyCount)/\(pod.containers.count)"
        restarts = statuses.reduce(0) { $0 + ($1["restartCount"]?.intValue ?? 0) }
        ip = pod.addresses.first?.description ?? "<none>"
        started = pod.object.json["status"]?["startTime"]?.stringValue
        var text = pod.phase
        for status in statuses {
            let state = status["state"]
            if let reason = state?["waiting"]?["reason"]?.stringValue {
                text = reason
                message = state?["waiting"]?["message"]?.stringValue
            } else if let reason = state?["terminated"]?["reason"]?.stringValue {
                text = reason
                message = state?["terminated"]?["message"]?.stringValue
            }
        }
        let conditions = pod.object.json["status"]?["conditions"]?.arrayValue ?? []
        if let refusal = conditions.first(where: { $0["reason"]?.stringValue == "Unschedulable" }) {
            message = refusal["message"]?.stringValue
        }
        if pod.deletionTimestamp != nil { text = "Terminating" }
        status = text
        isGood = pod.isReady || pod.phase == "Succeeded"
    }
}

extension StatusReport.ServiceRow {
    /// Reads a row from a Service object, with the cells of `kubectl get services` (semantics 2.10).
    package init(_ service: Service, readyEndpoints: Int) {
        namespace = service.namespace
        name = service.name
        let spec = service.object.json["spec"]
        type = spec?["type"]?.stringValue ?? "ClusterIP"
        clusterIP = service.clusterIPs.first ?? "<none>"
        let ingress = (service.object.json["status"]?["loadBalancer"]?["ingress"]?.arrayValue ?? [])
            .compactMap { $0["ip"]?.stringValue ?? $0["hostname"]?.stringValue }
        let external = (spec?["externalIPs"]?.arrayValue ?? []).compactMap(\.stringValue)
        switch type {
        case "ExternalName": externalIP = spec?["externalName"]?.stringValue ?? "<none>"
        case "LoadBalancer":
            externalIP = ingress.isEmpty ? "<pending>" : (ingress.sorted() + external).joined(separator: ",")
        default: externalIP = external.isEmpty ? "<none>" : external.joined(separator: ",")
        }
        let cells = (spec?["ports"]?.arrayValue ?? []).map { port in
            let node = port["nodePort"]?.intValue.map { ":\($0)" } ?? ""
            return "\(port["port"]?.intValue ?? 0)\(node)/\(port["protocol"]?.stringValue ?? "TCP")"
        }
        ports = cells.isEmpty ? "<none>" : cells.joined(separator: ",")
        self.readyEndpoints = readyEndpoints
    }
}

// MARK: - As a file and as text

extension StatusReport {
    /// Reads the report that the suite of `directory` wrote last.
    package static func read(from directory: StateDirectory) throws(SuiteError) -> StatusReport {
        do {
            let data = try Data(contentsOf: URL(filePath: directory.statusFile))
            return try JSONDecoder().decode(StatusReport.self, from: data)
        } catch {
            throw SuiteError("cannot read \(directory.statusFile): \(error)")
        }
    }

    /// Writes the report for other processes to read; they see the old or the new one, never half of it.
    package func write(to directory: StateDirectory) throws(SuiteError) {
        do {
            try Data(json.utf8).write(to: URL(filePath: directory.statusFile), options: .atomic)
        } catch {
            throw SuiteError("cannot write \(directory.statusFile): \(error)")
        }
    }

    /// The report as JSON, keys sorted, indented.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" } ?? ""
    }

    /// The report as tables for people.
    package func text(at now: Date = Date()) -> String {
        var lines = ["suite \(state.rawValue), process \(pid), node \(node)"]
        lines += urls.map { "  \($0)" }
        if let dataPlane { lines.append(dataPlane) }
        lines.append("")
        let serviceRows = services.map {
            [$0.namespace, $0.name, $0.type, $0.clusterIP, $0.externalIP, $0.ports, "\($0.readyEndpoints)"]
        }
        lines += Self.table(
            ["NAMESPACE", "SERVICE", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "READY ENDPOINTS"], serviceRows)
        lines.append("")
        let podRows = pods.map { pod in
            [pod.namespace, pod.name, pod.ready, pod.status, "\(pod.restarts)", Self.age(pod.started, at: now), pod.ip]
        }
        lines += Self.table(["NAMESPACE", "POD", "READY", "STATUS", "RESTARTS", "AGE", "IP"], podRows)
        let notes = problems + pods.compactMap { pod in pod.message.map { "pod \(pod.name): \($0)" } }
        if !notes.isEmpty { lines += [""] + notes.map { "! \($0)" } }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func table(_ header: [String], _ rows: [[String]]) -> [String] {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        return ([header] + rows).map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            return cells.joined(separator: "   ")
        }
    }

    /// Seconds, minutes, hours, days since a time: the steps of semantics 1.11.
    private static func age(_ started: String?, at now: Date) -> String {
        guard let started, let date = try? Date(started, strategy: .iso8601) else { return "<unknown>" }
        return HumanDuration.text(seconds: Int(now.timeIntervalSince(date)))
    }
}
