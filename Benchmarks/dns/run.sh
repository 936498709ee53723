#!/bin/bash
# Compares cluster DNS with Knot, NSD and Unbound: same names, same threads, same questions, one after the other in one run.
#
#   SERVICES=10000 THREADS=2 SECONDS_EACH=5 ROUNDS=1 Benchmarks/dns/run.sh
#
# Needs Debian's knot, nsd, unbound and dnsperf, and the release build of DNSBenchmark:
#   KIADA_BENCHMARKS=1 KIADA_ONLY=DNSBenchmark swift build -c release
# Everything listens on 127.202.0.10-13, port 5301; nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
services=${SERVICES:-10000} threads=${THREADS:-2} length=${SECONDS_EACH:-5} rounds=${ROUNDS:-1} clients=${CLIENTS:-8}
outstanding=${OUTSTANDING:-100} loaders=${LOADERS:-1} calm=${CALM:-30000}
port=5301
binary=${BINARY:-.build/release/DNSBenchmark}
for program in knotd nsd unbound dnsperf dig; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || { echo "missing: $program" >&2; exit 1; }
done
export PATH=$PATH:/usr/sbin
work=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

# 75 % addresses, 10 % AAAA (no such type), 5 % SRV, 10 % names that do not exist, in an order of chance that is always the same.
awk -v n="$services" -v work="$work" 'BEGIN {
    srand(7)
    zone = work "/cluster.zone"; data = work "/queries"; local = work "/local.conf"
    print "$ORIGIN cluster.local.\n$TTL 5\n@ SOA ns.dns hostmaster 1 7200 1800 86400 5\n@ NS ns.dns\nns.dns A 127.202.0.10" > zone
    print "server:\n local-zone: \"cluster.local.\" static" > local
    print " local-data: \"cluster.local. 5 SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5\"" > local
    for (i = 0; i < n; i++) {
        name = "svc-" i ".bench.svc"; ip = "10.96." int(i / 256) "." i % 256
        printf "%s A %s\n_http._tcp.%s SRV 0 100 80 %s\n", name, ip, name, name > zone
        printf " local-data: \"%s.cluster.local. 5 A %s\"\n", name, ip > local
        printf " local-data: \"_http._tcp.%s.cluster.local. 5 SRV 0 100 80 %s.cluster.local.\"\n", name, name > local
    }
    for (i = 0; i < 100000; i++) {
        name = "svc-" int(rand() * n) ".bench.svc.cluster.local"; dice = rand()
        if (dice < .75) print name " A" > data
        else if (dice < .85) print name " AAAA" > data
        else if (dice < .90) print "_http._tcp." name " SRV" > data
        else print "gone-" int(rand() * n) ".bench.svc.cluster.local A" > data
    }
}'
cat >"$work/knot.conf" <<END
server:
    listen: 127.202.0.11@$port
    udp-workers: $threads
    rundir: $work
database:
    storage: $work
zone:
  - domain: cluster.local
    storage: $work
    file: cluster.zone
    zonefile-load: whole
    journal-content: none
END
cat >"$work/nsd.conf" <<END
server:
    ip-address: 127.202.0.12@$port
    server-count: $threads
    reuseport: yes
    username: ""
    chroot: ""
    zonesdir: $work
    database: ""
    pidfile: $work/nsd.pid
    xfrdfile: $work/xfrd.state
    zonelistfile: $work/zone.list
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: cluster.local
    zonefile: cluster.zone
END
cat >"$work/unbound.conf" <<END
server:
    interface: 127.202.0.13
    port: $port
    access-control: 127.0.0.0/8 allow
    num-threads: $threads
    so-reuseport: yes
    chroot: ""
    username: ""
    directory: $work
    pidfile: $work/unbound.pid
    use-syslog: no
    do-daemonize: no
    module-config: "iterator"
include: $work/local.conf
remote-control:
    control-enable: no
END

# A process and all that it has started.
tree() {
    local child
    echo "$1"
    for child in $(pgrep -P "$1" || true); do tree "$child"; done
}

# Clock ticks (10 ms) of processor time that a process and all below it have used.
ticks() {
    for pid in $(tree "$1"); do sed 's/.*) //' "/proc/$pid/stat"; done | awk '{ sum += $12 + $13 } END { print sum }'
}

# Megabytes of a process and all below it.
memory() {
    for pid in $(tree "$1"); do awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; done |
        awk '{ sum += $1 } END { print int(sum / 1024) }'
}

measure() {
    local name=$1 address=$2
    shift 2
    "$@" >"$work/$name.log" 2>&1 &
    server=$!
    local tries=0
    until dig +short +time=1 +tries=1 @"$address" -p $port svc-1.bench.svc.cluster.local A 2>/dev/null | grep -q '^10\.96\.0\.1$'; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ]; then echo "$name does not answer:" >&2; tail -5 "$work/$name.log" >&2; exit 1; fi
        sleep .1
    done
    # A warm-up that does not count, then the run that does.
    dnsperf -s "$address" -p $port -d "$work/queries" -l 1 -c "$clients" -T "$loaders" -q "$outstanding" >/dev/null 2>&1
    local before after
    before=$(ticks $server)
    dnsperf -s "$address" -p $port -d "$work/queries" -l "$length" -c "$clients" -T "$loaders" -q "$outstanding" \
        >"$work/$name.perf" 2>&1
    after=$(ticks $server)
    # dnsperf prints the latency of each query only with -v, which slows it down: hence a run of its own, at one rate for all.
    dnsperf -s "$address" -p $port -d "$work/queries" -l 2 -c "$clients" -T "$loaders" -q "$outstanding" -Q "$calm" -v \
        2>/dev/null | awk '/^> / { print $NF }' | sort -g >"$work/$name.latencies"
    local p99
    p99=$(awk '{ all[NR] = $1 } END { printf "%.3f", all[int(NR * .99)] * 1000 }' "$work/$name.latencies")
    awk -v name="$name" -v memory="$(memory $server)" -v p99="$p99" -v ticks=$((after - before)) '
        /Queries per second/ { rate = $4 }
        /Queries completed/ { completed = $3 }
        /Queries lost/ { lost = $3 }
        /Average Latency/ { mean = $4 }
        END { printf "%-10s %12.0f %10.2f %10.3f %10.3f %8d %8d\n", name, rate, ticks * 10000 / completed, mean * 1000, p99, lost, memory }
    ' "$work/$name.perf" | tee -a "$work/table"
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
}

echo "$services Services, $threads server threads, dnsperf -c $clients -T $loaders -q $outstanding, $length s each; p99 at $calm queries/s"
printf "%-10s %12s %10s %10s %10s %8s %8s\n" server queries/s "CPU us/q" "mean ms" "p99 ms" lost "RSS MB"
for _ in $(seq "$rounds"); do
    measure kiada 127.202.0.10 "$binary" 127.202.0.10:$port "$services" "$threads"
    if [ -n "${ONLY_KIADA:-}" ]; then continue; fi
    measure knot 127.202.0.11 knotd -c "$work/knot.conf"
    measure nsd 127.202.0.12 nsd -d -c "$work/nsd.conf"
    measure unbound 127.202.0.13 unbound -c "$work/unbound.conf"
done
if [ -n "${ONLY_KIADA:-}" ]; then exit; fi
awk '{ sum[$1] += $2 } END { printf "queries/s, ratio to knot %.2f, nsd %.2f, unbound %.2f\n", sum["kiada"] / sum["knot"], sum["kiada"] / sum["nsd"], sum["kiada"] / sum["unbound"] }' "$work/table"
