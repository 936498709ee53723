"""[sig-api-machinery]: lists, watches, field validation, namespaces, garbage collection; and what auth and instrumentation ask for."""
import json
import time

from harness import APPLY, JSON_PATCH, MERGE, STRATEGIC, Refused, case, condition

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def maps(namespace):
    return f"/api/v1/namespaces/{namespace}/configmaps"


def template(namespace):
    return f"/api/v1/namespaces/{namespace}/podtemplates"


@case("[sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup")
def _(c):
    for group in c.get("/apis")["groups"]:
        one = c.get(f"/apis/{group['name']}")
        assert one["preferredVersion"] in one["versions"] and one["kind"] == "APIGroup"


@case("[sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup")
def _(c):
    for group in c.get("/apis")["groups"]:
        version = group["preferredVersion"]["groupVersion"]
        resources = c.get(f"/apis/{version}")
        assert resources["groupVersion"] == version and resources["resources"]
    from kubernetes import dynamic
    client = dynamic.DynamicClient(c.client)
    for version, kind in (("v1", "Service"), ("apps/v1", "Deployment"), ("discovery.k8s.io/v1", "EndpointSlice"),
                          ("policy/v1", "PodDisruptionBudget"), ("events.k8s.io/v1", "Event")):
        client.resources.get(api_version=version, kind=kind).get()


@case("[sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls")
def _(c):
    ns = c.namespace()
    for index in range(40):
        c.post(template(ns), {"metadata": {"name": f"template-{index:04}"}, "template": {
            "metadata": {}, "spec": {"containers": [{"name": "test", "image": "test2"}]}}})
    for limit in (1, 7, 40, 41):
        query, seen, version = {"limit": limit}, 0, None
        while True:
            page = c.get(template(ns), **query)
            assert len(page["items"]) <= limit
            version = version or page["metadata"]["resourceVersion"]
            assert page["metadata"]["resourceVersion"] == version
            for item in page["items"]:
                assert item["metadata"]["name"] == f"template-{seen:04}"
                seen += 1
            rest = page["metadata"].get("remainingItemCount")
            if not page["metadata"].get("continue"):
                assert rest is None
                break
            assert rest == 40 - seen
            query["continue"] = page["metadata"]["continue"]
        assert seen == 40
    assert len(c.get(template(ns), limit=500)["items"]) == 40
    # Changes between pages are not seen.
    first = c.get(template(ns), limit=10)
    c.delete(template(ns) + "/template-0015")
    c.post(maps(ns), {"metadata": {"name": "between"}})
    rest = c.get(template(ns), **{"continue": first["metadata"]["continue"]})
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert len(rest["items"]) == 30, len(rest["items"])


@case("[sig-api-machinery] Servers with support for API chunking should refuse tokens that are none")
def _(c):
    refusal = c.refused(400, "BadRequest", lambda: c.get("/api/v1/pods", **{"continue": "nonsense"}))
    assert refusal.message.startswith("continue key is not valid: "), refusal.message
    token = c.get("/api/v1/namespaces", limit=1)["metadata"]["continue"]
    refusal = c.refused(400, "BadRequest", lambda: c.get("/api/v1/namespaces", **{"continue": token, "resourceVersion": "3"}))
    assert refusal.message == "specifying resource version is not allowed when using continue", refusal.message


@case("[sig-api-machinery] Servers with support for Table transformation should return pod details, chunks, generic metadata details")
def _(c):
    ns = c.namespace()
    c.pod(ns, "pod-1")

    def table(path):
        status, headers, data = c.raw("GET", path, accept=TABLE)
        assert status == 200, data
        return json.loads(data)
    found = table(f"/api/v1/namespaces/{ns}/pods/pod-1")
    assert found["kind"] == "Table" and found["apiVersion"] == "meta.k8s.io/v1"
    assert len(found["columnDefinitions"]) > 2 and found["columnDefinitions"][0]["name"] == "Name"
    assert len(found["rows"]) == 1 and found["rows"][0]["cells"][0] == "pod-1"
    partial = found["rows"][0]["object"]
    assert partial["kind"] == "PartialObjectMetadata" and partial["apiVersion"] == "meta.k8s.io/v1", partial
    assert partial["metadata"]["name"] == "pod-1" and "spec" not in partial
    for index in range(20):
        c.post(template(ns), {"metadata": {"name": f"template-{index:04}"}, "template": {
            "spec": {"containers": [{"name": "test", "image": "test2"}]}}})
    page = table(template(ns) + "?limit=2")
    assert len(page["rows"]) == 2 and page["metadata"]["continue"] and page["metadata"]["resourceVersion"]
    page = table(template(ns) + "?limit=2&continue=" + page["metadata"]["continue"])
    assert [row["cells"][0] for row in page["rows"]] == ["template-0002", "template-0003"]
    nodes = table("/api/v1/nodes")
    assert len(nodes["rows"][0]["cells"]) == len(nodes["columnDefinitions"])


@case("[sig-api-machinery] Servers with support for Table transformation should return a 406 for a backend which does not implement metadata")
def _(c):
    status, _, data = c.raw("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                            {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}, accept=TABLE)
    assert status == 406 and json.loads(data)["reason"] == "NotAcceptable", (status, data)
    status, _, data = c.raw("GET", "/api/v1/pods", accept="application/yaml;as=Nothing")
    assert status == 406, (status, data)


@case("[sig-api-machinery] Metadata clients should get objects and lists as PartialObjectMetadata, and watch them")
def _(c):
    ns = c.namespace()
    c.post(maps(ns), {"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"big": "text"}})
    kind = "application/json;as=PartialObjectMetadata%s;g=meta.k8s.io;v=v1,application/json"
    found = json.loads(c.raw("GET", maps(ns) + "/a", accept=kind % "")[2])
    assert found["kind"] == "PartialObjectMetadata" and "data" not in found and found["metadata"]["labels"] == {"x": "y"}, found
    listed = json.loads(c.raw("GET", maps(ns), accept=kind % "List")[2])
    assert listed["kind"] == "PartialObjectMetadataList" and listed["apiVersion"] == "meta.k8s.io/v1"
    assert [i["metadata"]["name"] for i in listed["items"] if i["metadata"]["name"] == "a"] == ["a"]
    assert "data" not in listed["items"][0]


@case("[sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps")
def _(c):
    ns = c.namespace()
    label = "watch-this-configmap"
    with c.watch(maps(ns), labelSelector=f"{label}=A") as a, c.watch(maps(ns), labelSelector=f"{label}=B") as b, \
            c.watch(maps(ns), labelSelector=f"{label} in (A,B)") as both:
        c.post(maps(ns), {"metadata": {"name": "a", "labels": {label: "A"}}})
        a.expect("ADDED", "a")
        both.expect("ADDED", "a")
        b.nothing(0.1)
        for number in ("1", "2"):
            c.patch(maps(ns) + "/a", {"data": {"mutation": number}})
            assert a.expect("MODIFIED", "a")["data"]["mutation"] == number
            assert both.expect("MODIFIED", "a")["data"]["mutation"] == number
        c.delete(maps(ns) + "/a")
        a.expect("DELETED", "a")
        both.expect("DELETED", "a")
        c.post(maps(ns), {"metadata": {"name": "b", "labels": {label: "B"}}})
        b.expect("ADDED", "b")
        both.expect("ADDED", "b")
        a.nothing(0.1)
        c.delete(maps(ns) + "/b")
        b.expect("DELETED", "b")
        both.expect("DELETED", "b")


@case("[sig-api-machinery] Watchers should be able to start watching from a specific resource version")
def _(c):
    ns = c.namespace()
    made = c.post(maps(ns), {"metadata": {"name": "m"}})
    first = c.patch(maps(ns) + "/m", {"data": {"mutation": "1"}})
    c.patch(maps(ns) + "/m", {"data": {"mutation": "2"}})
    c.delete(maps(ns) + "/m")
    with c.watch(maps(ns), resourceVersion=first["metadata"]["resourceVersion"], fieldSelector="metadata.name=m") as watch:
        assert watch.expect("MODIFIED", "m")["data"]["mutation"] == "2"
        gone = watch.expect("DELETED", "m")
        assert int(gone["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


@case("[sig-api-machinery] Watchers should be able to restart watching from the last resource version observed by the previous watch")
def _(c):
    ns = c.namespace()
    with c.watch(maps(ns), fieldSelector="metadata.name=m") as watch:
        c.post(maps(ns), {"metadata": {"name": "m"}})
        watch.expect("ADDED", "m")
        c.patch(maps(ns) + "/m", {"data": {"mutation": "1"}})
        version = watch.expect("MODIFIED", "m")["metadata"]["resourceVersion"]
    c.patch(maps(ns) + "/m", {"data": {"mutation": "2"}})
    c.delete(maps(ns) + "/m")
    with c.watch(maps(ns), resourceVersion=version, fieldSelector="metadata.name=m") as watch:
        assert watch.expect("MODIFIED", "m")["data"]["mutation"] == "2"
        watch.expect("DELETED", "m")


@case("[sig-api-machinery] Watchers should observe an object deletion if it stops meeting the requirements of the selector")
def _(c):
    ns = c.namespace()
    label = {"changing": "original"}
    with c.watch(maps(ns), labelSelector="changing=original") as watch:
        c.post(maps(ns), {"metadata": {"name": "m", "labels": label}})
        watch.expect("ADDED", "m")
        c.patch(maps(ns) + "/m", {"data": {"mutation": "1"}})
        watch.expect("MODIFIED", "m")
        c.patch(maps(ns) + "/m", {"metadata": {"labels": {"changing": "wrong"}}})
        gone = watch.expect("DELETED", "m")
        assert gone["metadata"]["labels"] == label, "a deletion shows the object as it was"
        c.patch(maps(ns) + "/m", {"data": {"mutation": "2"}})
        watch.nothing(0.2)
        c.patch(maps(ns) + "/m", {"metadata": {"labels": label}})
        watch.expect("ADDED", "m")
        c.patch(maps(ns) + "/m", {"data": {"mutation": "3"}})
        watch.expect("MODIFIED", "m")
        c.delete(maps(ns) + "/m")
        watch.expect("DELETED", "m")


@case("[sig-api-machinery] Watchers should receive events on concurrent watches in same order", alone=True)
def _(c):
    ns = c.namespace()
    version = c.get(maps(ns))["metadata"]["resourceVersion"]
    orders = []
    for start in range(5):
        for index in range(6):
            c.post(maps(ns), {"metadata": {"name": f"m-{start}-{index}"}})
            c.patch(maps(ns) + f"/m-{start}-{index}", {"data": {"a": "b"}})
        with c.watch(maps(ns), resourceVersion=version) as watch:
            seen = []
            for _ in range(12 * (start + 1)):
                event = watch.next(lambda e: True)
                seen.append(event["object"]["metadata"]["resourceVersion"])
            orders.append(seen)
    for order in orders:
        assert orders[-1][: len(order)] == order


@case("[sig-api-machinery] Watchers should send bookmarks, initial events, and 410 for versions that are gone")
def _(c):
    ns = c.namespace()
    c.post(maps(ns), {"metadata": {"name": "m"}})
    with c.watch(maps(ns), sendInitialEvents="true", resourceVersionMatch="NotOlderThan", allowWatchBookmarks="true") as watch:
        watch.next(lambda e: e["type"] == "ADDED" and e["object"]["metadata"]["name"] == "m")
        bookmark = watch.next(lambda e: e["type"] == "BOOKMARK")["object"]
        assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    with c.watch(maps(ns), resourceVersion="99999999999") as watch:
        pass
    refusal = c.refused(400, "BadRequest", lambda: c.get(maps(ns), watch="true", resourceVersion="abc", timeoutSeconds=1))
    assert 'Invalid value: "abc"' in refusal.message, refusal.message
    refusal = c.refused(422, "Invalid", lambda: c.get(maps(ns), watch="true", sendInitialEvents="true", timeoutSeconds=1))
    assert "sendInitialEvents: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan" in refusal.message or \
        "resourceVersionMatch: Forbidden" in refusal.message, refusal.message


@case("[sig-api-machinery] Lists should know resourceVersion and resourceVersionMatch")
def _(c):
    ns = c.namespace()
    version = int(c.get(maps(ns))["metadata"]["resourceVersion"])
    assert c.get(maps(ns), resourceVersion="0")["kind"] == "ConfigMapList"
    assert c.get(maps(ns), resourceVersion=version, resourceVersionMatch="NotOlderThan")["kind"] == "ConfigMapList"
    refusal = c.refused(504, "Timeout", lambda: c.get(maps(ns), resourceVersion=version + 100000))
    assert refusal.message.startswith("Too large resource version: "), refusal.message
    assert refusal.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    refusal = c.refused(422, "Invalid", lambda: c.get(maps(ns), resourceVersionMatch="Exact"))
    assert "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided" in refusal.message
    refusal = c.refused(422, "Invalid", lambda: c.get(maps(ns), resourceVersion="1", resourceVersionMatch="Wrong"))
    assert 'resourceVersionMatch: Unsupported value: "Wrong"' in refusal.message, refusal.message


DEPLOYMENT = """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"%s","unknownMeta":"x"%s},
"spec":{"unknown1":"val1","unknownDupe":"valDupe","unknownDupe":"valDupe2","paused":true,"paused":false,
"selector":{"matchLabels":{"app":"nginx"}},
"template":{"metadata":{"labels":{"app":"nginx"}},"spec":{"containers":[{"name":"nginx","image":"nginx:latest",
"unknownNested":"val1","imagePullPolicy":"Always","imagePullPolicy":"Never"}]}}}}"""


@case("[sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object")
def _(c):
    ns = c.namespace()
    path = f"/apis/apps/v1/namespaces/{ns}/deployments"
    refusal = c.refused(400, "BadRequest", lambda: c.post(path, DEPLOYMENT % ("strict", ""), fieldValidation="Strict"))
    for problem in ('unknown field "metadata.unknownMeta"', 'unknown field "spec.unknown1"', 'unknown field "spec.unknownDupe"',
                    'duplicate field "spec.paused"', 'unknown field "spec.template.spec.containers[0].unknownNested"',
                    'duplicate field "spec.template.spec.containers[0].imagePullPolicy"'):
        assert problem in refusal.message, (problem, refusal.message)
    assert "strict decoding error: " in refusal.message
    made = c.post(path, DEPLOYMENT % ("warn", ""), fieldValidation="Warn")
    for problem in ('unknown field \\"spec.unknown1\\"', 'duplicate field \\"spec.paused\\"'):
        assert problem in (c.last.warning or ""), (problem, c.last.warning)
    assert "unknown1" not in made["spec"] and made["spec"].get("paused", False) is False
    c.post(path, DEPLOYMENT % ("ignore", ""), fieldValidation="Ignore")
    assert c.last.warning is None, c.last.warning
    c.post(path, DEPLOYMENT % ("default", ""))
    assert c.last.warning, "warnings are the default"
    refusal = c.refused(422, "Invalid", lambda: c.post(path, DEPLOYMENT % ("x", ""), fieldValidation="Wrong"))
    assert 'fieldValidation: Unsupported value: "Wrong": supported values: "", "Ignore", "Strict", "Warn"' in refusal.message, refusal.message
    # Patches: merge, JSON and apply.
    text = '{"spec":{"unknown1":"v","paused":true,"paused":false}}'
    try:
        c.patch(path + "/warn", text, MERGE, fieldValidation="Strict")
        raise AssertionError("not refused")
    except Refused as refused:
        assert refused.code in (400, 422) and 'unknown field "spec.unknown1"' in refused.message, refused
        assert 'duplicate field "spec.paused"' in refused.message, refused
    document = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "warn"}, "spec": {"unknown1": "v"}}
    try:
        c.patch(path + "/warn", document, APPLY, fieldManager="me", fieldValidation="Strict")
        raise AssertionError("not refused")
    except Refused as refused:
        assert "unknown1" in refused.message, refused


@case("[sig-api-machinery] Namespaces should ensure that all pods are removed when a namespace is deleted")
def _(c):
    ns = c.namespace()
    c.pod(ns, "test-pod")
    c.phase(ns, "test-pod", "Running")
    assert c.delete(f"/api/v1/namespaces/{ns}")["status"]["phase"] == "Terminating"
    refusal = c.refused(403, "Forbidden", lambda: c.post(maps(ns), {"metadata": {"name": "late"}}))
    assert "because it is being terminated" in refusal.message
    assert refusal.body["details"]["causes"][0]["reason"] == "NamespaceTerminating", refusal.body
    c.eventually(lambda: not c.exists(f"/api/v1/namespaces/{ns}"), "the namespace is gone")
    c.post("/api/v1/namespaces", {"metadata": {"name": ns, "labels": {"e2e": "true"}}})
    assert not c.get(f"/api/v1/namespaces/{ns}/pods")["items"]


@case("[sig-api-machinery] Namespaces should ensure that all services are removed when a namespace is deleted")
def _(c):
    ns = c.namespace()
    c.post(f"/api/v1/namespaces/{ns}/services", {"metadata": {"name": "test-service"}, "spec": {"ports": [{"port": 80}]}})
    c.delete(f"/api/v1/namespaces/{ns}")
    c.eventually(lambda: not c.exists(f"/api/v1/namespaces/{ns}"), "the namespace is gone")
    c.post("/api/v1/namespaces", {"metadata": {"name": ns, "labels": {"e2e": "true"}}})
    assert c.exists(f"/api/v1/namespaces/{ns}/services/test-service") is None


@case("[sig-api-machinery] Namespaces should patch a Namespace")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}"
    c.patch(path, {"metadata": {"labels": {"testLabel": "testValue"}}}, STRATEGIC)
    assert c.get(path)["metadata"]["labels"]["testLabel"] == "testValue"
    assert c.get(path)["spec"] == {"finalizers": ["kubernetes"]}, c.get(path)


@case("[sig-api-machinery] Namespaces should apply changes to a namespace status")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/status"
    assert c.get(path)["status"]["phase"] == "Active"
    condition_ = {"type": "StatusPatch", "status": "True", "reason": "E2E", "message": "Patched by an e2e test"}
    patched = c.patch(path, {"metadata": {"annotations": {"e2e-patched-ns-status": ns}}, "status": {"conditions": [condition_]}})
    assert patched["metadata"]["annotations"]["e2e-patched-ns-status"] == ns
    assert patched["status"]["conditions"][0]["reason"] == "E2E"
    patched["status"]["conditions"].append({"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "x"})
    assert len(c.put(path, patched)["status"]["conditions"]) == 2


@case("[sig-api-machinery] Namespaces should apply an update to a Namespace")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}"
    whole = c.get(path)
    whole["metadata"]["labels"][ns] = "updated"
    assert c.put(path, whole)["metadata"]["labels"][ns] == "updated"


@case("[sig-api-machinery] Namespaces should apply a finalizer to a Namespace")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}"
    whole = c.get(path)
    whole["spec"]["finalizers"].append("e2e.example.com/fakeFinalizer")
    updated = c.put(path + "/finalize", whole)
    assert "e2e.example.com/fakeFinalizer" in updated["spec"]["finalizers"]
    c.delete(path)
    c.eventually(lambda: c.get(path)["status"]["phase"] == "Terminating", "it is ending")
    time.sleep(0.3)
    whole = c.get(path)
    whole["spec"]["finalizers"].remove("e2e.example.com/fakeFinalizer")
    c.put(path + "/finalize", whole)
    c.eventually(lambda: not c.exists(path), "the namespace is gone")


WEB = {"selector": {"matchLabels": {"app": "web"}}, "replicas": 2, "template": {
    "metadata": {"labels": {"app": "web"}}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [
        {"name": "main", "image": "busybox", "command": ["sleep", "600"]}]}}}


def deployed(c, ns):
    c.post(f"/apis/apps/v1/namespaces/{ns}/deployments", {"metadata": {"name": "web"}, "spec": WEB})
    sets = f"/apis/apps/v1/namespaces/{ns}/replicasets"
    c.eventually(lambda: len(c.get(f"/api/v1/namespaces/{ns}/pods")["items"]) == 2, "two pods")
    return f"/apis/apps/v1/namespaces/{ns}/deployments/web", sets


@case("[sig-api-machinery] Garbage collector should delete RS created by deployment when not orphaning")
def _(c):
    ns = c.namespace()
    path, sets = deployed(c, ns)
    c.delete(path, {"propagationPolicy": "Background"})
    c.eventually(lambda: not c.get(sets)["items"], "no ReplicaSets")
    c.eventually(lambda: not c.get(f"/api/v1/namespaces/{ns}/pods")["items"], "no pods")


@case("[sig-api-machinery] Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan")
def _(c):
    ns = c.namespace()
    path, sets = deployed(c, ns)
    c.delete(path, {"propagationPolicy": "Orphan"})
    c.eventually(lambda: not c.exists(path), "the Deployment is gone")
    time.sleep(0.5)
    items = c.get(sets)["items"]
    assert len(items) == 1 and "ownerReferences" not in items[0]["metadata"], items


@case("[sig-api-machinery] Garbage collector should orphan pods created by rs if delete options say so")
def _(c):
    ns = c.namespace()
    sets = f"/apis/apps/v1/namespaces/{ns}/replicasets"
    c.post(sets, {"metadata": {"name": "web"}, "spec": WEB})
    c.eventually(lambda: len(c.get(f"/api/v1/namespaces/{ns}/pods")["items"]) == 2, "two pods")
    c.delete(sets + "/web", {"orphanDependents": True})
    c.eventually(lambda: not c.exists(sets + "/web"), "the ReplicaSet is gone")
    time.sleep(0.5)
    assert len(c.get(f"/api/v1/namespaces/{ns}/pods")["items"]) == 2


@case("[sig-api-machinery] Garbage collector should keep the rs around until all its pods are deleted if the deleteOptions says so")
def _(c):
    ns = c.namespace()
    sets = f"/apis/apps/v1/namespaces/{ns}/replicasets"
    c.post(sets, {"metadata": {"name": "web"}, "spec": WEB})
    c.eventually(lambda: len(c.get(f"/api/v1/namespaces/{ns}/pods")["items"]) == 2, "two pods")
    with c.watch(sets) as watch:
        answer = c.delete(sets + "/web", {"propagationPolicy": "Foreground"})
        assert answer["metadata"]["finalizers"] == ["foregroundDeletion"], answer
        watch.next(lambda e: e["type"] == "DELETED")
    assert not c.get(f"/api/v1/namespaces/{ns}/pods")["items"]


def owned(c, ns, name, *owners):
    return c.post(maps(ns), {"metadata": {"name": name, "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": o["metadata"]["name"], "uid": o["metadata"]["uid"],
         "blockOwnerDeletion": True} for o in owners]}})


@case("[sig-api-machinery] Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted")
def _(c):
    ns = c.namespace()
    going, staying = (c.post(maps(ns), {"metadata": {"name": n}}) for n in ("going", "staying"))
    owned(c, ns, "both", going, staying)
    owned(c, ns, "one", going)
    c.delete(maps(ns) + "/going", {"propagationPolicy": "Foreground"})
    c.eventually(lambda: not c.exists(maps(ns) + "/going"), "the owner is gone")
    c.eventually(lambda: not c.exists(maps(ns) + "/one"), "its own is gone")
    found = c.get(maps(ns) + "/both")
    assert [o["name"] for o in found["metadata"]["ownerReferences"]] == ["staying"] and "deletionTimestamp" not in found["metadata"]


@case("[sig-api-machinery] Garbage collector should not be blocked by dependency circle")
def _(c):
    ns = c.namespace()
    first = c.post(maps(ns), {"metadata": {"name": "a"}})
    second = owned(c, ns, "b", first)
    third = owned(c, ns, "c", second)
    c.patch(maps(ns) + "/a", {"metadata": {"ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": third["metadata"]["uid"], "blockOwnerDeletion": True}]}})
    c.delete(maps(ns) + "/a", {"propagationPolicy": "Foreground"})
    c.eventually(lambda: not {"a", "b", "c"} & {m["metadata"]["name"] for m in c.get(maps(ns))["items"]}, "all are gone")


@case("[sig-api-machinery] ServerSideApply should create, update, conflict, force, remove, and work for subresources and scale")
def _(c):
    ns = c.namespace()
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/web"
    document = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"a": "b"}}, "spec": WEB}
    made = c.patch(path, document, APPLY, fieldManager="apply_test")
    assert made["metadata"]["managedFields"][0]["manager"] == "apply_test"
    uid = made["metadata"]["uid"]
    assert c.patch(path, document, APPLY, fieldManager="apply_test")["metadata"]["uid"] == uid
    c.patch(path + "/scale", {"spec": {"replicas": 5}}, MERGE, fieldManager="scaler")
    refusal = c.refused(409, "Conflict", lambda: c.patch(path, document, APPLY, fieldManager="apply_test"))
    assert refusal.message == 'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas', \
        refusal.message
    assert c.patch(path, document, APPLY, fieldManager="apply_test", force="true")["spec"]["replicas"] == 2
    document["metadata"].pop("labels")
    assert "labels" not in c.patch(path, document, APPLY, fieldManager="apply_test")["metadata"]
    pod = f"/api/v1/namespaces/{ns}/pods/p"
    c.patch(pod, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "containers": [{"name": "main", "image": "busybox", "command": ["sleep", "600"]}]}}, APPLY, fieldManager="apply_test")
    status = c.patch(pod + "/status", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": {
        "conditions": [{"type": "MyStatus", "status": "True"}]}}, APPLY, fieldManager="apply_test")
    assert condition(status, "MyStatus")
    # What components write has their names.
    managers = {m["manager"] for m in c.get(path)["metadata"]["managedFields"]}
    assert "apply_test" in managers, managers
    body = c.refused(422, "Invalid", lambda: c.patch(path, document, APPLY))
    assert "fieldManager: Required value: is required for apply patch" in body.message


@case("[sig-api-machinery] client-side created objects conflict by the name of who made them")
def _(c):
    ns = c.namespace()
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1"}}
    c.post(maps(ns), document, fieldManager="creator")
    document["data"]["a"] = "2"
    refusal = c.refused(409, "Conflict", lambda: c.patch(maps(ns) + "/m", document, APPLY, fieldManager="other"))
    assert "conflict with " in refusal.message and ": .data.a" in refusal.message, refusal.message


@case("[sig-api-machinery] dry run should store nothing")
def _(c):
    ns = c.namespace()
    made = c.post(maps(ns), {"metadata": {"name": "m"}}, dryRun="All")
    assert made["metadata"]["uid"] and c.exists(maps(ns) + "/m") is None
    c.post(maps(ns), {"metadata": {"name": "m"}})
    c.patch(maps(ns) + "/m", {"data": {"a": "b"}}, dryRun="All")
    c.delete(maps(ns) + "/m", dryRun="All")
    assert "data" not in c.get(maps(ns) + "/m")
    c.pod(ns, "p")
    c.patch(f"/api/v1/namespaces/{ns}/pods/p/status", {"status": {"message": "dry"}}, dryRun="All")
    assert c.get(f"/api/v1/namespaces/{ns}/pods/p")["status"].get("message") != "dry"


@case("[sig-instrumentation] Events should manage the lifecycle of an event")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/events"
    c.post(path, {"metadata": {"name": "event-test", "labels": {"testevent-constant": "true"}}, "message": "This is a test event",
                  "reason": "Test", "type": "Normal", "count": 1, "involvedObject": {"namespace": ns},
                  "source": {"component": "test"}, "firstTimestamp": "2024-01-01T00:00:00Z", "lastTimestamp": "2024-01-01T00:00:00Z"})
    items = c.get("/api/v1/events", labelSelector="testevent-constant=true")["items"]
    assert [e["metadata"]["name"] for e in items if e["metadata"]["namespace"] == ns] == ["event-test"]
    patched = c.patch(path + "/event-test", {"message": "This is a test event - patched"})
    assert c.get(path + "/event-test")["message"] == "This is a test event - patched"
    patched["series"] = {"count": 100, "lastObservedTime": "2024-01-01T00:00:00.505000Z"}
    updated = c.put(path + "/event-test", patched)
    assert updated["series"]["count"] == 100
    c.delete(path + "/event-test")
    assert not c.get("/api/v1/events", labelSelector="testevent-constant=true", fieldSelector=f"metadata.namespace={ns}")["items"]


@case("[sig-instrumentation] Events should delete a collection of events")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/events"
    for index in range(3):
        c.post(path, {"metadata": {"name": f"test-event-{index}", "labels": {"testevent-set": "true"}},
                      "involvedObject": {"namespace": ns}, "reason": "Test"})
    c.delete(path, labelSelector="testevent-set=true")
    assert not c.get(path, labelSelector="testevent-set=true")["items"]


@case("[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed")
def _(c):
    ns = c.namespace()
    path = f"/apis/events.k8s.io/v1/namespaces/{ns}/events"
    body = {"metadata": {"name": "event-test", "labels": {"testevent-constant": "true"}},
            "eventTime": "2024-01-01T00:00:00.505000Z", "reportingController": "test-controller", "reportingInstance": "test-node",
            "action": "Do", "reason": "Test", "type": "Normal", "regarding": {"namespace": ns}, "note": "This is event-test"}
    c.post(path, body)
    assert [e["metadata"]["name"] for e in c.get(path, labelSelector="testevent-constant=true")["items"]] == ["event-test"]
    assert len(c.get("/apis/events.k8s.io/v1/events", fieldSelector=f"metadata.namespace={ns}")["items"]) == 1
    found = c.get(path + "/event-test")
    assert found["note"] == "This is event-test" and found["reportingController"] == "test-controller", found
    c.patch(path + "/event-test", {"series": {"count": 2, "lastObservedTime": "2024-01-01T00:00:01.000000Z"}}, STRATEGIC)
    found = c.get(path + "/event-test")
    assert found["series"]["count"] == 2
    found["series"] = {"count": 100, "lastObservedTime": "2024-01-01T00:00:02.000000Z"}
    assert c.put(path + "/event-test", found)["series"]["count"] == 100
    old = c.get(f"/api/v1/namespaces/{ns}/events/event-test")
    assert old["message"] == "This is event-test" and old["reportingComponent"] == "test-controller", old
    c.delete(path + "/event-test")
    assert not c.get(path)["items"]


@case("[sig-instrumentation] Events API should delete a collection of events")
def _(c):
    ns = c.namespace()
    path = f"/apis/events.k8s.io/v1/namespaces/{ns}/events"
    for index in range(3):
        c.post(path, {"metadata": {"name": f"test-event-{index}", "labels": {"testevent-set": "true"}},
                      "eventTime": "2024-01-01T00:00:00.000000Z", "reportingController": "x", "reportingInstance": "y",
                      "action": "Do", "reason": "Test", "type": "Normal", "regarding": {"namespace": ns}})
    c.delete(path, labelSelector="testevent-set=true")
    assert not c.get(path)["items"]


@case("[sig-instrumentation] Events should be selected by their fields")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/events"
    c.post(path, {"metadata": {"name": "e"}, "involvedObject": {"namespace": ns, "kind": "Pod", "name": "p"}, "reason": "Test",
                  "type": "Warning", "source": {"component": "test"}})
    for selector in ("involvedObject.kind=Pod,involvedObject.name=p", "reason=Test", "type!=Normal", "source=test"):
        assert len(c.get(path, fieldSelector=selector)["items"]) == 1, selector
    assert not c.get(path, fieldSelector="source=other")["items"]


@case("[sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/serviceaccounts"
    with c.watch(path, labelSelector="test-serviceaccount-static=true") as watch:
        c.post(path, {"metadata": {"name": "testserviceaccount", "labels": {"test-serviceaccount-static": "true"}}})
        watch.expect("ADDED")
        c.patch(path + "/testserviceaccount", {"automountServiceAccountToken": False}, STRATEGIC)
        assert watch.expect("MODIFIED")["automountServiceAccountToken"] is False
        assert c.get("/api/v1/serviceaccounts", labelSelector="test-serviceaccount-static=true")["items"]
        c.delete(path, labelSelector="test-serviceaccount-static=true")
        watch.expect("DELETED")


@case("[sig-auth] ServiceAccounts should update a ServiceAccount")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/serviceaccounts"
    made = c.post(path, {"metadata": {"name": "e2e-sa"}})
    made["automountServiceAccountToken"] = False
    assert c.put(path + "/e2e-sa", made)["automountServiceAccountToken"] is False


@case("[sig-auth] ServiceAccounts should be there as default in every namespace, and in pods")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/serviceaccounts"
    c.eventually(lambda: c.exists(path + "/default"), "the default account")
    spec = c.pod(ns, "p")["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    c.delete(path + "/default")
    c.eventually(lambda: c.exists(path + "/default"), "the default account is back")


@case("[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace")
def _(c):
    ns = c.namespace()
    path = maps(ns) + "/kube-root-ca.crt"
    found = c.eventually(lambda: c.exists(path), "the authority's certificate")
    text = found["data"]["ca.crt"]
    assert text.startswith("-----BEGIN CERTIFICATE-----")
    c.delete(path)
    c.eventually(lambda: c.exists(path), "it is back")
    c.put(path, {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": ""}})
    c.eventually(lambda: c.get(path)["data"]["ca.crt"] == text, "it is as before")


@case("[sig-auth] SelfSubjectReview should support SelfSubjectReview API operations")
def _(c):
    answer = c.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    assert answer["status"]["userInfo"]["username"] and "system:authenticated" in answer["status"]["userInfo"]["groups"]


@case("[sig-auth] SubjectReview should support SubjectReview API operations")
def _(c):
    ns = c.namespace()
    attributes = {"namespace": ns, "verb": "get", "resource": "pods"}
    for path, body in (("subjectaccessreviews", {"resourceAttributes": attributes, "user": "system:serviceaccount:x:e2e"}),
                       ("selfsubjectaccessreviews", {"resourceAttributes": attributes})):
        answer = c.post(f"/apis/authorization.k8s.io/v1/{path}", {"spec": body})
        assert answer["status"]["allowed"] in (True, False), answer
    answer = c.post(f"/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews",
                    {"metadata": {"namespace": ns}, "spec": {"resourceAttributes": attributes, "user": "x"}})
    assert answer["status"]["allowed"] in (True, False), answer


@case("[sig-architecture] Conformance Tests should have at least one untainted node")
def _(c):
    assert [n for n in c.get("/api/v1/nodes")["items"] if condition(n, "Ready") and not n["spec"].get("taints")]


@case("[sig-node] PodTemplates should run the lifecycle of PodTemplates")
def _(c):
    ns = c.namespace()
    c.post(template(ns), {"metadata": {"name": "t", "labels": {"podtemplate-static": "true"}}, "template": {
        "spec": {"containers": [{"name": "nginx", "image": "nginx"}]}}})
    assert c.get("/api/v1/podtemplates", labelSelector="podtemplate-static=true")["items"]
    patched = c.patch(template(ns) + "/t", {"metadata": {"labels": {"podtemplate": "patched"}}}, STRATEGIC)
    assert patched["metadata"]["labels"]["podtemplate"] == "patched"
    c.delete(template(ns) + "/t")
    assert not c.get(template(ns))["items"]


@case("[sig-node] PodTemplates should delete a collection of pod templates")
def _(c):
    ns = c.namespace()
    for name in ("a", "b", "c"):
        c.post(template(ns), {"metadata": {"name": name, "labels": {"set": "true"}}, "template": {
            "spec": {"containers": [{"name": "nginx", "image": "nginx"}]}}})
    c.delete(template(ns), labelSelector="set=true")
    assert not c.get(template(ns))["items"]


@case("[sig-node] PodTemplates should replace a pod template")
def _(c):
    ns = c.namespace()
    made = c.post(template(ns), {"metadata": {"name": "t"}, "template": {"spec": {"containers": [{"name": "nginx", "image": "nginx"}]}}})
    made["metadata"]["annotations"] = {"updated": "true"}
    assert c.put(template(ns) + "/t", made)["metadata"]["annotations"] == {"updated": "true"}


@case("[sig-node] Lease lease API should be available")
def _(c):
    ns = c.namespace()
    path = f"/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
    made = c.post(path, {"metadata": {"name": "lease"}, "spec": {
        "holderIdentity": "holder", "leaseDurationSeconds": 30, "acquireTime": "2024-01-01T00:00:00.000000Z",
        "renewTime": "2024-01-01T00:00:05.000000Z", "leaseTransitions": 0}})
    assert c.get(path + "/lease")["spec"] == made["spec"]
    made["spec"]["holderIdentity"] = "holder2"
    assert c.put(path + "/lease", made)["spec"]["holderIdentity"] == "holder2"
    assert c.patch(path + "/lease", {"spec": {"leaseDurationSeconds": 60}}, STRATEGIC)["spec"]["leaseDurationSeconds"] == 60
    refusal = c.refused(422, "Invalid", lambda: c.patch(path + "/lease", {"spec": {"leaseDurationSeconds": 0}}))
    assert "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0" in refusal.message, refusal.message
    c.delete(path + "/lease")
    assert not c.get(path)["items"]


@case("[sig-apps] DisruptionController should create a PodDisruptionBudget")
def _(c):
    ns = c.namespace()
    path = f"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
    made = c.post(path, {"metadata": {"name": "defaultbudget", "labels": {"specialLabel": "foo_pdb"}}, "spec": {
        "selector": {"matchLabels": {"foo": "bar"}}, "minAvailable": 1}})
    assert made["metadata"]["generation"] == 1
    c.eventually(lambda: c.get(path + "/defaultbudget")["status"].get("observedGeneration") == 1, "it is processed")
    made = c.get(path + "/defaultbudget")
    made["spec"]["minAvailable"] = 2
    made = c.put(path + "/defaultbudget", made)
    assert made["spec"]["minAvailable"] == 2 and made["metadata"]["generation"] == 2
    assert c.patch(path + "/defaultbudget", {"spec": {"minAvailable": "10%"}}, STRATEGIC)["spec"]["minAvailable"] == "10%"
    c.eventually(lambda: c.get(path + "/defaultbudget")["status"].get("observedGeneration") == 3, "it is processed")
    refusal = c.refused(422, "Invalid", lambda: c.patch(path + "/defaultbudget", {"spec": {"maxUnavailable": 1}}))
    assert "minAvailable and maxUnavailable cannot be both set" in refusal.message, refusal.message
    c.delete(path + "/defaultbudget")
    assert not c.get(path)["items"]


@case("[sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets")
def _(c):
    ns = c.namespace()
    path = f"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
    for name in ("foo", "foo2"):
        c.post(path, {"metadata": {"name": name, "labels": {"ns": ns}}, "spec": {"selector": {}, "minAvailable": 1}})
    assert len(c.get("/apis/policy/v1/poddisruptionbudgets", labelSelector=f"ns={ns}")["items"]) == 2
    c.delete(path, labelSelector=f"ns={ns}")
    assert not c.get(path)["items"]


@case("[sig-apps] DisruptionController should observe PodDisruptionBudget status updated")
def _(c):
    ns = c.namespace()
    path = f"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
    c.post(path, {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"foo": "bar"}}, "minAvailable": 1}})
    for name in ("p1", "p2", "p3"):
        c.pod(ns, name, labels={"foo": "bar"})
    c.eventually(lambda: c.get(path + "/b")["status"].get("disruptionsAllowed") == 2, "two may go")
    status = c.get(path + "/b")["status"]
    assert (status["currentHealthy"], status["desiredHealthy"], status["expectedPods"]) == (3, 1, 3), status
    assert condition(c.get(path + "/b"), "DisruptionAllowed")


@case("[sig-apps] DisruptionController should update/patch PodDisruptionBudget status")
def _(c):
    ns = c.namespace()
    path = f"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
    c.post(path, {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"foo": "bar"}}, "minAvailable": 1}})
    c.eventually(lambda: c.get(path + "/b")["status"].get("observedGeneration"), "it is processed")

    def change(whole):
        whole["status"]["disruptedPods"] = {"pod-0": "2024-01-01T00:00:00Z"}
        return whole
    for _ in range(10):
        try:
            updated = c.put(path + "/b/status", change(c.get(path + "/b/status")))
            break
        except Refused as refusal:
            assert refusal.code == 409
    assert updated["kind"] == "PodDisruptionBudget"


@case("[sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it")
def _(c):
    ns = c.namespace()
    path = f"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
    pods = f"/api/v1/namespaces/{ns}/pods"
    c.post(path, {"metadata": {"name": "foo"}, "spec": {"selector": {"matchLabels": {"foo": "bar"}}, "minAvailable": 3}})
    for name in ("p1", "p2", "p3"):
        c.pod(ns, name, labels={"foo": "bar"})
    c.ready(ns, "p1", "p2", "p3")
    c.eventually(lambda: c.get(path + "/foo")["status"].get("currentHealthy") == 3, "three are healthy")

    def evict():
        return c.post(pods + "/p1/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p1", "namespace": ns}})
    refusal = c.refused(429, "TooManyRequests", evict)
    assert refusal.message == "Cannot evict pod as it would violate the pod's disruption budget.", refusal.message
    cause = refusal.body["details"]["causes"][0]
    assert cause == {"reason": "DisruptionBudget", "message": "The disruption budget foo needs 3 healthy pods and has 3 currently"}, cause
    c.patch(path + "/foo", {"spec": {"minAvailable": 2}})
    c.eventually(lambda: c.get(path + "/foo")["status"]["disruptionsAllowed"] == 1, "one may go")
    evict()
    c.eventually(lambda: not c.exists(pods + "/p1"), "it is gone")
    assert "foo" in c.kubectl("get", "pdb", namespace=ns)


@case("[sig-apps] CSRs, quotas and other kinds that are not served are not found")
def _(c):
    status, _, data = c.raw("GET", "/apis/batch/v1/jobs")
    assert status == 404
