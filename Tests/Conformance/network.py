"""[sig-network]: Services, Endpoints and EndpointSlices."""
import http.client
import re
import socket
import time

from harness import JSON_PATCH, MERGE, STRATEGIC, case

SLICES = "/apis/discovery.k8s.io/v1"


def services(namespace):
    return f"/api/v1/namespaces/{namespace}/services"


def service(name, ports, selector=None, **spec):
    if selector:
        spec["selector"] = selector
    return {"metadata": {"name": name, "labels": {"test": name}}, "spec": {"ports": ports, **spec}}


def endpoints(cluster, namespace, name):
    """Which ports of which pods are ready, as the Endpoints say: {pod: [ports]}."""
    found = {}
    object = cluster.exists(f"/api/v1/namespaces/{namespace}/endpoints/{name}") or {}
    for subset in object.get("subsets", []):
        for address in subset.get("addresses", []):
            pod = address["targetRef"]["name"]
            found.setdefault(pod, []).extend(port["port"] for port in subset["ports"])
    return {pod: sorted(ports) for pod, ports in found.items()}


def sliced(cluster, namespace, name):
    """The same from the slices."""
    found = {}
    items = cluster.get(f"{SLICES}/namespaces/{namespace}/endpointslices",
                        labelSelector=f"kubernetes.io/service-name={name}")["items"]
    for slice in items:
        for endpoint in slice["endpoints"]:
            if endpoint["conditions"]["ready"]:
                found.setdefault(endpoint["targetRef"]["name"], []).extend(
                    port["port"] for port in slice.get("ports") or [])
    return {pod: sorted(ports) for pod, ports in found.items()}


def expect(cluster, namespace, name, wanted):
    cluster.eventually(lambda: endpoints(cluster, namespace, name) == wanted, f"endpoints of {name}: {wanted}")
    cluster.eventually(lambda: sliced(cluster, namespace, name) == wanted, f"slices of {name}: {wanted}")


def fetch(address, port):
    """Who answers a request on a connection of its own; None when it is refused."""
    try:
        connection = http.client.HTTPConnection(address, port, timeout=3)
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except (ConnectionError, socket.timeout):
        return None
    finally:
        connection.close()


def answers(cluster, address, port, names):
    """All of `names` answer, and nobody else any more."""
    seen = set()

    def complete():
        who = fetch(address, port)
        if who is None or who not in names:
            seen.clear()
        else:
            seen.add(who)
        return seen == set(names)
    cluster.eventually(complete, f"{names} answer at {address}:{port}")


def node_address(cluster):
    return cluster.get("/api/v1/nodes")["items"][0]["status"]["addresses"][0]["address"]


@case("[sig-network] Services should provide secure master service")
def _(c):
    found = c.get("/api/v1/namespaces/default/services/kubernetes")
    assert [port["port"] for port in found["spec"]["ports"]] == [443]
    assert found["spec"]["ports"][0]["name"] == "https"


@case("[sig-network] Services should serve a basic endpoint from pods")
def _(c):
    ns = c.namespace()
    c.post(services(ns), service("test2", [{"port": 80, "targetPort": 80}], {"app": "test2"}))
    expect(c, ns, "test2", {})
    c.server(ns, "pod1", {"app": "test2"}, {80: ""})
    expect(c, ns, "test2", {"pod1": [80]})
    c.server(ns, "pod2", {"app": "test2"}, {80: ""})
    expect(c, ns, "test2", {"pod1": [80], "pod2": [80]})
    address = c.get(services(ns) + "/test2")["spec"]["clusterIP"]
    answers(c, address, 80, {"pod1", "pod2"})
    c.delete(f"/api/v1/namespaces/{ns}/pods/pod1")
    expect(c, ns, "test2", {"pod2": [80]})
    answers(c, address, 80, {"pod2"})
    c.delete(f"/api/v1/namespaces/{ns}/pods/pod2")
    expect(c, ns, "test2", {})


@case("[sig-network] Services should serve multiport endpoints from pods")
def _(c):
    ns = c.namespace()
    c.post(services(ns), service("multi", [
        {"name": "portname1", "port": 80, "targetPort": "svc1"},
        {"name": "portname2", "port": 81, "targetPort": "svc2"}], {"app": "multi"}))
    expect(c, ns, "multi", {})
    c.server(ns, "pod1", {"app": "multi"}, {100: "svc1"})
    expect(c, ns, "multi", {"pod1": [100]})
    c.server(ns, "pod2", {"app": "multi"}, {101: "svc2"})
    expect(c, ns, "multi", {"pod1": [100], "pod2": [101]})
    address = c.get(services(ns) + "/multi")["spec"]["clusterIP"]
    answers(c, address, 80, {"pod1"})
    answers(c, address, 81, {"pod2"})
    c.delete(f"/api/v1/namespaces/{ns}/pods/pod1")
    expect(c, ns, "multi", {"pod2": [101]})
    c.delete(f"/api/v1/namespaces/{ns}/pods/pod2")
    expect(c, ns, "multi", {})


@case("[sig-network] Services should serve endpoints on same port and different protocols")
def _(c):
    ns = c.namespace()
    path = services(ns) + "/both"
    c.server(ns, "pod1", {"app": "both"}, {80: ""})
    made = c.post(services(ns), service("both", [
        {"name": "tcp", "port": 80, "protocol": "TCP"}, {"name": "udp", "port": 80, "protocol": "UDP"}], {"app": "both"}))
    expect(c, ns, "both", {"pod1": [80, 80]})
    answers(c, made["spec"]["clusterIP"], 80, {"pod1"})
    # Only UDP, by an update; then only TCP, by a strategic patch, which merges by port and protocol.
    made = c.get(path)
    made["spec"]["ports"] = [made["spec"]["ports"][1]]
    assert len(c.put(path, made)["spec"]["ports"]) == 1
    c.eventually(lambda: fetch(made["spec"]["clusterIP"], 80) is None, "TCP is refused")
    c.patch(path, [{"op": "replace", "path": "/spec/ports", "value": [{"name": "tcp", "port": 80}]}], JSON_PATCH)
    answers(c, made["spec"]["clusterIP"], 80, {"pod1"})


def changeable(c):
    ns = c.namespace()
    for name in ("a", "b"):
        c.server(ns, name, {"app": "x"}, {80: ""})
    c.ready(ns, "a", "b")
    return ns, services(ns) + "/x"


@case("[sig-network] Services should be able to change the type from ExternalName to ClusterIP")
def _(c):
    ns, path = changeable(c)
    made = c.post(services(ns), {"metadata": {"name": "x"}, "spec": {"type": "ExternalName", "externalName": "foo.example.com"}})
    assert "clusterIP" not in made["spec"] and "clusterIPs" not in made["spec"], made["spec"]
    made["spec"] = {"type": "ClusterIP", "externalName": "", "selector": {"app": "x"},
                    "ports": [{"name": "http", "port": 80, "targetPort": 80}]}
    changed = c.put(path, made)
    assert changed["spec"]["clusterIP"] and changed["spec"]["internalTrafficPolicy"] == "Cluster"
    answers(c, changed["spec"]["clusterIP"], 80, {"a", "b"})


@case("[sig-network] Services should be able to change the type from ExternalName to NodePort")
def _(c):
    ns, path = changeable(c)
    made = c.post(services(ns), {"metadata": {"name": "x"}, "spec": {"type": "ExternalName", "externalName": "foo.example.com"}})
    made["spec"].update(type="NodePort", externalName="", selector={"app": "x"}, ports=[{"name": "http", "port": 80}])
    changed = c.put(path, made)
    port = changed["spec"]["ports"][0]["nodePort"]
    assert 30000 <= port <= 32767 and changed["spec"]["externalTrafficPolicy"] == "Cluster"
    answers(c, changed["spec"]["clusterIP"], 80, {"a", "b"})
    answers(c, node_address(c), port, {"a", "b"})


@case("[sig-network] Services should be able to change the type from ClusterIP to ExternalName")
def _(c):
    ns, path = changeable(c)
    made = c.post(services(ns), service("x", [{"port": 80}], {"app": "x"}))
    address = made["spec"]["clusterIP"]
    answers(c, address, 80, {"a", "b"})
    # As the e2e helper does it: no ports, no address.
    made["spec"] = {"type": "ExternalName", "externalName": f"target.{ns}.svc.cluster.local"}
    changed = c.put(path, made)
    for gone in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy", "ports"):
        assert gone not in changed["spec"], changed["spec"]
    c.eventually(lambda: fetch(address, 80) is None, "the address is given back")


@case("[sig-network] Services should be able to change the type from NodePort to ExternalName")
def _(c):
    ns, path = changeable(c)
    made = c.post(services(ns), service("x", [{"port": 80}], {"app": "x"}, type="NodePort"))
    port = made["spec"]["ports"][0]["nodePort"]
    # By kubectl's patch, which leaves all else as it is.
    c.kubectl("patch", "svc", "x", "-p", '{"spec":{"type":"ExternalName","externalName":"foo.example.com","ports":null,'
              '"selector":null}}', namespace=ns)
    changed = c.get(path)
    assert "clusterIP" not in changed["spec"] and "externalTrafficPolicy" not in changed["spec"], changed["spec"]
    again = c.post(services(ns), service("y", [{"port": 80, "nodePort": port}], {"app": "x"}, type="NodePort"))
    assert again["spec"]["ports"][0]["nodePort"] == port


@case("[sig-network] Services should be able to create a functioning NodePort service")
def _(c):
    ns, _ = changeable(c)
    made = c.post(services(ns), service("x", [{"port": 80}], {"app": "x"}, type="NodePort"))
    answers(c, made["spec"]["clusterIP"], 80, {"a", "b"})
    answers(c, node_address(c), made["spec"]["ports"][0]["nodePort"], {"a", "b"})


def sticks(address, port):
    return len({fetch(address, port) for _ in range(15)}) == 1


def affinity(c, kind, switches):
    ns, path = changeable(c)
    made = c.post(services(ns), service("x", [{"port": 80}], {"app": "x"}, type=kind, sessionAffinity="ClientIP"))
    assert made["spec"]["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}, made["spec"]
    address, port = made["spec"]["clusterIP"], 80
    if kind == "NodePort":
        address, port = node_address(c), made["spec"]["ports"][0]["nodePort"]
    c.eventually(lambda: fetch(address, port), "it answers")
    c.eventually(lambda: sticks(address, port), "one pod answers")
    if switches:
        made = c.get(path)
        made["spec"]["sessionAffinity"] = "None"
        changed = c.put(path, made)
        assert "sessionAffinityConfig" not in changed["spec"], changed["spec"]
        answers(c, address, port, {"a", "b"})
        c.patch(path, {"spec": {"sessionAffinity": "ClientIP"}}, STRATEGIC)
        c.eventually(lambda: sticks(address, port), "one pod answers again")


@case("[sig-network] Services should have session affinity work for service with type clusterIP")
def _(c):
    affinity(c, "ClusterIP", False)


@case("[sig-network] Services should be able to switch session affinity for service with type clusterIP")
def _(c):
    affinity(c, "ClusterIP", True)


@case("[sig-network] Services should have session affinity work for NodePort service")
def _(c):
    affinity(c, "NodePort", False)


@case("[sig-network] Services should be able to switch session affinity for NodePort service")
def _(c):
    affinity(c, "NodePort", True)


@case("[sig-network] Services should find a service from listing all namespaces")
def _(c):
    found = {s["metadata"]["name"] for s in c.get("/api/v1/services")["items"]}
    assert "kubernetes" in found
    assert "kubernetes" in c.kubectl("get", "services", "--all-namespaces")


@case("[sig-network] Services should test the lifecycle of an Endpoint")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/endpoints"
    with c.watch(path, labelSelector="test-endpoint-static=true") as watch:
        c.post(path, {"metadata": {"name": "testservice", "labels": {"test-endpoint-static": "true"}},
                      "subsets": [{"addresses": [{"ip": "10.0.0.24"}], "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}]})
        assert c.last.warning and "deprecated" in c.last.warning
        watch.expect("ADDED", "testservice")
        items = c.get("/api/v1/endpoints", labelSelector="test-endpoint-static=true")["items"]
        assert [i["metadata"]["name"] for i in items if i["metadata"]["namespace"] == ns] == ["testservice"]
        whole = c.get(path + "/testservice")
        whole["metadata"]["labels"]["test-service"] = "updated"
        c.put(path + "/testservice", whole)
        assert watch.expect("MODIFIED")["metadata"]["labels"]["test-service"] == "updated"
        patched = c.patch(path + "/testservice", {
            "metadata": {"labels": {"test-service": "patched"}},
            "subsets": [{"addresses": [{"ip": "10.0.0.25"}], "ports": [{"name": "http-test", "port": 8080}]}]}, STRATEGIC)
        assert watch.expect("MODIFIED")["subsets"][0]["addresses"] == [{"ip": "10.0.0.25"}]
        assert patched["subsets"][0]["ports"] == [{"name": "http-test", "port": 8080, "protocol": "TCP"}]
        c.delete(path, labelSelector="test-endpoint-static=true")
        watch.expect("DELETED", "testservice")
    assert c.exists(path + "/testservice") is None


@case("[sig-network] Services should complete a service status lifecycle")
def _(c):
    ns = c.namespace()
    path = services(ns) + "/test-service"
    with c.watch(services(ns), labelSelector="test-service-static=true") as watch:
        c.post(services(ns), {
            "metadata": {"name": "test-service", "labels": {"test-service-static": "true"}},
            "spec": {"type": "LoadBalancer", "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 80}],
                     "loadBalancerClass": "example.com/internal-vip"}})
        watch.expect("ADDED")
        status = c.get(path + "/status")
        assert status["kind"] == "Service" and status["status"] == {"loadBalancer": {}}, status["status"]
        # Patch.
        c.patch(path + "/status", {"metadata": {"annotations": {"patchedstatus": "true"}},
                                   "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}})
        event = watch.next(lambda e: e["object"]["metadata"].get("annotations", {}).get("patchedstatus") == "true")
        assert event["object"]["status"]["loadBalancer"]["ingress"][0] == {"ip": "203.0.113.1", "ipMode": "VIP"}
        # Update.
        whole = c.get(path)
        whole["status"]["conditions"] = [{"type": "StatusUpdate", "status": "True", "reason": "E2E",
                                          "message": "Set from e2e test", "lastTransitionTime": "2024-01-01T00:00:00Z"}]
        c.put(path + "/status", whole)
        watch.next(lambda e: any(x["type"] == "StatusUpdate" for x in e["object"]["status"].get("conditions", [])))
        # Patch the Service itself: its status stays.
        c.patch(path, {"metadata": {"labels": {"test-service": "patched"}}}, STRATEGIC)
        event = watch.next(lambda e: e["object"]["metadata"]["labels"].get("test-service") == "patched")
        assert event["object"]["status"]["conditions"][0]["reason"] == "E2E"
        whole = c.get(path)
        whole["status"] = {}
        assert c.put(path, whole)["status"]["loadBalancer"]["ingress"], "an update of the object keeps the status"
        c.delete(path)
        watch.next(lambda e: e["type"] == "DELETED")


@case("[sig-network] Services should delete a collection of services")
def _(c):
    ns = c.namespace()
    for index in range(3):
        made = service(f"e2e-svc-{index}", [{"port": 8000 + index}])
        made["metadata"]["labels"] = {"e2e-svc": "a" if index < 2 else "b"}
        c.post(services(ns), made)
    assert len(c.get(services(ns))["items"]) == 3
    c.delete(services(ns), labelSelector="e2e-svc=a")
    assert [s["metadata"]["name"] for s in c.get(services(ns))["items"]] == ["e2e-svc-2"]


@case("[sig-network] Services should be able to update service type to NodePort listening on same port number but different protocols")
def _(c):
    ns = c.namespace()
    path = services(ns) + "/x"
    c.post(services(ns), service("x", [{"name": "tcp", "port": 80, "protocol": "TCP"}], type="ClusterIP"))
    whole = c.get(path)
    whole["spec"]["type"] = "NodePort"
    whole["spec"]["ports"] = [{"name": "tcp", "port": 80, "protocol": "TCP"}, {"name": "udp", "port": 80, "protocol": "UDP"}]
    ports = c.put(path, whole)["spec"]["ports"]
    assert len({(p["nodePort"], p["protocol"]) for p in ports}) == 2, ports


@case("[sig-network] Services should prevent NodePort collisions")
def _(c):
    ns = c.namespace()
    port = c.post(services(ns), service("x", [{"port": 80}], type="NodePort"))["spec"]["ports"][0]["nodePort"]
    other = service("y", [{"port": 80, "nodePort": port}], type="NodePort")
    refusal = c.refused(422, "Invalid", lambda: c.post(services(ns), other))
    assert f"spec.ports[0].nodePort: Invalid value: {port}: provided port is already allocated" in refusal.message
    assert re.search("provided port is already allocated", refusal.message)
    c.delete(services(ns) + "/x")
    c.post(services(ns), other)


@case("[sig-network] Services should check NodePort out-of-range")
def _(c):
    ns = c.namespace()
    path = services(ns) + "/x"
    c.post(services(ns), service("x", [{"port": 80}], type="NodePort"))
    refusal = c.refused(422, "Invalid", lambda: c.patch(path, [{"op": "replace", "path": "/spec/ports/0/nodePort", "value": 25999}], JSON_PATCH))
    assert "25999: provided port is not in the valid range. The range of valid ports is 30000-32767" in refusal.message
    refusal = c.refused(422, "Invalid", lambda: c.post(services(ns), service("y", [{"port": 80, "nodePort": 25999}], type="NodePort")))
    assert re.search("port is not in the valid range", refusal.message)


@case("[sig-network] Services should release NodePorts on delete")
def _(c):
    ns = c.namespace()
    port = c.post(services(ns), service("x", [{"port": 80}], type="NodePort"))["spec"]["ports"][0]["nodePort"]
    c.delete(services(ns) + "/x")
    c.eventually(lambda: fetch(node_address(c), port) is None, "the port is closed")
    c.post(services(ns), service("x", [{"port": 80, "nodePort": port}], type="NodePort"))


@case("[sig-network] Services should create endpoints for unready pods")
def _(c):
    ns = c.namespace()
    c.post(services(ns), service("x", [{"port": 80}], {"app": "x"}, publishNotReadyAddresses=True))
    address = c.get(services(ns) + "/x")["spec"]["clusterIP"]
    c.pod(ns, "slow", labels={"app": "x"}, containers=[{
        "name": "main", "image": "busybox", "command": ["sh", "-c", "exec python3 -m http.server 80 --bind $IP"],
        "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1}}])
    c.eventually(lambda: fetch(address, 80), "a pod answers that is not ready")
    c.patch(services(ns) + "/x", {"spec": {"publishNotReadyAddresses": False}})
    c.eventually(lambda: fetch(address, 80) is None, "it is refused")


@case("[sig-network] Services should be rejected when no endpoints exist")
def _(c):
    ns = c.namespace()
    made = c.post(services(ns), service("x", [{"port": 80}], {"app": "nobody"}, type="NodePort"))
    time.sleep(0.3)
    assert fetch(made["spec"]["clusterIP"], 80) is None
    assert fetch(node_address(c), made["spec"]["ports"][0]["nodePort"]) is None


@case("[sig-network] Services should be able to up and down services")
def _(c):
    ns, _ = changeable(c)
    one = c.post(services(ns), service("up1", [{"port": 80}], {"app": "x"}))
    two = c.post(services(ns), service("up2", [{"port": 80}], {"app": "x"}))
    answers(c, one["spec"]["clusterIP"], 80, {"a", "b"})
    answers(c, two["spec"]["clusterIP"], 80, {"a", "b"})
    c.delete(services(ns) + "/up1")
    c.eventually(lambda: fetch(one["spec"]["clusterIP"], 80) is None, "up1 is down")
    answers(c, two["spec"]["clusterIP"], 80, {"a", "b"})


@case("[sig-network] Services should implement service.kubernetes.io/service-proxy-name")
def _(c):
    ns, path = changeable(c)
    label = "service.kubernetes.io/service-proxy-name"
    made = service("x", [{"port": 80}], {"app": "x"})
    made["metadata"]["labels"] = {label: "foo-bar"}
    address = c.post(services(ns), made)["spec"]["clusterIP"]
    time.sleep(0.3)
    assert fetch(address, 80) is None
    c.patch(path, {"metadata": {"labels": {label: None}}})
    answers(c, address, 80, {"a", "b"})


@case("[sig-network] Services should implement service.kubernetes.io/headless")
def _(c):
    ns, path = changeable(c)
    label = "service.kubernetes.io/headless"
    made = service("x", [{"port": 80}], {"app": "x"})
    made["metadata"]["labels"] = {label: ""}
    address = c.post(services(ns), made)["spec"]["clusterIP"]
    expect(c, ns, "x", {"a": [80], "b": [80]})
    time.sleep(0.2)
    assert fetch(address, 80) is None
    c.patch(path, {"metadata": {"labels": {label: None}}})
    answers(c, address, 80, {"a", "b"})


@case("[sig-network] Services should delete a service with a finalizer once the finalizer goes")
def _(c):
    ns = c.namespace()
    made = service("x", [{"port": 80}])
    made["metadata"]["finalizers"] = ["example.com/wait"]
    c.post(services(ns), made)
    assert c.delete(services(ns) + "/x")["metadata"]["deletionTimestamp"]
    assert c.exists(services(ns) + "/x")
    c.patch(services(ns) + "/x", {"metadata": {"finalizers": None}})
    assert c.exists(services(ns) + "/x") is None


@case("[sig-network] EndpointSlice should have Endpoints and EndpointSlices pointing to API Server")
def _(c):
    found = c.get("/api/v1/namespaces/default/endpoints/kubernetes")
    assert len(found["subsets"]) == 1 and found["subsets"][0]["addresses"]
    slices = c.get(f"{SLICES}/namespaces/default/endpointslices", labelSelector="kubernetes.io/service-name=kubernetes")["items"]
    assert len(slices) == 1 and slices[0]["endpoints"][0]["addresses"] == [found["subsets"][0]["addresses"][0]["ip"]]
    assert slices[0]["ports"][0]["port"] == found["subsets"][0]["ports"][0]["port"]


@case("[sig-network] EndpointSlice should create and delete Endpoints and EndpointSlices for a Service with a selector specified")
def _(c):
    ns = c.namespace()
    c.post(services(ns), service("example-empty-selector", [{"name": "example", "port": 80, "targetPort": 80}],
                                 {"does-not-match-anything": "endpoints-and-endpoint-slices-should-still-be-created"}))
    slices = f"{SLICES}/namespaces/{ns}/endpointslices"
    found = c.eventually(lambda: c.exists(f"/api/v1/namespaces/{ns}/endpoints/example-empty-selector"), "Endpoints")
    assert found.get("subsets", []) == []
    items = c.eventually(lambda: c.get(slices)["items"], "a slice")
    assert len(items) == 1 and not items[0]["endpoints"]
    assert items[0]["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    assert items[0]["metadata"]["ownerReferences"][0]["kind"] == "Service"
    c.delete(services(ns) + "/example-empty-selector")
    c.eventually(lambda: not c.exists(f"/api/v1/namespaces/{ns}/endpoints/example-empty-selector"), "no Endpoints")
    c.eventually(lambda: not c.get(slices)["items"], "no slices")


@case("[sig-network] EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service")
def _(c):
    ns = c.namespace()
    c.server(ns, "pod1", {"foo-app": "1", "shared": "true"}, {3000: "example-name"})
    c.server(ns, "pod2", {"shared": "true"}, {3001: "example-name", 3002: "other-port"})
    c.post(services(ns), service("example-int-port", [{"name": "example", "port": 80, "targetPort": 3000}], {"foo-app": "1"},
                                 publishNotReadyAddresses=True))
    c.post(services(ns), service("example-named-port", [{"name": "http", "port": 80, "targetPort": "example-name"}],
                                 {"shared": "true"}, publishNotReadyAddresses=True))
    c.post(services(ns), service("example-no-match", [{"name": "http", "port": 80, "targetPort": "example-none"}],
                                 {"shared": "true"}, publishNotReadyAddresses=True))
    expect(c, ns, "example-int-port", {"pod1": [3000]})
    expect(c, ns, "example-named-port", {"pod1": [3000], "pod2": [3001]})
    c.eventually(lambda: set(sliced(c, ns, "example-no-match")) == {"pod1", "pod2"}, "addresses without ports")
    assert sliced(c, ns, "example-no-match") == {"pod1": [], "pod2": []}
    for slice in c.get(f"{SLICES}/namespaces/{ns}/endpointslices")["items"]:
        for endpoint in slice["endpoints"]:
            assert endpoint["nodeName"] and endpoint["targetRef"]["kind"] == "Pod" and endpoint["targetRef"]["uid"]


def slice(name, labels, ip, **more):
    return {"metadata": {"name": name, "labels": labels}, "addressType": "IPv4",
            "endpoints": [{"addresses": [ip], "conditions": {"ready": True}}], **more}


@case("[sig-network] EndpointSlice should support creating EndpointSlice API operations")
def _(c):
    ns = c.namespace()
    path = f"{SLICES}/namespaces/{ns}/endpointslices"
    labels = {"special-label": ns}
    groups = c.get("/apis")["groups"]
    assert any(g["name"] == "discovery.k8s.io" and g["versions"][0]["groupVersion"] == "discovery.k8s.io/v1" for g in groups)
    assert c.get("/apis/discovery.k8s.io")["name"] == "discovery.k8s.io"
    assert any(r["name"] == "endpointslices" for r in c.get(SLICES)["resources"])
    for number in range(1, 4):
        c.post(path, slice(f"e2e-{number}", labels, f"10.1.{number}.1", ports=[{"name": "http", "port": 80}]))
    got = c.get(path + "/e2e-1")
    assert got["ports"] == [{"name": "http", "port": 80, "protocol": "TCP"}] and got["metadata"]["generation"] == 1
    items = c.get(path, labelSelector=f"special-label={ns}")
    assert len(items["items"]) == 3 and items["kind"] == "EndpointSliceList"
    assert len(c.get(f"{SLICES}/endpointslices", labelSelector=f"special-label={ns}")["items"]) == 3
    with c.watch(path, labelSelector=f"special-label={ns}", resourceVersion=items["metadata"]["resourceVersion"]) as watch:
        patched = c.patch(path + "/e2e-1", {"metadata": {"annotations": {"patched": "true"}}})
        assert patched["metadata"]["annotations"]["patched"] == "true"
        patched["metadata"]["annotations"]["updated"] = "true"
        patched["endpoints"] = [{"addresses": ["10.1.9.9"]}]
        updated = c.put(path + "/e2e-1", patched)
        assert updated["metadata"]["generation"] == 2
        watch.next(lambda e: e["object"]["metadata"].get("annotations", {}).get("updated") == "true")
        c.delete(path + "/e2e-1")
        watch.next(lambda e: e["type"] == "DELETED")
        assert c.exists(path + "/e2e-1") is None
        c.delete(path, labelSelector=f"special-label={ns}")
        watch.expect("DELETED", "e2e-2")
        watch.expect("DELETED", "e2e-3")
    assert not c.get(path, labelSelector=f"special-label={ns}")["items"]


@case("[sig-network] EndpointSlice should support a Service with multiple ports specified in multiple EndpointSlices")
def _(c):
    ns = c.namespace()
    c.server(ns, "backend", {}, {8090: "", 9090: ""})
    c.ready(ns, "backend")
    ip = c.get(f"/api/v1/namespaces/{ns}/pods/backend")["status"]["podIP"]
    made = c.post(services(ns), service("x", [{"name": "first", "port": 80}, {"name": "second", "port": 81}]))
    path = f"{SLICES}/namespaces/{ns}/endpointslices"
    labels = {"kubernetes.io/service-name": "x", "endpointslice.kubernetes.io/managed-by": "e2e-test.k8s.io"}
    for name, number in (("first", 8090), ("second", 9090)):
        c.post(path, slice(f"custom-{name}", labels, ip, ports=[{"name": name, "port": number, "protocol": "TCP"}]))
    answers(c, made["spec"]["clusterIP"], 80, {"backend"})
    answers(c, made["spec"]["clusterIP"], 81, {"backend"})


@case("[sig-network] EndpointSlice should support a Service with multiple endpoint IPs specified in multiple EndpointSlices")
def _(c):
    ns = c.namespace()
    made = c.post(services(ns), service("x", [{"name": "http", "port": 80}]))
    path = f"{SLICES}/namespaces/{ns}/endpointslices"
    for name in ("one", "two"):
        c.server(ns, name, {}, {8090: ""})
        c.ready(ns, name)
        ip = c.get(f"/api/v1/namespaces/{ns}/pods/{name}")["status"]["podIP"]
        c.post(path, slice(name, {"kubernetes.io/service-name": "x"}, ip, ports=[{"name": "http", "port": 8090}]))
    answers(c, made["spec"]["clusterIP"], 80, {"one", "two"})


@case("[sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete")
def _(c):
    ns = c.namespace()
    c.post(services(ns), service("example-custom-endpoints", [{"name": "example", "port": 80}]))
    path = f"/api/v1/namespaces/{ns}/endpoints"
    slices = f"{SLICES}/namespaces/{ns}/endpointslices"

    def mirrored(address, port):
        items = c.get(slices, labelSelector="kubernetes.io/service-name=example-custom-endpoints")["items"]
        if len(items) != 1:
            return None
        assert items[0]["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io"
        ports = [p["port"] for p in items[0]["ports"]]
        return [e["addresses"] for e in items[0]["endpoints"]] == [[address]] and ports == [port]
    whole = c.post(path, {"metadata": {"name": "example-custom-endpoints"}, "subsets": [
        {"ports": [{"port": 80, "name": "example"}], "addresses": [{"ip": "10.1.2.3"}]}]})
    c.eventually(lambda: mirrored("10.1.2.3", 80), "the slice mirrors the Endpoints")
    whole["subsets"] = [{"ports": [{"port": 81, "name": "example"}], "addresses": [{"ip": "10.2.3.4"}]}]
    c.put(path + "/example-custom-endpoints", whole)
    c.eventually(lambda: mirrored("10.2.3.4", 81), "the slice follows")
    c.delete(path + "/example-custom-endpoints")
    c.eventually(lambda: not c.get(slices)["items"], "the slice is gone")


@case("[sig-network] HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol")
def _(c):
    ns = c.namespace()
    for name, ip, protocol in (("pod1", "127.0.0.1", "TCP"), ("pod2", node_address(c), "TCP"), ("pod3", node_address(c), "UDP")):
        c.pod(ns, name, containers=[{"name": "main", "image": "busybox", "command": ["sleep", "600"], "ports": [
            {"containerPort": 8080, "hostPort": 54323, "hostIP": ip, "protocol": protocol}]}])
        c.eventually(lambda: c.get(f"/api/v1/namespaces/{ns}/pods/{name}")["spec"].get("nodeName"), f"{name} is scheduled")


def in_pod(c, ns, command, **spec):
    c.pod(ns, "client", restartPolicy="Never",
          containers=[{"name": "main", "image": "busybox", "command": ["sh", "-c", command]}], **spec)
    c.eventually(lambda: c.get(f"/api/v1/namespaces/{ns}/pods/client")["status"].get("phase") in ("Succeeded", "Failed"),
                 "the client ends", 40)
    logs = c.logs(ns, "client")
    assert c.get(f"/api/v1/namespaces/{ns}/pods/client")["status"]["phase"] == "Succeeded", logs
    return logs


@case("[sig-network] DNS should provide DNS for the cluster, for services, and for ExternalName services")
def _(c):
    ns = c.namespace()
    c.server(ns, "web", {"app": "web"}, {80: "http"}, hostname="web-0", subdomain="headless")
    made = c.post(services(ns), service("plain", [{"name": "http", "port": 80}], {"app": "web"}))
    c.post(services(ns), service("headless", [{"name": "http", "port": 80}], {"app": "web"}, clusterIP="None"))
    c.post(services(ns), {"metadata": {"name": "alias"}, "spec": {
        "type": "ExternalName", "externalName": f"plain.{ns}.svc.cluster.local"}})
    c.ready(ns, "web")
    ip = c.get(f"/api/v1/namespaces/{ns}/pods/web")["status"]["podIP"]
    program = "import socket,sys\nfor name in sys.argv[1:]: print(name, socket.gethostbyname(name), flush=True)"
    names = ["kubernetes.default", "kubernetes.default.svc.cluster.local", "plain", f"plain.{ns}", f"plain.{ns}.svc",
             "headless", f"web-0.headless.{ns}.svc.cluster.local", "alias"]
    text = in_pod(c, ns, f"python3 -c '{program}' {' '.join(names)}")
    found = dict(line.split() for line in text.splitlines())
    assert found["plain"] == found[f"plain.{ns}"] == found["alias"] == made["spec"]["clusterIP"], found
    assert found["headless"] == found[f"web-0.headless.{ns}.svc.cluster.local"] == ip, found


@case("[sig-network] DNS should support configurable pod DNS nameservers")
def _(c):
    ns = c.namespace()
    text = in_pod(c, ns, "cat /etc/resolv.conf", dnsPolicy="None", dnsConfig={
        "nameservers": ["1.1.1.1"], "searches": ["resolv.conf.local"], "options": [{"name": "ndots", "value": "2"}]})
    assert text == "nameserver 1.1.1.1\nsearch resolv.conf.local\noptions ndots:2\n" or set(text.split("\n")) == {
        "nameserver 1.1.1.1", "search resolv.conf.local", "options ndots:2", ""}, text


@case("[sig-network] DNS should provide /etc/hosts entries for the cluster")
def _(c):
    ns = c.namespace()
    text = in_pod(c, ns, "cat /etc/hosts; getent hosts dns-querier-1", hostname="dns-querier-1", subdomain="x")
    assert "dns-querier-1" in text.splitlines()[-1], text


def proxied(c, ns):
    c.server(ns, "web", {"app": "web"}, {160: "dest1", 80: "dest2"})
    c.ready(ns, "web")
    c.post(services(ns), service("web", [{"name": "portname1", "port": 80, "targetPort": "dest1"},
                                         {"name": "portname2", "port": 81, "targetPort": 80}], {"app": "web"}))
    expect(c, ns, "web", {"web": [80, 160]})


@case("[sig-network] Proxy version v1 should proxy through a service and a pod")
def _(c):
    ns = c.namespace()
    proxied(c, ns)
    base = f"/api/v1/namespaces/{ns}"
    for path in ("services/web:portname1", "services/web:80", "services/http:web:portname2", "services/web:81", "pods/web:160",
                 "pods/web:80", "pods/http:web:80", "pods/web"):
        status, _, data = c.raw("GET", f"{base}/{path}/proxy/")
        assert (status, data) == (200, b"web"), (path, status, data)
        status, _, data = c.raw("GET", f"{base}/{path}/proxy/some/path/with/GET?x=y")
        assert (status, data) == (200, b"web"), (path, status, data)
    logs = c.logs(ns, "web")
    assert "request /some/path/with/GET?x=y" in logs, logs
    assert c.raw("GET", f"{base}/services/web:portname1/proxy")[0] in (200, 301)
    status, _, data = c.raw("GET", f"{base}/services/nobody:80/proxy/")
    assert status in (404, 503), (status, data)
