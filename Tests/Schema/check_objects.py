#!/usr/bin/env python3
"""Checks objects as the API serves them against the official schema, as the official Python client carries it.

usage: check_objects.py KUBECONFIG [KIND...]      needs: pip install kubernetes, 37 or later

Every field has to be known, every value of the right type, every required field there. Prints what is not, one a line, and
ends with 1 then.
"""
import datetime
import json
import re
import sys

from kubernetes import client, config

KINDS = {
    "V1Namespace": "/api/v1/namespaces", "V1Node": "/api/v1/nodes", "V1Pod": "/api/v1/pods",
    "V1Service": "/api/v1/services", "V1Endpoints": "/api/v1/endpoints", "V1ConfigMap": "/api/v1/configmaps",
    "V1Secret": "/api/v1/secrets", "CoreV1Event": "/api/v1/events",
    "V1PersistentVolumeClaim": "/api/v1/persistentvolumeclaims", "V1ServiceAccount": "/api/v1/serviceaccounts",
    "V1EndpointSlice": "/apis/discovery.k8s.io/v1/endpointslices", "V1Deployment": "/apis/apps/v1/deployments",
    "V1ReplicaSet": "/apis/apps/v1/replicasets", "EventsV1Event": "/apis/events.k8s.io/v1/events",
}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
problems = []


def say(path, text):
    problems.append(f"{path}: {text}")


def check(value, kind, path):
    inner = re.match(r"^(List|list|Dict|dict)[\[(](.*)[\])]$", kind)
    if inner and inner[1].lower() == "list":
        if not isinstance(value, list):
            return say(path, f"a list is expected, not {value!r}")
        for index, element in enumerate(value):
            check(element, inner[2], f"{path}[{index}]")
    elif inner:
        if not isinstance(value, dict):
            return say(path, f"a mapping is expected, not {value!r}")
        for key, element in value.items():
            check(element, inner[2].split(", ", 1)[1], f"{path}[{key}]")
    elif kind in ("str", "bytes", "bytearray"):
        if not isinstance(value, str):
            say(path, f"a text is expected, not {value!r}")
    elif kind == "int":
        if not isinstance(value, int) or isinstance(value, bool):
            say(path, f"an integer is expected, not {value!r}")
    elif kind == "bool":
        if not isinstance(value, bool):
            say(path, f"true or false is expected, not {value!r}")
    elif kind in ("datetime", "datetime.datetime"):
        if value is not None and not (isinstance(value, str) and TIME.match(value)):
            say(path, f"a time is expected, not {value!r}")
    elif kind in ("object", "IntOrString", "float"):
        pass
    else:
        check_model(value, getattr(client, kind), path)


def check_model(value, model, path):
    if not isinstance(value, dict):
        return say(path, f"{model.__name__} is expected, not {value!r}")
    known = {field: name for name, field in model.attribute_map.items()}
    for key, element in value.items():
        if key not in known:
            say(f"{path}.{key}", f"{model.__name__} has no such field")
        elif element is None and model.openapi_types[known[key]] not in ("datetime", "datetime.datetime"):
            say(f"{path}.{key}", "null")
        else:
            check(element, model.openapi_types[known[key]], f"{path}.{key}")
    for name, field in model.attribute_map.items():
        # A name that Python keeps for itself has another one there.
        known_field = model.model_fields.get(name) or model.model_fields.get(name.lstrip("_") + "_")
        if known_field and known_field.is_required() and field not in value:
            say(f"{path}.{field}", f"{model.__name__} requires it")


def main():
    config.load_kube_config(config_file=sys.argv[1])
    api = client.ApiClient()
    count = 0
    for name, url in KINDS.items():
        if len(sys.argv) > 2 and name not in sys.argv[2:]:
            continue
        response = api.call_api("GET", api.configuration.host + url)
        answer = json.loads(response.read() or response.data)
        for item in answer["items"]:
            count += 1
            metadata = item.get("metadata", {})
            item.setdefault("kind", answer["kind"].removesuffix("List"))
            check(item, name, f"{name} {metadata.get('namespace', '')}/{metadata.get('name', '')}")
    for problem in problems:
        print(problem)
    print(f"{count} objects, {len(problems)} problems")
    return 1 if problems or count == 0 else 0


sys.exit(main())
