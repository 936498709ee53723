#!/bin/bash
# quote against nginx serving the same bytes, and what kiada's text page costs: CPU per request and memory.
#
#   SECONDS_EACH=2 ROUNDS=3 CONNECTIONS=64 Benchmarks/http/run.sh          (or: make bench-http)
#
# Needs Debian's nginx and wrk, curl, python3, and the release build:
#   make release
# The servers take turns in each round; the table has medians. "CPU" is the server's own user and system time, "memory"
# its resident pages after the last round. Everything listens in 127.$BLOCK.0.0/16; nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
length=${SECONDS_EACH:-2} rounds=${ROUNDS:-3} connections=${CONNECTIONS:-64} net=127.${BLOCK:-207}
bin=${BIN:-.build/release}
export PATH=$PATH:/usr/sbin
for program in nginx wrk curl python3 "$bin/quote" "$bin/quiz" "$bin/kiada"; do
    command -v "$program" >/dev/null || { echo "missing: $program (see the head of this file)" >&2; exit 1; }
done
work=$(mktemp -d)
chmod 755 "$work"
children=()
finish() {
    local child
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
ulimit -n "$(ulimit -Hn)"

declare -A url process
start() { # name, URL, command
    local name=$1
    url[$name]=$2
    shift 2
    "$@" >"$work/$name.log" 2>&1 &
    children+=($!)
    process[$name]=$!
    # curl itself waits between its attempts.
    curl -sf -o /dev/null --retry 10 --retry-delay 1 --retry-all-errors "${url[$name]}" ||
        { echo "$name does not answer:" >&2; cat "$work/$name.log" >&2; exit 1; }
}
service() { # name, path, command: one of ours
    local name=$1 path=$2 address
    shift 2
    address=$net.0.$((${#children[@]} + 10))
    start "$name" "http://$address:8080$path" env POD_NAME=quote-001 "$@" --bind-address "$address" --access-log off
}
service quote / "$bin/quote"
service quiz /questions/random "$bin/quiz" --data-dir "$work/quiz"
upstreams=(--quote-url "http://$net.0.10:8080/quote" --quiz-url "http://$net.0.11:8080")
service kiada-keep-alive /text "$bin/kiada" "${upstreams[@]}" --upstream-keep-alive
service kiada-fresh /text "$bin/kiada" "${upstreams[@]}"

# What quote answers, header by header, for nginx to answer too (Date and Content-Length are its own).
curl -s -D "$work/head" -o "$work/body" "${url[quote]}"
{
    cat <<END
daemon off; worker_processes $(nproc); pid $work/nginx.pid; error_log stderr error; user root;
events { worker_connections 8192; }
http {
    access_log off; keepalive_requests 100000000; server_tokens off; default_type text/plain;
    client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u;
    scgi_temp_path $work/s;
    server {
        listen $net.0.9:8080 backlog=4096;
END
    python3 - "$work/head" "$work/body" <<'END'
import sys
for line in open(sys.argv[1]).read().splitlines()[1:]:
    name, _, value = line.partition(": ")
    if name.lower() in ("content-type",):
        print(f'default_type "{value}";')
    elif name and name.lower() not in ("date", "content-length", "server", "connection"):
        print(f'add_header {name} "{value}";')
body = open(sys.argv[2]).read().replace("\n", "\\n").replace('"', '\\"')
print(f'location = / {{ return 200 "{body}"; }}')
END
    echo "} }"
} >"$work/nginx.conf"
start nginx "http://$net.0.9:8080/" nginx -c "$work/nginx.conf"
curl -s "${url[nginx]}" | cmp - "$work/body" || { echo "nginx does not serve the same bytes" >&2; exit 1; }

ticks() { # of a process and its children
    local sum=0 pid
    for pid in $1 $(cat "/proc/$1/task/$1/children"); do
        set -- $(sed 's/.*) //' "/proc/$pid/stat")
        sum=$((sum + ${12} + ${13}))
    done
    echo "$sum"
}
resident() { # MiB
    local sum=0 pid
    for pid in $1 $(cat "/proc/$1/task/$1/children"); do
        sum=$((sum + $(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")))
    done
    echo $((sum / 1024))
}
servers="nginx quote kiada-keep-alive kiada-fresh"
for round in $(seq "$rounds"); do
    for server in $servers; do
        before=$(ticks "${process[$server]}")
        wrk -t2 -c"$connections" -d"${length}s" --latency "${url[$server]}" >"$work/wrk"
        after=$(ticks "${process[$server]}")
        awk -v server="$server" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
            / requests in / { requests = $1 }
            /Requests\/sec/ { rate = $2 }
            /99%/ { late = $2 }
            /Socket errors|Non-2xx/ { problem = $0 }
            END {
                print server, rate, ticks / hz * 1e6 / requests, late
                if (problem) print server, problem > "/dev/stderr"
            }' "$work/wrk" >>"$work/results"
    done
done
for server in $servers; do echo "$server $(resident "${process[$server]}")"; done >"$work/memory"
python3 - "$work/results" "$work/memory" <<'END'
import collections, re, statistics, sys

def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]

samples = collections.defaultdict(list)
for line in open(sys.argv[1]):
    server, rate, cpu, late = line.split()
    samples[server].append((float(rate), float(cpu), milliseconds(late)))
memory = dict(line.split() for line in open(sys.argv[2]))
base = statistics.median(row[0] for row in samples["nginx"])
print("| server | requests/s | rate / nginx's | CPU per request, µs | p99, ms | memory, MiB |\n|---|---|---|---|---|---|")
for server, rows in samples.items():
    rate, cpu, late = (statistics.median(column) for column in zip(*rows))
    share = f"{rate / base:.2f}" if server in ("nginx", "quote") else "-"
    print(f"| {server} | {rate:,.0f} | {share} | {cpu:,.1f} | {late:.1f} | {memory[server]} |")
END
