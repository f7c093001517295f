#!/usr/bin/env python3
"""Makes a small network, runs real programs across it, captures the traffic and writes what was true about it.

    sudo python3 lab/run.py --site sample --seed 7 --out DIR [--minutes 6.5]

Writes traffic.pcap.gz, truth.csv and run.json into DIR. Needs Linux, root and the Debian packages of packages.txt. Nothing leaves
the namespaces; Ctrl-C ends everything that was started and removes every namespace."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import servers
from activities import upkeep
from capture import Capture
from jobs import Closed, Jobs
from lab_state import Lab
from network import Network
from schedule import plan
from site_plan import Site
from truth import Ledger
from versions import versions

MINUTES_MAX = 8
SETTLE_S = 3


def main():
    options = _options()
    _usable()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lab-"))
    folder.chmod(0o755)
    site, jobs = Site(options.site, options.seed), Jobs()
    network = Network(site, jobs, folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    try:
        network.up()
        _run(site, network, jobs, folder, out, options.minutes * 60)
    except KeyboardInterrupt as interrupt:
        print(f"ended by {interrupt}: nothing was written", file=sys.stderr)
        return 130
    finally:
        jobs.close()
        network.down()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(site, network, jobs, folder, out, run_s):
    lab = Lab(site, network, jobs, Ledger(), folder, 120)
    for start in servers.ALL:
        start(lab)
    time.sleep(SETTLE_S)
    capture = Capture(network, jobs, folder)
    capture.start()
    lab = Lab(site, network, jobs, lab.ledger, folder, run_s)
    began_s = time.time()
    upkeep.standing_rows(lab)
    failed = _activities(lab)
    time.sleep(SETTLE_S)
    dropped = capture.stop()
    packets = capture.merge(out / "traffic.pcap.gz")
    lab.ledger.write(out / "truth.csv")
    facts = {"site": site.name, "seed": site.seed, "minutes": run_s / 60, "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began_s)),
             "packets": packets, "dropped_by_kernel": dropped, "failed_activities": failed, "versions": versions(),
             "machines": {m.name: [m.v4, m.v6, *m.more_v4] for m in site.machines.values()}}
    (out / "run.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(f"{packets} packets, {dropped} dropped by the kernel, {len(lab.ledger.rows)} rows of truth, failed: {failed or 'none'}")


def _activities(lab):
    """Runs the plan to its end and gives the names of activities that failed."""
    failed, threads = [], []
    for begin, seconds, activity in plan(lab.site, lab.run_s):
        thread = threading.Thread(target=_one, args=(lab, begin, seconds, activity, failed), daemon=True)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(max(0.0, lab.left_s()) + 20)
    return failed


def _one(lab, begin, seconds, activity, failed):
    name = f"{activity.__module__.rsplit('.', 1)[-1]}.{activity.__name__}"
    lab.sleep(begin)
    print(f"{lab.run_s - lab.left_s():6.1f} s  {name}", flush=True)
    try:
        activity(lab, seconds)
    except Closed:
        pass
    except Exception:
        failed.append(name)
        traceback.print_exc()


def _usable():
    """Says what is missing before anything is begun."""
    if os.geteuid() != 0:
        raise SystemExit("the lab makes network namespaces: run it as root")
    names = (pathlib.Path(__file__).parent / "packages.txt").read_text().split()
    missing = sorted(set(names) - set(versions()))
    if missing:
        raise SystemExit(f"packages are missing: apt-get install --no-install-recommends {' '.join(missing)}")


def _interrupted(number, _frame):
    raise KeyboardInterrupt(f"signal {number}")


def _options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--site", default="sample", help="name of the site; part of every random draw")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", required=True, help="folder for traffic.pcap.gz, truth.csv and run.json")
    parser.add_argument("--minutes", type=float, default=6.5, help=f"length of the capture, at most {MINUTES_MAX}")
    parser.add_argument("--keep", action="store_true", help="keep the folder of server files and logs")
    options = parser.parse_args()
    if not 0 < options.minutes <= MINUTES_MAX:
        parser.error(f"--minutes must be over 0 and at most {MINUTES_MAX}")
    if not options.site.replace("-", "").isalnum() or len(options.site) > 20:
        parser.error("--site takes letters, digits and dashes, 20 at most")
    return options


if __name__ == "__main__":
    sys.exit(main())
