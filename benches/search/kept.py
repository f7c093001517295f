"""Indexes of rivals that were built before, so that measuring again does not build again."""

import json
import os
import time
from pathlib import Path


class Kept:
    """A folder of them; none means that nothing is kept."""

    def __init__(self, folder: Path | None):
        self.folder = folder

    def index(self, file: str, build, save, load):
        """What `build` makes, or what it made before, and the seconds that it took then."""
        path = self.folder / file if self.folder else None
        note = path.with_suffix(".json") if path else None
        if note and note.exists():
            return load(path), json.loads(note.read_text())["build_s"]
        began = time.perf_counter()
        built = build()
        build_s = time.perf_counter() - began
        if path:
            self.folder.mkdir(parents=True, exist_ok=True)
            save(built, path)
            note.write_text(json.dumps({"build_s": build_s, "load_average": os.getloadavg()[0]}) + "\n")
        return built, build_s
