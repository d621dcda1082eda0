#!/bin/sh
# Builds the C loop into $OBJ, and the XDP and kernel programs where clang, bpftool and libbpf are there.
set -e
cd "$(dirname "$0")"
OBJ=${OBJ:-${TMPDIR:-/tmp}/fastpathlb-peers}
mkdir -p "$OBJ"
gcc -O3 -march=native -fno-strict-aliasing -Wall swarm_user.c -o "$OBJ/swarm_user"
gcc -O3 -march=native -fno-strict-aliasing -Wall -DWHOLE swarm_user.c -o "$OBJ/swarm_whole"
if command -v clang >/dev/null && command -v bpftool >/dev/null && [ -f /usr/include/bpf/libbpf.h ]; then
  clang -O2 -g -mcpu=v3 -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -Wall -c swarm_lb.bpf.c -o "$OBJ/swarm_lb.bpf.o"
  bpftool gen skeleton "$OBJ/swarm_lb.bpf.o" name swarm_lb > "$OBJ/swarm_lb.skel.h"
  for program in swarm_bench stock_inject membench; do
    gcc -O2 -Wall -I"$OBJ" $program.c -o "$OBJ/$program" -lbpf
  done
else
  echo "no XDP here: apt-get install -y clang libbpf-dev bpftool" >&2
fi
