"""What an activity is given: the site, the network, the ledger, and ways to run programs on a machine."""

import random
import threading
import time


class Lab:
    """Shared by all activities, each of which runs in a thread of its own until `deadline`."""

    def __init__(self, site, network, jobs, ledger, folder, run_s):
        self.site, self.network, self.jobs, self.ledger, self.folder = site, network, jobs, ledger, folder
        self.run_s, self.began = run_s, time.monotonic()
        self.stopping = threading.Event()

    def v4(self, machine):
        return self.site.machine(machine).v4

    def v6(self, machine):
        return self.site.machine(machine).v6

    def run(self, machine, command, timeout_s, feed=None):
        """Runs a program on a machine, within the time that is left."""
        limit = min(timeout_s, self.left_s() + 5)
        return self.jobs.run(self.network.command(machine, command), limit, feed, delay=self.sleep)

    def start(self, machine, command, **options):
        """Starts a server on a machine; its output goes to a file beside the captures."""
        log = open(self.folder / f"{machine}-{str(command[0]).rsplit('/', 1)[-1]}.log", "ab")
        return self.jobs.start(self.network.command(machine, command), stdout=log, stderr=log, **options)

    def left_s(self):
        return self.began + self.run_s - time.monotonic()

    def sleep(self, seconds):
        """Sleeps, but not past the end of the run or a stop."""
        self.stopping.wait(max(0.0, min(seconds, self.left_s())))

    def ongoing(self):
        return self.left_s() > 0 and not self.stopping.is_set()

    def until(self, seconds, times_max):
        """Counts up to `times_max` for at most `seconds` from now, and no longer than the run."""
        end = time.monotonic() + seconds
        for number in range(times_max):
            if time.monotonic() >= end or not self.ongoing():
                return
            yield number

    def folder_for(self, machine):
        """A folder for a machine's server files. All machines share the real file system."""
        folder = self.folder / machine
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        return folder

    def rng(self, purpose) -> random.Random:
        return self.site.rng(purpose)
