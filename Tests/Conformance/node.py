"""[sig-node] and [sig-storage]: pods, their settings, and their life."""
import time

from harness import JSON_PATCH, MERGE, STRATEGIC, case, condition


def pods(ns):
    return f"/api/v1/namespaces/{ns}/pods"


def main(command, **more):
    return {"name": "main", "image": "busybox", "command": ["sh", "-c", command], **more}


def output(c, ns, name, command, phase="Succeeded", container=None, **spec):
    """What a pod prints that ends."""
    c.pod(ns, name, restartPolicy="Never", containers=[main(command, **(container or {}))], **spec)
    pod = c.eventually(lambda: (p := c.get(pods(ns) + "/" + name))["status"].get("phase") in ("Succeeded", "Failed") and p,
                       f"{name} ends")
    text = c.logs(ns, name)
    assert pod["status"]["phase"] == phase, text
    return text


@case("[sig-node] Pods should be submitted and removed")
def _(c):
    ns = c.namespace()
    with c.watch(pods(ns), labelSelector="time=1") as watch:
        c.pod(ns, "pod-submit-remove", labels={"name": "foo", "time": "1"})
        watch.expect("ADDED")
        c.phase(ns, "pod-submit-remove", "Running")
        answer = c.delete(pods(ns) + "/pod-submit-remove", {"gracePeriodSeconds": 1})
        assert answer["metadata"]["deletionGracePeriodSeconds"] == 1 and answer["metadata"]["deletionTimestamp"]
        gone = watch.next(lambda e: e["type"] == "DELETED")["object"]
        assert gone["metadata"]["deletionTimestamp"] and gone["spec"]["terminationGracePeriodSeconds"] == 1
    assert not c.get(pods(ns), labelSelector="time=1")["items"]


@case("[sig-node] Pods should be updated")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p", labels={"time": "1"})
    c.phase(ns, "p", "Running")
    for _ in range(5):
        whole = c.get(pods(ns) + "/p")
        whole["metadata"]["labels"]["time"] = "2"
        c.put(pods(ns) + "/p", whole)
    assert len(c.get(pods(ns), labelSelector="time=2")["items"]) == 1


@case("[sig-node] Pods should allow activeDeadlineSeconds to be updated")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p")
    c.phase(ns, "p", "Running")
    whole = c.get(pods(ns) + "/p")
    whole["spec"]["activeDeadlineSeconds"] = 1
    c.put(pods(ns) + "/p", whole)
    pod = c.phase(ns, "p", "Failed")
    assert pod["status"]["reason"] == "DeadlineExceeded", pod["status"]
    assert pod["status"]["message"] == "Pod was active on the node longer than the specified deadline", pod["status"]


@case("[sig-node] Pods should get a host IP")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p")
    pod = c.phase(ns, "p", "Running")
    assert pod["status"]["hostIP"] and pod["status"]["hostIPs"][0]["ip"] == pod["status"]["hostIP"]


@case("[sig-node] Pods should contain environment variables for services")
def _(c):
    ns = c.namespace()
    c.post(f"/api/v1/namespaces/{ns}/services", {"metadata": {"name": "fooservice"}, "spec": {
        "selector": {"name": "x"}, "ports": [{"port": 8765, "targetPort": 8080}]}})
    text = output(c, ns, "client", "env")
    for name in ("FOOSERVICE_SERVICE_HOST=", "FOOSERVICE_SERVICE_PORT=8765", "FOOSERVICE_PORT=tcp://", "FOOSERVICE_PORT_8765_TCP_PORT=8765",
                 "FOOSERVICE_PORT_8765_TCP_PROTO=tcp", "FOOSERVICE_PORT_8765_TCP=tcp://", "FOOSERVICE_PORT_8765_TCP_ADDR=",
                 "KUBERNETES_SERVICE_HOST="):
        assert name in text, (name, text)
    assert "FOOSERVICE" not in output(c, ns, "none", "env", enableServiceLinks=False)


@case("[sig-node] Pods should delete a collection of pods")
def _(c):
    ns = c.namespace()
    for index in range(3):
        c.pod(ns, f"test-pod-{index}", labels={"type": "Testing"})
    c.delete(pods(ns), {"gracePeriodSeconds": 0}, labelSelector="type=Testing")
    c.eventually(lambda: not c.get(pods(ns), labelSelector="type=Testing")["items"], "they are gone")


@case("[sig-node] Pods should patch a pod status")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p")
    c.phase(ns, "p", "Running")
    path = pods(ns) + "/p/status"
    assert c.get(path)["kind"] == "Pod"
    patched = c.patch(path, {"metadata": {"annotations": {"patched": "yes"}}, "status": {
        "message": "Patched by e2e test", "reason": "E2E"}}, STRATEGIC)
    assert patched["status"]["message"] == "Patched by e2e test" and patched["status"]["reason"] == "E2E"
    assert patched["metadata"]["annotations"] == {"patched": "yes"}


@case("[sig-node] Pods should run through the lifecycle of Pods and PodStatus")
def _(c):
    ns = c.namespace()
    path = pods(ns) + "/pod-test"
    with c.watch(pods(ns), labelSelector="test-pod-static=true") as watch:
        c.pod(ns, "pod-test", labels={"test-pod-static": "true"})
        watch.expect("ADDED")
        watch.next(lambda e: condition(e["object"], "Ready"))
        c.patch(path, {"metadata": {"labels": {"test-pod": "patched"}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [
            {"name": "main", "image": "busybox:1"}]}}, STRATEGIC)
        watch.next(lambda e: e["object"]["metadata"]["labels"].get("test-pod") == "patched")
        whole = c.get(path + "/status")
        for one in whole["status"]["conditions"]:
            if one["type"] == "Ready":
                one["status"] = "False"
        whole["metadata"]["labels"]["test-pod"] = "patched-status"
        assert not condition(c.put(path + "/status", whole), "Ready")
        found = c.get("/api/v1/pods", labelSelector="test-pod-static=true")["items"]
        assert [p["metadata"]["name"] for p in found] == ["pod-test"]
        c.delete(pods(ns), {"gracePeriodSeconds": 1}, labelSelector="test-pod-static=true")
        watch.next(lambda e: e["type"] == "DELETED", 30)


@case("[sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu")
def _(c):
    ns = c.namespace()
    amounts = {"cpu": "100m", "memory": "100Mi"}
    made = c.pod(ns, "p", containers=[main("sleep 600", resources={"limits": amounts, "requests": amounts})])
    assert made["status"]["qosClass"] == "Guaranteed" and made["status"]["phase"] == "Pending", made["status"]
    made = c.pod(ns, "q", containers=[main("sleep 600", resources={"limits": {"cpu": "100m"}})])
    assert made["status"]["qosClass"] == "Burstable", made["status"]
    assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "100m"}, "requests": {"cpu": "100m"}}, made["spec"]
    assert c.pod(ns, "r")["status"]["qosClass"] == "BestEffort"


@case("[sig-node] Pods should have the defaults of the API server")
def _(c):
    ns = c.namespace()
    c.post(f"/api/v1/namespaces/{ns}/configmaps", {"metadata": {"name": "conf"}})
    made = c.post(pods(ns), {"metadata": {"name": "p"}, "spec": {"containers": [
        {"name": "a", "image": "busybox", "ports": [{"containerPort": 80}],
         "livenessProbe": {"httpGet": {"port": 80}}, "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]},
        {"name": "b", "image": "busybox:1.36"}],
        "volumes": [{"name": "v", "configMap": {"name": "conf"}}, {"name": "e"}]}})
    spec = made["spec"]
    for container in spec["containers"]:
        container["volumeMounts"] = [m for m in container.get("volumeMounts", []) if not m["name"].startswith("kube-api-access")]
        if not container["volumeMounts"]:
            del container["volumeMounts"]
    spec["volumes"] = [v for v in spec["volumes"] if not v["name"].startswith("kube-api-access")]
    common = {"resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
    assert spec["containers"] == [
        {"name": "a", "image": "busybox", "imagePullPolicy": "Always", "ports": [{"containerPort": 80, "protocol": "TCP"}],
         "livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "failureThreshold": 3, "periodSeconds": 10,
                           "successThreshold": 1, "timeoutSeconds": 1},
         "env": [{"name": "IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}], **common},
        {"name": "b", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent", **common}], spec["containers"]
    assert spec["volumes"] == [{"name": "v", "configMap": {"name": "conf", "defaultMode": 420}}, {"name": "e", "emptyDir": {}}], spec["volumes"]
    for key in ("containers", "volumes", "nodeName"):
        spec.pop(key, None)
    seconds = {"effect": "NoExecute", "operator": "Exists", "tolerationSeconds": 300}
    assert spec == {
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
        "restartPolicy": "Always", "schedulerName": "default-scheduler", "securityContext": {}, "serviceAccount": "default",
        "serviceAccountName": "default", "terminationGracePeriodSeconds": 30, "tolerations": [
            {"key": "node.kubernetes.io/not-ready", **seconds}, {"key": "node.kubernetes.io/unreachable", **seconds}]}, spec


@case("[sig-node] Pods should honour readiness gates")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p", readinessGates=[{"conditionType": "k8s.io/test-condition1"}])
    c.phase(ns, "p", "Running")
    time.sleep(0.3)
    pod = c.get(pods(ns) + "/p")
    assert condition(pod, "ContainersReady") and not condition(pod, "Ready")
    c.patch(pods(ns) + "/p/status", {"status": {"conditions": [{"type": "k8s.io/test-condition1", "status": "True"}]}}, STRATEGIC)
    c.ready(ns, "p")


@case("[sig-node] Pods should have hostAliases in /etc/hosts")
def _(c):
    ns = c.namespace()
    text = output(c, ns, "p", "cat /etc/hosts", hostAliases=[{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}])
    assert "# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar" in text, text


@case("[sig-node] Containers should be able to override the image's default command and arguments")
def _(c):
    ns = c.namespace()
    c.pod(ns, "args", restartPolicy="Never", containers=[{"name": "main", "image": "busybox", "args": ["echo", "override", "arguments"]}])
    c.phase(ns, "args", "Succeeded")
    assert c.logs(ns, "args") == "override arguments\n"
    c.pod(ns, "both", restartPolicy="Never", containers=[{"name": "main", "image": "busybox", "command": ["echo"], "args": ["a", "b"]}])
    c.phase(ns, "both", "Succeeded")
    assert c.logs(ns, "both") == "a b\n"


@case("[sig-node] Variable Expansion should allow composing env vars into new env vars, and substituting values in command and args")
def _(c):
    ns = c.namespace()
    env = [{"name": "FOO", "value": "foo-value"}, {"name": "BAR", "value": "bar-value"},
           {"name": "FOOBAR", "value": "$(FOO);;$(BAR)"}, {"name": "KEPT", "value": "$$(FOO) $(NOBODY)"}]
    text = output(c, ns, "p", "env", container={"env": env})
    assert "FOOBAR=foo-value;;bar-value" in text and "KEPT=$(FOO) $(NOBODY)" in text, text
    assert output(c, ns, "q", "TEST=wrong echo $(FOO)", container={"env": env}) == "foo-value\n"


@case("[sig-node] Variable Expansion should allow substituting values in a volume subpath")
def _(c):
    ns = c.namespace()
    env = [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    mounts = [{"name": "work", "mountPath": "/logscontainer", "subPathExpr": "$(POD_NAME)"}, {"name": "work", "mountPath": "/testcontainer"}]
    text = output(c, ns, "p", "echo x > /logscontainer/file; ls /testcontainer /testcontainer/*", container={
        "env": env, "volumeMounts": mounts}, volumes=[{"name": "work", "emptyDir": {}}])
    assert "p\n" in text and "file" in text, text


@case("[sig-node] Variable Expansion should fail substituting values in a volume subpath with absolute path or backticks")
def _(c):
    ns = c.namespace()
    for name, value in (("absolute", "/tmp"), ("up", ".."), ):
        c.pod(ns, name, containers=[main("sleep 600", env=[{"name": "POD_NAME", "value": value}], volumeMounts=[
            {"name": "work", "mountPath": "/logs", "subPathExpr": "$(POD_NAME)"}])], volumes=[{"name": "work", "emptyDir": {}}])
        state = c.eventually(lambda: (c.get(pods(ns) + "/" + name)["status"].get("containerStatuses") or [{}])[0].get("state", {}).get("waiting"),
                             "it waits")
        c.eventually(lambda: c.get(pods(ns) + "/" + name)["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CreateContainerConfigError",
                     f"CreateContainerConfigError, not {state}")


@case("[sig-node] InitContainer should invoke init containers on a RestartNever pod, in order")
def _(c):
    ns = c.namespace()
    init = [{"name": n, "image": "busybox", "command": ["sh", "-c", f"echo {n} >> /shared/file"],
             "volumeMounts": [{"name": "v", "mountPath": "/shared"}]} for n in ("init1", "init2")]
    text = output(c, ns, "p", "cat /shared/file", container={"volumeMounts": [{"name": "v", "mountPath": "/shared"}]},
                  initContainers=init, volumes=[{"name": "v", "emptyDir": {}}])
    assert text == "init1\ninit2\n", text
    pod = c.get(pods(ns) + "/p")
    assert condition(pod, "Initialized")
    for status in pod["status"]["initContainerStatuses"]:
        assert status["ready"] and status["state"]["terminated"]["exitCode"] == 0, status


@case("[sig-node] InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p", restartPolicy="Never", initContainers=[
        {"name": "init1", "image": "busybox", "command": ["true"]}, {"name": "init2", "image": "busybox", "command": ["false"]}])
    pod = c.phase(ns, "p", "Failed")
    initialized = next(x for x in pod["status"]["conditions"] if x["type"] == "Initialized")
    assert initialized["status"] == "False" and initialized["reason"] == "ContainersNotInitialized", initialized
    assert initialized["message"] == "containers with incomplete status: [init2]", initialized
    assert pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing", pod["status"]["containerStatuses"]


@case("[sig-node] InitContainer should not start app containers if init containers fail on a RestartAlways pod")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p", initContainers=[{"name": "init1", "image": "busybox", "command": ["false"]}])
    c.eventually(lambda: c.get(pods(ns) + "/p")["status"].get("initContainerStatuses", [{}])[0].get("restartCount", 0) >= 1, "it is tried again")
    pod = c.get(pods(ns) + "/p")
    assert pod["status"]["phase"] == "Pending"
    assert "state" in pod["status"]["initContainerStatuses"][0]


@case("[sig-node] Container Lifecycle Hook should execute poststart and prestop exec hooks properly")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p", containers=[main("sleep 600", volumeMounts=[{"name": "v", "mountPath": "/v"}], lifecycle={
        "postStart": {"exec": {"command": ["sh", "-c", "echo started > /v/post"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo stopping > /v/pre; sleep 0.2"]}}})],
        terminationGracePeriodSeconds=3, volumes=[{"name": "v", "hostPath": {"path": f"/tmp/{ns}", "type": "DirectoryOrCreate"}}])
    c.ready(ns, "p")
    assert c.kubectl("exec", "p", "--", "cat", "/v/post", namespace=ns) == "started\n"
    c.delete(pods(ns) + "/p")
    c.eventually(lambda: not c.exists(pods(ns) + "/p"), "it is gone")
    text = output(c, ns, "q", "cat /v/pre; rm -r /v/*", container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                  volumes=[{"name": "v", "hostPath": {"path": f"/tmp/{ns}"}}])
    assert text == "stopping\n", text


@case("[sig-node] Container Runtime blackbox test when starting a container that exits should run with the expected status")
def _(c):
    ns = c.namespace()
    for name, policy, phase, code in (("never", "Never", "Failed", 1), ("failure", "OnFailure", "Succeeded", 0)):
        c.pod(ns, name, restartPolicy=policy, containers=[main(f"exit {code}")])
        pod = c.phase(ns, name, phase)
        state = pod["status"]["containerStatuses"][0]
        assert state["state"]["terminated"]["exitCode"] == code and state["ready"] is False, state
        assert state["state"]["terminated"]["reason"] == ("Completed" if code == 0 else "Error")
    c.pod(ns, "always", containers=[main("exit 1")])
    c.eventually(lambda: (c.get(pods(ns) + "/always")["status"].get("containerStatuses") or [{}])[0].get("restartCount", 0) >= 2, "two restarts", 40)


@case("[sig-node] Container Runtime blackbox test on terminated container should report termination message")
def _(c):
    ns = c.namespace()

    def message(name, command, phase, **more):
        c.pod(ns, name, restartPolicy="Never", containers=[main(command, **more)])
        return c.phase(ns, name, phase)["status"]["containerStatuses"][0]["state"]["terminated"].get("message", "")
    assert message("default", "echo -n OK > /dev/termination-log", "Succeeded") == "OK"
    assert message("path", "echo -n DONE > /dev/custom", "Succeeded", terminationMessagePath="/dev/custom") == "DONE"
    fallback = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    assert message("logs", "echo -n DONE; exit 1", "Failed", **fallback) == "DONE"
    assert message("empty", "echo -n DONE", "Succeeded", **fallback) == ""
    assert message("file", "echo -n OK > /dev/termination-log; echo x", "Succeeded", **fallback) == "OK"


@case("[sig-node] Kubelet when scheduling a busybox command that always fails in a pod should have a terminated reason, and be deletable")
def _(c):
    ns = c.namespace()
    c.pod(ns, "bin-false", containers=[{"name": "main", "image": "busybox", "command": ["/bin/false"]}])
    c.eventually(lambda: "terminated" in str((c.get(pods(ns) + "/bin-false")["status"].get("containerStatuses") or [{}])[0]), "a reason")
    c.delete(pods(ns) + "/bin-false")
    c.eventually(lambda: not c.exists(pods(ns) + "/bin-false"), "it is gone")


@case("[sig-node] ConfigMap should be consumable via the environment, and via environment variable")
def _(c):
    ns = c.namespace()
    c.post(f"/api/v1/namespaces/{ns}/configmaps", {"metadata": {"name": "conf"}, "data": {"data-1": "value-1", "data_2": "value-2"}})
    text = output(c, ns, "p", "env", container={
        "envFrom": [{"configMapRef": {"name": "conf"}}, {"prefix": "p_", "configMapRef": {"name": "conf"}}],
        "env": [{"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "data-1"}}},
                {"name": "OPTIONAL", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "x", "optional": True}}}]})
    for line in ("data_2=value-2", "p_data_2=value-2", "ONE=value-1"):
        assert line in text, (line, text)


@case("[sig-node] ConfigMap should fail to create ConfigMap with empty key")
def _(c):
    ns = c.namespace()
    refusal = c.refused(422, "Invalid", lambda: c.post(f"/api/v1/namespaces/{ns}/configmaps", {"metadata": {"name": "x"}, "data": {"": "value-1"}}))
    assert refusal.message == ('ConfigMap "x" is invalid: data[]: Invalid value: "": a valid config key must consist of alphanumeric '
                               "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                               "'[-._a-zA-Z0-9]+')"), refusal.message


@case("[sig-node] ConfigMap should run through a ConfigMap lifecycle")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/configmaps"
    with c.watch(path, labelSelector="test-configmap-static=true") as watch:
        c.post(path, {"metadata": {"name": "t", "labels": {"test-configmap-static": "true"}}, "data": {"valueName": "value"}})
        watch.expect("ADDED")
        c.patch(path + "/t", {"metadata": {"labels": {"test-configmap": "patched"}}, "data": {"valueName": "value1"}}, STRATEGIC)
        assert watch.expect("MODIFIED")["data"]["valueName"] == "value1"
        assert c.get("/api/v1/configmaps", labelSelector="test-configmap-static=true")["items"]
        c.delete(path, labelSelector="test-configmap-static=true")
        watch.expect("DELETED")


@case("[sig-node] Secrets should be consumable via the environment, and from pods in env vars")
def _(c):
    ns = c.namespace()
    c.post(f"/api/v1/namespaces/{ns}/secrets", {"metadata": {"name": "s"}, "data": {"data_1": "dmFsdWUtMQ=="}, "stringData": {"two": "2"}})
    text = output(c, ns, "p", "env", container={"envFrom": [{"secretRef": {"name": "s"}}], "env": [
        {"name": "SECRET_DATA", "valueFrom": {"secretKeyRef": {"name": "s", "key": "data_1"}}}]})
    assert "data_1=value-1" in text and "SECRET_DATA=value-1" in text and "two=2" in text, text


@case("[sig-node] Secrets should fail to create secret due to empty secret key")
def _(c):
    ns = c.namespace()
    refusal = c.refused(422, "Invalid", lambda: c.post(f"/api/v1/namespaces/{ns}/secrets", {"metadata": {"name": "x"}, "data": {"": "dmFsdWUtMQ0K"}}))
    assert refusal.message.startswith('Secret "x" is invalid: data[]: Invalid value: "": a valid config key must consist of'), refusal.message


@case("[sig-node] Secrets should patch a secret")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/secrets"
    c.post(path, {"metadata": {"name": "t", "labels": {"testsecret-constant": "true"}}, "data": {"key": "dmFsdWU="}, "type": "Opaque"})
    patched = c.patch(path + "/t", {"metadata": {"labels": {"testsecret": "true"}}, "data": {"key": "dmFsdWUx"}}, STRATEGIC)
    assert patched["data"]["key"] == "dmFsdWUx"
    refusal = c.refused(422, "Invalid", lambda: c.patch(path + "/t", {"type": "other"}))
    assert refusal.message == 'Secret "t" is invalid: type: Invalid value: "other": field is immutable', refusal.message
    c.delete(path, labelSelector="testsecret=true")
    assert not c.get(path, labelSelector="testsecret=true")["items"]


@case("[sig-node] Downward API should provide pod name, namespace, IP, host IP, UID and resources as env vars")
def _(c):
    ns = c.namespace()

    def field(name, path):
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    def amount(name, resource, divisor=None):
        reference = {"resource": resource, **({"divisor": divisor} if divisor else {})}
        return {"name": name, "valueFrom": {"resourceFieldRef": reference}}
    text = output(c, ns, "p", "env", container={
        "resources": {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "1250m", "memory": "64Mi"}},
        "env": [field("NAME", "metadata.name"), field("NAMESPACE", "metadata.namespace"), field("IP", "status.podIP"),
                field("HOST", "status.hostIP"), field("HOSTS", "status.hostIPs"), field("POD_UID", "metadata.uid"), field("NODE", "spec.nodeName"),
                field("LABEL", "metadata.labels['x']"), field("SA", "spec.serviceAccountName"),
                amount("CPU_LIMIT", "limits.cpu"), amount("MEMORY_LIMIT", "limits.memory"),
                amount("CPU_REQUEST", "requests.cpu", "1m"), amount("MEMORY_REQUEST", "requests.memory", "1Mi")]}, labels={"x": "y"})
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    pod = c.get(pods(ns) + "/p")
    wanted = {"NAME": "p", "NAMESPACE": ns, "IP": pod["status"]["podIP"], "HOST": pod["status"]["hostIP"], "POD_UID": pod["metadata"]["uid"],
              "NODE": pod["spec"]["nodeName"], "LABEL": "y", "SA": "default", "CPU_LIMIT": "2", "MEMORY_LIMIT": "67108864",
              "CPU_REQUEST": "250", "MEMORY_REQUEST": "32"}
    assert {name: found.get(name) for name in wanted} == wanted, {name: found.get(name) for name in wanted}


@case("[sig-storage] ConfigMap, Secret, Projected and Downward API volumes should be consumable, with modes, items and updates")
def _(c):
    ns = c.namespace()
    c.post(f"/api/v1/namespaces/{ns}/configmaps", {"metadata": {"name": "conf"}, "data": {"data-1": "value-1", "data-2": "value-2"},
                                                   "binaryData": {"dump.bin": "3q2+7w=="}})
    c.post(f"/api/v1/namespaces/{ns}/secrets", {"metadata": {"name": "s"}, "stringData": {"data-1": "secret-1"}})
    volumes = [
        {"name": "conf", "configMap": {"name": "conf", "defaultMode": 0o400}},
        {"name": "items", "configMap": {"name": "conf", "items": [{"key": "data-2", "path": "path/to/data-2", "mode": 0o444}]}},
        {"name": "secret", "secret": {"secretName": "s"}},
        {"name": "all", "projected": {"sources": [
            {"configMap": {"name": "conf"}}, {"secret": {"name": "s", "items": [{"key": "data-1", "path": "secret"}]}},
            {"downwardAPI": {"items": [{"path": "podname", "fieldRef": {"fieldPath": "metadata.name"}}]}}]}},
        {"name": "info", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"name": "none", "configMap": {"name": "nobody", "optional": True}}]
    mounts = [{"name": v["name"], "mountPath": f"/v/{v['name']}"} for v in volumes]
    text = output(c, ns, "p", "cat /v/conf/data-1; echo; stat -Lc %a /v/conf/data-1; cat /v/items/path/to/data-2; echo; ls /v/items; "
                  "cat /v/secret/data-1; echo; cat /v/all/secret; echo; cat /v/all/podname; echo; cat /v/info/labels; echo; ls /v/none; "
                  "od -An -tx1 /v/conf/dump.bin", container={"volumeMounts": mounts}, volumes=volumes, labels={"a": "b"})
    assert [line.strip() for line in text.splitlines()] == [
        "value-1", "400", "value-2", "path", "secret-1", "secret-1", "p", 'a="b"', "de ad be ef"], text


@case("[sig-storage] ConfigMap and Secret should be immutable if immutable field is set")
def _(c):
    ns = c.namespace()
    path = f"/api/v1/namespaces/{ns}/configmaps"
    c.post(path, {"metadata": {"name": "x"}, "data": {"a": "b"}, "immutable": True})
    refusal = c.refused(422, "Invalid", lambda: c.patch(path + "/x", {"data": {"a": "c"}}))
    assert refusal.message == 'ConfigMap "x" is invalid: data: Forbidden: field is immutable when `immutable` is set', refusal.message
    refusal = c.refused(422, "Invalid", lambda: c.patch(path + "/x", {"immutable": False}))
    assert "immutable: Forbidden: field is immutable when `immutable` is set" in refusal.message
    c.delete(path + "/x")


@case("[sig-storage] EmptyDir volumes pod should support shared volumes between containers, with modes")
def _(c):
    ns = c.namespace()
    mount = [{"name": "v", "mountPath": "/v"}]
    c.pod(ns, "p", containers=[
        main("while [ ! -f /v/file ]; do sleep 0.1; done; cat /v/file; sleep 600", volumeMounts=mount),
        {"name": "other", "image": "busybox", "command": ["sh", "-c", "echo hello > /v/file; sleep 600"], "volumeMounts": mount}],
        volumes=[{"name": "v", "emptyDir": {"medium": "Memory"}}])
    c.eventually(lambda: "main" in str(c.get(pods(ns) + "/p")["status"]) and condition(c.get(pods(ns) + "/p"), "Ready"), "both run")
    c.eventually(lambda: c.logs(ns, "p", container="main") == "hello\n", "the file is shared")


@case("[sig-node] Probing container should be restarted with an exec liveness probe, and not with one that succeeds")
def _(c):
    ns = c.namespace()
    c.pod(ns, "bad", containers=[main("sleep 600", livenessProbe={"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1})])
    c.pod(ns, "good", containers=[main("sleep 600", livenessProbe={"exec": {"command": ["true"]}, "periodSeconds": 1, "failureThreshold": 1})])
    c.eventually(lambda: (c.get(pods(ns) + "/bad")["status"].get("containerStatuses") or [{}])[0].get("restartCount", 0) >= 1, "a restart", 30)
    assert c.get(pods(ns) + "/good")["status"]["containerStatuses"][0]["restartCount"] == 0
    events = c.get(f"/api/v1/namespaces/{ns}/events", fieldSelector="involvedObject.name=bad,reason=Unhealthy")["items"]
    assert events and events[0]["message"].startswith("Liveness probe failed: "), events


@case("[sig-node] Probing container with readiness probe that fails should never be ready and never restart")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p", containers=[main("sleep 600", readinessProbe={"exec": {"command": ["false"]}, "periodSeconds": 1})])
    c.phase(ns, "p", "Running")
    time.sleep(1.2)
    pod = c.get(pods(ns) + "/p")
    assert not condition(pod, "Ready") and pod["status"]["containerStatuses"][0]["restartCount"] == 0
    ready = next(x for x in pod["status"]["conditions"] if x["type"] == "Ready")
    assert ready["reason"] == "ContainersNotReady" and ready["message"] == "containers with unready status: [main]", ready


@case("[sig-node] Events should be sent by kubelets and the scheduler about pods scheduling and running")
def _(c):
    ns = c.namespace()
    c.pod(ns, "p")
    c.phase(ns, "p", "Running")

    def reasons():
        items = c.get(f"/api/v1/namespaces/{ns}/events", fieldSelector="involvedObject.kind=Pod,involvedObject.name=p")["items"]
        return {(e["reason"], e.get("source", {}).get("component") or e.get("reportingComponent")) for e in items}
    c.eventually(lambda: {("Scheduled", "default-scheduler"), ("Created", "kubelet"), ("Started", "kubelet"), ("Pulled", "kubelet")} <= reasons(),
                 f"the events {reasons()}")


@case("[sig-scheduling] SchedulerPredicates validates that NodeSelector is respected if not matching, and if matching", alone=True)
def _(c):
    ns = c.namespace()
    c.pod(ns, "restricted", nodeSelector={"label": "nonempty"})
    c.eventually(lambda: any(x["type"] == "PodScheduled" and x.get("reason") == "Unschedulable"
                             for x in c.get(pods(ns) + "/restricted")["status"].get("conditions", [])), "it is unschedulable")
    node = c.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
    c.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"label": "nonempty"}}})
    c.phase(ns, "restricted", "Running")
    c.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"label": None}}})


@case("[sig-node] NoExecuteTaintManager Single Pod removing taint cancels eviction", alone=True)
def _(c):
    ns = c.namespace()
    node = c.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
    c.pod(ns, "p", tolerations=[{"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute", "tolerationSeconds": 2}])
    c.phase(ns, "p", "Running")
    c.kubectl("taint", "nodes", node, "k=v:NoExecute")
    time.sleep(0.5)
    c.kubectl("taint", "nodes", node, "k:NoExecute-")
    time.sleep(2.5)
    assert "deletionTimestamp" not in c.get(pods(ns) + "/p")["metadata"]


@case("[sig-node] Pods should support scheduling gates and a binding")
def _(c):
    ns = c.namespace()
    node = c.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
    c.pod(ns, "p", schedulerName="mine")
    time.sleep(0.3)
    assert "nodeName" not in c.get(pods(ns) + "/p")["spec"]
    c.post(pods(ns) + "/p/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Node", "name": node}})
    c.phase(ns, "p", "Running")
    refusal = c.refused(409, "Conflict", lambda: c.post(pods(ns) + "/p/binding", {
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Node", "name": node}}))
    assert "already assigned to node" in refusal.message
