import ClusterModel
import ClusterStore
import Testing

@testable import ClusterAPI

@Suite("Conformance of the API, case by case")
struct ConformanceTests {
    private let store = Store(admission: OpenAdmission(), source: SystemStoreSource { 0 })

    init() throws { _ = try store.create(KubeObject(.namespaces, name: "n")) }

    private func make(_ name: String, labels: [String: String] = [:]) throws -> KubeObject {
        var map = KubeObject(.configmaps, namespace: "n", name: name)
        map.labels = labels
        return try store.create(map)
    }

    private func selection(_ query: String) throws -> Selection {
        try Selection(try #require(ResourcePath("/api/v1/namespaces/n/configmaps")), type: .configmaps, Query(query))
    }

    @Test("API chunking: parts are of the moment of the first, whatever happens meanwhile")
    func chunks() throws {
        for name in ["a", "b", "c", "d", "e"] { _ = try make(name) }
        let pages = ListPages()
        func page(_ query: String) throws -> ListPages.Page {
            try pages.page(try selection(query), Query(query), in: store, now: 0)
        }
        let first = try page("limit=2")
        #expect(first.items.map(\.name) == ["a", "b"] && first.metadata["remainingItemCount"] == 3)
        let token = try #require(first.metadata["continue"]?.stringValue)
        _ = try store.delete(ObjectKey(.configmaps, namespace: "n", name: "c"))
        let second = try page("limit=2&continue=\(token)")
        #expect(second.items.map(\.name) == ["c", "d"])
        #expect(second.metadata["resourceVersion"] == first.metadata["resourceVersion"])
        let last = try page("limit=2&continue=\(try #require(second.metadata["continue"]?.stringValue))")
        #expect(last.items.map(\.name) == ["e"] && last.metadata["continue"] == nil)
    }

    @Test("API chunking: a token whose list is forgotten is answered with one that goes on all the same")
    func expiredToken() throws {
        for name in ["a", "b", "c"] { _ = try make(name) }
        let revision = store.list(.configmaps).revision
        _ = try store.delete(ObjectKey(.configmaps, namespace: "n", name: "c"))
        let token = ListToken(revision: revision, namespace: "n", name: "a").text
        let error = #expect(throws: APIError.self) {
            try ListPages().page(try selection(""), Query("continue=\(token)"), in: store, now: 0)
        }
        #expect(error?.reason == .expired && error?.reason.code == 410)
        let next = try #require(error?.continueToken)
        let rest = try ListPages().page(try selection(""), Query("continue=\(next)"), in: store, now: 0)
        #expect(rest.items.map(\.name) == ["b"])
    }

    @Test(
        "API chunking: other tokens and versions are refused",
        arguments: ["continue=nonsense", "continue=e30", "resourceVersion=x"])
    func tokens(query: String) throws {
        let error = #expect(throws: APIError.self) {
            try ListPages().page(try selection(""), Query(query), in: store, now: 0)
        }
        #expect(error?.reason == .badRequest)
    }

    @Test("a version that is still to come is a timeout, with its cause")
    func tooLarge() throws {
        let error = #expect(throws: APIError.self) {
            try ListPages().page(try selection(""), Query("resourceVersion=999"), in: store, now: 0)
        }
        #expect(error?.message == "Too large resource version: 999, current: 1" && error?.reason.code == 504)
        #expect(error?.otherCauses.map(\.reason) == ["ResourceVersionTooLarge"] && error?.retryAfterSeconds == 1)
    }

    @Test("Watchers: what leaves a selection is deleted as it was, and comes back as new")
    func selectionOfWatch() throws {
        var writer = WatchWriter(try selection("labelSelector=a%3Db"), form: .plain) { 0 }
        func kind(_ event: WatchEvent) throws -> JSONValue? {
            try writer.line(for: event).map { try JSONValue(parsing: $0) }
        }
        let inside = try make("m", labels: ["a": "b"])
        let outside = try store.modify(inside.key) { $0.labels = ["a": "c"] }
        let left = try kind(WatchEvent(kind: .modified, object: outside, revision: 3, previous: inside))
        #expect(left?["type"] == "DELETED" && left?["object"]?["metadata"]?["labels"] == ["a": "b"])
        #expect(left?["object"]?["metadata"]?["resourceVersion"] == outside.resourceVersion.map { .string($0) })
        #expect(try kind(WatchEvent(kind: .modified, object: outside, revision: 4, previous: outside)) == nil)
        let back = try kind(WatchEvent(kind: .modified, object: inside, revision: 5, previous: outside))
        #expect(back?["type"] == "ADDED")
        // A watch that starts from an older version gets changes without what was before: the labels were the same.
        #expect(try kind(WatchEvent(kind: .modified, object: inside, revision: 6))?["type"] == "MODIFIED")
    }

    @Test(
        "forms of answers by Accept",
        arguments: [
            ("", .plain), ("*/*", .plain), ("application/json", .plain),
            ("application/vnd.kubernetes.protobuf,application/json", .plain),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", .table(.metadata)),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", .plain),
            (
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
                .metadata
            ),
        ] as [(String, AnswerForm)])
    func forms(accept: String, form: AnswerForm) throws { #expect(try AnswerForm(accept, inclusion: nil) == form) }

    @Test(
        "Servers with support for Table transformation should return a 406 for a backend which does not implement metadata"
    )
    func notAcceptable() {
        let error = #expect(throws: APIError.self) { try AnswerForm("application/yaml", inclusion: nil) }
        #expect(error?.reason.code == 406)
    }

    @Test("Events API: both shapes say the same")
    func eventShapes() throws {
        let new: JSONValue = [
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": ["name": "e"], "note": "text", "reason": "R",
            "regarding": ["kind": "Pod"], "reportingController": "c", "series": ["count": 2], "deprecatedCount": 3,
        ]
        let stored = EventShape.stored(KubeObject(new), from: EventShape.newGroup)
        #expect(
            stored.type == .events && stored.json["message"] == "text"
                && stored.json["involvedObject"] == ["kind": "Pod"])
        #expect(EventShape.shaped(stored, for: EventShape.newGroup).json == new)
        let old = KubeObject(stored.json)
        #expect(EventShape.stored(old, from: "") == old)
        let source = try FieldSelector(parsing: "source=c,regarding.kind=Pod", for: .events)
        #expect(source.matches(stored))
    }

    @Test(
        "lists and watches refuse options that do not go together",
        arguments: [
            "resourceVersionMatch=Exact", "resourceVersion=1&resourceVersionMatch=Wrong", "sendInitialEvents=true",
            "resourceVersion=0&resourceVersionMatch=Exact",
        ])
    func options(query: String) {
        #expect(throws: APIError.self) { try ListOptionRules.check(Query(query)) }
        #expect(throws: APIError.self) { try ListOptionRules.checkWatch(Query(query)) }
    }

    @Test("a patch is shown as the API server prints it")
    func goFormat() {
        #expect(
            GoFormat.text(["spec": ["b": [1, "x"], "a": true, "n": .null]]) == "map[spec:map[a:true b:[1 x] n:<nil>]]")
    }

    @Test("DisruptionController should block an eviction until the PDB is updated to allow it")
    func evictions() throws {
        var pod = KubeObject(.pods, namespace: "n", name: "p")
        pod.labels = ["foo": "bar"]
        pod.json["status"] = ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
        let stored = try store.create(pod)
        var budget = KubeObject(.poddisruptionbudgets, namespace: "n", name: "foo")
        budget.json["spec"] = ["selector": ["matchLabels": ["foo": "bar"]], "minAvailable": 1]
        let key = try store.create(budget).key
        func refusal() -> APIError? {
            do throws(APIError) {
                try EvictionGrant.take(for: stored, in: store, isDryRun: false, now: 0)
                return nil
            } catch {
                return error
            }
        }
        #expect(
            refusal()?.otherCauses.first?.message == "The disruption budget foo is still being processed by the server."
        )
        _ = try store.modify(key) {
            $0.json["status"] = [
                "observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0,
            ]
        }
        #expect(refusal()?.reason.code == 429)
        #expect(
            refusal()?.otherCauses == [
                APIError.Cause(
                    reason: "DisruptionBudget",
                    message: "The disruption budget foo needs 1 healthy pods and has 1 currently")
            ])
        _ = try store.modify(key) { $0.json["status"]?["disruptionsAllowed"] = 1 }
        #expect(refusal() == nil)
        #expect(store.get(key)?.json["status"]?["disruptionsAllowed"] == 0)
        #expect(refusal() != nil)
    }

    @Test("/openapi/v2 has the definitions that v3 has")
    func olderOpenAPI() throws {
        let document = try JSONValue(parsing: OpenAPI.older)
        let service = document["definitions"]?["io.k8s.api.core.v1.Service"]
        #expect(service?["properties"]?["spec"]?["$ref"] == "#/definitions/io.k8s.api.core.v1.ServiceSpec")
        let intOrString = document["definitions"]?["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
        #expect(intOrString?["type"] == "string" && intOrString?["format"] == "int-or-string")
        #expect(document["definitions"]?["io.k8s.api.policy.v1.PodDisruptionBudget"] != nil)
        let patch = document["paths"]?["/api/v1/namespaces/{namespace}/services/{name}"]?["patch"]
        #expect(patch?["parameters"]?[0]?["type"] == "string" && patch?["parameters"]?[0]?["schema"] == nil)
        #expect(!String(decoding: OpenAPI.older, as: UTF8.self).contains("#/components/"))
    }

    @Test(
        "conflicts name who has written an object that nobody watched over",
        arguments: [
            (["annotations": ["kiada.dev/manifest": "a.yaml"]], "kiada-manifests"),
            (["ownerReferences": [["controller": true]]], "kube-controller-manager"),
            (
                ["labels": ["endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"]],
                "kube-controller-manager"
            ),
            (["annotations": ["kubectl.kubernetes.io/last-applied-configuration": "{}"]], "kubectl-client-side-apply"),
            ([:], nil),
        ] as [(JSONValue, String?)])
    func authors(metadata: JSONValue, name: String?) { #expect(Author.name(of: ["metadata": metadata]) == name) }

    @Test("Proxy version v1: paths of programs behind the API")
    func proxyTargets() throws {
        let service = try #require(ProxyTarget("/api/v1/namespaces/n/services/https:web:443/proxy/a//b%20c/"))
        #expect(service.key == ObjectKey(.services, namespace: "n", name: "web"))
        #expect(service.isTLS && service.port == "443" && service.path == "/a//b%20c/")
        let pod = try #require(ProxyTarget("/api/v1/namespaces/n/pods/web/proxy"))
        #expect(pod.key.type == .pods && pod.port.isEmpty && pod.path.isEmpty && !pod.isTLS)
        for other in [
            "/api/v1/namespaces/n/pods/web", "/api/v1/namespaces/n/nodes/web/proxy/",
            "/api/v1/namespaces/n/pods/ftp:web:1/proxy/",
        ] { #expect(ProxyTarget(other) == nil) }
        #expect(throws: APIError.self) { try service.endpoint(in: store) }
    }
}
