#!/bin/sh
# Packets per second on one core: our meter, nfstream and tshark on the same capture.
#
#   benches/meter_vs.sh [CAPTURE]
#
# Without a capture it writes one of a million packets. Each tool is bound to one core and run three times; the best time counts. Ours reads
# from memory; the others read the file from the page cache, which a first pass fills. NFSTREAM_PYTHON names a Python that
# has nfstream (python3 -m venv V && V/bin/pip install nfstream==6.6.0 numpy==1.26.4); without one it is left out, and said so.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
throughput=${THROUGHPUT:-$target/release/examples/throughput}
[ -x "$throughput" ] || cargo build --release -p forebay-ebpf --example throughput
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
capture=${1:-}
if [ -z "$capture" ]; then
    capture=$work/generated.pcap
    "$throughput" --write "$capture" > /dev/null
fi
packets=$("$throughput" "$capture" | sed -n 's/^\([0-9]*\) packets.*/\1/p')
echo "$packets packets, $(wc -c < "$capture") bytes"

# best NAME COMMAND...: the best of three, in packets per second.
best() {
    name=$1; shift
    for _ in 1 2 3; do
        begun=$(date +%s.%N)
        taskset -c 0 "$@" > /dev/null 2>&1
        echo "$(date +%s.%N) $begun"
    done | awk -v packets="$packets" -v name="$name" '
        { seconds = $1 - $2; if (NR == 1 || seconds < least) least = seconds }
        END { printf "%-34s %8.2f s %10.0f packets/s\n", name, least, packets / least }'
}

echo "forebay, in memory: $(taskset -c 0 "$throughput" "$capture" | tail -1)"
if command -v tshark > /dev/null; then
    best "tshark -q -z conv,ip" tshark -n -q -z conv,ip -r "$capture"
else
    echo "tshark is not installed: left out"
fi
if [ -n "${NFSTREAM_PYTHON:-}" ]; then
    cat > "$work/meter.py" <<'PYTHON'
import sys
from nfstream import NFStreamer
if __name__ == "__main__":
    streamer = NFStreamer(source=sys.argv[1], statistical_analysis=True, accounting_mode=1, n_meters=1,
                          idle_timeout=120, active_timeout=120, n_dissections=int(sys.argv[2]))
    print(sum(1 for _ in streamer))
PYTHON
    best "nfstream, statistics" "$NFSTREAM_PYTHON" "$work/meter.py" "$capture" 0
    best "nfstream, statistics and nDPI" "$NFSTREAM_PYTHON" "$work/meter.py" "$capture" 20
else
    echo "NFSTREAM_PYTHON is not set: nfstream is left out"
fi
