# What people run. Every target sets up what it needs by itself; `scripts/setup.sh` says what that is.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: help demo test test-pure lint bench bench-instructions models lab setup openapi

help:
	@echo "make demo    load the bundled capture, ask it questions, serve the page"
	@echo "make test    every test"
	@echo "make test-pure   the index without C++, with the engine hnsw"
	@echo "make lint    format, clippy, documentation, licences"
	@echo "make bench   criterion benches and the comparisons of benches/README.md"
	@echo "make bench-instructions   instructions of the hot paths against the recorded counts (valgrind)"
	@echo "make models  train the networks again (half an hour)"
	@echo "make lab     run the sample network again and capture it (root, seven minutes; packages in lab/packages.txt)"

setup:
	@scripts/setup.sh

demo: setup
	@scripts/demo.sh

test:
	@scripts/setup.sh test
	cargo test --workspace --locked
	cargo test --locked --quiet -p forebay --test sample_questions -- --nocapture
	python3 -m unittest discover --start-directory lab/tests
	python3 lab/answers.py lab/sample --check

# In a folder of its own, for other features would have half of the shared one built anew each time. Whatever would run a C++
# compiler fails.
test-pure: export CARGO_TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)/pure
test-pure: export CXX := false
test-pure: export RUSTFLAGS := -D warnings
test-pure:
	@scripts/setup.sh test
	cargo test --locked -p forebay-index --no-default-features --features hnsw
	cargo check --locked --no-default-features --features s3,hnsw --bin forebay

lint:
	@scripts/setup.sh lint
	scripts/lint.sh

bench: setup
	benches/run.sh

# UPDATE_BASELINE="why" records the new counts and the reason.
bench-instructions:
	@scripts/setup.sh test
	cargo build --release --locked --quiet --workspace --bins
	"$${CARGO_TARGET_DIR:-target}/release/instructions"

models: setup
	models/train.sh

lab:
	python3 lab/run.py --site sample --seed 7 --minutes 6.5 --out target/lab

openapi: setup
	UPDATE_OPENAPI=1 cargo test --locked -p forebay-api --test openapi
