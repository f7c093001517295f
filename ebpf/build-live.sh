#!/bin/sh
# Builds the kernel programs: build-live.sh OBJECT. The committed object is made by `ebpf/build-live.sh ebpf/prebuilt/live.bpf.o`
# with clang 14 (Debian 12), and is the same byte for byte wherever the folder lies.
set -eu
out="$(realpath -m "$1")"
cd "$(dirname "$0")"

for tool in clang llvm-strip; do
  command -v "$tool" >/dev/null || exit 3
done
[ -f /usr/include/bpf/bpf_helpers.h ] || exit 3

# Where Debian and its kin keep asm/types.h.
multiarch="/usr/include/$(uname -m)-linux-gnu"
clang -target bpf -mcpu=v3 -std=gnu11 -O2 -g -D__TARGET_ARCH_x86 -I"$multiarch" \
  -ffile-prefix-map="$PWD/"= -fdebug-compilation-dir=. \
  -Wall -Wextra -Wno-unused-parameter -c c/live.bpf.c -o "$out"
llvm-strip -g "$out"
