"""What a search should have found: brute force over all rows in float32, and the share of hits that are right.

A hit is right if its score is at least the k-th true score less 1e-6 (ties in score are as good as each other) and it passes
the filter; a row named twice counts once. Recall is right hits over min(k, matches), so too few hits lower it.
"""

import sys
from pathlib import Path

import numpy as np

from data import Data

K_MAX = 1000
TOLERANCE = 1e-6
ROWS = 32768


class Truth:
    """The best scores of each question, by set of questions and line, computed once and kept beside the data."""

    def __init__(self, data: Data):
        self.data = data
        path = data.folder / f"truth-{len(data.base)}-{len(data.queries['text'])}.npz"
        if not path.exists():
            np.savez(path, **_compute(data))
        self.arrays = dict(np.load(path))

    def recall(self, line: str, which: str, k: int, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each question: its recall, and whether exactly min(k, matches) different rows came that all pass."""
        best = self.arrays[f"{which}|{line}|best"]
        matches = self.arrays[f"{which}|{line}|matches"]
        shared = None if self.data.per_question(line) else self.data.mask(line, which, 0)
        recall, exact = np.ones(len(found)), np.ones(len(found), bool)
        for place, rows in enumerate(found):
            wanted = min(k, int(matches[place]))
            rows = np.unique(rows[rows >= 0])
            mask = self.data.mask(line, which, place) if self.data.per_question(line) else shared
            passing = rows if mask is None else rows[mask[rows]]
            exact[place] = len(passing) == wanted and len(rows) == wanted
            if wanted:
                scores = self.data.base[passing] @ self.data.queries[which][place]
                right = int((scores >= best[place, wanted - 1] - TOLERANCE).sum())
                recall[place] = min(right, wanted) / wanted
        return recall, exact


def _compute(data: Data) -> dict[str, np.ndarray]:
    """Scores of block after block of rows, and the best K_MAX of each line so far."""
    names = [(which, line) for which in data.queries for line in data.lines]
    best = {name: np.full((len(data.queries[name[0]]), K_MAX), -np.inf, np.float32) for name in names}
    matches = {name: np.zeros(len(data.queries[name[0]]), np.int64) for name in names}
    for start in range(0, len(data.base), ROWS):
        block = np.ascontiguousarray(data.base[start : start + ROWS])
        for which, queries in data.queries.items():
            scores = queries @ block.T
            for line in data.lines:
                _merge(data, which, line, start, scores, best[which, line], matches[which, line])
        print(f"truth: {start + len(block)} of {len(data.base)} rows", end="\r", file=sys.stderr)
    print(file=sys.stderr)
    out = {}
    for which, line in names:
        out[f"{which}|{line}|best"] = -np.sort(-best[which, line], axis=1)
        out[f"{which}|{line}|matches"] = matches[which, line]
    return out


def _merge(data, which, line, start, scores, best, matches) -> None:
    rule = data.lines[line]
    rows = slice(start, start + scores.shape[1])
    if not data.per_question(line):
        passing = scores if rule == "all" else scores[:, data.draw[rows] < rule["draw_below"]]
        matches += passing.shape[1]
        if passing.shape[1]:
            best[:] = _top(np.concatenate([best, _top(passing)], axis=1))
        return
    for place, row in enumerate(scores):
        lookup = np.zeros(65536, bool)
        lookup[data.groups(line, which, place)] = True
        passing = row[lookup[data.group[rows]]]
        matches[place] += len(passing)
        if len(passing):
            best[place] = _top(np.concatenate([best[place], passing])[None])[0]


def _top(scores: np.ndarray) -> np.ndarray:
    if scores.shape[1] <= K_MAX:
        return scores
    return np.partition(scores, scores.shape[1] - K_MAX, axis=1)[:, -K_MAX:]


if __name__ == "__main__":
    Truth(Data(Path(sys.argv[1]), *map(int, sys.argv[2:])))
