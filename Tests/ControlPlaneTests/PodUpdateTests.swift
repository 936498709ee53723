import ClusterModel
import ClusterStore
import Testing

@testable import ControlPlane

/// What of a pod may change, in the API server's words.
struct PodUpdateTests {
    private let cluster: Cluster
    private let pod: KubeObject

    init() throws {
        cluster = try Cluster()
        var pod = KubeObject(.pods, namespace: "kiada", name: "p")
        pod.json["spec"] = [
            "containers": [["name": "app", "image": "a:1", "env": [["name": "A", "value": "1"]]]],
            "activeDeadlineSeconds": 100,
            "tolerations": [["key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5]],
        ]
        self.pod = try cluster.store.create(pod)
    }

    /// The causes of the refusal of a changed spec; empty when it is stored.
    private func causes(_ change: (inout JSONValue) -> Void) throws -> [FieldError] {
        var pod = try #require(cluster.store.get(pod.key))
        var spec = try #require(pod.json["spec"])
        change(&spec)
        pod.json["spec"] = spec
        do throws(APIError) {
            _ = try cluster.store.update(pod)
            return []
        } catch {
            return error.causes
        }
    }

    @Test("images, a shorter deadline, more tolerations and their seconds may change, and the node may be set once")
    func allowed() throws {
        #expect(
            try causes { spec in
                spec["containers"] = [
                    [
                        "name": "app", "image": "a:2", "env": [["name": "A", "value": "1"]],
                        "imagePullPolicy": "IfNotPresent",
                    ]
                ]
                spec["activeDeadlineSeconds"] = 50
                let defaults = (spec["tolerations"]?.arrayValue ?? []).dropFirst()
                spec["tolerations"] = .array(
                    [
                        ["key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9],
                        ["operator": "Exists"],
                    ] + defaults)
            } == [])
        #expect(try causes { $0["nodeName"] = "a" } == [])
        #expect(try causes { $0["nodeName"] = "b" }.map(\.path) == ["spec"])
    }

    @Test("what says the same as nothing is no change")
    func nothing() throws {
        #expect(
            try causes { spec in
                spec["hostNetwork"] = false
                spec["volumes"] = []
                spec["hostname"] = ""
                spec["securityContext"] = [:]
                spec["nodeSelector"] = .null
            } == [])
    }

    @Test("a default that an earlier version did not fill in is no change")
    func olderVersion() {
        var old = KubeObject(.pods, namespace: "kiada", name: "p")
        old.json["spec"] = [
            "hostNetwork": true, "containers": [["name": "app", "image": "a:1", "ports": [["containerPort": 53]]]],
        ]
        var new = old
        PodDefaults.fillIn(&new)
        #expect(new.json["spec"]?["containers"]?[0]?["ports"]?[0]?["hostPort"] == 53)
        #expect(PodUpdateRules.errors(of: new, old: old) == [])
        new.json["spec"]?["hostname"] = "h"
        #expect(PodUpdateRules.errors(of: new, old: old).map(\.path) == ["spec"])
    }

    @Test("anything else is forbidden, and the message says what differs")
    func forbidden() throws {
        let causes = try causes { spec in
            spec["containers"] = [["name": "app", "image": "a:1", "env": [["name": "A", "value": "2"]]]]
            spec["hostname"] = "h"
        }
        #expect(causes.map(\.path) == ["spec"])
        let lines = try #require(causes.first?.description).split(separator: "\n")
        #expect(
            lines.first?.hasPrefix(
                "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,") == true)
        #expect(
            lines.dropFirst() == [
                #"- spec.containers[0].env[0].value: "1""#, #"+ spec.containers[0].env[0].value: "2""#,
                #"+ spec.hostname: "h""#,
            ])
    }

    @Test("containers are not added or removed; deadlines do not grow; tolerations stay")
    func others() throws {
        let added = try causes { $0["initContainers"] = [["name": "i", "image": "a:1"]] }
        #expect(
            added.map(\.description) == ["spec.initContainers: Forbidden: pod updates may not add or remove containers"]
        )
        #expect(
            try causes { $0["activeDeadlineSeconds"] = 101 }.map(\.description) == [
                "spec.activeDeadlineSeconds: Invalid value: 101: must be less than or equal to previous value"
            ])
        #expect(
            try causes { $0["activeDeadlineSeconds"] = nil }.map(\.description) == [
                "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value"
            ])
        #expect(
            try causes { $0["tolerations"] = [] }.map(\.description) == [
                "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
            ])
    }

    @Test("a refusal that another pod would not meet says so")
    func anotherPod() throws {
        var changed = try #require(cluster.store.get(pod.key))
        changed.json["spec"]?["hostname"] = "h"
        let error = #expect(throws: APIError.self) { try cluster.store.update(changed) }
        #expect(error?.asksForAnotherPod == true)
        changed.json["spec"]?["hostname"] = "No Name"
        #expect(APIError(.invalid, "", causes: [.invalid("spec.hostname", "No Name", "")]).asksForAnotherPod == false)
    }
}
