# Clients outside and inside: curl, the four names, variables, dig, kubectl. (Part of run.sh.)
text=$(page /)
for part in "TIP OF THE MINUTE" "POP QUIZ" "REQUEST INFO" "0) "; do
    contains "curl http://localhost shows $part" "$part" "$text"
done
check "a browser is sent to /html" test "$(curl -s -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Accept: text/html' \
    "http://127.0.0.1:$KIADA_PORT/")" = "302 http://127.0.0.1:$KIADA_PORT/html"
inside service-proxy cat /run/kiada/pods/ca.crt > "$folder/ca.crt"
contains "curl --cacert https://localhost" "REQUEST INFO" \
    "$(curl -sS --cacert "$folder/ca.crt" --resolve "localhost:$KIADA_TLS_PORT:127.0.0.1" "https://localhost:$KIADA_TLS_PORT/")"

names=$(for _ in $(seq 60); do page / | sed -n 's/.*running in pod "\([a-z0-9-]*\)".*/\1/p'; done | sort -u | tr '\n' ' ')
same "the published port is balanced over kiada's replicas" "kiada-1 kiada-2 kiada-3 " "$names"
names=$(inside kiada 'for i in $(seq 80); do curl -s --max-time 2 http://quote; done' \
    | grep -o 'quote-[a-z0-9-]*' | sort -u | tr '\n' ' ')
same "curl http://quote from a pod is answered by all replicas" "quote-1 quote-2 quote-3 quote-canary-1 " "$names"
for name in quote quote.kiada quote.kiada.svc quote.kiada.svc.cluster.local; do
    contains "curl http://$name" "quote service running in pod quote-" "$(inside quiz curl -s --max-time 3 "http://$name")"
done
address=$(inside kiada nslookup -type=a quote.kiada.svc.cluster.local | sed -n 's/^Address: *\([0-9.]*\)$/\1/p' | tail -1)
check "quote has a cluster IP ($address)" test "${address%.*.*}" = "$KIADA_NET"
contains "curl of the cluster IP" "quote service running" "$(inside quiz curl -s --max-time 3 "http://$address")"
if command -v dig > /dev/null; then
    same "dig from the host" "$address" "$(dig +short +time=2 +tries=1 "@$KIADA_NET.0.10" quote.kiada.svc.cluster.local)"
else
    note "no dig: left out (Debian: bind9-dnsutils)"
fi
variables=$(inside kiada 'for p in /proc/[0-9]*; do tr "\0" "\n" < $p/environ; done' 2> /dev/null)
contains "pods have the variables of Services" "QUOTE_SERVICE_HOST=$address" "$variables"
contains "pods have their own name" "POD_NAME=kiada-" "$variables"

if command -v kubectl > /dev/null; then
    inside service-proxy service-proxy kubeconfig --state-dir /var/lib/kiada --server "https://127.0.0.1:$KIADA_API_PORT" \
        > "$folder/kubeconfig"
    kube() { kubectl --kubeconfig "$folder/kubeconfig" "$@"; }
    contains "kubectl get services" "$address" "$(kube get services -o wide)"
    same "kubectl sees the containers as ready pods" 8 "$(kube get pods --no-headers | grep -c ' 1/1 *Running ')"
    same "kubectl sees labels" "quote-canary-1" "$(kube get pods -l rel=canary -o jsonpath='{.items[*].metadata.name}')"
    same "EndpointSlices hold the containers" 4 \
        "$(kube get endpointslices -l kubernetes.io/service-name=quote -o jsonpath='{.items[*].endpoints[*].targetRef.name}' | wc -w)"
else
    note "no kubectl: left out"
fi
