"""Draws what `report.py` and `scale.py` wrote: `plots.py [RESULT.json...] [--scale SCALE.json] --out FOLDER`."""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OURS = "ours"
MARKS = "oDs^vPX*<>"
UNFILTERED, SELECTIVITIES = "100 %", ["100 %", "50 %", "10 %", "1 %", "0.1 %", "0.01 %"]
CORRELATED = ["near 10 %", "near 1 %", "far 10 %", "far 1 %"]
plt.rcParams.update({"figure.dpi": 110, "axes.grid": True, "grid.alpha": 0.3, "font.size": 9, "axes.spines.top": False,
                     "axes.spines.right": False, "svg.hashsalt": "forebay"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="*")
    parser.add_argument("--scale", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    reports = [json.loads(path.read_text()) for path in args.results]
    for path, report in zip(args.results, reports):
        latency(report, args.out / f"{path.stem}-latency.png")
        recall(report, args.out / f"{path.stem}-recall.png")
    if args.scale:
        scale(json.loads(args.scale.read_text()), args.out / "scale.png")


def style(report) -> dict:
    names = sorted(report["engines"], key=lambda name: (name != OURS, name))
    colours = plt.get_cmap("tab10")
    return {name: {"color": "black" if name == OURS else colours(place % 10), "marker": MARKS[place % len(MARKS)],
                   "linewidth": 2.2 if name == OURS else 1.1, "label": "forebay" if name == OURS else name}
            for place, name in enumerate(names)}


def title(report) -> str:
    return f"{report['data']['events']:,} events, {report['machine']['cpu']}, one thread, {report['machine']['date']}"


def cells(engine, which, k):
    return {cell["line"]: cell for cell in engine["cells"] if cell["set"] == which and cell["k"] == k}


def ms(cell) -> float:
    return 1e3 / cell["latency"]["processor"]["per_second"]


def latency(report, path) -> None:
    """Mean time by what passes the filter; hollow where recall or count was not reached."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True)
    for axis, which, words in zip(axes, ("text", "event"), ("questions in words", "held-out events")):
        lines = SELECTIVITIES + CORRELATED
        for name, look in style(report).items():
            found = cells(report["engines"][name], which, 10)
            for group in (SELECTIVITIES, CORRELATED):
                points = [(lines.index(line), found[line]) for line in group if line in found]
                look_here = {**look, "label": look["label"] if group is SELECTIVITIES else None}
                axis.plot([x for x, _ in points], [ms(cell) for _, cell in points], markersize=0, **look_here)
                for x, cell in points:
                    right = cell["recall"] >= 0.99 and cell["exact_count"] >= 1
                    axis.plot(x, ms(cell), marker=look["marker"], color=look["color"], markersize=6,
                              markerfacecolor=look["color"] if right else "white")
        axis.set_xticks(range(len(lines)), lines, rotation=40, ha="right")
        axis.set_yscale("log")
        axis.set_title(f"{words}, k = 10", fontsize=9)
        axis.set_xlabel("events that pass the filter")
    axes[0].set_ylabel("processor time of a search, ms")
    figure.suptitle(title(report) + " (hollow: recall below 0.99, or fewer than min(k, matches) hits)", fontsize=8.5)
    legend(figure, axes[0])
    save(figure, path)


def recall(report, path) -> None:
    """Recall against searches a second, of every line at k = 10."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True)
    for axis, which, words in zip(axes, ("text", "event"), ("questions in words", "held-out events")):
        for name, look in style(report).items():
            found = [cell for line, cell in cells(report["engines"][name], which, 10).items() if "reasons" not in line]
            axis.scatter([1e3 / ms(cell) for cell in found], [cell["recall"] for cell in found], color=look["color"],
                         marker=look["marker"], label=look["label"], s=42 if name == OURS else 22, alpha=0.8)
        axis.axhline(0.99, color="grey", linewidth=0.8, linestyle="--")
        axis.set_xscale("log")
        axis.set_title(f"{words}, k = 10, every filter", fontsize=9)
        axis.set_xlabel("searches a second of the processor")
    axes[0].set_ylabel("recall@10")
    figure.suptitle(title(report), fontsize=8.5)
    legend(figure, axes[0])
    save(figure, path)


def legend(figure, axis) -> None:
    """One for the whole figure, beneath it, where it hides no point."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7.5, ncol=len(labels), loc="lower center", bbox_to_anchor=(0.5, -0.05), frameon=False)


def scale(report, path) -> None:
    """How build rate, size and time of a search change with the number of events, for ours."""
    sizes = report["sizes"]
    events = [size["events"] for size in sizes]
    before = [{"events": 0, "built_s": 0.0}, *sizes]
    built = [(s["events"] - b["events"]) / (s["built_s"] - b["built_s"]) for b, s in zip(before, sizes)]
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
    axes[0].plot(events, built, marker="o", color="black")
    axes[0].set_title("events a second while building, since the size before", fontsize=9)
    axes[1].plot(events, [s["bytes"] / s["events"] for s in sizes], marker="o", color="black")
    axes[1].set_title("bytes an event on disk", fontsize=9)
    for axis in axes[:2]:
        axis.set_ylim(bottom=0)
    for name, mark in zip(sizes[-1]["cells"], MARKS):
        axes[2].plot(events, [s["cells"][name]["p50_ms"] for s in sizes], marker=mark, label=name)
    axes[2].set_yscale("log")
    axes[2].set_title("ms a search at p50, k = 10", fontsize=9)
    axes[2].legend(fontsize=7)
    for axis in axes:
        axis.set_xscale("log")
        axis.set_xlabel("events")
    figure.suptitle(f"forebay, {report['machine']['cpu']}, {report['machine']['cores']} cores", fontsize=8.5)
    save(figure, path)


def save(figure, path) -> None:
    figure.tight_layout()
    figure.savefig(path, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    print(path)


if __name__ == "__main__":
    main()
