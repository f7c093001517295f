#!/usr/bin/env bash
# Events a second from JSON lines to vectors and Parquet: `forebay embed`, parsing alone, and Python (orjson, onnxruntime, pyarrow)
# with one process and with two, on the same file and model, one after the other in one run.
#
#   benches/compare/embed.sh [EVENTS.jsonl]
#
# Without a file it makes a million events (EVENTS=n for another number) from the bundled capture and, where they are there, the
# captures of ../shared. Everything is bound to two cores. Ours runs three times and the median counts; what Python needs to
# start is not in its figure. Both are given by the clock and by processor time, which is the one to compare on a machine that has other
# things to do. The last line, and target/bench/embed.json, is JSON.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
events=${EVENTS:-1000000}
cores=${CORES:-0,1}
cache="${FOREBAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/forebay}"
work=$(mktemp -d -p "${BENCH_DIR:-${TMPDIR:-/tmp}}")
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet --workspace --bins --examples
forebay=$target/release/forebay
python=$cache/venv-embed/bin/python
if ! "$python" -c 'import onnxruntime, orjson, pyarrow' 2>/dev/null; then
  python3 -m venv "$cache/venv-embed"
  "$python" -m pip install --quiet --require-hashes --only-binary=:all: --requirement benches/compare/embed-requirements.txt
fi

file=${1:-}
if [ -z "$file" ]; then
  seeds=("$work/sample.jsonl")
  "$forebay" meter lab/sample/traffic.pcap.gz --out "${seeds[0]}" 2>/dev/null
  if [ -d ../shared/data/pcaps ]; then
    for capture in ../shared/data/pcaps/*.gz; do
      "$forebay" meter "$capture" --out "$work/one.jsonl" 2>/dev/null && head -n 400 "$work/one.jsonl" >>"$work/shared.jsonl"
    done
    seeds+=("$work/shared.jsonl")
  else
    echo "SKIPPED: ../shared/data/pcaps is not there; only the bundled capture's flows are used" >&2
  fi
  file=$work/events.jsonl
  "$target/release/examples/jsonl_jitter" --events "$events" "${seeds[@]}" >"$file"
fi
# The first reading fills the page cache for everybody.
echo "$(wc -l <"$file") events, $(wc -c <"$file") bytes, on cores $cores" >&2

run() { taskset -c "$cores" "$@"; }
ours() {
  run "$forebay" embed "$file" --out "$work/out" --no-index --json --log-level error
  rm -rf "$work/out"
}
for _ in 1 2 3; do
  before=$(awk '{print $16 + $17}' "/proc/$$/stat")
  ours >"$work/summary"
  after=$(awk '{print $16 + $17}' "/proc/$$/stat")
  # Children's user and system time, in hundredths of a second (proc(5)).
  jq -c --argjson ticks $((after - before)) '. + {cpu_us_per_event: ($ticks * 1e4 / .events)}' "$work/summary"
done | jq -s -c 'sort_by(.events_per_second)[1]' >"$work/ours.json"
run "$target/release/examples/batch_throughput" --parse-only "$file" | tail -n 1 >"$work/parse.json"
for processes in 1 2; do
  run "$python" benches/compare/embed.py --model models/event-256/model.int8.onnx --out "$work/py$processes" \
    --processes $processes "$file" >"$work/python$processes.json"
  rm -rf "$work/py$processes"
done

mkdir -p "$target/bench"
jq -n -c --slurpfile ours "$work/ours.json" --slurpfile parse "$work/parse.json" --slurpfile one "$work/python1.json" \
  --slurpfile two "$work/python2.json" --arg commit "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" \
  '{commit: $commit, forebay: $ours[0], parsing_alone: $parse[0], python_1: $one[0], python_2: $two[0],
    ratio_to_python_2: ($ours[0].events_per_second / $two[0].events_per_second),
    ratio_to_python_2_by_processor_time: ($two[0].cpu_us_per_event / $ours[0].cpu_us_per_event),
    share_of_parsing_alone: ($ours[0].events_per_second / $parse[0].events_per_second)}' >"$target/bench/embed.json"
jq -r '["what", "events/s", "processor us/event", "bytes written"],
  (["forebay embed", .forebay], ["parsing alone", .parsing_alone], ["Python, 1 process", .python_1], ["Python, 2 processes", .python_2]
   | [.[0], (.[1].events_per_second | round), (.[1].cpu_us_per_event * 100 | round / 100), (.[1].bytes_written // 0)]) | @tsv' \
  "$target/bench/embed.json" | column -t -s "$(printf '\t')"
jq -r '"ours takes 1/\(.ratio_to_python_2 * 10 | round / 10) of the time of Python with two processes (1/\(.ratio_to_python_2_by_processor_time * 10 | round / 10) of its processor time), and runs at \(.share_of_parsing_alone * 100 | round) % of parsing alone"' "$target/bench/embed.json"
cat "$target/bench/embed.json"
