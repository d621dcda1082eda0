#!/usr/bin/env bash
# The load balancer on live devices beside programs in C that do nothing with a frame but send it back, and beside the kernel's own way:
#   run.sh [runs=5] [seconds=2] [flows=1024]
# As root; needs gcc, iproute2, nftables, libxdp-dev and libbpf-dev. Builds what it runs. Makes and removes the namespaces lv-lb, lv-gen and, by
# stock.sh, peers-lb and peers-gen. Prints one table and the ratios:
#   flood   frames a second that came back while a sender sends as fast as it can: best and median. Sender and program share the processors
#           with whatever else runs, so this is the program's speed only where the machine is quiet.
#   burst   processor time a frame, of the program alone: it is stopped, its queue filled (1024 frames), and it goes on. No sender runs
#           meanwhile and no neighbour counts. For the stock kernel, whose work is done within the sending call: the sender's, less what sending costs
#           where the frames are dropped at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

runs=${1:-5} seconds=${2:-2} flows=${3:-1024}
stock=../compare/peers/stock.sh
work=$(mktemp -d)
program=
cleanup() {
    [[ -z $program ]] || kill "$program" 2>/dev/null || true
    ip netns del lv-lb 2>/dev/null || true
    ip netns del lv-gen 2>/dev/null || true
    bash "$stock" down 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

gcc -O2 -Wall -o "$work/blast" blast.c
gcc -O2 -Wall -o "$work/tap_echo" tap_echo.c
gcc -O2 -Wall -o "$work/xdp_l2fwd" xdp_l2fwd.c -lxdp -lbpf
dotnet build -c Release -v quiet ../../src/FastPathLb.Cli -p:RunAnalyzersDuringBuild=false >/dev/null
lb=../../.artifacts/bin/FastPathLb.Cli/release/fastpathlb.dll

cat >"$work/overlay.yaml" <<'Y'
lb: { address: 10.0.1.5/24, neighbors: [{ address: 10.0.1.3, mac: "02:42:0a:00:01:03" }, { address: 10.0.1.4, mac: "02:42:0a:00:01:04" }] }
services: [{ vip: 10.0.1.2, servers: [10.0.1.3, 10.0.1.4] }]
Y
sed -i 's/mac: /state: PERMANENT, mac: /g' "$work/overlay.yaml"
cat >"$work/underlay.yaml" <<'Y'
node: { address: 192.168.100.2/24, mac: "02:00:00:00:00:02" }
overlay: { vni: 4097, udp-checksum: false }
lb: { address: 10.0.1.5/24 }
services: [{ vip: 10.0.1.2, servers: [10.0.1.3, 10.0.1.4] }]
vteps:
  - { address: 192.168.100.1, mac: "02:00:00:00:00:01", endpoints: [10.0.1.16] }
  - { address: 192.168.100.3, mac: "02:00:00:00:00:03", endpoints: [10.0.1.3] }
  - { address: 192.168.100.4, mac: "02:00:00:00:00:04", endpoints: [10.0.1.4] }
Y

quiet() { ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; }

# start NAMESPACE COMMAND...: runs a program on the last processor, waits until it says that it is up.
start() {
    local space=$1
    shift
    : >"$work/log"
    ip netns exec "$space" taskset -c "$(($(nproc) - 1))" "$@" 2>"$work/log" >/dev/null &
    program=$!
    for _ in $(seq 100); do
        grep -q up "$work/log" && return
        sleep 0.1
    done
    cat "$work/log"
    return 1
}

stop() {
    kill "$program" 2>/dev/null || true
    wait "$program" 2>/dev/null || true
    program=
}

# The program's own processor time, nanoseconds, all threads.
spent() { cat "/proc/$program/task/"*/schedstat | awk '{ s += $1 } END { printf "%.0f\n", s }'; }

# burst NAME NAMESPACE IF KIND MAC: lines "NAME ns-a-frame" into bursts.
burst() {
    local name=$1 space=$2 interface=$3 kind=$4 mac=$5 before after back start_ns
    for _ in $(seq $((runs * 8))); do
        kill -STOP "$program"
        before=$(ip netns exec "$space" cat "/sys/class/net/$interface/statistics/rx_packets")
        ip netns exec "$space" "$work/blast" "$interface" -1024 "$flows" "$kind" "$mac" >/dev/null
        start_ns=$(spent)
        kill -CONT "$program"
        sleep 0.03
        after=$(spent)
        back=$(($(ip netns exec "$space" cat "/sys/class/net/$interface/statistics/rx_packets") - before))
        [[ $back -lt 500 ]] || awk -v n="$name" -v c="$((after - start_ns))" -v b="$back" 'BEGIN { printf "%s %.0f\n", n, c / b }' >>"$work/bursts"
    done
}

# measure NAME NAMESPACE IF KIND MAC: some runs; a line "NAME frames-a-second sender-ns-a-frame sent-a-second" each.
measure() {
    local name=$1 space=$2 interface=$3 kind=$4 mac=$5
    ip netns exec "$space" taskset -c 0 "$work/blast" "$interface" 1.5 "$flows" "$kind" "$mac" >/dev/null
    for _ in $(seq "$runs"); do
        read -r sent back took used < <(ip netns exec "$space" taskset -c 0 "$work/blast" "$interface" "$seconds" "$flows" "$kind" "$mac")
        awk -v n="$name" -v s="$sent" -v b="$back" -v t="$took" -v c="$used" \
            'BEGIN { printf "%s %.0f %.0f %.0f\n", n, b / t, c / s, s / t }' >>"$work/figures"
    done
    [[ -z $program ]] || burst "$@"
}

# TAP.
ip netns add lv-lb
quiet lv-lb
tap() {
    ip -n lv-lb link set tap0 up txqueuelen 2000
    measure "$1" lv-lb tap0 plain 02:42:0a:00:01:05
    stop
}
for _ in 1 2; do
    start lv-lb "$work/tap_echo" tap0
    tap tap-c
    start lv-lb dotnet "$lb" run --tap tap0 --config "$work/overlay.yaml" --no-control
    tap tap-lb
done

# AF_XDP on a veth.
ip netns add lv-gen
quiet lv-gen
ip -n lv-lb link add l0 address 02:00:00:00:00:02 type veth peer name g0 address 02:00:00:00:00:01 netns lv-gen
ip -n lv-lb link set l0 up
ip -n lv-gen link set g0 up
for _ in 1 2; do
    start lv-lb "$work/xdp_l2fwd" l0
    measure xdp-c lv-gen g0 plain 02:42:0a:00:01:05
    measure xdp-c-vxlan lv-gen g0 vxlan 02:00:00:00:00:02
    stop
    ip -n lv-lb link set dev l0 xdp off # what libxdp attached stays when its program is killed
    start lv-lb dotnet "$lb" run --af-xdp l0 --config "$work/overlay.yaml" --no-control
    measure xdp-lb lv-gen g0 plain 02:42:0a:00:01:05
    stop
    start lv-lb dotnet "$lb" run --af-xdp l0 --config "$work/underlay.yaml" --attach underlay --no-control
    measure xdp-lb-vxlan lv-gen g0 vxlan 02:00:00:00:00:02
    stop
    start lv-lb dotnet "$lb" run --af-packet l0 --config "$work/underlay.yaml" --attach underlay --no-control
    measure packet-lb-vxlan lv-gen g0 vxlan 02:00:00:00:00:02
    stop
done

# The kernel's own way, on a veth as well; and what sending alone costs, dropped where the frames come in.
bash "$stock" up flat
measure stock-vxlan peers-gen g0 vxlan 02:00:00:00:00:02
ip netns exec peers-lb nft 'table netdev floor { chain in { type filter hook ingress device "l0" priority 0; drop; }; }'
measure floor-vxlan peers-gen g0 vxlan 02:00:00:00:00:02
bash "$stock" down

echo "$(date -u +%F), $(grep -m 1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
echo "run.sh $runs $seconds $flows: frames of 64 bytes (114 in VXLAN), $flows UDP flows"
echo
awk '
    FILENAME ~ /bursts$/ { if (!($1 in cost) || $2 < cost[$1]) cost[$1] = $2; next }
    { v[$1, ++n[$1]] = $2; if (!($1 in least) || $3 < least[$1]) least[$1] = $3; if ($4 > offered[$1]) offered[$1] = $4 }
    function sorted(key,   i, j, t) {
        for (i = 2; i <= n[key]; i++)
            for (j = i; j > 1 && v[key, j] < v[key, j - 1]; j--) { t = v[key, j]; v[key, j] = v[key, j - 1]; v[key, j - 1] = t }
        best[key] = v[key, n[key]]; median[key] = v[key, int((n[key] + 1) / 2)]
    }
    function row(label, key) {
        printf "| %s | %.0f | %.0f | %.0f | %.0f |\n", label, best[key] / 1e3, median[key] / 1e3, offered[key] / 1e3, cost[key]
    }
    END {
        for (key in n) sorted(key)
        cost["stock-vxlan"] = least["stock-vxlan"] - least["floor-vxlan"]
        print "| way | flood, best, 1000/s | median | offered | burst, ns a frame |"
        print "|---|--:|--:|--:|--:|"
        row("TAP, C: read, write back", "tap-c")
        row("TAP, FastPathLb", "tap-lb")
        row("AF_XDP on veth, C: swap MACs", "xdp-c")
        row("AF_XDP on veth, FastPathLb at the overlay", "xdp-lb")
        row("AF_XDP on veth, VXLAN, C: swap MACs", "xdp-c-vxlan")
        row("AF_XDP on veth, VXLAN, FastPathLb at the underlay", "xdp-lb-vxlan")
        row("AF_PACKET on veth, VXLAN, FastPathLb at the underlay", "packet-lb-vxlan")
        row("stock kernel on veth: vxlan, bridge, nftables", "stock-vxlan")
        print ""
        printf "TAP, FastPathLb to C: flood %.2f, burst %.2f (goal 0.8)\n", best["tap-lb"] / best["tap-c"], cost["tap-c"] / cost["tap-lb"]
        printf "AF_XDP, FastPathLb to C: flood %.2f, burst %.2f; with VXLAN: flood %.2f, burst %.2f (goal 0.8)\n",
            best["xdp-lb"] / best["xdp-c"], cost["xdp-c"] / cost["xdp-lb"],
            best["xdp-lb-vxlan"] / best["xdp-c-vxlan"], cost["xdp-c-vxlan"] / cost["xdp-lb-vxlan"]
        printf "AF_XDP with VXLAN, FastPathLb to the stock kernel: flood %.2f, burst %.2f (goal 2)\n",
            best["xdp-lb-vxlan"] / best["stock-vxlan"], cost["stock-vxlan"] / cost["xdp-lb-vxlan"]
    }' "$work/figures" "$work/bursts"
