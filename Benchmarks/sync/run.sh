#!/bin/sh
# How long the nftables plane takes for many Services, in a network namespace of its own (root).
#
#     BINARY=.build/release/SyncBenchmark Benchmarks/sync/run.sh [SERVICESxENDPOINTS...]
set -eu
[ "$(id -u)" = 0 ] || { echo "making a network namespace takes root"; exit 1; }
: "${BINARY:?make bench-sync builds the program and says where it is}"
echo "| Services x endpoints | full load | its CPU | one replaced: median | worst of 21 | its CPU | one less: median | worst of 21 | its CPU | peak memory |"
echo "|---|---|---|---|---|---|---|---|---|---|"
# A process for each size, so that each row has its own peak of memory.
for size in ${*:-1000x10 10000x10 50000x2}; do unshare --net "$BINARY" "$size"; done
