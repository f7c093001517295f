#!/bin/sh
# The proving ground with five seeds, at normal and at real-time priority: prove.sh OUT.jsonl (root, chrt; six minutes on a quiet machine).
# `plots proving OUT.jsonl OUT.svg` makes the tables and the plot of docs/sidecar.md of it.
#
# Real time is for the sidecar's loop alone: what it starts (receivers, the sender) runs at normal priority (chrt -R).
set -eu
out="$1"
programs="${CARGO_TARGET_DIR:-target}/debug"
: >"$out"
for seed in 1 2 3 4 5; do
  for priority in normal real-time; do
    for policy in static always_big reactive_doubling max_of_window ewma pd; do
      set -- "$programs/proving-ground" --receivers 8 --seconds 6 --budget 16M --seed "$seed" --policy "$policy"
      [ "$priority" = normal ] || set -- chrt -f -R 20 "$@"
      load="$(cut -d ' ' -f 1 /proc/loadavg)"
      "$@" | sed "s/^{/{\"priority\":\"$priority\",\"load\":\"$load\",/" >>"$out"
    done
  done
done
