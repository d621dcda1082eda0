#!/usr/bin/env bash
# The load balancer with one worker and with several on live devices:
#   workers.sh [workers=2] [runs=3] [seconds=2] [flows=1024]
# As root; needs gcc, iproute2, nftables, libxdp1 and libbpf1. Makes and removes the namespaces lw-lb and lw-gen. The sender is one thread, client and
# servers at once (blast.c), and needs a processor itself: with two processors several workers can gain nothing here, and what is seen is what they cost. For
# each device and number of workers:
#   all cores   frames a second that came back, sender on the first processor: best and median of the runs
#   program     processor time of the program a frame that came back, least of the runs
#   handed      share of the frames that went to another worker than the one at whose queue they came in
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

workers=${1:-2} runs=${2:-3} seconds=${3:-2} flows=${4:-1024}
work=$(mktemp -d)
program=
cleanup() {
    [[ -z $program ]] || kill "$program" 2>/dev/null || true
    ip netns del lw-lb 2>/dev/null || true
    ip netns del lw-gen 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

gcc -O2 -Wall -o "$work/blast" blast.c
cp -r ../../.artifacts/bin/FastPathLb.Cli/release "$work/program"
lb=$work/program/fastpathlb.dll
cat >"$work/lb.yaml" <<'Y'
lb:
  address: 10.0.1.5/24
  neighbors:
    - { address: 10.0.1.16, mac: "02:42:0a:00:01:10", state: PERMANENT }
    - { address: 10.0.1.3, mac: "02:42:0a:00:01:03", state: PERMANENT }
    - { address: 10.0.1.4, mac: "02:42:0a:00:01:04", state: PERMANENT }
services: [{ vip: 10.0.1.2, servers: [10.0.1.3, 10.0.1.4] }]
Y
for n in lw-lb lw-gen; do
    ip netns add "$n"
    ip netns exec "$n" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
ip -n lw-lb link add l0 numrxqueues "$workers" numtxqueues "$workers" type veth peer name g0 numrxqueues "$workers" numtxqueues "$workers" netns lw-gen
ip -n lw-lb link set l0 up
ip -n lw-gen link set g0 up
sink() { ip netns exec "$1" nft "table netdev sink { chain in { type filter hook ingress device \"$2\" priority 0; drop; }; }"; }
sink lw-gen g0

spent() { cat "/proc/$program/task/"*/schedstat | awk '{ s += $1 } END { printf "%.0f\n", s }'; }
handed() { dotnet "$lb" ctl --socket "$work/ctl" counters | awk '/handedOver/ { h += $4 } $1 == "framesIn" { f = $2 } END { print h, f }'; }

# measure DEVICE OPTION IF SPACE SENDER-IF WORKERS
measure() {
    local name=$1 option=$2 interface=$3 space=$4 at=$5 count=$6 before after h0 f0 h1 f1
    : >"$work/log"
    ip netns exec lw-lb dotnet "$lb" run "$option" "$interface" --config "$work/lb.yaml" --control "$work/ctl" --workers "$count" 2>"$work/log" >/dev/null &
    program=$!
    for _ in $(seq 100); do grep -q up "$work/log" && break || sleep 0.1; done
    if [[ $name == TAP ]]; then
        ip -n lw-lb link set tap0 up txqueuelen 2000
        sink lw-lb tap0
    fi
    local blast=(ip netns exec "$space" taskset -c 0 "$work/blast" "$at") frames=("$flows" plain 02:42:0a:00:01:05 "$work/frames")
    "${blast[@]}" learn "${frames[@]}" >/dev/null
    "${blast[@]}" 4 "${frames[@]}" >/dev/null
    read -r h0 f0 < <(handed)
    for _ in $(seq "$runs"); do
        before=$(spent)
        read -r _ back took _ < <("${blast[@]}" "$seconds" "${frames[@]}")
        sleep 0.05
        after=$(spent)
        awk -v b="$back" -v t="$took" -v p="$((after - before))" 'BEGIN { printf "%.0f %.0f\n", b / t, p / b }'
    done | sort -n >"$work/figures"
    read -r h1 f1 < <(handed)
    awk -v n="$name" -v c="$count" -v h="$((h1 - h0))" -v f="$((f1 - f0))" '
        { v[NR] = $1; if (!least || $2 < least) least = $2 }
        END { printf "| %s | %d | %.0f | %.0f | %.0f | %.0f %% |\n", n, c, v[NR] / 1e3, v[int((NR + 1) / 2)] / 1e3, least, 100 * h / f }' "$work/figures"
    kill "$program"
    wait "$program" 2>/dev/null || true
    program=
    [[ $name != TAP ]] || ip netns exec lw-lb nft delete table netdev sink 2>/dev/null || true
}

echo "$(date -u +%F), $(grep -m 1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
echo "workers.sh $workers $runs $seconds $flows: frames of 64 bytes, $flows UDP flows, both directions"
echo
echo "| device | workers | all cores, best, 1000/s | median | program, ns a frame | handed over |"
echo "|---|--:|--:|--:|--:|--:|"
for count in 1 "$workers"; do
    measure TAP --tap tap0 lw-lb tap0 "$count"
    measure AF_PACKET --af-packet l0 lw-gen g0 "$count"
    measure AF_XDP --af-xdp l0 lw-gen g0 "$count"
done
