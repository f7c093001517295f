#!/bin/sh
# The proving ground, every setting with every policy, at normal and at real-time priority: prove.sh OUT.jsonl [SEED]... (root, ip,
# chrt, rsyslogd, nfcapd; three minutes a seed, five seeds by default). Runs are appended.
#
#   cargo build --release -p forebay-predictor --bins
#   predictor/prove.sh runs.jsonl && plots proving runs.jsonl plot.svg
#
# Traces are taken from ../shared/data/arrivals where they are; without them bursts are sent, which the program and each run say.
# One setting lowers net.ipv4.udp_mem: UDP of the whole machine may lose datagrams meanwhile.
# Real time is for the sidecar's loop alone: what it starts (receivers, the sender) runs at normal priority (chrt -R).
set -eu
out="$1"
shift
[ "$#" -gt 0 ] || set -- 1 2 3 4 5
programs="${CARGO_TARGET_DIR:-target}/release"
traces="$(dirname "$0")/../../shared/data/arrivals"

# prove PRIORITY POLICY SEED OPTION...: one run.
prove() {
  priority="$1" policy="$2" seed="$3"
  shift 3
  set -- "$programs/proving-ground" --seconds 2 --seed "$seed" --policy "$policy" "$@"
  [ "$priority" = normal ] || set -- chrt -f -R 20 "$@"
  load="$(cut -d ' ' -f 1 /proc/loadavg)"
  "$@" | sed "s/^{/{\"priority\":\"$priority\",\"load\":\"$load\",/" >>"$out"
}

for seed; do
  for policy in static always_big reactive_doubling max_of_window ewma pd; do
    for priority in normal real-time; do
      prove "$priority" "$policy" "$seed" --setting "bursts, 16 MB" --budget 16M
      prove "$priority" "$policy" "$seed" --setting "udp_mem 8 MB, one stuck" --budget 6M --udp-mem 8M --stuck 1
    done
    prove normal "$policy" "$seed" --setting "traces, 16 MB" --budget 16M --traces "$traces"
    prove normal "$policy" "$seed" --setting "bursts, wait of 50 ms" --budget 16M --wait-ms 50
    prove normal "$policy" "$seed" --setting "rsyslog" --budget 8M --program rsyslog
    prove normal "$policy" "$seed" --setting "nfcapd" --budget 8M --program nfcapd
  done
  # As large as it likes, under a limit of the kernel: what "memory to spare" means where it is not.
  for priority in normal real-time; do
    prove "$priority" always_big "$seed" --setting "udp_mem 8 MB, one stuck" --budget 64M --udp-mem 8M --stuck 1 --label "always_big, 64 MB"
  done
done
