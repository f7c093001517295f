#!/usr/bin/env bash
# Every figure of benches/README.md, one after the other, on this machine. BENCH_SCALE=1 adds what takes 45 GB of disk.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== lines of JSON on one core (generated events with all 83 features)"
cargo run --release --quiet -p forebay-event --example jsonl_throughput
echo
echo "== packets on one core, beside tshark and nfstream"
benches/compare/meter.sh
echo
echo "== events embedded on one core"
cargo run --release --quiet -p forebay-embedder --example embed_throughput
echo
echo "== criterion, on the bundled capture"
cargo bench --quiet -p forebay-benches -- --noplot
echo
echo "== instructions of the hot paths"
make --no-print-directory bench-instructions
for comparison in embed http; do
  if [ -x "benches/compare/$comparison.sh" ]; then
    echo
    echo "== compare/$comparison.sh"
    "benches/compare/$comparison.sh"
  fi
done
echo
echo "== memory over a million events and 10,000 questions"
"${CARGO_TARGET_DIR:-target}/release/soak" --out benches/results/soak.json
echo
echo "== search beside FAISS, hnswlib, usearch and pgvector"
benches/search/run.sh
if [ "${BENCH_SCALE:-}" = 1 ]; then
  echo
  echo "== an index of 100,000 to 10,000,000 events"
  benches/search/scale.sh
fi
echo
echo "== searching a million events while 1,000 and 10,000 more come in each second"
target="${CARGO_TARGET_DIR:-target}" scratch="${BENCH_SCRATCH:-${CARGO_TARGET_DIR:-target}/bench}"
data="$scratch/data-1500000"
[ -f "$data/about.json" ] || "$target/release/search_data" --events 1500000 --out "$data"
for rate in 1000 10000; do
  rm -rf "$scratch/index-load"
  "$target/release/under_load" --data "$data" --index "$scratch/index-load" --rate "$rate" --seconds 45 --drop-every 15 \
    --out "benches/results/load-$rate.json"
done
rm -rf "$scratch/index-load"
