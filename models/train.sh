#!/usr/bin/env bash
# Trains, judges and checks the models.
#
#   models/train.sh              everything: lab traffic where it can be made, training, evaluation, cards, checks
#   models/train.sh lab          capture the lab's training sites (needs root; about 7 minutes a site)
#   models/train.sh evaluate     judge the committed models again
#   models/train.sh check        check the committed model folders
#   models/train.sh check-meter  compare the trainer's meter with the program's (needs the built program)
#
# TOWERS_METER names the program (default target/release/forebay), TOWERS_LAB the folder of lab captures.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
root="$(dirname "$here")"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/forebay"
venv="$cache/venv-models"
lab="${TOWERS_LAB:-$cache/models/lab}"
meter="${TOWERS_METER:-$root/target/release/forebay}"
# Sites and seeds; towers/captures.py says which of them train, validate and test.
sites=(train-a:11 train-b:23 train-c:37 train-d:41 train-e:59 train-f:67 train-g:83)

prepare() {
    local stamp="$venv/requirements.sha256" wanted
    wanted="$(sha256sum < "$here/requirements.txt")"
    if [[ ! -f $stamp || $(< "$stamp") != "$wanted" ]]; then
        python3.11 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --require-hashes -r "$here/requirements.txt"
        echo "$wanted" > "$stamp"
    fi
    # One thread: two on a busy machine are slower, and sums come in the same order every time.
    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 TOWERS_METER="$meter" TOWERS_LAB="$lab"
    cd "$here"
}

build_meter() {
    [[ -x $meter ]] || (cd "$root" && cargo build --release --bin forebay)
}

capture_lab() {
    local site seed
    for pair in "${sites[@]}"; do
        site="${pair%:*}" seed="${pair#*:}"
        [[ -f $lab/$site/truth.csv ]] && continue
        if [[ $(id -u) != 0 ]]; then
            echo "SKIPPED: lab site $site is missing and making it needs root; training goes on without it" >&2
            continue
        fi
        mkdir -p "$lab/$site"
        python3 "$root/lab/run.py" --site "$site" --seed "$seed" --out "$lab/$site"
    done
}

[[ -d $root/../shared/data ]] || echo "SKIPPED: no public data in ../shared/data; training uses generated and lab traffic only" >&2
case "${1:-all}" in
    all)
        prepare; build_meter; capture_lab
        "$venv/bin/python" -m towers.build "${@:2}"
        "$venv/bin/python" -m towers.evaluate
        "$venv/bin/python" -m towers.cards
        "$venv/bin/python" tests/make_tokenizer_vectors.py
        "$venv/bin/python" tests/check_models.py
        ;;
    lab) prepare; capture_lab ;;
    train) prepare; build_meter; "$venv/bin/python" -m towers.build "${@:2}" ;;
    evaluate) prepare; build_meter; "$venv/bin/python" -m towers.evaluate; "$venv/bin/python" -m towers.cards ;;
    check) prepare; "$venv/bin/python" tests/check_models.py ;;
    check-meter) prepare; build_meter; "$venv/bin/python" tests/check_meter.py ;;
    *) sed -n '2,11p' "$0"; exit 2 ;;
esac
