#!/usr/bin/env bash
# How fast the Kubernetes API is: a table of 10,000 Services, applying 1,000 Services, 1,000 watches, idling.
# Needs `make release`, kubectl and curl. Uses only 127.203.0.0/16 and a folder of its own, and removes both.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${BIN:-.build/release}
dir=$(mktemp -d)
pid=
trap '"$bin"/kiada-suite down --state-dir "$dir/state" > /dev/null 2>&1 || true; rm -rf "$dir"' EXIT
mkdir "$dir/manifests"
export KUBECONFIG=$dir/state/kubeconfig HOME=$dir
services() { # FROM TO: manifests on standard output
  for i in $(seq "$1" "$2"); do
    printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: s-%d, namespace: %s}\nspec: {selector: {app: s-%d}, ports: [{name: http, port: 80}]}\n' "$i" "$3" "$i"
  done
}
{ printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: kiada}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: many}\n'; } > "$dir/manifests/0.yaml"
"$bin"/kiada-suite up --detach --timeout 120 --manifests "$dir/manifests" --state-dir "$dir/state" --address-block 203 --publish-address none > /dev/null
pid=$(cat "$dir/state/lock")
cpu() { awk '{print ($14 + $15) * 10}' "/proc/$pid/stat"; } # milliseconds
now() { date +%s%N | cut -c1-13; }

services 1 1000 kiada > "$dir/1000.yaml"
before=$(cpu); start=$(now)
kubectl apply -f "$dir/1000.yaml" > /dev/null
after=$(cpu); end=$(now)
# kubectl sends a GET and a POST for each; the controllers' work for them is counted too.
echo "apply 1,000 Services: $((end - start)) ms wall, $((after - before)) ms CPU of ours, $(awk "BEGIN {print ($after - $before) / 2000}") ms per request"

start=$(now)
for part in 0 1 2 3 4 5 6 7 8; do services $((part * 1000 + 1)) $((part * 1000 + 1000)) many > "$dir/manifests/m$part.yaml"; done
for _ in $(seq 600); do
  n=$(kubectl get svc -A --no-headers 2> /dev/null | wc -l)
  [ "$n" -ge 10000 ] && break
  sleep 0.5
done
echo "10,000 Services read from manifests: $(($(now) - start)) ms; RSS $(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status") MB"

for kind in certificate key; do
  awk "/client-$kind-data/ {print \$2}" "$KUBECONFIG" | base64 -d > "$dir/client.$kind"
done
awk '/certificate-authority-data/ {print $2}' "$KUBECONFIG" | base64 -d > "$dir/ca.crt"
server=$(awk '/server:/ {print $2}' "$KUBECONFIG")
get() { curl -s --cacert "$dir/ca.crt" --cert "$dir/client.certificate" --key "$dir/client.key" "$@"; }
table='Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
times=$(for _ in 1 2 3 4 5; do get -o /dev/null -w '%{time_starttransfer} %{time_total} %{size_download}\n' -H "$table" "$server/api/v1/services"; done | sort -n | sed -n 3p)
echo "table of 10,000 Services: median of 5 (first byte s, all s, bytes): $times"

for i in $(seq 1000); do echo "url = \"$server/api/v1/namespaces/kiada/services?watch=true&resourceVersion=0&timeoutSeconds=8&n=$i\"
output = /dev/null"; done > "$dir/watches"
before=$(cpu); get -Z --parallel-max 300 --parallel-immediate --config "$dir/watches" -w '%{http_code}\n' 2> /dev/null | sort | uniq -c | sed 's/^/watches of 1,000 objects, 8 s each, 300 at a time: /'
sleep 2
before=$(cpu); sleep 5; after=$(cpu)
echo "idle for 5 s: $((after - before)) ms CPU"
