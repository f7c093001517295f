"""Scores what every engine found, prints the table of ratios, writes JSON: `report.py DATA RUN OUT.json [--markdown FILE]`.

RUN holds a folder for each engine, as `search_ours` and `rival.py` wrote them.
"""

import argparse
import json
import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from cell import RECALL
from data import Data
from truth import Truth

OURS = "ours"
ASKED = {"text": "questions in words", "event": "held-out events"}
# Share of questions that must get exactly min(k, matches) hits.
COUNT = 0.99
RIGHT = "recall of 0.99 and min(k, matches) hits for 99 of 100 questions"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--note", default="")
    parser.add_argument("--rows", type=int, default=0, help="only the first so many rows of the data set were searched")
    parser.add_argument("--questions", type=int, default=0, help="recall is of the first so many questions of each set")
    args = parser.parse_args()
    data = Data(args.data, args.rows, args.questions)
    truth = Truth(data)
    engines = {}
    for path in sorted(args.run.glob("*/report.json")):
        engines[path.parent.name] = scored(json.loads(path.read_text()), path.parent, truth)
    report = {"machine": machine(), "note": args.note, "data": {k: v for k, v in data.about.items() if k != "origins"}}
    report["data"]["files"] = len(data.about["origins"]["read"])
    report["engines"] = engines
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    text = tables(report)
    print(text)
    if args.markdown:
        args.markdown.write_text(text + "\n")


def scored(report: dict, folder: Path, truth: Truth) -> dict:
    for cell in report["cells"]:
        line = cell["line"].split(" with ")[0]
        found = np.load(folder / cell["file"]).reshape(-1, cell["k"])[: len(truth.data.queries[cell["set"]])]
        recall, exact = truth.recall(line, cell["set"], cell["k"], found)
        cell["recall"] = round(float(recall.mean()), 5)
        cell["recall_worst"] = round(float(recall.min()), 5)
        cell["exact_count"] = round(float(exact.mean()), 5)
        del cell["file"]
    return report


def tables(report: dict) -> str:
    """Markdown: the engines, the ratios, then one table for each set of questions and k."""
    engines = report["engines"]
    names = [OURS, *sorted(name for name in engines if name != OURS)] if OURS in engines else sorted(engines)
    out = ["| engine | built in s | bytes an event | resident MB |", "|---|---|---|---|"]
    for name in names:
        engine = engines[name]
        built = f"{engine['built']['seconds']:.0f}" if engine.get("built") else "before"
        resident = engine["resident"]["all"] / 1e6
        out.append(f"| {name} | {built} | {engine['bytes'] / engine['events']:.0f} | {resident:.0f} |")
    keys = {(cell["k"], cell["set"]) for engine in engines.values() for cell in engine["cells"]}
    keys = sorted(keys, key=lambda key: (key[0] != 10, key))
    if OURS in engines:
        out += ratios(engines, keys)
    for k, which in keys:
        out += ["", f"**{ASKED[which]}, k = {k}**: ms of the processor a search, recall; `!` where {RIGHT} was not reached", ""]
        out += ["| passes | " + " | ".join(names) + " |", "|" + "---|" * (len(names) + 1)]
        for line in lines_of(engines, k, which):
            out.append(f"| {line} | " + " | ".join(shown(cell_of(engines[name], line, which, k)) for name in names) + " |")
    return "\n".join(out)


def ratios(engines, keys) -> list[str]:
    """How many times our time each library takes, by its own best way that is right."""
    libraries = list(dict.fromkeys(name.split("-")[0] for name in engines if name != OURS))
    out = ["", f"**Times our time**, by each library's fastest way with {RIGHT}; `none` where no way of it has that", ""]
    out += ["| questions | k | passes | ours, ms | " + " | ".join(libraries) + " |", "|" + "---|" * (len(libraries) + 4)]
    for k, which in keys:
        for line in lines_of(engines, k, which):
            mine = cell_of(engines[OURS], line, which, k)
            if mine is None or " with " in line:
                continue
            row = [ratio(engines, library, mine, line, which, k) for library in libraries]
            note = "" if right(mine) else " !"
            out.append(f"| {which} | {k} | {line} | {ms(mine):.3f}{note} | " + " | ".join(row) + " |")
    return out


def ratio(engines, library, mine, line, which, k) -> str:
    cells = [cell_of(e, line, which, k) for name, e in engines.items() if name.split("-")[0] == library]
    cells = [cell for cell in cells if cell]
    times = [ms(cell) for cell in cells if right(cell)]
    return f"{min(times) / ms(mine):.1f}" if times else "none" if cells else ""


def lines_of(engines, k, which):
    found = [cell["line"] for e in engines.values() for cell in e["cells"] if (cell["k"], cell["set"]) == (k, which)]
    return list(dict.fromkeys(found))


def cell_of(engine, line, which, k):
    key = (line, which, k)
    return next((c for c in engine["cells"] if (c["line"], c["set"], c["k"]) == key), None)


def right(cell) -> bool:
    return cell["recall"] >= RECALL and cell["exact_count"] >= COUNT


def ms(cell) -> float:
    return 1e3 / cell["latency"]["processor"]["per_second"]


def shown(cell) -> str:
    return f"{ms(cell):.3f}, {cell['recall']:.3f}{'' if right(cell) else '!'}" if cell else ""


def machine() -> dict:
    cpu = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent)
    memory = next(l for l in Path("/proc/meminfo").read_text().splitlines() if l.startswith("MemTotal")).split()[1]
    return {"cpu": cpu[0], "cores": len(cpu), "memory_gb": round(int(memory) / 1e6, 1), "kernel": platform.release(),
            "commit": commit.stdout.strip(), "load_average": os.getloadavg()[0],
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


if __name__ == "__main__":
    main()
