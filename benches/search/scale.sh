#!/usr/bin/env bash
# How an index grows: rate of building, bytes an event, recall and times at several sizes of one data set, and how long opening and
# the first question take from a cold disk.
#
#   benches/search/scale.sh
#
#   SCALE_EVENTS    sizes, rising ("100000 1000000 5000000 10000000"); ten million need 45 GB of disk while they are merged
#   SCALE_RESIDENT  the bound that the largest is searched under once more, in bytes (2147483648)
#   BENCH_SCRATCH   where data and index go (target/bench); the index is removed at the end
#
# One index grows from size to size. Recall is measured with the first 100 questions of each set. Dropping the page cache takes root;
# without it the cold columns are left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
sizes="${SCALE_EVENTS:-100000 1000000 5000000 10000000}"
bound="${SCALE_RESIDENT:-2147483648}"
target="${CARGO_TARGET_DIR:-target}"
scratch="${BENCH_SCRATCH:-$target/bench}"
mkdir -p "$scratch" && scratch="$(cd "$scratch" && pwd)"
largest="${sizes##* }"
data="$scratch/data-$largest" index="$scratch/index-scale" run="$scratch/run-scale"
questions=100

cargo build --release --locked --quiet --workspace --bins
venv="$(benches/search/install.sh)"
[ -f "$data/about.json" ] || "$target/release/search_data" --events "$largest" --out "$data"
rm -rf "$index" "$index.built.json" "$run"
ours() { "$target/release/search_ours" --data "$data" --index "$index" "$@" >&2; }
for rows in $sizes; do
  ours --rows "$rows" --out "$run/$rows/ours" --budget-s 0.2
  if sync && [ -w /proc/sys/vm/drop_caches ]; then
    echo 3 > /proc/sys/vm/drop_caches
    ours --rows "$rows" --out "$run/$rows-cold/ours" --first-only
  fi
  [ "$rows" != "$largest" ] ||
    ours --rows "$rows" --out "$run/$rows-bounded/ours" --budget-s 0.2 --resident-bytes-max "$bound"
  "$venv/bin/python" benches/search/truth.py "$data" "$rows" "$questions"
  for kind in "" -bounded; do
    [ ! -d "$run/$rows$kind" ] || "$venv/bin/python" benches/search/report.py "$data" "$run/$rows$kind" "$run/$rows$kind.json" \
      --rows "$rows" --questions "$questions" > /dev/null
  done
done
rm -rf "$index" "$index.built.json"
"$venv/bin/python" benches/search/scale.py "$run" benches/results/scale.json --markdown benches/results/scale.md
"$venv/bin/python" benches/search/plots.py --scale benches/results/scale.json --out benches/plots >&2
