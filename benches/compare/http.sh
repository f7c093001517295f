#!/bin/sh
# What HTTP costs: questions a second of the service beside those of the library called directly, and events a second stored
# through it, in one run.
#
#   benches/compare/http.sh [EVENTS] [SECONDS]
#
# EVENTS (400,000; a body is at most a GiB) events of the bundled capture are stored over HTTP with curl, and the rate is told, by the clock and by the
# processor time of the server (the figure to compare on a machine that has other things to do); then the same question is
# asked of the service by oha and of the library by `direct`: with one client (what a question waits longer), with one for each
# core, and with two for each core (the library with one thread for each core), which is where the service gives all it has: a
# client that waits for its answer leaves a core idle between two questions. Rates and times of both, their ratio, and the
# difference at p50 where both have as many clients. oha is installed into ~/.cache/forebay where it is not there.
set -eu
cd "$(dirname "$0")/../.."
events=${1:-400000}
seconds=${2:-10}
question=${QUESTION:-who was guessing passwords over ssh}
target=${CARGO_TARGET_DIR:-target}
cores=$(nproc)
cargo build --locked --release --workspace --bins --examples >&2
tools=$HOME/.cache/forebay/tools
oha=$(command -v oha || true)
[ -n "$oha" ] || oha=$tools/bin/oha
[ -x "$oha" ] || cargo install --locked --root "$tools" oha@1.10.0 >&2

work=$(mktemp -d)
server=
stop() { [ -z "$server" ] || { kill "$server" 2> /dev/null; wait "$server" 2> /dev/null; } || true; server=; }
trap 'stop; rm -rf "$work"' EXIT
port=${PORT:-18787}
base=http://127.0.0.1:$port
serve() {
    "$target/release/forebay" serve --data-dir "$work/data" --serve-listen "127.0.0.1:$port" --log-level warn &
    server=$!
    until curl -fs "$base/readyz" > /dev/null 2>&1; do sleep 0.1; done
}

"$target/release/examples/events" "$events" > "$work/events.jsonl"
serve
# Hundredths of a second of processor time that the server has used.
spent() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }
spent_before=$(spent)
begun=$(date +%s.%N)
curl -fsS -T "$work/events.jsonl" -X POST "$base/v1/events" -H 'content-type: application/x-ndjson' \
    -H 'expect:' -o "$work/results.jsonl"
ended=$(date +%s.%N)
tail -n 1 "$work/results.jsonl"
awk -v begun="$begun" -v ended="$ended" -v events="$events" -v spent="$(($(spent) - spent_before))" 'BEGIN {
    printf "ingest: %d events in %.2f s: %.0f events/s over HTTP; %.1f us of processor time an event\n", events,
           ended - begun, events / (ended - begun), spent * 1e4 / events }'
rm "$work/events.jsonl" "$work/results.jsonl"
stop
FOREBAY_LOG_LEVEL=warn "$target/release/forebay" index compact --data-dir "$work/data"

printf '{"query": "%s"}' "$question" > "$work/question.json"
for clients in 1 "$cores" "$((2 * cores))"; do
    threads=$((clients < cores ? clients : cores))
    direct=$("$target/release/examples/direct" "$work/data" "$threads" "$seconds" "$question")
    serve
    "$oha" --no-tui --output-format json -z "${seconds}s" -c "$clients" -m POST -T application/json -D "$work/question.json" \
        "$base/v1/search" > "$work/oha.json"
    stop
    python3 - "$work/oha.json" "$clients" "$threads" $direct << 'PYTHON'
import json, sys
told, clients, threads, rate, p50, p99 = json.load(open(sys.argv[1])), *sys.argv[2:4], *map(float, sys.argv[4:])
served, at = told["summary"]["requestsPerSec"], told["latencyPercentiles"]
codes = told["statusCodeDistribution"]
assert list(codes) == ["200"], codes
added = f", {at['p50'] * 1e3 - p50:+.2f} ms at p50" if clients == threads else ""
print(f"{clients} clients, {threads} threads: library {rate:.0f}/s p50 {p50:.2f} ms p99 {p99:.2f} ms; HTTP {served:.0f}/s "
      f"p50 {at['p50'] * 1e3:.2f} ms p99 {at['p99'] * 1e3:.2f} ms; {served / rate:.0%} of the rate{added}")
PYTHON
done
