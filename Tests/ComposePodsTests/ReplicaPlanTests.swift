import ClusterModel
import ComposePods
import NetTypes
import Testing

/// Pods from the containers of a compose project (compose-lab 5, 6).
struct ReplicaPlanTests {
    private var template: KubeObject {
        var template = KubeObject(.podtemplates, namespace: "kiada", name: "quote")
        template.annotations = [ReplicaPlan.serviceAnnotation: "quote"]
        template.json["template"] = [
            "metadata": ["labels": ["app": "quote"]],
            "spec": ["containers": [["name": "quote", "image": "kiada/quote"]]],
        ]
        return template
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private func changes(_ replicas: [Replica], present: [KubeObject] = []) -> [ReplicaPlan.Change] {
        ReplicaPlan.changes(
            to: present, for: [.init(template: template, service: "quote", replicas: replicas)], nodeName: "node")
    }

    private func pod(_ change: ReplicaPlan.Change?) throws -> KubeObject {
        guard case .create(let pod) = change else {
            Issue.record("not a creation: \(String(describing: change))")
            throw APIError(.notFound, "")
        }
        return pod
    }

    @Test(
        "compose-lab 6: a pod is called after the container's PTR record, without project and network",
        arguments: [
            (["kiada-quote-2.kiada_cluster."], "quote-2"),
            (["my_lab-quote-canary-1.my_lab_cluster."], "quote-canary-1"),
            (["kiada-quote-2.", "quote.", "0123456789ab."], "quote-2"),
            (["named-by-hand.kiada_cluster."], "named-by-hand"),
            (["-.kiada_cluster."], nil), ([], nil),
        ] as [([String], String?)])
    func names(pointers: [String], expected: String?) {
        #expect(ContainerName.pod(pointers: pointers, service: "quote") == expected)
    }

    @Test("compose-lab 6: a container of Podman finds its service among its own names")
    func ownNames() {
        #expect(
            ContainerName.pod(pointers: ["my-lab-quote-canary-1.", "my-lab-quote-canary-1.", "quote-canary.", "c11."])
                == "quote-canary-1")
        #expect(ContainerName.pod(pointers: ["kiada-quote-2.kiada_cluster."]) == "quote-2")
    }

    @Test("A container becomes a pod with the template's labels, its address and the node")
    func create() throws {
        let replica = Replica(name: "quote-1", addresses: [try address("10.96.128.3")])
        let pod = try pod(changes([replica]).first)
        #expect(pod.key == ObjectKey(.pods, namespace: "kiada", name: "quote-1"))
        #expect(pod.labels == ["app": "quote"])
        #expect(pod.annotations[ReplicaPlan.addressAnnotation] == "10.96.128.3")
        #expect(pod.json["spec"]?["nodeName"]?.stringValue == "node")
        #expect(changes([replica], present: [pod]).isEmpty)
    }

    @Test("A container that is gone takes its pod with it; one with another address is another pod")
    func replace() throws {
        let old = try pod(changes([Replica(name: "quote-1", addresses: [try address("10.96.128.3")])]).first)
        #expect(changes([], present: [old]) == [.delete(old.key)])
        let moved = changes([Replica(name: "quote-1", addresses: [try address("10.96.128.4")])], present: [old])
        #expect(moved.count == 2)
        #expect(moved.first == .delete(old.key))
        #expect(try pod(moved.last).annotations[ReplicaPlan.addressAnnotation] == "10.96.128.4")
    }

    @Test("Labels that somebody has put on a pod stay; a changed template replaces it")
    func labels() throws {
        let replica = Replica(name: "quote-1", addresses: [try address("10.96.128.3")])
        var relabelled = try pod(changes([replica]).first)
        relabelled.labels["app"] = "debug"
        #expect(changes([replica], present: [relabelled]).isEmpty)
        var other = template
        other.json["template"]?["metadata"]?["labels"] = ["app": "other"]
        let replaced = ReplicaPlan.changes(
            to: [relabelled], for: [.init(template: other, service: "quote", replicas: [replica])], nodeName: "node")
        #expect(replaced.count == 2)
    }

    @Test("A pod of the same name that no template has made is left alone")
    func foreign() throws {
        let own = KubeObject(.pods, namespace: "kiada", name: "quote-1")
        let replica = Replica(name: "quote-1", addresses: [try address("10.96.128.3")])
        #expect(changes([replica], present: [own]).isEmpty)
    }

    @Test("Both addresses of a container are one pod's, IPv4 first; a nameless one is called after its address")
    func dualStack() throws {
        let (four, six) = (try address("10.96.128.3"), try address("fd00:10:96::8003"))
        let lonely = try address("10.96.128.9")
        let name = ["kiada-quote-1.kiada_cluster."]
        let replicas = Replica.replicas(of: "quote", [six: name, four: name, lonely: []])
        #expect(
            replicas == [
                Replica(name: "quote-1", addresses: [four, six]),
                Replica(name: "quote-10-96-128-9", addresses: [lonely]),
            ])
    }
}
