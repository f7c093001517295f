"""Measures one rival in a process of its own: `rival.py NAME DATA OUT [--budget-s S] [--threads N]`."""

import argparse
import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, str(Path(__file__).parent))

from cell import Bench
from data import Data
from kept import Kept
from truth import Truth

MODULES = ["rivals.faiss_rivals", "rivals.graphs", "rivals.pgvector"]


def resident() -> dict:
    """Bytes of this process, as `forebay_benches::measure::Resident` has them."""
    names = {"VmRSS:": "all", "RssAnon:": "anonymous", "RssFile:": "mapped", "VmHWM:": "peak"}
    rows = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {names[row[0]]: int(row[1]) * 1024 for row in rows if row and row[0] in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--budget-s", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads that build; a search has one")
    parser.add_argument("--keep", type=Path, help="where built indexes are kept for the next time")
    parser.add_argument("--build-only", action="store_true", help="build and keep, measure nothing")
    args = parser.parse_args()
    family = {"faiss": 0, "pgvector": 2}.get(args.name.split("-")[0], 1)
    module = importlib.import_module(MODULES[family])
    data = Data(args.data)
    rival = module.build(args.name, data, args.threads, Kept(args.keep))
    print(f"{args.name}: built in {rival.build_s:.1f} s", flush=True)
    if args.build_only:
        return
    truth = Truth(data)
    try:
        held = {"all": rival.resident()} if hasattr(rival, "resident") else resident()
        Bench(data, truth, rival, args.out, args.budget_s).run(held)
    finally:
        if hasattr(rival, "close"):
            rival.close()


if __name__ == "__main__":
    main()
