#!/usr/bin/env bash
# Format, clippy, documentation and licences; each must be clean.
set -euo pipefail
cd "$(dirname "$0")/.."
deny="${FOREBAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/forebay}/tools/bin/cargo-deny"

cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
# Private items are documented too, for readers of the code, so links to them are meant.
RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --locked --document-private-items
"$deny" --all-features check bans licenses sources
