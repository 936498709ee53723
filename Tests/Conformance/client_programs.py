"""[sig-cli]: kubectl, and the official Python client's own classes."""
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request

from harness import case

POD = """apiVersion: v1
kind: Pod
metadata: {name: httpd, labels: {name: httpd}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: httpd, image: busybox, command: [sh, -c, "echo ready; sleep 600"], ports: [{containerPort: 80}]}
"""


@case("[sig-cli] Kubectl client Kubectl api-versions should check if v1 is in available api versions")
def _(c):
    assert "v1" in c.kubectl("api-versions").split()


@case("[sig-cli] Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info")
def _(c):
    text = c.kubectl("cluster-info")
    assert "Kubernetes control plane" in text and "is running at" in text, text
    assert "CoreDNS" in text, text


@case("[sig-cli] Kubectl client Kubectl version should check is all data is printed")
def _(c):
    found = json.loads(c.kubectl("version", "-o", "json"))
    for key in ("major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"):
        assert found["serverVersion"][key], key


@case("[sig-cli] Kubectl client Kubectl label should update the label on a resource")
def _(c):
    ns = c.namespace()
    c.kubectl("create", "-f", "-", namespace=ns, input=POD)
    c.kubectl("label", "pods", "httpd", "testing-label=testing-label-value", namespace=ns)
    assert "testing-label-value" in c.kubectl("get", "pod", "httpd", "-L", "testing-label", namespace=ns)
    c.kubectl("label", "pods", "httpd", "testing-label-", namespace=ns)
    assert "testing-label-value" not in c.kubectl("get", "pod", "httpd", "-L", "testing-label", namespace=ns)


@case("[sig-cli] Kubectl client Kubectl expose should create services")
def _(c):
    ns = c.namespace()
    c.kubectl("create", "deployment", "agnhost-primary", "--image=busybox", "--port=6379", namespace=ns)
    c.kubectl("expose", "deployment", "agnhost-primary", "--name=rm2", "--port=1234", "--target-port=6379", namespace=ns)
    c.kubectl("expose", "service", "rm2", "--name=rm3", "--port=2345", "--target-port=6379", namespace=ns)
    for name, port in (("rm2", 1234), ("rm3", 2345)):
        found = c.get(f"/api/v1/namespaces/{ns}/services/{name}")
        assert found["spec"]["ports"] == [{"port": port, "targetPort": 6379, "protocol": "TCP"}], found["spec"]
        assert found["spec"]["selector"] == {"app": "agnhost-primary"}


@case("[sig-cli] Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments")
def _(c):
    ns = c.namespace()
    document = json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "httpd"}, "spec": {
        "selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}}, "spec": {
            "containers": [{"name": "httpd", "image": "busybox:1"}]}}}})
    c.kubectl("create", "-f", "-", namespace=ns, input=document)
    c.kubectl("diff", "-f", "-", namespace=ns, input=document)
    text = c.kubectl("diff", "-f", "-", namespace=ns, input=document.replace("busybox:1", "busybox:2"), code=1)
    assert "-      - image: busybox:1" in text and "+      - image: busybox:2" in text, text


@case("[sig-cli] Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods")
def _(c):
    ns = c.namespace()
    c.kubectl("run", "e2e-test-httpd-pod", "--image=busybox", "--labels=run=x", "--", "sleep", "600", namespace=ns)
    c.kubectl("patch", "pod", "e2e-test-httpd-pod", "--dry-run=server", "-p",
              '{"spec":{"containers":[{"name":"e2e-test-httpd-pod","image":"busybox:2"}]}}', namespace=ns)
    found = c.get(f"/api/v1/namespaces/{ns}/pods/e2e-test-httpd-pod")
    assert found["spec"]["containers"][0]["image"] == "busybox"


@case("[sig-cli] Kubectl client Kubectl replace should update a single-container pod's image")
def _(c):
    ns = c.namespace()
    c.kubectl("run", "p", "--image=busybox", "--labels=run=p", "--", "sleep", "600", namespace=ns)
    c.phase(ns, "p", "Running")
    text = c.kubectl("get", "pod", "p", "-o", "json", namespace=ns)
    c.kubectl("replace", "-f", "-", namespace=ns, input=text.replace('"image": "busybox"', '"image": "busybox:1.29"'))
    assert c.get(f"/api/v1/namespaces/{ns}/pods/p")["spec"]["containers"][0]["image"] == "busybox:1.29"


@case("[sig-cli] Kubectl client Kubectl run pod should create a pod from an image when restart is Never")
def _(c):
    ns = c.namespace()
    c.kubectl("run", "p", "--restart=Never", "--image=busybox", namespace=ns)
    found = c.get(f"/api/v1/namespaces/{ns}/pods/p")
    assert found["spec"]["restartPolicy"] == "Never" and found["metadata"]["labels"] == {"run": "p"}


@case("[sig-cli] Kubectl client Kubectl patch should add annotations for pods in rs")
def _(c):
    ns = c.namespace()
    c.kubectl("create", "-f", "-", namespace=ns, input=POD)
    c.kubectl("patch", "pod", "httpd", "-p", '{"metadata":{"annotations":{"x":"y"}}}', namespace=ns)
    assert c.get(f"/api/v1/namespaces/{ns}/pods/httpd")["metadata"]["annotations"] == {"x": "y"}


@case("[sig-cli] Kubectl client Kubectl logs should be able to retrieve and filter logs")
def _(c):
    ns = c.namespace()
    c.kubectl("run", "p", "--image=busybox", "--restart=Never", "--", "sh", "-c",
              "for i in 1 2 3 4 5; do echo line $i; done; sleep 600", namespace=ns)
    c.phase(ns, "p", "Running")
    c.eventually(lambda: c.kubectl("logs", "p", namespace=ns).count("\n") == 5, "five lines")
    assert c.kubectl("logs", "p", "--tail=1", namespace=ns) == "line 5\n"
    assert c.kubectl("logs", "p", "--limit-bytes=1", namespace=ns) == "l"
    line = c.kubectl("logs", "p", "--tail=1", "--timestamps", namespace=ns)
    assert line[4] == "-" and line.endswith(" line 5\n")
    time.sleep(2.5)
    assert c.kubectl("logs", "p", "--since=1s", namespace=ns) == ""
    assert c.kubectl("logs", "p", "--since=24h", namespace=ns).count("\n") == 5


@case("[sig-cli] Kubectl client Proxy server should support proxy with --port 0")
def _(c):
    run = subprocess.Popen([c.program, "proxy", "-p", "0", "--disable-filter"], env=dict(os.environ, KUBECONFIG=c.kubeconfig),
                           stdout=subprocess.PIPE, text=True)
    try:
        port = int(run.stdout.readline().split(":")[-1])
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/api/", timeout=5).read().decode()
        assert "v1" in text
    finally:
        run.kill()
        run.wait()


@case("[sig-cli] Kubectl client Proxy server should support --unix-socket=/path")
def _(c):
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/test"
        run = subprocess.Popen([c.program, "proxy", f"--unix-socket={path}"], env=dict(os.environ, KUBECONFIG=c.kubeconfig),
                               stdout=subprocess.PIPE, text=True)
        try:
            run.stdout.readline()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                connection.sendall(b"GET /api/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
                text = b""
                while part := connection.recv(65536):
                    text += part
            assert b'"v1"' in text, text
        finally:
            run.kill()
            run.wait()


@case("[sig-cli] Kubectl client Kubectl describe should check if kubectl describe prints relevant information")
def _(c):
    ns = c.namespace()
    c.kubectl("create", "-f", "-", namespace=ns, input=POD)
    c.phase(ns, "httpd", "Running")
    text = c.kubectl("describe", "pod", "httpd", namespace=ns)
    for part in ("Name:", "Namespace:", "Node:", "Labels:", "name=httpd", "Status:", "Running", "IP:", "Image:", "State:", "QoS Class:",
                 "Service Account:", "Port:", "Events:"):
        assert part in text, (part, text)
    c.kubectl("expose", "pod", "httpd", "--port=80", namespace=ns)
    for kind, parts in (("service/httpd", ("Name:", "Type:", "IP:", "Port:", "Endpoints:", "Session Affinity:")),
                        ("node", ("Name:", "Labels:", "Conditions:", "Addresses:", "Capacity:", "Allocatable:", "System Info:", "Pods:")),
                        (f"namespace/{ns}", ("Name:", "Labels:", "Annotations:", "Status:", "Active"))):
        text = c.kubectl("describe", *kind.split(), namespace=ns)
        for part in parts:
            assert part in text, (part, text)


@case("[sig-cli] Kubectl client Kubectl create quota and others that are not served say so")
def _(c):
    c.kubectl("get", "jobs", code=1)
    assert 'the server doesn\'t have a resource type "jobs"' in c.last.errors, c.last.errors


@case("[sig-cli] Kubectl client Simple pod should support exec, exit codes, inline execution and port-forward")
def _(c):
    ns = c.namespace()
    c.kubectl("create", "-f", "-", namespace=ns, input=POD)
    c.phase(ns, "httpd", "Running")
    assert c.kubectl("exec", "httpd", "--", "echo", "running in container", namespace=ns) == "running in container\n"
    c.kubectl("exec", "httpd", "--", "sh", "-c", "exit 42", namespace=ns, code=42)
    assert c.kubectl("exec", "-i", "httpd", "--", "cat", namespace=ns, input="abcd1234") == "abcd1234"
    text = c.kubectl("run", "success", "--image=busybox", "--restart=Never", "--rm", "-i", "--", "sh", "-c", "cat; echo stdin closed",
                     namespace=ns, input="abcd1234")
    assert "abcd1234" in text and "stdin closed" in text, text


@case("[sig-cli] Kubectl client Kubectl apply should apply a new configuration to an existing Service, and reuse the node port")
def _(c):
    ns = c.namespace()
    document = """apiVersion: v1
kind: Service
metadata: {name: x, labels: {v: "1"}}
spec: {type: NodePort, selector: {a: b}, ports: [{port: 80}]}
"""
    c.kubectl("apply", "-f", "-", namespace=ns, input=document)
    port = c.get(f"/api/v1/namespaces/{ns}/services/x")["spec"]["ports"][0]["nodePort"]
    c.kubectl("apply", "-f", "-", namespace=ns, input=document.replace('"1"', '"2"'))
    assert c.get(f"/api/v1/namespaces/{ns}/services/x")["spec"]["ports"][0]["nodePort"] == port
    c.kubectl("apply", "view-last-applied", "svc/x", namespace=ns)


@case("[sig-cli] Kubectl client Kubectl events, wait, explain, auth, api-resources, taint, drain, get with every output")
def _(c):
    ns = c.namespace()
    c.kubectl("create", "-f", "-", namespace=ns, input=POD)
    c.kubectl("wait", "--for=condition=Ready", "pod/httpd", "--timeout=20s", namespace=ns)
    assert "Started" in c.kubectl("events", "--for", "pod/httpd", namespace=ns)
    assert "FIELDS:" in c.kubectl("explain", "service.spec.ports")
    assert c.kubectl("auth", "can-i", "get", "pods").strip() == "yes"
    c.kubectl("create", "poddisruptionbudget", "x", "--selector=app=a", "--min-available=50%", namespace=ns)
    assert c.get(f"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets/x")["spec"] == {
        "minAvailable": "50%", "selector": {"matchLabels": {"app": "a"}}}
    for output in ("json", "yaml", "name", "wide", "jsonpath={.metadata.name}", "custom-columns=N:.metadata.name", "go-template={{.kind}}"):
        assert c.kubectl("get", "pod", "httpd", "-o", output, namespace=ns), output
    for kind in c.kubectl("api-resources", "--verbs=list", "-o", "name").split():
        c.kubectl("get", kind, "-A")


@case("[sig-cli] The Python client reads what its own classes describe")
def _(c):
    from kubernetes import client, watch
    ns = c.namespace()
    core, apps = client.CoreV1Api(c.client), client.AppsV1Api(c.client)
    made = core.create_namespaced_service(ns, client.V1Service(
        metadata=client.V1ObjectMeta(name="x"), spec=client.V1ServiceSpec(
            selector={"a": "b"}, ports=[client.V1ServicePort(port=80, target_port=80)])))
    assert made.spec.cluster_ip
    for event in watch.Watch().stream(core.list_namespaced_service, ns, timeout_seconds=2):
        assert event["object"].metadata.name == "x"
        break
    apps.create_namespaced_deployment(ns, client.V1Deployment(metadata=client.V1ObjectMeta(name="d"), spec=client.V1DeploymentSpec(
        selector=client.V1LabelSelector(match_labels={"a": "b"}), replicas=1, template=client.V1PodTemplateSpec(
            metadata=client.V1ObjectMeta(labels={"a": "b"}), spec=client.V1PodSpec(containers=[
                client.V1Container(name="main", image="busybox", command=["sleep", "600"])])))))
    assert apps.read_namespaced_deployment_scale("d", ns).spec.replicas == 1
    core.patch_namespaced_service("x", ns, {"metadata": {"labels": {"p": "q"}}})
    assert client.DiscoveryV1Api(c.client).list_namespaced_endpoint_slice(ns).items
    core.list_pod_for_all_namespaces()
    core.list_node()
    core.list_event_for_all_namespaces()
    core.delete_namespaced_service("x", ns)
    apps.delete_namespaced_deployment("d", ns)
