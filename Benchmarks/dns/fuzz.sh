#!/bin/bash
# Feeds random bytes to the DNS codec and to the table of prepared replies, with libFuzzer and the address sanitizer.
#
#   SECONDS_LONG=60 CORPUS=folder Benchmarks/dns/fuzz.sh
#
# Inputs that reach new code are kept in CORPUS (Benchmarks/dns/corpus); a finding is printed and left in the current folder.
# MERGE=1 makes the corpus as small as it can be instead.
# The modules are compiled here and not by SwiftPM, so that all of them, and nothing else, are instrumented.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../../Sources
corpus=${CORPUS:-$here/corpus}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$corpus"
flags=(-O -swift-version 6 -wmo -parse-as-library -package-name kiada -sanitize=fuzzer,address -I "$work"
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility)
for module in NetTypes DNSWire; do
    swiftc "${flags[@]}" -module-name $module -emit-module -emit-module-path "$work/$module.swiftmodule" \
        -emit-object -o "$work/$module.o" $(find "$sources/$module" -name '*.swift')
done
swiftc "${flags[@]}" -module-name DNSFuzz -o "$work/fuzz" "$here/DNSFuzz.swift" \
    "$sources"/ClusterDNS/Server/AnswerTable.swift "$sources"/ClusterDNS/Zone/{ZoneStamps,ZoneChanges,ZoneSettings}.swift \
    "$work/NetTypes.o" "$work/DNSWire.o"
if [ -n "${MERGE:-}" ]; then
    # Leaves only the inputs that are needed to reach the same code.
    mkdir "$work/merged"
    "$work/fuzz" -set_cover_merge=1 -max_len="${MAX_LENGTH:-1500}" "$work/merged" "$corpus"
    rm -rf "$corpus"
    mv "$work/merged" "$corpus"
    exit
fi
"$work/fuzz" -max_total_time="${SECONDS_LONG:-60}" -max_len="${MAX_LENGTH:-1500}" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 "$corpus"
