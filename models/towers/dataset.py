"""Events as columns, with their tags and where they came from; kept between runs in a cache folder."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import tags
from .schema import FEATURE_COUNT

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "forebay" / "models"
# The files on which prepared events depend.
MADE_BY = ("schema.py", "tags.py", "talk.py", "archetype*.py", "meter.py", "generated.py", "cicflow.py", "public.py", "captures.py")


@dataclass
class Events:
    """Columns of equal length. `behaviours` holds 1, 0 or -1 per behaviour; `source` the data set's name; `kind` its own label."""

    features: np.ndarray
    protocol: np.ndarray
    service: np.ndarray
    behaviours: np.ndarray
    source: np.ndarray
    kind: np.ndarray

    def __len__(self) -> int:
        return len(self.protocol)

    def take(self, rows) -> "Events":
        """The events at `rows`."""
        return Events(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def tags(self) -> np.ndarray:
        """The table of all tags."""
        return tags.table(self.behaviours, self.features, self.protocol, self.service)

    def save(self, path: Path) -> None:
        """Writes the columns; the file appears whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        part.replace(path)


def from_rows(rows: list[tuple], source: str) -> Events:
    """Events of (features, protocol, service, behaviours, kind) rows."""
    features = np.array([r[0] for r in rows], np.float32).reshape(-1, FEATURE_COUNT)
    behaviours = np.array([r[3] for r in rows], np.int8).reshape(-1, len(tags.BEHAVIOURS))
    protocol, service = (np.array([r[i] for r in rows], np.int64) for i in (1, 2))
    return Events(features, protocol, service, behaviours, np.array([source] * len(rows)), np.array([str(r[4]) for r in rows]))


def joined(parts: list[Events]) -> Events:
    """One table of several."""
    return Events(*(np.concatenate([getattr(p, name) for p in parts]) for name in Events.__dataclass_fields__))


def cached(name: str, inputs: list[Path], build) -> Events:
    """What `build` gives, from the cache where the inputs and this package are as they were when it was built."""
    digest = hashlib.sha256(name.encode())
    for pattern in MADE_BY:
        for path in sorted(Path(__file__).parent.glob(pattern)):
            digest.update(path.read_bytes())
    for path in inputs:
        digest.update(f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}".encode())
    path = CACHE / f"{name}-{digest.hexdigest()[:16]}.npz"
    if path.exists():
        with np.load(path) as data:
            return Events(**{key: data[key] for key in Events.__dataclass_fields__})
    events = build()
    events.save(path)
    return events
