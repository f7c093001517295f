"""A conversation being written packet by packet: the vocabulary in which the archetypes of traffic are told.

Nothing is captured or copied: round-trip times, segment sizes, pacing, options and sizes are drawn from wide ranges.
Times are microseconds from the first packet.
"""

import numpy as np

from .meter import ACK, FIN, PSH, RST, SYN, Packets
from .schema import ICMP, TCP, UDP

PACKETS_MAX = 6000


class Talk:
    """One flow in the making. `port` is the server's; `app` a service name where a source would know it."""

    def __init__(self, rng: np.random.Generator, protocol: int, port: int = 0, app: str | None = None, fast: bool = False):
        self.rng, self.protocol, self.port, self.app = rng, protocol, port, app
        self.rtt = self.between(60, 900) if fast or rng.random() < 0.5 else self.between(900, 250_000)
        self.ip = 40 if rng.random() < 0.12 else 20
        self.options = 12 if rng.random() < 0.75 else 0
        self.segment = int(rng.choice([1448, 1460, 1380, 1220, 536], p=[0.55, 0.25, 0.1, 0.07, 0.03]))
        if rng.random() < 0.3:  # seen before the network card cut it
            self.segment *= int(rng.integers(2, 45))
        self.gap = self.between(1, 120) if rng.random() < 0.7 else self.between(120, 8000)
        self.windows = [int(rng.choice([64240, 65535, 8192, 29200, 1024, 512, 65160, 5840, 14600])) for _ in range(2)]
        self.now, self.rows = 0.0, []

    def between(self, low: float, high: float) -> float:
        """A draw that is uniform on a logarithmic scale."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def chance(self, share: float) -> bool:
        """True for `share` of the draws."""
        return self.rng.random() < share

    def wait(self, low_s: float, high_s: float | None = None) -> None:
        """A pause of so many seconds."""
        self.now += 1e6 * (low_s if high_s is None else self.between(low_s, high_s))

    def packet(self, back: bool, payload: int = 0, flags: int = 0, extra: int = 0) -> None:
        """One packet now."""
        if len(self.rows) >= PACKETS_MAX:
            return
        options = 0 if flags & RST else self.options + extra
        transport = {TCP: 20 + options, UDP: 8, ICMP: 8}.get(self.protocol, 0)
        window = self.windows[back] if self.protocol == TCP else 0
        self.rows.append((int(self.now), back, int(payload), self.ip + transport, flags, window))

    def travel(self) -> None:
        """The time until the other end sees it and acts."""
        self.now += self.rtt * self.rng.uniform(0.9, 1.4)

    def open(self) -> "Talk":
        """A TCP handshake."""
        self.packet(False, 0, SYN, 20 - self.options if self.chance(0.9) else 4 - self.options)
        self.travel()
        self.packet(True, 0, SYN | ACK, 8)
        self.now += self.rng.uniform(10, 90)
        self.packet(False, 0, ACK)
        return self

    def say(self, back: bool, size: float, pause_s: float = 0.0) -> "Talk":
        """A message of `size` bytes, cut to segments, acknowledged if TCP; `pause_s` stands before each segment but the first."""
        size = max(1, int(size))
        if self.protocol != TCP:
            self.packet(back, size)
            self.now += self.rng.uniform(1, 50)
            return self
        sent = 0
        burst = int(self.rng.integers(2, 20))
        while sent < size and len(self.rows) < PACKETS_MAX:
            part = min(self.segment, size - sent)
            sent += part
            self.packet(back, part, ACK | (PSH if sent >= size or self.chance(0.1) else 0))
            self.now += self.gap * self.rng.uniform(0.3, 2)
            burst -= 1
            if burst <= 0 or sent >= size:
                burst = int(self.rng.integers(2, 20))
                if self.chance(0.8):
                    self.now += self.rtt * 0.5
                    self.packet(not back, 0, ACK)
            if pause_s and sent < size:
                self.wait(pause_s * 0.7, pause_s * 1.4)
        return self

    def ask(self, request: float, answer: float, think_s: float = 0.0) -> "Talk":
        """A request and its answer."""
        self.say(False, request)
        self.travel()
        if think_s:
            self.wait(think_s * 0.3, think_s * 1.5)
        self.say(True, answer)
        self.now += self.rng.uniform(20, 500)
        return self

    def close(self, how: str | None = None) -> "Talk":
        """The end: "fin" from both sides, "reset", or "none"."""
        if self.protocol != TCP:
            return self
        how = how or str(self.rng.choice(["fin", "reset", "none"], p=[0.82, 0.13, 0.05]))
        if how == "fin":
            first = self.chance(0.4)
            self.packet(first, 0, FIN | ACK)
            self.travel()
            self.packet(not first, 0, FIN | ACK)
            self.now += self.rng.uniform(20, 200)
            self.packet(first, 0, ACK)
        elif how == "reset":
            self.packet(self.chance(0.4), 0, RST | (ACK if self.chance(0.7) else 0))
        return self

    def packets(self) -> Packets:
        """What was said, in order of time."""
        ordered = sorted(self.rows, key=lambda row: row[0])
        time, back, payload, header, flags, window = (np.array(column) for column in zip(*ordered))
        return Packets(time.astype(np.int64), back.astype(bool), payload, header, flags, window)
