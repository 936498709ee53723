import ClusterAPI
import ClusterModel
import Testing

@Suite("Server-side apply: who owns which field (kubectl-wire 9)")
struct OwnershipTests {
    private let early = "2026-11-27T10:00:00Z"
    private let late = "2026-11-27T11:00:00Z"

    private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    private func applier(_ name: String = "kubectl", subresource: String = "") -> FieldManager {
        FieldManager(name, .apply, apiVersion: "v1", subresource: subresource)
    }

    private func updater(_ name: String, subresource: String = "") -> FieldManager {
        FieldManager(name, .update, apiVersion: "v1", subresource: subresource)
    }

    private func service(_ spec: String, metadata: String = "") throws -> JSONValue {
        try json(
            #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"kiada"\#(metadata)},"spec":\#(spec)}"#
        )
    }

    private func apply(
        _ manifest: JSONValue, to live: JSONValue, by name: String = "kubectl", force: Bool = false
    ) throws(FieldOwnership.Failure) -> JSONValue {
        try FieldOwnership.applied(manifest, to: live, by: applier(name), force: force, at: late)
    }

    /// What a manager owns, as it is printed.
    private func owned(_ object: JSONValue, by name: String, subresource: String? = nil) throws -> [String] {
        let entries = object["metadata"]?["managedFields"]?.arrayValue ?? []
        let entry = entries.first {
            $0["manager"]?.stringValue == name && $0["subresource"]?.stringValue == subresource
        }
        guard let fields = entry?["fieldsV1"] else { return [] }
        return try #require(FieldSet(fieldsV1: fields)).paths.map { $0.map(\.description).joined() }
    }

    private func conflicts(_ body: () throws(FieldOwnership.Failure) -> JSONValue) throws -> FieldOwnership.Conflicts {
        do throws(FieldOwnership.Failure) {
            _ = try body()
        } catch {
            guard case .conflicts(let conflicts) = error else { throw error }
            return conflicts
        }
        Issue.record("there is no conflict")
        return FieldOwnership.Conflicts(conflicts: [])
    }

    @Test("FieldsV1 is read and written as it was; anything else is refused")
    func fieldsV1() throws {
        let text =
            #"{"f:metadata":{"f:finalizers":{".":{},"v:\"a\"":{}}},"f:spec":{"f:ports":{".":{},"#
            + #""k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}},"f:type":{}}}"#
        let set = try #require(FieldSet(fieldsV1: try json(text)))
        #expect(set.fieldsV1.serializedText() == text)
        #expect(
            set.paths.map { $0.map(\.description).joined() } == [
                ".metadata.finalizers", #".metadata.finalizers[="a"]"#, ".spec.ports",
                #".spec.ports[port=80,protocol="TCP"]"#, #".spec.ports[port=80,protocol="TCP"].port"#, ".spec.type",
            ])
        for bad in [#"{"x":{}}"#, #"{"f:a":1}"#, #"{"k:[]":{}}"#, "[]", #"{"k:{}":{}}"#] {
            #expect(FieldSet(fieldsV1: try json(bad)) == nil, "\(bad)")
        }
    }

    @Test("Who applies owns what the manifest says: lists by their keys, some mappings and lists as a whole")
    func created() throws {
        let manifest = try service(
            #"{"selector":{"app":"web"},"ports":[{"port":53,"protocol":"UDP"},{"port":53}],"externalIPs":["1.2.3.4"]}"#,
            metadata: #","labels":{"a":"b"},"creationTimestamp":null"#)
        let object = try FieldOwnership.created(manifest, by: applier(), at: early)
        #expect(
            try owned(object, by: "kubectl") == [
                ".metadata.labels.a", ".spec.externalIPs", #".spec.ports[port=53,protocol="TCP"]"#,
                #".spec.ports[port=53,protocol="TCP"].port"#, #".spec.ports[port=53,protocol="UDP"]"#,
                #".spec.ports[port=53,protocol="UDP"].port"#, #".spec.ports[port=53,protocol="UDP"].protocol"#,
                ".spec.selector",
            ])
        let entry = try #require(object["metadata"]?["managedFields"]?[0])
        #expect(entry["operation"] == "Apply" && entry["time"]?.stringValue == early && entry["apiVersion"] == "v1")
        #expect(object["metadata"]?["creationTimestamp"] == nil)
    }

    @Test("The same manifest again changes nothing, not even the time")
    func again() throws {
        let manifest = try service(#"{"ports":[{"port":80,"targetPort":8080}]}"#)
        let object = try FieldOwnership.created(manifest, by: applier(), at: early)
        #expect(try apply(manifest, to: object) == object)
    }

    @Test("A field of somebody else's is a conflict, in the API server's words; with force it changes its owner")
    func conflict() throws {
        let manifest = try service(#"{"ports":[{"port":80,"targetPort":8080}],"type":"NodePort"}"#)
        let object = try FieldOwnership.created(manifest, by: applier("helm"), at: early)
        let other = try service(#"{"ports":[{"port":80,"targetPort":9090}],"type":"NodePort"}"#)
        let one = try conflicts { () throws(FieldOwnership.Failure) in try apply(other, to: object) }
        let path = #".spec.ports[port=80,protocol="TCP"].targetPort"#
        #expect(one.message == "Apply failed with 1 conflict: conflict with \"helm\": \(path)")
        #expect(one.conflicts == [.init(manager: applier("helm"), path: path)])
        let third = try service(#"{"ports":[{"port":80,"targetPort":9090}],"type":"ClusterIP"}"#)
        let two = try conflicts { () throws(FieldOwnership.Failure) in
            try apply(third, to: object)
        }
        #expect(
            two.message == "Apply failed with 2 conflicts: conflicts with \"helm\":\n- \(path)\n- .spec.type")
        let taken = try apply(other, to: object, force: true)
        #expect(taken["spec"]?["ports"]?[0]?["targetPort"] == 9090)
        #expect(try !owned(taken, by: "helm").contains(path) && owned(taken, by: "kubectl").contains(path))
        // Both own what both say; each may leave it without removing it.
        #expect(
            try owned(taken, by: "helm").contains(".spec.type") && owned(taken, by: "kubectl").contains(".spec.type"))
        let left = try apply(try service(#"{"ports":[{"port":80,"targetPort":9090}]}"#), to: taken)
        #expect(left["spec"]?["type"] == "NodePort")
    }

    @Test("What a manager no longer applies and nobody else owns is removed, with what becomes empty by that")
    func removal() throws {
        let first = try service(
            #"{"ports":[{"name":"a","port":80},{"name":"b","port":81}],"externalIPs":["1.2.3.4"]}"#,
            metadata: #","labels":{"a":"1"}"#)
        var live = try FieldOwnership.created(first, by: applier(), at: early)
        // What the server adds belongs to nobody and stays.
        live["spec"]?["sessionAffinity"] = "None"
        live["spec"]?["ports"] = try json(
            #"[{"name":"a","port":80,"protocol":"TCP","targetPort":80},{"name":"b","port":81,"protocol":"TCP"}]"#)
        let changed = try apply(try service(#"{"ports":[{"name":"a","port":80}]}"#), to: live)
        #expect(
            changed["spec"]
                == (try json(
                    #"{"ports":[{"name":"a","port":80,"protocol":"TCP","targetPort":80}],"sessionAffinity":"None"}"#)))
        #expect(changed["metadata"]?["labels"] == nil)
    }

    @Test("Containers and their variables are told apart by name, and keep who else owns a part of them")
    func containers() throws {
        func pod(_ containers: String) throws -> JSONValue {
            try json(
                #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":\#(containers)}}"#)
        }
        let live = try FieldOwnership.created(
            try pod(
                #"[{"name":"a","image":"x","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]},{"name":"b","image":"y"}]"#
            ),
            by: applier(), at: early)
        let sidecar = try apply(
            try pod(#"[{"name":"s","image":"z"},{"name":"a","env":[{"name":"C","value":"3"}]}]"#), to: live, by: "mesh")
        #expect(
            sidecar["spec"]?["containers"]
                == (try json(
                    #"[{"name":"s","image":"z"},{"name":"a","image":"x","env":[{"name":"A","value":"1"},{"name":"B","value":"2"},{"name":"C","value":"3"}]},{"name":"b","image":"y"}]"#
                )))
        let after = try apply(
            try pod(#"[{"name":"a","image":"x","env":[{"name":"B","value":"2"}]}]"#), to: sidecar)
        #expect(
            after["spec"]?["containers"]
                == (try json(
                    #"[{"name":"s","image":"z"},{"name":"a","image":"x","env":[{"name":"B","value":"2"},{"name":"C","value":"3"}]}]"#
                )))
    }

    @Test("Who updates takes the fields, and the manifest's owner hears of it")
    func update() throws {
        let manifest = try service(#"{"ports":[{"port":80,"targetPort":8080}],"type":"ClusterIP"}"#)
        let live = try FieldOwnership.created(manifest, by: applier(), at: early)
        var edited = live
        edited["spec"]?["type"] = "NodePort"
        edited["metadata"]?["labels"] = ["x": "y"]
        let updated = FieldOwnership.updated(edited, from: live, by: updater("kubectl-edit"), at: late)
        #expect(
            try owned(updated, by: "kubectl-edit") == [".metadata.labels", ".metadata.labels.x", ".spec.type"])
        #expect(try !owned(updated, by: "kubectl").contains(".spec.type"))
        let found = try conflicts { () throws(FieldOwnership.Failure) in try apply(manifest, to: updated) }
        #expect(
            found.message == "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using v1: .spec.type")
        // Nothing changed: nothing is noted. A list of owners that is emptied ends it all.
        #expect(FieldOwnership.updated(updated, from: updated, by: updater("x"), at: late) == updated)
        var reset = updated
        reset["metadata"]?["managedFields"] = [[:]]
        #expect(
            FieldOwnership.updated(reset, from: updated, by: updater("x"), at: late)["metadata"]?["managedFields"]
                == nil)
        var silent = updated
        silent["metadata"]?["managedFields"] = nil
        #expect(FieldOwnership.updated(silent, from: updated, by: updater("x"), at: late) == updated)
    }

    @Test("An object that nobody has applied has no owners, and whoever writes it adds none")
    func untouched() throws {
        let live = try service(#"{"type":"ClusterIP"}"#)
        var new = try service(#"{"type":"NodePort"}"#)
        #expect(FieldOwnership.updated(new, from: live, by: updater("x"), at: late) == new)
        let plain = new
        new["metadata"]?["managedFields"] = [["manager": "m", "operation": "Apply"]]
        #expect(FieldOwnership.updated(new, from: live, by: updater("x"), at: late) == plain)
    }

    @Test("The first apply finds what is there to be before-first-apply's, or kubectl's client-side apply's")
    func beginning() throws {
        let live = try service(#"{"type":"ClusterIP"}"#)
        let other = try service(#"{"type":"NodePort"}"#)
        #expect(
            try conflicts { () throws(FieldOwnership.Failure) in try apply(other, to: live, by: "helm") }.message
                == "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .spec.type")
        let same = try apply(live, to: live, by: "helm")
        #expect(try owned(same, by: "before-first-apply") == [".spec.type"])
        var annotated = live
        annotated["metadata"]?["annotations"] = [
            "kubectl.kubernetes.io/last-applied-configuration": .string(live.serializedText() + "\n")
        ]
        #expect(
            try conflicts { () throws(FieldOwnership.Failure) in try apply(other, to: annotated, by: "helm") }.message
                == "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using v1: .spec.type")
        // kubectl itself may go over to server-side apply, and the annotation follows.
        let migrated = try apply(other, to: annotated)
        #expect(migrated["spec"]?["type"] == "NodePort")
        #expect(
            migrated["metadata"]?["annotations"]?["kubectl.kubernetes.io/last-applied-configuration"]?.stringValue
                == other.serializedText() + "\n")
        // But not over what somebody has changed since.
        annotated["spec"]?["type"] = "LoadBalancer"
        #expect(
            try conflicts { () throws(FieldOwnership.Failure) in try apply(other, to: annotated) }.conflicts.count == 1)
    }

    @Test("Status and scale have owners of their own")
    func subresources() throws {
        let live = try FieldOwnership.created(
            try json(#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":1}}"#),
            by: applier(), at: early)
        var scaled = live
        scaled["spec"]?["replicas"] = 3
        scaled = FieldOwnership.updated(scaled, from: live, by: updater("kubectl", subresource: "scale"), at: late)
        #expect(try owned(scaled, by: "kubectl", subresource: "scale") == [".spec.replicas"])
        #expect(
            try conflicts { () throws(FieldOwnership.Failure) in
                try apply(live.withoutOwners, to: scaled)
            }.message
                == "Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using v1: .spec.replicas"
        )
        let status = try FieldOwnership.applied(
            try json(#"{"metadata":{"name":"d"},"spec":{"replicas":9},"status":{"replicas":3}}"#), to: scaled,
            by: applier("c", subresource: "status"), force: false, at: late)
        #expect(status["spec"]?["replicas"] == 3 && status["status"]?["replicas"] == 3)
        #expect(try owned(status, by: "c", subresource: "status") == [".status.replicas"])
    }

    @Test("Items that cannot be told apart are refused")
    func items() throws {
        let live = try service("{}")
        for ports in [#"[{"port":80},{"port":80,"protocol":"TCP"}]"#, #"[{"name":"x"}]"#] {
            let manifest = try service(#"{"ports":\#(ports)}"#)
            #expect(throws: FieldOwnership.Failure.self) { try apply(manifest, to: live) }
        }
    }

    @Test("Many updaters are put together as ancient-changes")
    func ancient() throws {
        var live = try FieldOwnership.created(try service("{}"), by: applier(), at: early)
        for number in 0..<15 {
            var new = live
            new["metadata"]?["labels"] = JSONValue(
                Dictionary(uniqueKeysWithValues: (0...number).map { ("l\($0)", "x") }))
            live = FieldOwnership.updated(
                new, from: live, by: updater("m\(number)"), at: "2026-11-27T11:00:\(10 + number)Z")
        }
        let entries = try #require(live["metadata"]?["managedFields"]?.arrayValue)
        #expect(entries.count == 10 + 1)
        #expect(try owned(live, by: "ancient-changes").contains(".metadata.labels.l3"))
    }

    @Test(
        "Random applies and updates of labels: values and owners are those of a naive model", arguments: UInt64(0)..<40)
    func model(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let managers = ["a", "b", "c"]
        var live = try FieldOwnership.created(try service("{}"), by: applier("a"), at: early)
        var values: [String: String] = [:]
        var owners: [String: Set<String>] = [:]
        for _ in 0..<30 {
            let manager = managers.randomElement(using: &random) ?? "a"
            var wanted: [String: String] = [:]
            for key in ["k1", "k2", "k3", "k4"] where Bool.random(using: &random) {
                wanted[key] = "v\(Int.random(in: 0..<2, using: &random))"
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                var new = live
                new["metadata"]?["labels"] = wanted.isEmpty ? nil : JSONValue(wanted)
                let changed = Set(values.keys).union(wanted.keys).filter { values[$0] != wanted[$0] }
                live = FieldOwnership.updated(new, from: live, by: updater("u"), at: late)
                for key in changed { owners[key] = wanted[key] == nil ? nil : ["u"] }
                values = wanted
            } else {
                let isForced = Bool.random(using: &random)
                let manifest = try service("{}", metadata: wanted.isEmpty ? "" : ",\"labels\":\(JSONValue(wanted))")
                let conflicting = wanted.filter { key, value in
                    values[key] != value && !(owners[key] ?? []).subtracting([manager]).isEmpty
                }
                do throws(FieldOwnership.Failure) {
                    live = try apply(manifest, to: live, by: manager, force: isForced)
                    #expect(isForced || conflicting.isEmpty, "seed \(seed)")
                } catch {
                    #expect(!isForced && !conflicting.isEmpty, "seed \(seed): \(error)")
                    continue
                }
                for key in Set(values.keys).union(wanted.keys) {
                    if let value = wanted[key] {
                        owners[key] = values[key] == value ? (owners[key] ?? []).union([manager]) : [manager]
                        values[key] = value
                    } else if owners[key]?.contains(manager) == true {
                        owners[key]?.remove(manager)
                        if owners[key]?.isEmpty == true { (values[key], owners[key]) = (nil, nil) }
                    }
                }
            }
            #expect(live["metadata"]?["labels"]?.stringMap ?? [:] == values, "seed \(seed)")
            for manager in managers + ["u"] {
                let keys = try owned(live, by: manager).filter { $0.hasPrefix(".metadata.labels.") }.map {
                    $0.suffix(2)
                }
                #expect(
                    Set(keys.map(String.init)) == Set(owners.filter { $0.value.contains(manager) }.keys), "seed \(seed)"
                )
            }
        }
    }
}

extension JSONValue {
    fileprivate var withoutOwners: JSONValue {
        var copy = self
        copy["metadata"]?["managedFields"] = nil
        return copy
    }
}
