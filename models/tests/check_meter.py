"""Goal: `towers/meter.py` gives what the program's meter gives. Run: `models/train.sh check-meter` (needs the built program).

Method: conversations of every archetype are written to a capture, metered by the program, and compared feature by feature.
"""

import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from towers import captures, generated, meter  # noqa: F401  (generated registers the archetypes)
from towers.archetype import ARCHETYPES
from towers.schema import FEATURES, TCP, UDP

TOLERANCE = 1e-6


def frame(packets: meter.Packets, row: int, protocol: int, number: int, port: int) -> bytes:
    """An Ethernet frame; conversation `number` has an address of its own."""
    back, payload = bool(packets.back[row]), int(packets.payload[row])
    ends = [bytes([10, 1, number >> 8, number & 255]), bytes([10, 2, 0, 1])]
    ports = [50_000, port]
    if back:
        ends, ports = ends[::-1], ports[::-1]
    if protocol == TCP:
        size = int(packets.header[row]) - 20
        upper = struct.pack(">HHIIBBHHH", *ports, 0, 0, (size // 4) << 4, int(packets.flags[row]), int(packets.window[row]), 0, 0)
        upper += bytes([1]) * (size - 20)
    elif protocol == UDP:
        upper = struct.pack(">HHHH", *ports, 8 + payload, 0)
    else:
        upper = struct.pack(">BBHHH", 0 if back else 8, 0, 0, number, 0)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(upper) + payload, 0, 0, 64, protocol, 0) + ends[0] + ends[1]
    return bytes(12) + b"\x08\x00" + ip + upper


def main() -> None:
    """Writes, meters, compares."""
    rng = np.random.default_rng(11)
    expected, records = {}, []
    for number, told in enumerate(a for a in ARCHETYPES for _ in range(3)):
        talk = told.tell(rng)
        packets = talk.packets()
        # The capture is written in IPv4, whatever was drawn, and within what an IPv4 packet can hold.
        packets.header[:] = np.where(packets.header >= 0, packets.header - talk.ip + 20, 0)
        packets.payload[:] = np.minimum(packets.payload, 60_000)
        for piece in meter.segments(packets):
            expected[(number, int(piece.time_us[0]))] = meter.features(piece, talk.protocol), told.name
        for row in range(len(packets)):
            data = frame(packets, row, talk.protocol, number, talk.port or 1)
            records.append((int(packets.time_us[row]), number, data, len(data) + int(packets.payload[row])))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "told.pcap"
        write(path, records)
        compare(path, expected)


def write(path: Path, records: list) -> None:
    """A classic pcap in order of time; frames are cut after their headers."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for time, _, data, length in sorted(records, key=lambda r: r[:2]):
            out.write(struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(data), length) + data)


def compare(path: Path, expected: dict) -> None:
    """Fails on the first feature that differs by more than rounding."""
    compared = 0
    for event in captures.meter(path):
        a, b = map(int, (event["flow"]["src_ip"].split(".")[2:] if event["flow"]["src_ip"].startswith("10.1.") else event["flow"]["dst_ip"].split(".")[2:]))
        key = (a * 256 + b, event["start_us"])
        if key not in expected:
            continue
        ours, name = expected[key]
        theirs, _, _ = captures.columns(event)
        if ours[1] + ours[2] != theirs[1] + theirs[2]:
            continue  # cut elsewhere: packets after the end of a flow are a flow of their own
        compared += 1
        for feature, x, y in zip(FEATURES, ours, theirs):
            same = (np.isnan(x) and np.isnan(y)) or abs(x - y) <= TOLERANCE * max(1.0, abs(x), abs(y))
            assert same, f"{name}: {feature} is {x} here and {y} by the program's meter"
    assert compared > 0.8 * len(expected), f"only {compared} of {len(expected)} flows were cut alike"
    print(f"ok: {compared} of {len(expected)} flows cut alike, every feature of each equal")


if __name__ == "__main__":
    main()
