#!/bin/bash
# Times whole programs in turn: ten million frames replayed from one file into another beside cp of the same file, and a small
# recording replayed beside a .NET program that does nothing, published alike.
#   bench/compare/processes.sh TURNS BENCHMARKS-PROGRAM [frames=10000000]
# Prints "process NAME CLOCK USER KERNEL", seconds, one line for each run. The files lie in $OBJ and stay in the page cache.
set -e -o pipefail
cd "$(dirname "$0")/../.."
TURNS=$1; BENCH=$2; FRAMES=${3:-10000000}
OBJ=${OBJ:-${TMPDIR:-/tmp}/fastpathlb-peers}
FILES=$OBJ/files; OURS=$OBJ/published; EMPTY=$OBJ/empty
mkdir -p "$FILES" "$EMPTY"

# A virtual machine may give free memory back to its host (page reporting). A page that is taken again then costs the kernel 15 us, more than
# all that is measured here, and befalls one program or the other. Where it can be, that is held off meanwhile.
HOLD=/sys/module/page_reporting/parameters/min_free_ms
HELD=$(cat "$HOLD" 2> /dev/null || true)
if [ -n "$HELD" ] && [ -w "$HOLD" ]; then echo 60000 > "$HOLD" || true; fi
finish() {
  rm -rf "$FILES"
  if [ -n "$HELD" ] && [ -w "$HOLD" ]; then echo "$HELD" > "$HOLD" || true; fi
}
trap finish EXIT

dotnet publish -c Release src/FastPathLb.Cli -o "$OURS" --nologo -v q >&2
cat > "$EMPTY/empty.csproj" <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <InvariantGlobalization>true</InvariantGlobalization>
    <PublishReadyToRun>true</PublishReadyToRun>
  </PropertyGroup>
</Project>
PROJECT
echo 'return 0;' > "$EMPTY/Program.cs"
dotnet publish -c Release "$EMPTY" -o "$EMPTY/published" --nologo -v q >&2
# shellcheck disable=SC2086 # it may be "dotnet x.dll"
$BENCH capture "$FILES" 1024 "$FRAMES" >&2

# timed NAME COMMAND...: runs it, and says how long it took.
timed() {
  local name=$1 times TIMEFORMAT='%3R %3U %3S'
  shift
  if times=$({ time "$@" > /dev/null 2> "$OBJ/process.err"; } 2>&1); then
    echo "process $name $times"
  else
    echo "!! $name failed: $(tail -n 1 "$OBJ/process.err")"
  fi
}

copy() { cp "$FILES/frames.pcap" "$FILES/copy.pcap"; }
replay() { "$OURS/fastpathlb" replay "$FILES/frames.pcap" --config "$FILES/lb.yaml" --attach underlay -o "$FILES/out.pcap"; }
small() { "$OURS/fastpathlb" replay captures/rr-two-services/underlay.pcap.gz; }
empty() { "$EMPTY/published/empty"; }

# afresh NAME COMMAND: without what was written before, and without its way to the disk, which would be this run's to wait for. Into memory
# that a file has just left.
afresh() {
  rm -f "$FILES/copy.pcap" "$FILES/out.pcap"
  sync
  cp "$FILES/frames.pcap" "$FILES/left.pcap"
  rm "$FILES/left.pcap"
  timed "$1" "$2"
}

# What is read comes into memory, and every frame comes out.
copy && replay > /dev/null
[ "$(stat -c %s "$FILES/out.pcap")" = "$(stat -c %s "$FILES/frames.pcap")" ] || echo "!! replay: not every frame was sent on"
for _ in $(seq "$TURNS"); do
  afresh cp copy
  afresh replay replay
done

small > /dev/null && empty
for _ in $(seq $((TURNS * 4))); do
  timed empty empty
  timed small small
done
