#!/usr/bin/env python3
"""Re-enacts the conformance cases of Kubernetes that concern the kinds that we serve.

usage: run.py KUBECONFIG [WORD...]      needs: pip install kubernetes, 37 or later, and kubectl (or KUBECTL)

Pods of these cases run busybox, so any suite that runs as root will do. One of them taints the node, which evicts the pods that
are there, as in a cluster: those of the suite come back when it is started again. Only cases with one of the words in their title are run.
Prints what fails, and ends with 1 then; with VERBOSE=1 it prints every case.
"""
import os
import sys

sys.dont_write_bytecode = True
import harness
import apimachinery  # noqa: F401
import apps  # noqa: F401
import client_programs  # noqa: F401
import network  # noqa: F401
import node  # noqa: F401

sys.exit(harness.run(harness.Cluster(sys.argv[1], os.environ.get("KUBECTL", "kubectl")), sys.argv[2:]))
