"""The versions of the programs that made a capture."""

import pathlib
import subprocess


def versions():
    """Package name to version, for every package of packages.txt that is installed."""
    names = (pathlib.Path(__file__).parent / "packages.txt").read_text().split()
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *names], capture_output=True, text=True)
    return dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
