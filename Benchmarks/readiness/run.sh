#!/bin/sh
# How long after a change of readiness new connections follow it; the nftables plane in a network namespace of its own (root).
#
#     BINARY=.build/release/ReadinessBenchmark Benchmarks/readiness/run.sh [PLANE...]
set -eu
[ "$(id -u)" = 0 ] || { echo "making a network namespace takes root"; exit 1; }
: "${BINARY:?make bench-sync builds the program and says where it is}"
echo "| plane | median | p99 | worst of 200 |"
echo "|---|---|---|---|"
for plane in ${*:-userspace nftables}; do
    unshare --net sh -c 'ip link set lo up && exec "$0" "$1"' "$BINARY" "$plane"
done
