#!/bin/bash
# Compares the userspace data plane with HAProxy (tcp mode) and nginx (stream), one after the other in one run.
#
#   SECONDS_EACH=4 ROUNDS=3 CONNECTIONS=64 Benchmarks/proxy/run.sh
#
# Needs Debian's haproxy, nginx, libnginx-mod-stream and wrk, and the release build of service-proxy:
#   KIADA_ONLY=service-proxy swift build -c release
# Two nginx backends answer; every proxy has a thread per core. In each round the proxies take turns, and the table has
# the medians over the rounds. "CPU" is the proxy's own user and system time from /proc, divided by the requests that
# wrk has counted. Everything listens in 127.$BLOCK.0.0/16; nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
length=${SECONDS_EACH:-4} rounds=${ROUNDS:-3} connections=${CONNECTIONS:-64} block=${BLOCK:-201}
loads=${LOADS:-"keep-alive connection-per-request 10-MB-bodies"}
proxies=${PROXIES:-"haproxy nginx kiada"} # haproxy-splice is HAProxy with option splice-auto
binary=${BINARY:-.build/release/service-proxy}
export PATH=$PATH:/usr/sbin
for program in haproxy nginx wrk curl python3; do
    command -v "$program" >/dev/null || { echo "missing: $program" >&2; exit 1; }
done
stream=/usr/lib/nginx/modules/ngx_stream_module.so
[ -e "$stream" ] || { echo "missing: Debian package libnginx-mod-stream" >&2; exit 1; }
[ -x "$binary" ] || { echo "missing: $binary (see the head of this file)" >&2; exit 1; }

net=127.$block
threads=$(nproc)
work=$(mktemp -d)
chmod 755 "$work"
children=()
finish() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

mkdir "$work/www"
head -c 10000000 /dev/zero >"$work/www/10MB"
text=$(printf 'x%.0s' $(seq 123))
nginx_head() { # name, processes
    echo "load_module $stream; daemon off; worker_processes $2; pid $work/$1.pid; error_log stderr error; user root;"
    echo "events { worker_connections 8192; }"
}
{
    nginx_head backends 2
    cat <<END
http {
    access_log off; keepalive_requests 100000000; keepalive_timeout 600s; sendfile on; tcp_nopush on;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    server {
        listen $net.200.1:8080 backlog=4096; listen $net.200.2:8080 backlog=4096; root $work/www;
        location = / { return 200 "$text"; }
    }
}
END
} >"$work/backends.conf"
{
    nginx_head stream "$threads"
    cat <<END
stream {
    upstream backends { random; server $net.200.1:8080; server $net.200.2:8080; }
    server { listen $net.201.2:80 backlog=4096; proxy_pass backends; tcp_nodelay on; }
}
END
} >"$work/stream.conf"
haproxy_config() { # address, option
    cat <<END
global
    nbthread $threads
    maxconn 4096
defaults
    mode tcp
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    $2
listen quote
    bind $1:80 backlog 4096
    balance random
    server a $net.200.1:8080
    server b $net.200.2:8080
END
}
haproxy_config "$net.201.1" "" >"$work/haproxy.cfg"
haproxy_config "$net.201.3" "option splice-auto" >"$work/haproxy-splice.cfg"
mkdir "$work/manifests"
{
    cat <<END
apiVersion: v1
kind: Service
metadata: {name: quote}
spec: {clusterIP: $net.0.20, selector: {app: quote}, ports: [{port: 80, targetPort: 8080}]}
END
    for number in 1 2; do
        cat <<END
---
apiVersion: v1
kind: Pod
metadata: {name: quote-$number, labels: {app: quote}, annotations: {kiada.dev/pod-ip: $net.200.$number}}
spec: {containers: [{name: quote, image: nginx}]}
END
    done
} >"$work/manifests/all.yaml"

declare -A address process
start() { # name, address, command
    local name=$1
    address[$name]=$2
    shift 2
    "$@" >"$work/$name.log" 2>&1 &
    children+=($!)
    process[$name]=$!
    # curl itself waits between its attempts.
    curl -s -o /dev/null --retry 10 --retry-delay 1 --retry-all-errors "http://${address[$name]}/" ||
        { echo "$name does not answer:" >&2; cat "$work/$name.log" >&2; exit 1; }
}
ulimit -n "$(ulimit -Hn)"
start backends "$net.200.1:8080" nginx -c "$work/backends.conf"
for proxy in $proxies; do
    case $proxy in
        haproxy) start haproxy "$net.201.1" haproxy -db -f "$work/haproxy.cfg" ;;
        haproxy-splice) start haproxy-splice "$net.201.3" haproxy -db -f "$work/haproxy-splice.cfg" ;;
        nginx) start nginx "$net.201.2" nginx -c "$work/stream.conf" ;;
        kiada) start kiada "$net.0.20" "$binary" run --manifests "$work/manifests" --state-dir "$work/state" \
            --address-block "$block" --publish-address none --api-port 0 --log-level warning ;;
    esac
done

ticks() { # of a process and its children
    local sum=0 pid
    for pid in $1 $(cat "/proc/$1/task/$1/children"); do
        set -- $(sed 's/.*) //' "/proc/$pid/stat")
        sum=$((sum + ${12} + ${13}))
    done
    echo "$sum"
}
for round in $(seq "$rounds"); do
    for load in $loads; do
        for proxy in $proxies; do
            url=http://${address[$proxy]}/
            arguments=(-t2 -c"$connections" -d"${length}s" --latency)
            case $load in
                connection-per-request) arguments+=(-H "Connection: close") ;;
                10-MB-bodies) url+=10MB arguments=(-t2 -c8 -d"${length}s" --latency) ;;
            esac
            before=$(ticks "${process[$proxy]}")
            wrk "${arguments[@]}" "$url" >"$work/wrk"
            after=$(ticks "${process[$proxy]}")
            awk -v load="$load" -v proxy="$proxy" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
                / requests in / { requests = $1 }
                /Requests\/sec/ { rate = $2 }
                /99%/ { late = $2 }
                /Socket errors|Non-2xx/ { problem = $0 }
                END {
                    print load, proxy, rate, ticks / hz * 1e6 / requests, late
                    if (problem) print load, proxy, problem > "/dev/stderr"
                }' "$work/wrk" >>"$work/results"
        done
    done
done

python3 - "$work/results" <<'END'
import collections, re, statistics, sys

def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]

samples = collections.defaultdict(list)
for line in open(sys.argv[1]):
    load, proxy, rate, cpu, late = line.split()
    samples[load, proxy].append((float(rate), float(cpu), milliseconds(late)))
medians = {key: [statistics.median(column) for column in zip(*rows)] for key, rows in samples.items()}
print("| load | proxy | requests/s | CPU per request, µs | p99, ms | CPU / HAProxy's | rate / HAProxy's |")
print("|---|---|---|---|---|---|---|")
for (load, proxy), (rate, cpu, late) in medians.items():
    base = medians.get((load, "haproxy"))
    ratios = f"{cpu / base[1]:.2f} | {rate / base[0]:.2f}" if base else "- | -"
    print(f"| {load} | {proxy} | {rate:,.0f} | {cpu:,.1f} | {late:.1f} | {ratios} |")
END
