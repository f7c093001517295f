"""The questions of a sample and the selectors that say which flows answer them.

In `questions.toml` each `[[question]]` has `id`, `text` (what a person would type), `kind` (`filter`: decided by addresses, ports,
numbers, names or times; `behaviour`: decided by what was going on; `both`) and `right`, a table of conditions that must all hold:

| condition | holds when |
|---|---|
| activity, family, technique | the flow's row of truth has one of these values (a string or a list) |
| not_activity, not_family | it has none of them |
| src, dst, any | the sender, the receiver, or either lies in one of these addresses or networks |
| not_src, not_dst | it lies in none |
| src_port, dst_port, port | the port (of either end) is one of these, or lies in a range "a-b" |
| protocol | one of tcp, udp, icmp, ipv6-icmp |
| host, host_under | the host name in the traffic is one of these; is one of these or below it |
| over, under | a table of measured values: duration (microseconds), sbytes, dbytes, bytes, spkts, dpkts, packets; strict |
| from_us, to_us | the first packet lies in from_us..to_us |
"""

import tomllib
from dataclasses import dataclass

from truth import PROTOCOLS, within

NUMBERS = {
    "duration": lambda f: f.duration, "sbytes": lambda f: f.sbytes, "dbytes": lambda f: f.dbytes, "bytes": lambda f: f.sbytes + f.dbytes,
    "spkts": lambda f: f.spkts, "dpkts": lambda f: f.dpkts, "packets": lambda f: f.spkts + f.dpkts,
}
KINDS = ("filter", "behaviour", "both")


@dataclass
class Question:
    """One question."""

    id: str
    text: str
    kind: str
    right: dict

    def selects(self, flow, row):
        """Whether a flow, described by its row of truth, is a right answer."""
        return all(CONDITIONS[name](value, flow, row) for name, value in self.right.items())


def read(path):
    """The questions of a file, checked: known kinds and conditions, no id twice."""
    with open(path, "rb") as file:
        asked = [Question(**entry) for entry in tomllib.load(file)["question"]]
    for question in asked:
        unknown = set(question.right) - set(CONDITIONS)
        if unknown or question.kind not in KINDS or not question.right:
            raise ValueError(f"{path}: question {question.id}: unknown {sorted(unknown) or question.kind!r}")
    if len({question.id for question in asked}) != len(asked):
        raise ValueError(f"{path}: an id stands twice")
    return asked


def _many(value):
    return value if isinstance(value, list) else [value]


def _inside(value, address):
    return any(within(net, address) for net in _many(value))


def _port(value, *ports):
    for wanted in _many(value):
        low, _, high = str(wanted).partition("-")
        if any(int(low) <= port <= int(high or low) for port in ports):
            return True
    return False


def _under(value, host):
    return any(host == name or host.endswith("." + name) for name in _many(value))


CONDITIONS = {
    "activity": lambda v, f, r: r.activity in _many(v),
    "not_activity": lambda v, f, r: r.activity not in _many(v),
    "family": lambda v, f, r: r.family in _many(v),
    "not_family": lambda v, f, r: r.family not in _many(v),
    "technique": lambda v, f, r: r.technique in _many(v),
    "src": lambda v, f, r: _inside(v, f.src_ip),
    "dst": lambda v, f, r: _inside(v, f.dst_ip),
    "any": lambda v, f, r: _inside(v, f.src_ip) or _inside(v, f.dst_ip),
    "not_src": lambda v, f, r: not _inside(v, f.src_ip),
    "not_dst": lambda v, f, r: not _inside(v, f.dst_ip),
    "src_port": lambda v, f, r: _port(v, f.src_port),
    "dst_port": lambda v, f, r: _port(v, f.dst_port),
    "port": lambda v, f, r: _port(v, f.src_port, f.dst_port),
    "protocol": lambda v, f, r: f.protocol in [PROTOCOLS[name] for name in _many(v)],
    "host": lambda v, f, r: f.host in _many(v),
    "host_under": lambda v, f, r: _under(v, f.host),
    "over": lambda v, f, r: all(NUMBERS[name](f) > limit for name, limit in v.items()),
    "under": lambda v, f, r: all(NUMBERS[name](f) < limit for name, limit in v.items()),
    "from_us": lambda v, f, r: f.start_us >= v,
    "to_us": lambda v, f, r: f.start_us < v,
}
