"""The data set that `search_data` wrote, as arrays."""

import json
from pathlib import Path

import numpy as np


class Data:
    """Vectors, questions and filters of one folder."""

    def __init__(self, folder: Path, rows: int = 0, questions: int = 0):
        """`rows` and `questions` say how many of the first ones count; 0 is all."""
        self.folder = folder
        self.about = json.loads((folder / "about.json").read_text())
        rows = rows or self.about["events"]
        self.about["events"] = rows
        self.base = np.load(folder / "base.npy", mmap_mode="r")[:rows]
        self.draw = np.load(folder / "draw.npy").ravel()[:rows]
        self.group = np.load(folder / "group.npy").ravel()[:rows]
        self.queries = {name: np.load(folder / f"queries-{name}.npy") for name in ("text", "event")}
        self.queries = {name: asked[: questions or len(asked)] for name, asked in self.queries.items()}
        self.lines = {line["name"]: line["rule"] for line in json.loads((folder / "filters.json").read_text())}

    def per_question(self, line: str) -> bool:
        """Whether every question has a filter of its own."""
        return isinstance(self.lines[line], dict) and "groups" in self.lines[line]

    def groups(self, line: str, which: str, place: int) -> list[int]:
        """The groups that pass for one question of such a line."""
        return self.lines[line]["groups"][which][place]

    def mask(self, line: str, which: str, place: int) -> np.ndarray | None:
        """Which rows pass, a bool each; none where everything does."""
        rule = self.lines[line]
        if rule == "all":
            return None
        if "draw_below" in rule:
            return self.draw < rule["draw_below"]
        lookup = np.zeros(65536, bool)
        lookup[rule["groups"][which][place]] = True
        return lookup[self.group]
