#!/usr/bin/env bash
# The load balancer on live devices beside programs in C that do nothing with a frame but send it back, and beside the kernel's own way:
#   run.sh [runs=5] [seconds=2] [flows=1024]
# As root; needs gcc, iproute2, nftables, libxdp-dev and libbpf-dev. Builds what it runs. Makes and removes the namespaces lv-lb, lv-gen and, by
# stock.sh, peers-lb and peers-gen. The sender is client and servers at once: half of the frames are requests, half are answers of open flows.
# What comes back is dropped where it comes in. Prints one table and the ratios:
#   two cores   frames a second that came back while a sender on a core of its own sends as fast as it can: best and median
#   one core    the same where sender and program share a core, so that who needs less time gets more done
#   program     processor time of the program a frame that came back (all threads, one core, least of the runs)
#   all         processor time of sender, softirqs and program a frame, less what sending costs where frames are dropped where they come
#               in (one core, least): what is comparable with the stock kernel, which works within the sender's call
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
lb:
  address: 10.0.1.5/24
  neighbors:
    - { address: 10.0.1.16, mac: "02:42:0a:00:01:10", state: PERMANENT }
    - { address: 10.0.1.3, mac: "02:42:0a:00:01:03", state: PERMANENT }
    - { address: 10.0.1.4, mac: "02:42:0a:00:01:04", state: PERMANENT }
services: [{ vip: 10.0.1.2, servers: [10.0.1.3, 10.0.1.4] }]
Y
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
spent() {
    [[ -z $program ]] && echo 0 && return
    cat "/proc/$program/task/"*/schedstat | awk '{ s += $1 } END { printf "%.0f\n", s }'
}

# sink NAMESPACE IF: drops what comes in by an interface, after it was counted and shown to packet sockets: nothing of the generator's own stack is measured.
sink() { ip netns exec "$1" nft "table netdev sink { chain in { type filter hook ingress device \"$2\" priority 0; drop; }; }"; }

# measure NAME NAMESPACE IF KIND MAC [HOW=learn]: some runs; a line "NAME CORES frames-a-second program-ns sender-ns" a run, times by what came back.
measure() {
    local name=$1 space=$2 interface=$3 kind=$4 mac=$5 how=${6:-learn} last=$(($(nproc) - 1)) cpu before after
    local blast=(ip netns exec "$space" taskset -c 0 "$work/blast" "$interface") frames=("$flows" "$kind" "$mac" "$work/frames")
    echo "$name: $("${blast[@]}" "$how" "${frames[@]}") flows answered" >&2

    # What is compiled at run time is compiled by now.
    "${blast[@]}" 4 "${frames[@]}" >/dev/null
    for cpu in 0 "$last"; do
        blast[6]=$cpu
        for _ in $(seq "$runs"); do
            before=$(spent)
            read -r sent back took used < <("${blast[@]}" "$seconds" "${frames[@]}")
            sleep 0.05
            after=$(spent)
            awk -v n="$name" -v c="$((cpu == 0 ? 2 : 1))" -v s="$sent" -v b="$back" -v t="$took" -v u="$used" -v p="$((after - before))" \
                'BEGIN { by = b > 0 ? b : s; printf "%s %d %.0f %.0f %.0f\n", n, c, b / t, p / by, u / by }' >>"$work/figures"
        done
    done
}

# TAP.
ip netns add lv-lb
quiet lv-lb
tap() {
    ip -n lv-lb link set tap0 up txqueuelen 2000
    sink lv-lb tap0
    measure "$1" lv-lb tap0 plain 02:42:0a:00:01:05
    ip netns exec lv-lb nft delete table netdev sink
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
sink lv-gen g0
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
    start lv-lb dotnet "$lb" run --af-xdp l0 --config "$work/underlay.yaml" --attach underlay --no-control
    measure xdp-lb-oneway lv-gen g0 vxlan 02:00:00:00:00:02 oneway
    stop
    start lv-lb dotnet "$lb" run --af-packet l0 --config "$work/underlay.yaml" --attach underlay --no-control
    measure packet-lb-vxlan lv-gen g0 vxlan 02:00:00:00:00:02
    stop
done

# The kernel's own way, on a veth as well; and what sending alone costs, dropped where the frames come in.
bash "$stock" up flat
sink peers-gen g0
measure stock-vxlan peers-gen g0 vxlan 02:00:00:00:00:02
ip netns exec peers-lb nft 'table netdev floor { chain in { type filter hook ingress device "l0" priority 0; drop; }; }'
measure floor-vxlan peers-gen g0 vxlan 02:00:00:00:00:02 oneway
bash "$stock" down

echo "$(date -u +%F), $(grep -m 1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
echo "run.sh $runs $seconds $flows: frames of 64 bytes (114 in VXLAN), $flows UDP flows, both directions"
echo
awk '
    {
        v[$1, $2, ++n[$1, $2]] = $3
        if (!(($1, $2) in best) || $3 > best[$1, $2]) best[$1, $2] = $3
        if ($2 != 1) next
        if (!($1 in program) || $4 < program[$1]) program[$1] = $4
        if (!($1 in all) || $4 + $5 < all[$1]) all[$1] = $4 + $5
    }
    function median(key,   i, j, t) {
        for (i = 2; i <= n[key, 2]; i++)
            for (j = i; j > 1 && v[key, 2, j] < v[key, 2, j - 1]; j--) { t = v[key, 2, j]; v[key, 2, j] = v[key, 2, j - 1]; v[key, 2, j - 1] = t }
        return v[key, 2, int((n[key, 2] + 1) / 2)]
    }
    function row(label, key, hasFloor) {
        printf "| %s | %.0f | %.0f | %.0f | %s | %s |\n", label, best[key, 2] / 1e3, median(key) / 1e3, best[key, 1] / 1e3,
            key == "stock-vxlan" ? "-" : sprintf("%.0f", program[key]), hasFloor ? sprintf("%.0f", all[key] - all["floor-vxlan"]) : "-"
    }
    function ratios(label, mine, peer) {
        printf "%s: two cores %.2f, one core %.2f, processor time of the program %.2f\n", label, best[mine, 2] / best[peer, 2],
            best[mine, 1] / best[peer, 1], program[peer] / program[mine]
    }
    END {
        print "| way | two cores, best, 1000/s | median | one core, best | program, ns a frame | all, ns a frame |"
        print "|---|--:|--:|--:|--:|--:|"
        row("TAP, C: read, write back", "tap-c")
        row("TAP, FastPathLb", "tap-lb")
        row("AF_XDP on veth, C: swap MACs", "xdp-c")
        row("AF_XDP on veth, FastPathLb at the overlay", "xdp-lb")
        row("AF_XDP on veth, VXLAN, C: swap MACs", "xdp-c-vxlan", 1)
        row("AF_XDP on veth, VXLAN, FastPathLb at the underlay", "xdp-lb-vxlan", 1)
        row("the same, clients that nobody answers", "xdp-lb-oneway", 1)
        row("AF_PACKET on veth, VXLAN, FastPathLb at the underlay", "packet-lb-vxlan", 1)
        row("stock kernel on veth: vxlan, bridge, nftables", "stock-vxlan", 1)
        print ""
        printf "Sending alone, dropped where it comes in: %.0f ns a frame\n\n", all["floor-vxlan"]
        ratios("TAP, FastPathLb to C (goal 0.8)", "tap-lb", "tap-c")
        ratios("AF_XDP, FastPathLb to C (goal 0.8)", "xdp-lb", "xdp-c")
        ratios("AF_XDP with VXLAN, FastPathLb to C (goal 0.8)", "xdp-lb-vxlan", "xdp-c-vxlan")
        printf "AF_XDP with VXLAN, FastPathLb to the stock kernel (goal 2): two cores %.2f, one core %.2f, all processor time %.2f\n",
            best["xdp-lb-vxlan", 2] / best["stock-vxlan", 2], best["xdp-lb-vxlan", 1] / best["stock-vxlan", 1],
            (all["stock-vxlan"] - all["floor-vxlan"]) / (all["xdp-lb-vxlan"] - all["floor-vxlan"])
    }' "$work/figures"
