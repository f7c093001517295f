"""How a rival is measured: one question after the other on one thread, the clock around its call alone.

For every line (filter, set of questions, k) the settings of a rival are tried from the fastest on, over TRIAL questions, until
one reaches RECALL; that one is measured over all questions, or as many as fit into the time. If none reaches it, the last
one is measured and the table says what it reached. Beside the wall's clock stands the processor's: on a machine that has
other things to do only that says something about the rival. Masks and selectors are made before the clock runs: a rival gets its
filter for nothing.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Protocol

import numpy as np

from data import Data
from truth import Truth

RECALL = 0.99
TRIAL = 60
PROBE = 3
QUESTIONS_MIN = 30
WARM_UP = 5
LINES_OF_K = {10: ("text", "event"), 1: ("event",), 100: ("event",), 1000: ("event",)}


@dataclass
class Setting:
    """One way to ask a rival; `search(query, k, prepared)` gives row numbers, best first."""

    name: str
    search: Callable
    exact: bool = False


class Rival(Protocol):
    """What `rivals/*.py` have to be."""

    name: str
    bytes: int
    build_s: float

    def prepare(self, line: str, which: str, place: int):
        """Whatever the rival wants of a filter; not timed."""

    def settings(self, line: str, which: str, k: int) -> list[list[Setting]]:
        """Families of settings, each ordered from fast to exact; the fastest that is right is taken of all families."""


class Bench:
    """Measures one rival and writes what `search_ours` writes."""

    def __init__(self, data: Data, truth: Truth, rival: Rival, out: Path, budget_s: float):
        self.data, self.truth, self.rival, self.out, self.budget_s = data, truth, rival, out, budget_s
        self.last: dict = {}
        out.mkdir(parents=True, exist_ok=True)

    def run(self, resident: dict) -> None:
        cells = []
        for line in self.data.lines:
            for k, sets in LINES_OF_K.items():
                for which in sets:
                    cells.append(self.cell(line, which, k))
        report = {"name": self.rival.name, "events": len(self.data.base), "bytes": self.rival.bytes}
        report |= {"built": {"seconds": self.rival.build_s}, "resident": resident, "cells": cells}
        (self.out / "report.json").write_text(json.dumps(report, indent=1) + "\n")

    def cell(self, line: str, which: str, k: int) -> dict:
        prepared = {}
        per_question = self.data.per_question(line)

        def filter_of(place: int):
            key = place if per_question else 0
            if key not in prepared:
                if len(prepared) >= 4:  # Masks of a million rows are a megabyte each.
                    prepared.clear()
                prepared[key] = self.rival.prepare(line, which, place)
            return prepared[key]

        families = self.rival.settings(line, which, k)
        seconds, processor, found, setting = self._best(families, line, which, k, filter_of)
        file = f"{which}-{line.replace(' ', '_').replace('%', '_').replace('.', '_')}-{k}.npy"
        np.save(self.out / file, found)
        at = lambda share: float(np.quantile(seconds, share) * 1e3)
        latency = {"count": len(seconds), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}
        latency["per_second"] = float(len(seconds) / seconds.sum())
        latency["processor"] = {"p50_ms": float(np.median(processor) * 1e3), "p99_ms": float(np.quantile(processor, 0.99) * 1e3)}
        latency["processor"]["per_second"] = float(len(processor) / max(processor.sum(), 1e-9))
        print(f"{self.rival.name:<22} {which:<6} {line:<11} k {k:<5} {latency['p50_ms']:9.3f} ms p50  {setting.name}", flush=True)
        return {"set": which, "line": line, "k": k, "file": file, "setting": setting.name, "latency": latency}

    def _best(self, families, line, which, k, filter_of):
        """The fastest right setting, over all questions. What was right in the trial and is not over all of them goes on to the
        next setting of its family, and past the last to another family."""
        # The fastest first: what is slower with its least effort than another way that is right need not be tried. A graph
        # that looks for one row in ten thousand may take seconds for each question.
        families = sorted(map(list, families), key=lambda family: self._probe(family[0], which, k, filter_of))
        while True:
            best = None
            for place, family in enumerate(families):
                if not family or best and best[1] and self._probe(family[0], which, k, filter_of) > 2 * best[2]:
                    continue  # Its fastest setting is slower than what is right already.
                chosen = (*self._choose(family, line, which, k, filter_of), place)
                if best is None or (chosen[1], -chosen[2]) > (best[1], -best[2]):
                    best = chosen
            setting, _, _, place = best
            count = len(self.data.queries[which])
            seconds, processor, found = self._ask(setting, which, k, filter_of, count, self.budget_s)
            recall, _ = self.truth.recall(line, which, k, found)
            left = families[place][families[place].index(setting) + 1 :]
            if recall.mean() >= RECALL or not (left or any(f for p, f in enumerate(families) if p != place)):
                return seconds, processor, found, setting
            families[place] = left

    def _choose(self, family, line, which, k, filter_of):
        """(setting, whether it reaches RECALL, mean seconds), of a family ordered from fast to exact."""
        if family[0].exact:
            return family[0], True, self._probe(family[0], which, k, filter_of)
        tried = {}

        def trial(place):
            if place not in tried:
                _, processor, found = self._ask(family[place], which, k, filter_of, TRIAL, self.budget_s / 2)
                recall, _ = self.truth.recall(line, which, k, found)
                tried[place] = (family[place], bool(recall.mean() >= RECALL), float(processor.mean()))
            return tried[place]

        low, high = 0, len(family) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if trial(middle)[1] else (middle + 1, high)
        return trial(low)

    def _probe(self, setting, which, k, filter_of):
        return float(self._ask(setting, which, k, filter_of, PROBE, self.budget_s, warm_up=1)[1].mean())

    def _ask(self, setting: Setting, which, k, filter_of, count, budget_s, warm_up=WARM_UP):
        queries = self.data.queries[which]
        clock = getattr(self.rival, "processor_s", time.thread_time)
        for place in range(warm_up):
            setting.search(queries[-1 - place], k, filter_of(len(queries) - 1 - place))
        seconds, processor, found = [], [], []
        spent = 0.0
        for place in range(count):
            if spent > budget_s and place >= QUESTIONS_MIN:
                break
            prepared = filter_of(place)
            query = np.ascontiguousarray(queries[place])
            processor_began, began = clock(), time.perf_counter()
            rows = setting.search(query, k, prepared)
            took = time.perf_counter() - began
            processor.append(clock() - processor_began)
            spent += took
            seconds.append(took)
            padded = np.full(k, -1, np.int32)
            padded[: len(rows)] = rows[:k]
            found.append(padded)
        return np.array(seconds), np.array(processor), np.array(found)
