#!/bin/sh
# compile.sh OUTPUT: compiles the socket plane's programs with $CLANG, by default the clang beside swift (see `make bpf`).
set -eu
folder=$(dirname "$0")
clang=${CLANG:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
# The kernel's headers are in a folder of the machine's architecture, which this target does not search.
exec "$clang" -target bpfel -mcpu=v3 -O2 -Wall -Wextra -Werror \
  -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include/aarch64-linux-gnu \
  -c "$folder/programs.bpf.c" -o "$1"
