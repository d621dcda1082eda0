#!/bin/bash
# Builds the peers and FastPathLb, runs them in turn on the same frames, and writes a table of goals, tables with ratios and a plot.
#   bench/compare/run.sh [rounds=3] [runs=5] [cpu=last] [batch=256] [most connections=1048576]
# The table goes to bench/results/$NAME.md and .svg (NAME: the date and "-compare" unless set). As root for XDP.
set -e -o pipefail
cd "$(dirname "$0")/../.."
ROUNDS=${1:-3}; RUNS=${2:-5}; CPU=${3:-$(($(nproc) - 1))}; BATCH=${4:-256}; MOST=${5:-1048576}
export OBJ=${OBJ:-${TMPDIR:-/tmp}/fastpathlb-peers}
NAME=${NAME:-$(date -u +%F)-compare}
RAW=$OBJ/raw; mkdir -p "$RAW" bench/results; rm -f "$RAW"/*.txt

bench/compare/peers/build.sh
if [ -z "$BENCH" ]; then
  dotnet build -c Release bench/FastPathLb.Benchmarks --nologo -v q
  BENCH="dotnet .artifacts/bin/FastPathLb.Benchmarks/release/FastPathLb.Benchmarks.dll"
fi

echo "# ran \`bench/compare/run.sh $ROUNDS $RUNS $CPU $BATCH $MOST\` at $(git rev-parse --short HEAD)$(git diff --quiet HEAD -- src || echo ' with changes')" > "$RAW/command.txt"
for round in $(seq "$ROUNDS"); do
  echo "round $round of $ROUNDS: C" >&2
  "$OBJ/swarm_user" "$RUNS" "$CPU" "$MOST" > "$RAW/$round.c.txt"
  "$OBJ/swarm_whole" "$RUNS" "$CPU" "$MOST" > "$RAW/$round.whole.txt"
  echo "round $round of $ROUNDS: FastPathLb" >&2
  $BENCH peers "$RUNS" "$CPU" "$BATCH" "$MOST" > "$RAW/$round.fastpathlb.txt"
  if [ -x "$OBJ/swarm_bench" ] && [ "$(id -u)" = 0 ]; then
    echo "round $round of $ROUNDS: XDP" >&2
    "$OBJ/swarm_bench" "$RUNS" "$CPU" fastest "$MOST" > "$RAW/$round.xdp.txt" \
      || { echo "no XDP here: $(tail -1 "$RAW/$round.xdp.txt")" >&2; rm -f "$RAW/$round.xdp.txt"; }
  fi
done

# The stock kernel's path: rows in the form of the others, net of the injector.
if [ -x "$OBJ/stock_inject" ] && [ "$(id -u)" = 0 ] && bench/compare/peers/stock.sh up flat 2>/dev/null; then
  echo "stock kernel" >&2
  "$OBJ/stock_inject" flat "$RUNS" "$CPU" 1024 > "$RAW/stock.raw" || echo "no stock kernel: $(tail -1 "$RAW/stock.raw")" >&2
  bench/compare/peers/stock.sh down
  awk '/^(forward|reverse): whole path, dropped/ && !/!!/ { n = NF; base = $(n-3) - $(n-1)
    printf "stock kernel, %s netfilter 1024 ring %.1f %.1f %.1f %.1f %.1f %s\n", substr($1, 1, length($1) - 1), $(n-3), $(n-2), base, $(n-1), $(n-2) - base, $n }' \
    "$RAW/stock.raw" > "$RAW/stock.txt"
fi

# Ten million frames from file to file beside cp, a small recording beside an empty program.
echo "whole programs" >&2
bench/compare/processes.sh 9 "$BENCH" > "$RAW/processes.txt"

if [ "$MOST" -ge 1048576 ] && [ "$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)" -ge 6000 ]; then
  echo "16,777,216 connections" >&2
  # Rows of their own: a million beside them, minutes after the rounds above.
  $BENCH peers "$RUNS" "$CPU" "$BATCH" 16777216 hot | sed 's/^FastPathLb, /FastPathLb to 16 M, /' > "$RAW/many.txt"
fi

echo "workers" >&2
$BENCH workers "$RUNS" "$MOST" > "$RAW/workers.txt"
$BENCH report "$RAW" "bench/results/$NAME"
echo "written: bench/results/$NAME.md and .svg; raw output in $RAW" >&2
