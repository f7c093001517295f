"""BM25 over rendered events: the words the program's own text index holds of an event, without addresses and host names."""

import math
from collections import Counter

import numpy as np

from .dataset import Events
from .schema import PLACE, SERVICES, TCP
from .tokenizer import words

K1, B = 1.2, 0.75
NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6 icmp"}
BYTES = ((0, "tiny"), (1e3, "small"), (1e5, "moderate"), (1e7, "large big"), (1e9, "huge large big"))
PACKETS = ((1, "single packet"), (2, "few packets"), (1e2, "some packets"), (1e4, "many packets"))
LENGTH = ((0, "instant"), (1e3, "brief"), (1e6, "short"), (6e7, "long"), (6e8, "very long lasting"))
SPEED = ((0, "slow"), (1e1, ""), (1e4, "fast"), (1e5, "flood fast"))


def rendered(events: Events) -> list[str]:
    """Each event in words, as `index/src/text.rs` puts it."""
    column = lambda name: events.features[:, PLACE[name]].astype(np.float64)
    known = {n: column(n) for n in ("spkts", "dpkts", "sbytes", "dbytes", "duration", "rate", "rst_flag_count", "syn_flag_count", "idle_max")}
    return [_one({n: v[i] for n, v in known.items()}, int(events.protocol[i]), int(events.service[i])) for i in range(len(events))]


def _one(f: dict, protocol: int, service: int) -> str:
    out = [NAMES.get(protocol, "")]
    if service:
        out += [SERVICES[service][0], *SERVICES[service][1]]
    packets, volume = f["spkts"] + f["dpkts"], f["sbytes"] + f["dbytes"]
    out += [_step(volume, BYTES), _step(packets, PACKETS), _step(f["duration"], LENGTH)]
    if packets >= 20:
        out.append(_step(f["rate"], SPEED))
    if f["dpkts"] == 0:
        out.append("unanswered no reply one way")
    if protocol == TCP:
        if f["rst_flag_count"] > 0:
            out.append("reset refused rejected failed" if packets <= 4 else "reset aborted")
        if f["syn_flag_count"] > 0 and f["dpkts"] == 0:
            out.append("syn half open")
    if volume >= 1e4:
        share = f["sbytes"] / volume
        out.append("upload sending outgoing" if share >= 0.9 else "download receiving incoming" if share <= 0.1 else "")
    if f["idle_max"] >= 5e6:
        out.append("idle pauses")
    return " ".join(out)


def _step(value: float, steps) -> str:
    if math.isnan(value):
        return ""
    return next((word for low, word in reversed(steps) if value >= low), "")


class Bm25:
    """Scores of texts for questions."""

    def __init__(self, texts: list[str]):
        counts = [Counter(words(text)) for text in texts]
        self.length = np.array([sum(c.values()) for c in counts], float)
        self.postings: dict[str, tuple[list, list]] = {}
        for number, count in enumerate(counts):
            for word, times in count.items():
                rows, frequency = self.postings.setdefault(word, ([], []))
                rows.append(number)
                frequency.append(times)

    def scores(self, question: str) -> np.ndarray:
        """One score per text."""
        out = np.zeros(len(self.length))
        for word in set(words(question)):
            if word in self.postings:
                rows, frequency = map(np.array, self.postings[word])
                weight = math.log(1 + (len(out) - len(rows) + 0.5) / (len(rows) + 0.5))
                norm = K1 * (1 - B + B * self.length[rows] / self.length.mean())
                out[rows] += weight * frequency * (K1 + 1) / (frequency + norm)
        return out

    def shares(self, question: str) -> np.ndarray:
        """The scores on the fixed scale of the program's index (`index/src/bm25.rs`), 0 to 1: by the weight of the words that
        stand anywhere, and by how many of the question's words do."""
        asked = set(words(question))
        known = [word for word in asked if word in self.postings]
        if not known:
            return np.zeros(len(self.length))
        counts = np.array([len(self.postings[word][0]) for word in known])
        ceiling = np.log(1 + (len(self.length) - counts + 0.5) / (counts + 0.5)).sum()
        return np.minimum(1, self.scores(question) / ceiling) * len(known) / len(asked)
