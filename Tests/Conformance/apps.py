"""[sig-apps]: Deployments and ReplicaSets."""
import time

from harness import JSON_PATCH, MERGE, STRATEGIC, case, condition


def spec(replicas, labels, image="busybox", command=("sleep", "600"), **more):
    return {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
        "metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "main", "image": image, "command": list(command)}]}}, **more}


def deployments(ns):
    return f"/apis/apps/v1/namespaces/{ns}/deployments"


def sets(ns):
    return f"/apis/apps/v1/namespaces/{ns}/replicasets"


def pods(c, ns):
    return c.get(f"/api/v1/namespaces/{ns}/pods")["items"]


def complete(c, ns, name, replicas):
    def done():
        found = c.get(f"{deployments(ns)}/{name}")
        status = found["status"]
        return found if (status.get("observedGeneration") == found["metadata"]["generation"]
                         and status.get("updatedReplicas", 0) == status.get("replicas", 0)
                         == status.get("availableReplicas", 0) == replicas) else None
    return c.eventually(done, f"{name} has {replicas}", 40)


@case("[sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones")
def _(c):
    ns = c.namespace()
    labels = {"name": "sample-pod", "pod": "busybox"}
    made = spec(1, labels)
    # A ReplicaSet that is there is adopted.
    old = c.post(sets(ns), {"metadata": {"name": "adopted", "labels": labels, "annotations": {"deployment.kubernetes.io/revision": "3546343826724305832"}},
                            "spec": made})
    c.eventually(lambda: any(condition(p, "Ready") for p in pods(c, ns)), "its pod runs")
    c.post(deployments(ns), {"metadata": {"name": "d"}, "spec": spec(1, labels, command=("sleep", "601"))})
    found = complete(c, ns, "d", 1)
    items = {s["metadata"]["name"]: s for s in c.get(sets(ns))["items"]}
    assert len(items) == 2 and items["adopted"]["spec"]["replicas"] == 0, items.keys()
    assert items["adopted"]["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
    assert items["adopted"]["metadata"]["uid"] == old["metadata"]["uid"]
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3546343826724305833", found["metadata"]


@case("[sig-apps] Deployment RecreateDeployment should delete old pods and create new ones")
def _(c):
    ns = c.namespace()
    c.post(deployments(ns), {"metadata": {"name": "d"}, "spec": spec(1, {"a": "b"}, strategy={"type": "Recreate"})})
    complete(c, ns, "d", 1)
    version = c.get(f"/api/v1/namespaces/{ns}/pods")["metadata"]["resourceVersion"]
    with c.watch(f"/api/v1/namespaces/{ns}/pods", resourceVersion=version) as watch:
        c.patch(deployments(ns) + "/d", {"spec": {"template": {"spec": {"containers": [
            {"name": "main", "image": "busybox", "command": ["sleep", "602"]}]}}}}, STRATEGIC)
        complete(c, ns, "d", 1)
        first = watch.next(lambda e: e["type"] in ("ADDED", "DELETED"))
        assert first["type"] == "DELETED", "new pods run together with old ones"


@case("[sig-apps] Deployment deployment should delete old replica sets")
def _(c):
    ns = c.namespace()
    c.post(deployments(ns), {"metadata": {"name": "d"}, "spec": spec(1, {"a": "b"}, revisionHistoryLimit=0)})
    complete(c, ns, "d", 1)
    c.patch(deployments(ns) + "/d", {"spec": {"template": {"metadata": {"labels": {"new": "label"}}}}})
    complete(c, ns, "d", 1)
    c.eventually(lambda: len(c.get(sets(ns))["items"]) == 1, "the old set is gone")


@case("[sig-apps] Deployment deployment should support rollover")
def _(c):
    ns = c.namespace()
    c.post(deployments(ns), {"metadata": {"name": "d"}, "spec": spec(2, {"a": "b"}, image="nowhere/none")})
    c.eventually(lambda: len(pods(c, ns)) == 2, "two pods that cannot start")
    c.patch(deployments(ns) + "/d", {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "image": "busybox", "command": ["sleep", "603"]}]}}}}, STRATEGIC)
    complete(c, ns, "d", 2)
    assert sorted(s["spec"]["replicas"] for s in c.get(sets(ns))["items"]) == [0, 2]


@case("[sig-apps] Deployment Deployment should have a working scale subresource")
def _(c):
    ns = c.namespace()
    c.post(deployments(ns), {"metadata": {"name": "d"}, "spec": spec(1, {"name": "x"})})
    complete(c, ns, "d", 1)
    scale = c.get(deployments(ns) + "/d/scale")
    assert scale["spec"]["replicas"] == 1 and scale["status"]["replicas"] == 1 and scale["kind"] == "Scale"
    assert scale["status"]["selector"] == "name=x"
    scale["spec"]["replicas"] = 2
    assert c.put(deployments(ns) + "/d/scale", scale)["spec"]["replicas"] == 2
    assert c.get(deployments(ns) + "/d")["spec"]["replicas"] == 2
    assert c.patch(deployments(ns) + "/d/scale", {"spec": {"replicas": 3}}, STRATEGIC)["spec"]["replicas"] == 3
    complete(c, ns, "d", 3)
    c.refused(422, "Invalid", lambda: c.patch(deployments(ns) + "/d/scale", {"spec": {"replicas": -1}}))
    stale = dict(scale)
    c.refused(409, "Conflict", lambda: c.put(deployments(ns) + "/d/scale", stale))


@case("[sig-apps] Deployment deployment should support proportional scaling")
def _(c):
    ns = c.namespace()
    c.post(deployments(ns), {"metadata": {"name": "d"}, "spec": spec(
        10, {"a": "b"}, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}})})
    complete(c, ns, "d", 10)
    c.patch(deployments(ns) + "/d", {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "image": "nowhere/none"}]}}}}, STRATEGIC)
    c.eventually(lambda: sorted(s["spec"]["replicas"] for s in c.get(sets(ns))["items"]) == [5, 8], "8 old, 5 new")
    c.patch(deployments(ns) + "/d", {"spec": {"replicas": 30}})
    c.eventually(lambda: sorted(s["spec"]["replicas"] for s in c.get(sets(ns))["items"]) == [13, 20], "20 old, 13 new")


@case("[sig-apps] Deployment should run the lifecycle of a Deployment")
def _(c):
    ns = c.namespace()
    path = deployments(ns) + "/test-deployment"
    with c.watch(deployments(ns), labelSelector="test-deployment-static=true") as watch:
        made = spec(2, {"test-deployment-static": "true"})
        c.post(deployments(ns), {"metadata": {"name": "test-deployment", "labels": {"test-deployment-static": "true"}}, "spec": made})
        watch.expect("ADDED")
        watch.next(lambda e: e["object"]["status"].get("readyReplicas") == 2, 30)
        c.patch(path, {"metadata": {"labels": {"test-deployment": "patched"}}, "spec": {"replicas": 1, "template": {"spec": {
            "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "busybox", "command": ["/bin/sleep", "100000"]}]}}}}, STRATEGIC)
        watch.next(lambda e: e["object"]["status"].get("readyReplicas") == 1 and e["object"]["metadata"]["labels"].get("test-deployment"), 30)
        assert any(d["metadata"]["name"] == "test-deployment" for d in c.get("/apis/apps/v1/deployments", labelSelector="test-deployment-static=true")["items"])
        # Status: update and patch.
        patched = c.patch(path + "/status", {"metadata": {"labels": {"test-deployment": "patched-status"}, "annotations": {"x": "y"}},
                                             "status": {"readyReplicas": 0}})
        assert patched["metadata"]["labels"]["test-deployment"] == "patched", "labels are not the status's"
        assert patched["metadata"]["annotations"]["x"] == "y"
        c.eventually(lambda: c.get(path)["status"].get("readyReplicas") == 1, "the controller corrects it")
        c.delete(deployments(ns), labelSelector="test-deployment-static=true")
        watch.next(lambda e: e["type"] == "DELETED")


@case("[sig-apps] Deployment should validate Deployment Status endpoints")
def _(c):
    ns = c.namespace()
    path = deployments(ns) + "/d"
    c.post(deployments(ns), {"metadata": {"name": "d", "labels": {"e2e": "testing"}}, "spec": spec(1, {"a": "b"})})
    complete(c, ns, "d", 1)
    whole = c.get(path + "/status")
    whole["status"]["conditions"].append({"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"})
    updated = c.put(path + "/status", whole)
    assert any(x["type"] == "StatusUpdate" for x in updated["status"]["conditions"])
    patched = c.patch(path + "/status", {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}, MERGE)
    assert any(x["type"] == "StatusPatched" for x in patched["status"]["conditions"])


@case("[sig-apps] Deployment should have the defaults of the API server")
def _(c):
    ns = c.namespace()
    made = c.post(deployments(ns), {"metadata": {"name": "d"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
            "containers": [{"name": "main", "image": "busybox"}]}}}})
    assert made["metadata"]["generation"] == 1
    wanted = {"progressDeadlineSeconds": 600, "replicas": 1, "revisionHistoryLimit": 10,
              "selector": {"matchLabels": {"a": "b"}},
              "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
              "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
                  "containers": [{"name": "main", "image": "busybox", "imagePullPolicy": "Always", "resources": {},
                                  "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
                  "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                  "securityContext": {}, "terminationGracePeriodSeconds": 30}}}
    made["spec"]["template"]["metadata"].pop("creationTimestamp", None)
    assert made["spec"] == wanted, made["spec"]


@case("[sig-apps] ReplicaSet should serve a basic image on each replica with a public image")
def _(c):
    ns = c.namespace()
    c.post(sets(ns), {"metadata": {"name": "r"}, "spec": spec(2, {"name": "r"})})
    c.eventually(lambda: c.get(sets(ns) + "/r")["status"].get("readyReplicas") == 2, "two are ready")
    assert all(p["status"]["phase"] == "Running" for p in pods(c, ns))


@case("[sig-apps] ReplicaSet should adopt matching pods on creation and release no longer matching pods")
def _(c):
    ns = c.namespace()
    c.pod(ns, "pod-adoption-release", labels={"name": "pod-adoption-release"})
    c.phase(ns, "pod-adoption-release", "Running")
    made = c.post(sets(ns), {"metadata": {"name": "r"}, "spec": spec(1, {"name": "pod-adoption-release"})})
    path = f"/api/v1/namespaces/{ns}/pods/pod-adoption-release"
    c.eventually(lambda: [o["uid"] for o in c.get(path)["metadata"].get("ownerReferences", [])] == [made["metadata"]["uid"]], "it is adopted")
    c.patch(path, {"metadata": {"labels": {"name": "other"}}})
    c.eventually(lambda: not c.get(path)["metadata"].get("ownerReferences"), "it is released")


@case("[sig-apps] ReplicaSet Replicaset should have a working scale subresource")
def _(c):
    ns = c.namespace()
    c.post(sets(ns), {"metadata": {"name": "r"}, "spec": spec(1, {"name": "r"})})
    c.eventually(lambda: c.get(sets(ns) + "/r")["status"].get("readyReplicas") == 1, "one is ready")
    scale = c.get(sets(ns) + "/r/scale")
    scale["spec"]["replicas"] = 2
    c.put(sets(ns) + "/r/scale", scale)
    assert c.patch(sets(ns) + "/r/scale", {"spec": {"replicas": 4}})["spec"]["replicas"] == 4
    c.eventually(lambda: len(pods(c, ns)) == 4, "four pods")


@case("[sig-apps] ReplicaSet Replace and Patch tests")
def _(c):
    ns = c.namespace()
    path = sets(ns) + "/r"
    c.post(sets(ns), {"metadata": {"name": "r"}, "spec": spec(1, {"name": "r"})})
    c.eventually(lambda: c.get(path)["status"].get("readyReplicas") == 1, "one is ready")
    c.patch(path + "/scale", {"spec": {"replicas": 2}})
    with c.watch(sets(ns)) as watch:
        c.patch(path, {"metadata": {"labels": {"test-rs": "patched"}}, "spec": {"replicas": 3, "template": {"spec": {
            "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "busybox", "command": ["sleep", "700"]}]}}}}, STRATEGIC)
        watch.next(lambda e: e["object"]["status"].get("readyReplicas") == 3, 30)


@case("[sig-apps] ReplicaSet should list and delete a collection of ReplicaSets")
def _(c):
    ns = c.namespace()
    c.post(sets(ns), {"metadata": {"name": "r", "labels": {"e2e": "rs"}}, "spec": spec(2, {"name": "r"})})
    assert [s for s in c.get("/apis/apps/v1/replicasets", labelSelector="e2e=rs")["items"]]
    c.delete(sets(ns), labelSelector="e2e=rs")
    assert not c.get(sets(ns), labelSelector="e2e=rs")["items"]
    c.eventually(lambda: not pods(c, ns), "its pods are gone")


@case("[sig-apps] ReplicaSet should validate Replicaset Status endpoints")
def _(c):
    ns = c.namespace()
    path = sets(ns) + "/r"
    c.post(sets(ns), {"metadata": {"name": "r"}, "spec": spec(1, {"name": "r"})})
    c.eventually(lambda: c.get(path)["status"].get("readyReplicas") == 1, "one is ready")
    whole = c.get(path + "/status")
    whole["status"].setdefault("conditions", []).append({"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "x"})
    assert condition(c.put(path + "/status", whole), "StatusUpdate")
    time.sleep(0.3)
    assert condition(c.get(path), "StatusUpdate"), "the controller keeps conditions that are not its own"
    patched = c.patch(path + "/status", [{"op": "add", "path": "/status/conditions/-", "value": {"type": "StatusPatched", "status": "True"}}], JSON_PATCH)
    assert condition(patched, "StatusPatched")
