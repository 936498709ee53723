#!/usr/bin/env bash
# How large a cluster the store can hold: memory and load time of 10,000 Services with 100,000 pods (SERVICES, PODS).
# Builds by itself if BINARY is not given. Uses a folder of its own and removes it; no sockets.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${BINARY:-}" ]; then
  KIADA_BENCHMARKS=1 KIADA_ONLY=StoreBenchmark swift build -c release
  BINARY=.build/release/StoreBenchmark
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$BINARY" fill "$dir/store.db" "${SERVICES:-10000}" "${PODS:-100000}"
echo "file: $(du -m "$dir/store.db" | cut -f1) MB"
for _ in $(seq "${ROUNDS:-3}"); do "$BINARY" load "$dir/store.db"; done
