"""One table of how an index grows: `scale.py RUN OUT.json [--markdown FILE]`.

RUN holds, for each size, SIZE.json as `report.py` wrote it, SIZE-bounded.json of the same index under a bound of memory, and
SIZE-cold/ours/report.json of opening it from a cold disk.
"""

import argparse
import json
from pathlib import Path

LINES = [("text", "100 %"), ("event", "100 %"), ("text", "1 %"), ("event", "1 %"), ("event", "0.01 %")]
K = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    reports = sorted((int(path.stem), path) for path in args.run.glob("*.json") if path.stem.isdigit())
    sizes = [size(args.run, events, json.loads(path.read_text())) for events, path in reports]
    machine = json.loads(reports[-1][1].read_text())["machine"]
    args.out.write_text(json.dumps({"machine": machine, "sizes": sizes}, indent=1) + "\n")
    text = table(sizes)
    print(text)
    if args.markdown:
        args.markdown.write_text(text + "\n")


def size(run: Path, events: int, report: dict) -> dict:
    ours = report["engines"]["ours"]
    out = {"events": events, "built_s": ours["built"]["seconds"], "resident_peak_building": ours["built"]["resident_peak"],
           "bytes": ours["bytes"], "segments": len(ours["engines"]), "resident": ours["resident"], "cells": cells(ours),
           "recall_least": min(cell["recall"] for cell in ours["cells"]),
           "exact_count_least": min(cell["exact_count"] for cell in ours["cells"])}
    cold, bounded = run / f"{events}-cold/ours/report.json", run / f"{events}-bounded.json"
    if cold.exists():
        report = json.loads(cold.read_text())
        out["cold"] = {name: report[name] for name in ("open_s", "first_question_s")}
    if bounded.exists():
        report = json.loads(bounded.read_text())["engines"]["ours"]
        out["bounded"] = {"bytes_max": report["resident_bytes_max"], "resident": report["resident"], "cells": cells(report)}
    return out


def cells(ours: dict) -> dict:
    """Of each line: milliseconds at p50 and p99 by the clock, and recall."""
    wanted = {(cell["set"], cell["line"]): cell for cell in ours["cells"] if cell["k"] == K}
    return {f"{which} {line}": {"p50_ms": cell["latency"]["p50_ms"], "p99_ms": cell["latency"]["p99_ms"], "recall": cell["recall"]}
            for which, line in LINES if (cell := wanted.get((which, line)))}


def table(sizes: list[dict]) -> str:
    columns = [f"{s['events']:,}" for s in sizes]
    rows = [
        ("built, events/s since the size before", [rate(sizes, i) for i in range(len(sizes))]),
        ("segments", [str(s["segments"]) for s in sizes]),
        ("bytes an event", [f"{s['bytes'] / s['events']:.0f}" for s in sizes]),
        ("least recall, least share with exactly min(k, matches) hits, of all 50 lines",
         [f"{s['recall_least']:.3f}, {s['exact_count_least']:.2f}" for s in sizes]),
        ("cold: opened in, first question after, s", [cold(s) for s in sizes]),
        ("resident after all lines, MB", [f"{s['resident']['all'] / 1e6:.0f}" for s in sizes]),
        ("the same under the bound, MB", [bounded(s) for s in sizes]),
    ]
    for name in sizes[-1]["cells"]:
        rows.append((f"{name}, k = {K}: p50, p99 ms", [times(s["cells"].get(name)) for s in sizes]))
        rows.append((f"{name}, k = {K}, under the bound", [times(s.get("bounded", {}).get("cells", {}).get(name)) for s in sizes]))
    out = ["| events | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    return "\n".join(out + [f"| {name} | " + " | ".join(values) + " |" for name, values in rows])


def rate(sizes: list[dict], i: int) -> str:
    before = sizes[i - 1] if i else {"events": 0, "built_s": 0.0}
    return f"{(sizes[i]['events'] - before['events']) / (sizes[i]['built_s'] - before['built_s']):,.0f}"


def cold(s: dict) -> str:
    return f"{s['cold']['open_s']:.2f}, {s['cold']['first_question_s']:.2f}" if "cold" in s else ""


def bounded(s: dict) -> str:
    return f"{s['bounded']['resident']['all'] / 1e6:.0f}" if "bounded" in s else ""


def times(cell: dict | None) -> str:
    return f"{cell['p50_ms']:.2f}, {cell['p99_ms']:.2f}" if cell else ""


if __name__ == "__main__":
    main()
