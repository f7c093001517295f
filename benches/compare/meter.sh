#!/bin/sh
# Packets per second on one core: our meter, nfstream and tshark on the same capture.
#
#   benches/compare/meter.sh [CAPTURE]
#
# Without a capture it writes one of a million packets. Each tool is bound to one core and run three times; the best counts,
# by the clock and by processor time (the figure to compare on a machine that has other things to do). Ours reads from memory;
# the others read the file from the page cache, which a first pass fills, and their start-up is in their figures.
# nfstream is installed into a virtual environment under ~/.cache/forebay.
set -eu
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
throughput=${THROUGHPUT:-$target/release/examples/meter_throughput}
[ -x "$throughput" ] || cargo build --release -p forebay-ebpf --example meter_throughput
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
        taskset -c 0 sh -c 'begun=$(date +%s.%N); "$@" > /dev/null 2>&1; echo "$(date +%s.%N) $begun"; times' sh "$@"
    done | awk -v packets="$packets" -v name="$name" '
        # Of `times` the second line is of children: user and system time, as 0m1.234s.
        NF == 2 && /m/ { line++ }
        NF == 2 && /m/ && line % 2 == 0 {
            split($1, user, /[ms]/); split($2, system_, /[ms]/)
            spent = user[1] * 60 + user[2] + system_[1] * 60 + system_[2]
            if (!processor || spent < processor) processor = spent
        }
        NF == 2 && !/m/ { seconds = $1 - $2; if (!clock || seconds < clock) clock = seconds }
        END { printf "%s: %.2f s by the clock, %.2f s of processor: %.0f packets/s by processor\n", name, clock,
                     processor, packets / processor }'
}

taskset -c 0 "$throughput" "$capture" | sed "s/^by/forebay, in memory, by/" | tail -2
if command -v tshark > /dev/null; then
    best "tshark -q -z conv,ip" tshark -n -q -z conv,ip -r "$capture"
else
    echo "tshark is not installed: left out"
fi
venv="${FOREBAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/forebay}/venv-nfstream"
if [ ! -x "$venv/bin/nfstream-ready" ]; then
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet nfstream==6.6.0 numpy==1.26.4 &&
        ln -sf python3 "$venv/bin/nfstream-ready"
fi
if [ -x "$venv/bin/nfstream-ready" ]; then
    cat > "$work/meter.py" <<'PYTHON'
import sys
from nfstream import NFStreamer
if __name__ == "__main__":
    streamer = NFStreamer(source=sys.argv[1], statistical_analysis=True, accounting_mode=1, n_meters=1,
                          idle_timeout=120, active_timeout=120, n_dissections=int(sys.argv[2]))
    print(sum(1 for _ in streamer))
PYTHON
    best "nfstream, statistics" "$venv/bin/python3" "$work/meter.py" "$capture" 0
    best "nfstream, statistics and nDPI" "$venv/bin/python3" "$work/meter.py" "$capture" 20
else
    echo "nfstream could not be installed: left out"
fi
