"""What the cases share: requests through the official Python client, kubectl, and waiting."""
import concurrent.futures
import contextlib
import itertools
import json
import os
import subprocess
import threading
import time
import traceback
import urllib.parse

from kubernetes import client, config

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"

cases = []


def case(title, missing=None, alone=False):
    """Marks a case; its title is that of the case in Kubernetes.

    `missing` says what we do not have: then the case has to fail. One that others would feel runs `alone`.
    """
    def mark(body):
        cases.append((title, body, missing, alone))
        return body
    return mark


class Refused(Exception):
    """An answer that is no success."""
    def __init__(self, code, body):
        super().__init__(f"{code}: {json.dumps(body)[:1200]}")
        self.code, self.body = code, body
        self.reason = body.get("reason") if isinstance(body, dict) else None
        self.message = body.get("message") if isinstance(body, dict) else body


class Cluster:
    """One running suite."""
    def __init__(self, kubeconfig, kubectl):
        self.kubeconfig, self.program = kubeconfig, kubectl
        config.load_kube_config(config_file=kubeconfig)
        configuration = client.Configuration.get_default_copy()
        configuration.connection_pool_maxsize = 64
        self.client = client.ApiClient(configuration)
        self.numbers = itertools.count(1)
        # What the last request or command of a case said besides.
        self.last = threading.local()

    # Requests

    def raw(self, method, path, body=None, content="application/json", accept="application/json"):
        headers = {"Accept": accept, "User-Agent": "conformance/1"}
        if body is not None:
            headers["Content-Type"] = content
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        response = self.client.rest_client.pool_manager.request(
            method, self.client.configuration.host + path, headers=headers, body=body, retries=False)
        return response.status, dict(response.headers), response.data

    def call(self, method, path, body=None, content="application/json", **query):
        if query:
            path += "?" + urllib.parse.urlencode({name.rstrip("_"): value for name, value in query.items()})
        status, headers, data = self.raw(method, path, body, content)
        text = data.decode()
        try:
            answer = json.loads(text)
        except ValueError:
            answer = text
        if status >= 300:
            raise Refused(status, answer)
        self.last.warning = {name.lower(): value for name, value in headers.items()}.get("warning")
        return answer

    def get(self, path, **query):
        return self.call("GET", path, **query)

    def post(self, path, body, **query):
        return self.call("POST", path, body, **query)

    def put(self, path, body, **query):
        return self.call("PUT", path, body, **query)

    def patch(self, path, body, content=MERGE, **query):
        return self.call("PATCH", path, body, content, **query)

    def delete(self, path, body=None, **query):
        return self.call("DELETE", path, body, **query)

    def exists(self, path):
        try:
            return self.get(path)
        except Refused as refusal:
            if refusal.code == 404:
                return None
            raise

    def refused(self, code, reason, work):
        try:
            answer = work()
        except Refused as refusal:
            assert (refusal.code, refusal.reason) == (code, reason), refusal
            return refusal
        raise AssertionError(f"not refused with {code} {reason}: {json.dumps(answer)[:400]}")

    # Watches

    @contextlib.contextmanager
    def watch(self, path, **query):
        watch = Watch(self, path, query)
        try:
            yield watch
        finally:
            watch.stop()

    # Things

    def namespace(self, labels=None):
        name = f"e2e-{os.getpid()}-{next(self.numbers)}"
        self.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels or {"e2e": "true"}}})
        return name

    def pod(self, namespace, name, image="busybox", labels=None, **spec):
        spec.setdefault("containers", [{"name": "main", "image": image, "command": ["sh", "-c", "sleep 600"]}])
        spec.setdefault("terminationGracePeriodSeconds", 1)
        return self.post(f"/api/v1/namespaces/{namespace}/pods", {
            "metadata": {"name": name, "labels": labels or {}}, "spec": spec})

    def server(self, namespace, name, labels, ports, readiness=True, **spec):
        """A pod that answers HTTP requests with its name, at all of the ports (number: name)."""
        program = (
            "import http.server,os,threading\n"
            "class H(http.server.BaseHTTPRequestHandler):\n"
            " def do_GET(self):\n"
            "  body=os.environ['HOSTNAME_'].encode()\n"
            "  self.send_response(200);self.send_header('Content-Length',str(len(body)));self.end_headers()\n"
            "  self.wfile.write(body)\n"
            " def log_message(self,*a): print('request',self.path,flush=True)\n"
            f"for port in {list(ports)}:\n"
            " server=http.server.ThreadingHTTPServer((os.environ['POD_IP_'],port),H)\n"
            " threading.Thread(target=server.serve_forever).start()\n")
        container = {
            "name": "main", "image": "busybox", "command": ["python3", "-u", "-c", program],
            "ports": [{"containerPort": number, "name": port} if port else {"containerPort": number}
                      for number, port in ports.items()],
            "env": [{"name": "POD_IP_", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                    {"name": "HOSTNAME_", "value": name}]}
        if readiness:
            container["readinessProbe"] = {
                "httpGet": {"port": next(iter(ports))}, "periodSeconds": 1}
        return self.pod(namespace, name, labels=labels, containers=[container], **spec)

    def ready(self, namespace, *names, seconds=30):
        for name in names:
            self.eventually(lambda: condition(self.get(f"/api/v1/namespaces/{namespace}/pods/{name}"), "Ready"),
                            f"pod {name} is ready", seconds)

    def phase(self, namespace, name, phase, seconds=30):
        def reached():
            pod = self.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
            return pod if pod.get("status", {}).get("phase") == phase else None
        return self.eventually(reached, f"pod {name} is {phase}", seconds)

    def logs(self, namespace, name, **query):
        return self.call("GET", f"/api/v1/namespaces/{namespace}/pods/{name}/log", **query)

    def eventually(self, test, what, seconds=20):
        end = time.monotonic() + seconds
        while True:
            answer = test()
            if answer:
                return answer
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(0.05)

    # kubectl

    def kubectl(self, *arguments, namespace=None, code=0, input=None):
        command = [self.program, *(["-n", namespace] if namespace else []), *arguments]
        environment = dict(os.environ, KUBECONFIG=self.kubeconfig)
        run = subprocess.run(command, env=environment, input=input, capture_output=True, text=True, timeout=90)
        assert run.returncode == code, f"{' '.join(command)}: {run.returncode}\n{run.stdout}{run.stderr}"
        self.last.errors = run.stderr
        return run.stdout


class Watch:
    """The events of a watch as they come."""
    def __init__(self, cluster, path, query):
        query = dict(query, watch="true")
        query = {name.rstrip("_"): value for name, value in query.items()}
        url = cluster.client.configuration.host + path + "?" + urllib.parse.urlencode(query)
        self.events, self.lock, self.ended = [], threading.Condition(), False
        self.response = cluster.client.rest_client.pool_manager.request(
            "GET", url, headers={"Accept": "application/json"}, preload_content=False)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        rest = b""
        with contextlib.suppress(Exception):
            for chunk in self.response.stream(65536):
                rest += chunk
                *lines, rest = rest.split(b"\n")
                with self.lock:
                    self.events += [json.loads(line) for line in lines if line]
                    self.lock.notify_all()
        with self.lock:
            self.ended = True
            self.lock.notify_all()

    def stop(self):
        # Only its socket ends a reader that waits.
        with contextlib.suppress(Exception):
            import socket
            self.response._connection.sock.shutdown(socket.SHUT_RDWR)

    def next(self, test, seconds=15):
        """The first event that fits, and takes those before it away."""
        end = time.monotonic() + seconds
        with self.lock:
            while True:
                for index, event in enumerate(self.events):
                    if test(event):
                        del self.events[: index + 1]
                        return event
                if self.ended or not self.lock.wait(end - time.monotonic()):
                    raise AssertionError(f"no such event among {[brief(event) for event in self.events]}")

    def expect(self, kind, name=None, seconds=15):
        """The next event has to be of this kind."""
        event = self.next(lambda event: True, seconds)
        found = event["object"].get("metadata", {}).get("name")
        assert event["type"] == kind and name in (None, found), f"{event['type']} {found}, not {kind} {name}"
        return event["object"]

    def nothing(self, seconds=0.4):
        time.sleep(seconds)
        assert not self.events, [brief(event) for event in self.events]


def brief(event):
    return event["type"], event["object"].get("metadata", {}).get("name")


def condition(thing, kind):
    return any(c["type"] == kind and c["status"] == "True" for c in thing.get("status", {}).get("conditions", []))


def attempt(cluster, title, body, missing):
    """What there is to say of a case, and whether it has failed."""
    begin = time.monotonic()
    try:
        body(cluster)
    except Exception as error:
        if missing:
            return f"missing {title}: {missing}", False
        return f"FAILED {title}\n" + "".join(traceback.format_exception(error)[-2:]), True
    if missing:
        return f"FAILED {title}: it works, though this is said to be missing: {missing}", True
    return f"passed {title} ({time.monotonic() - begin:.2f} s)", False


def run(cluster, words):
    start = time.monotonic()
    chosen = [entry for entry in cases if not words or any(word in entry[0] for word in words)]
    together = [entry for entry in chosen if not entry[3]]
    failures = 0

    def tell(outcome):
        nonlocal failures
        text, has_failed = outcome
        failures += has_failed
        if not text.startswith("passed") or os.environ.get("VERBOSE"):
            print(text, flush=True)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("THREADS", "12"))) as pool:
        for outcome in pool.map(lambda entry: attempt(cluster, *entry[:3]), together):
            tell(outcome)
    for entry in chosen:
        if entry[3]:
            tell(attempt(cluster, *entry[:3]))
    for namespace in cluster.get("/api/v1/namespaces", labelSelector="e2e")["items"]:
        with contextlib.suppress(Refused):
            cluster.delete(f"/api/v1/namespaces/{namespace['metadata']['name']}")
    print(f"{len(chosen)} cases, {failures} failed, {time.monotonic() - start:.1f} s")
    return 1 if failures or not chosen else 0
