#!/bin/sh
# Writes what FastPathLb needs to know of a Docker Swarm node into a folder. Run as root on the node:
#
#   collect.sh [-o DIR] [NETWORK]
#
# NETWORK is the overlay network to look at (its namespaces become lb.* and overlay.*; those of other networks
# lb-NAME.* and overlay-NAME.*). Without it the first that has a load balancer here is taken.
# Nothing is changed on the node. Environment variables and mounts of containers are not written.
# Namespaces are entered one after the other: record while the rules do not change, or note the time.

set -u

usage() {
    sed -n '2,9s/^# \{0,1\}//p' "$0"
}

say() {
    printf '%s\n' "$*" >&2
}

netns_dir=${NETNS_DIR:-/var/run/docker/netns}
out=
while getopts o:h option; do
    case $option in
        o) out=$OPTARG ;;
        h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
if [ $# -gt 1 ]; then
    usage >&2
    exit 2
fi
wanted=${1:-}
out=${out:-fastpathlb-$(uname -n)-$(date +%Y%m%dT%H%M%S)}
mkdir -p "$out" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
missing=0
written=0

[ "$(id -u)" -eq 0 ] || say "collect: not root: namespaces cannot be entered"

# have COMMAND: is it installed?
have() {
    command -v "$1" >/dev/null 2>&1
}

# missed FILE WHY
missed() {
    missing=$((missing + 1))
    say "collect: could not get $1: $2"
}

# keep FILE COMMAND...: its output becomes FILE, unless it fails.
keep() {
    file=$1
    shift
    if "$@" >"$work/out" 2>"$work/err"; then
        cp "$work/out" "$out/$file"
        written=$((written + 1))
        return 0
    fi
    why=$(head -n 1 "$work/err")
    missed "$file" "${why:-$1 failed}"
    return 1
}

# inside COMMAND...: in the namespace $ns (a file; empty: the host's).
inside() {
    if [ -n "$ns" ]; then
        nsenter --net="$ns" "$@"
    else
        "$@"
    fi
}

# rules: iptables-save of the flavour that has rules here.
rules() {
    for save in iptables-save iptables-nft-save iptables-legacy-save; do
        have "$save" || continue
        inside "$save" -c >"$work/rules.$save" || continue
        if grep -q -e ' -A ' "$work/rules.$save"; then
            cat "$work/rules.$save"
            return 0
        fi
        : >"$work/rules.none"
    done
    # No flavour has any: that is an answer too, if one could be asked.
    [ -e "$work/rules.none" ]
}

# settings: the part of sysctl that the data path reads.
settings() {
    inside sysctl -a 2>/dev/null | grep -E \
        -e '^net\.ipv4\.vs\.' \
        -e '^net\.ipv4\.(ip_forward|ip_default_ttl|ip_local_port_range|ip_nonlocal|ip_no_pmtu|icmp_|ipfrag_)' \
        -e '^net\.ipv4\.conf\.[^.]*\.(arp_|proxy_arp|forwarding|rp_filter|send_redirects|accept_local|route_localnet|drop_)' \
        -e '^net\.netfilter\.nf_conntrack_' \
        -e '^net\.bridge\.'
}

# services PREFIX: IPVS's services, with the order in which servers were added.
services() {
    if have ipvsadm; then
        if have ipvsadm-save; then
            keep "$1.ipvsadm-save.txt" inside ipvsadm-save -n
        else
            keep "$1.ipvsadm-save.txt" inside ipvsadm -S -n
        fi
        # ipvsadm sorts what it prints: only this tells the order of creation (the last added comes first).
        if inside ipvsadm -Ln --nosort >"$work/nosort" 2>/dev/null; then
            keep "$1.ipvsadm-nosort.txt" cat "$work/nosort"
        fi
        keep "$1.ipvsadm-timeout.txt" inside ipvsadm -L --timeout
    else
        say "collect: ipvsadm is not installed: /proc/net/ip_vs is read instead (it lacks scheduler flags)"
    fi
    [ -e "$out/$1.ipvsadm-nosort.txt" ] || keep "$1.proc-ip_vs.txt" inside cat /proc/net/ip_vs
}

# namespace PREFIX FILE: all of one namespace; FILE is empty for the host's.
namespace() {
    ns=$2
    rm -f "$work"/rules.*
    keep "$1.ip-addr.txt" inside ip -d addr || return
    keep "$1.ip-neigh.txt" inside ip -4 neigh
    keep "$1.ip-route.txt" inside ip -4 -d route
    if have bridge; then
        keep "$1.bridge-fdb.txt" inside bridge fdb show
    else
        missed "$1.bridge-fdb.txt" "bridge (of iproute2) is not installed"
    fi
    keep "$1.iptables-save.txt" rules
    keep "$1.sysctl.txt" settings
    case $1 in
        lb | lb-* | ingress) services "$1" ;;
    esac
}

# array COMMAND...: objects, one a line, as a JSON array.
array() {
    "$@" >"$work/objects" &&
        awk 'BEGIN { printf "[" } NF { printf "%s\n%s", (n++ ? "," : ""), $0 } END { print "\n]" }' "$work/objects"
}

# first PATTERN...: the first file that exists.
first() {
    for candidate in "$@"; do
        if [ -e "$candidate" ]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

namespace host ''

if ! have docker; then
    say "collect: docker is not installed here: only the host's own state was written, to $out"
    exit 1
fi

docker network ls --no-trunc --filter driver=overlay --format '{{.ID}} {{.Name}}' >"$work/networks" || exit 1

while read -r id name; do
    short_lb=$(printf '%s' "$id" | cut -c 1-9)
    short_overlay=$(printf '%s' "$id" | cut -c 1-10)
    lb=$(first "$netns_dir/lb_$short_lb"*)
    overlay=$(first "$netns_dir"/[0-9]*-"$short_overlay"*)
    is_ingress=$(docker network inspect --format '{{.Ingress}}' "$name" </dev/null)
    if [ "$is_ingress" = true ]; then
        lb=$(first "$netns_dir/ingress_sbox")
        lb_prefix=ingress
        overlay_prefix='ingress-overlay'
    elif [ -n "$lb" ] && { [ "$name" = "$wanted" ] || { [ -z "$wanted" ] && [ ! -e "$out/lb.ip-addr.txt" ]; }; }; then
        say "collect: network $name is lb.* and overlay.*"
        lb_prefix=lb
        overlay_prefix=overlay
    else
        # A dot would end the namespace's name in the files' names.
        plain=$(printf '%s' "$name" | tr './ ' '___')
        lb_prefix=lb-$plain
        overlay_prefix=overlay-$plain
    fi
    if [ -n "$lb" ]; then
        namespace "$lb_prefix" "$lb" </dev/null
    elif [ "$name" = "$wanted" ]; then
        missed "lb.*" "network $name has no load balancer on this node (no task of it runs here?)"
    fi
    [ -z "$overlay" ] || namespace "$overlay_prefix" "$overlay" </dev/null
    keep "network-inspect.$name.json" docker network inspect "$name" </dev/null
    keep "network-inspect-v.$name.json" docker network inspect -v "$name" </dev/null
done <"$work/networks"

if [ -n "$wanted" ] && ! awk -v name="$wanted" '$2 == name { found = 1 } END { exit !found }' "$work/networks"; then
    missed "lb.*" "there is no overlay network '$wanted' here (there is: $(awk '{ print $2 }' "$work/networks" | tr '\n' ' '))"
fi

if docker network inspect docker_gwbridge >/dev/null 2>&1; then
    keep network-inspect.gwbridge.json docker network inspect docker_gwbridge
fi

containers=$(docker ps -q --filter label=com.docker.swarm.service.name)
if [ -n "$containers" ]; then
    # shellcheck disable=SC2086 # One word each.
    keep container-inspect.json array docker inspect --format \
        '{"Id":{{json .Id}},"Name":{{json .Name}},"State":{"Running":{{json .State.Running}}},"Config":{"Hostname":{{json .Config.Hostname}},"Labels":{{json .Config.Labels}}},"NetworkSettings":{{json .NetworkSettings}}}' \
        $containers
fi

# The node's own address, and what "docker swarm init --data-path-port" was given, which managers alone know.
keep docker-info.json docker info --format \
    '{"Swarm":{"NodeID":{{json .Swarm.NodeID}},"NodeAddr":{{json .Swarm.NodeAddr}},"Cluster":{{with .Swarm.Cluster}}{"DataPathPort":{{json .DataPathPort}}}{{else}}null{{end}}}}'

# Only a manager knows services, nodes and tasks.
if keep node-ls.txt docker node ls; then
    ids=$(docker service ls -q)
    if [ -n "$ids" ]; then
        # shellcheck disable=SC2086 # One word each.
        keep service-inspect.json array docker service inspect --format \
            '{"ID":{{json .ID}},"Spec":{"Name":{{json .Spec.Name}},"Mode":{{json .Spec.Mode}},"EndpointSpec":{{json .Spec.EndpointSpec}},"TaskTemplate":{"Networks":{{json .Spec.TaskTemplate.Networks}}}},"Endpoint":{{json .Endpoint}}}' \
            $ids
        # shellcheck disable=SC2086 # One word each.
        tasks=$(docker service ps -q --filter desired-state=running $ids 2>/dev/null)
        if [ -n "$tasks" ]; then
            # shellcheck disable=SC2086 # One word each.
            keep task-inspect.json array docker inspect --type task --format \
                '{"ID":{{json .ID}},"ServiceID":{{json .ServiceID}},"NodeID":{{json .NodeID}},"Slot":{{json .Slot}},"Status":{"State":{{json .Status.State}}},"DesiredState":{{json .DesiredState}},"NetworksAttachments":{{json .NetworksAttachments}}}' \
                $tasks
        fi
    fi
fi

say "collect: $written files in $out, $missing things could not be got"
if [ ! -e "$out/lb.ip-addr.txt" ] && [ ! -e "$out/ingress.ip-addr.txt" ]; then
    say "collect: no load balancer's namespace was found under $netns_dir"
    exit 1
fi
