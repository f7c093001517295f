"""Captures: one tcpdump per segment, each taking what comes *in* on its bridge, so that a routed packet is seen once.

The parts are merged by time into one classic pcap (microseconds, Ethernet). To keep it small, the first `WHOLE_PACKETS` packets
of a flow keep `SNAP_WHOLE` bytes and later ones `SNAP_REST`: names, banners and every header stay, bulk payload goes. The
original length stands in each record, so totals are exact."""

import gzip
import heapq
import re
import time

import pcap

SEGMENT_BRIDGES = ("user", "server", "outside")
SNAP_WHOLE, SNAP_REST, WHOLE_PACKETS = 720, 96, 10
BUFFER_KIB = 16_384


class Capture:
    """Running captures of a network."""

    def __init__(self, network, jobs, folder):
        self.network, self.jobs, self.folder = network, jobs, folder
        self.running = []

    def start(self):
        for bridge in SEGMENT_BRIDGES:
            path, log = self.folder / f"{bridge}.pcap", open(self.folder / f"{bridge}.log", "wb")
            command = ["tcpdump", "-i", bridge, "-Q", "in", "-s", SNAP_WHOLE, "-B", BUFFER_KIB, "-n", "-Z", "root",
                       "--time-stamp-precision=micro", "-w", path, "ip or ip6"]
            self.running.append((self.jobs.start(self.network.command("router", command), stderr=log), path, log))
        for _, path, _ in self.running:
            _wait_for(path)

    def stop(self):
        """Ends the captures and gives the number of packets the kernel dropped."""
        dropped = 0
        for process, path, log in self.running:
            self.jobs.end(process)
            log.close()
            text = path.with_suffix(".log").read_text()
            found = re.search(r"(\d+) packets? dropped by kernel", text)
            dropped += int(found.group(1)) if found else 0
        return dropped

    def merge(self, out):
        """Writes the parts as one trimmed, gzipped capture and gives the number of packets."""
        parts = [pcap.records(path) for _, path, _ in self.running]
        seen, count = {}, 0
        with open(out, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
            packed.write(pcap.HEADER.pack(pcap.MAGIC, 2, 4, 0, 0, SNAP_WHOLE, 1))
            for time_us, length, data in heapq.merge(*parts, key=lambda record: record[0]):
                packet = pcap.dissect(data)
                key = packet.key() if packet else None
                seen[key] = seen.get(key, 0) + 1
                kept = data[: SNAP_WHOLE if seen[key] <= WHOLE_PACKETS else SNAP_REST]
                packed.write(pcap.RECORD.pack(time_us // 1_000_000, time_us % 1_000_000, len(kept), length) + kept)
                count += 1
        return count


def _wait_for(path):
    """tcpdump writes its header when it is ready."""
    for _ in range(100):
        if path.exists():
            return
        time.sleep(0.1)
    raise RuntimeError(f"tcpdump did not start: see {path.with_suffix('.log')}")
