#!/usr/bin/env bash
# The search comparison: one data set, ours and every rival one after the other, one table, one JSON, the plots.
#
#   BENCH_EVENTS=100000 benches/search/run.sh
#
#   BENCH_EVENTS    events (1000000); 100000 takes ten minutes, a million about two hours and 8 GB of disk
#   BENCH_RIVALS    names of rivals, or none at all ("")
#   BENCH_BUDGET_S  longest that one line of one engine is measured, in seconds (1)
#   BENCH_SCRATCH   where data and indexes go (target/bench), kept for the next time
#   BENCH_NOTE      a sentence for the result, for example what else the machine did
set -euo pipefail
cd "$(dirname "$0")/../.."
events="${BENCH_EVENTS:-1000000}"
budget="${BENCH_BUDGET_S:-1}"
target="${CARGO_TARGET_DIR:-target}"
scratch="${BENCH_SCRATCH:-$target/bench}"
rivals="${BENCH_RIVALS-faiss-flat faiss-hnsw32 faiss-ivf-sq8 faiss-ivf-pqfs-rflat hnswlib usearch pgvector}"
mkdir -p "$scratch" && scratch="$(cd "$scratch" && pwd)"
data="$scratch/data-$events" index="$scratch/index-$events" run="$scratch/run-$events"

cargo build --release --locked --quiet --workspace --bins
venv="$(benches/search/install.sh)"
export FOREBAY_GRAPHS="$venv/graphs.so" FOREBAY_SCRATCH="$scratch" OMP_WAIT_POLICY=passive
[ -f "$data/about.json" ] || "$target/release/search_data" --events "$events" --out "$data"
"$venv/bin/python" benches/search/truth.py "$data"
echo "load: $(cut -d ' ' -f 1-3 /proc/loadavg)" >&2
# An index of an older format is built anew; figures of building belong to this run.
rm -rf "$index" "$index.built.json"
"$target/release/search_ours" --data "$data" --index "$index" --out "$run/ours" --budget-s "$budget" >&2
for rival in $rivals; do
  "$venv/bin/python" benches/search/rival.py "$rival" "$data" "$run/$rival" --budget-s "$budget" --keep "$scratch/kept-$events" >&2 ||
    echo "FAILED: $rival; the table is without it" >&2
done
result="benches/results/search-$events"
"$venv/bin/python" benches/search/report.py "$data" "$run" "$result.json" --markdown "$result.md" --note "${BENCH_NOTE:-}"
"$venv/bin/python" benches/search/plots.py benches/results/search-*.json --out benches/plots >&2
