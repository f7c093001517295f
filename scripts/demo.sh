#!/usr/bin/env bash
# The main job on the bundled capture: meter it, embed it, index it, ask it questions, and serve the page.
#
# DEMO_ONCE=1 stops after one question has been answered over HTTP instead of serving until Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."

address="${DEMO_LISTEN:-127.0.0.1:8787}"
home="${DEMO_DIR:-target/demo}"
sample=lab/sample/traffic.pcap.gz

echo "building forebay (the first time takes some minutes; FAISS is compiled along)"
cargo build --release --locked --quiet
forebay="${CARGO_TARGET_DIR:-target}/release/forebay"
export FOREBAY_DATA_DIR="$home" FOREBAY_LOG_LEVEL="${FOREBAY_LOG_LEVEL:-warn}"

echo
echo "1. every flow of $sample becomes an event, a vector and a row of the index"
# Only a folder that an earlier demo made is made anew.
if [ -e "$home" ] && [ ! -e "$home/.forebay-demo" ]; then
  echo "demo: $home is there already and no demo made it; name another with DEMO_DIR" >&2
  exit 1
fi
rm -rf "$home"
mkdir -p "$home"
touch "$home/.forebay-demo"
"$forebay" embed "$sample" --out "$home/embedded" --index "$home/index"

for question in "who was guessing ssh passwords" "port scan" "uploads over 1 MB"; do
  echo
  echo "2. forebay search \"$question\""
  "$forebay" search "$question" -k 5
done

echo
echo "3. the page: http://$address/   (Ctrl-C ends it)"
if [ "${DEMO_ONCE:-}" != 1 ]; then
  exec "$forebay" serve --serve-listen "$address"
fi
"$forebay" serve --serve-listen "$address" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  kill -0 "$server"
  "$forebay" search "port scan" -k 3 --url "http://$address" --json >"$home/answer.json" 2>/dev/null && break
  sleep 0.1
done
python3 - "$home/answer.json" <<'PY'
import json, sys
answer = json.load(open(sys.argv[1]))
assert len(answer["hits"]) == 3, answer
print(f"over HTTP: {len(answer['hits'])} hits of {answer['matching']} matching events")
PY
kill -TERM "$server"
wait "$server"
