"""Ground truth: what was run, when, from which machine to which; never what a flow looks like.

A row of `truth.csv` describes flows: every flow between its two ends (in either direction), with its ports, protocol and host
name, whose first packet lies in `start_us..=end_us`. A blank column, or a blank end of a network, means any. Where several
rows describe a flow, the one that says most about it counts (see `weight`); `answers.py` fails when two rows that say the same
amount disagree, and when a flow has no row.

| column | meaning |
|---|---|
| activity | what the lab did, a key of `ACTIVITIES` |
| family | the kind of attack, or `benign` |
| technique | MITRE ATT&CK technique, empty for benign |
| src_ip, dst_ip | an address or a network: who began, and with whom |
| src_port, dst_port | blank for any |
| protocol | IANA name: tcp, udp, icmp, ipv6-icmp |
| host | a name asked for (DNS, TLS, HTTP); a leading dot means any name below it |
| start_us, end_us | Unix epoch, microseconds |
"""

import csv
import ipaddress
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields

# A last packet may still be on its way when the program that sent it has ended.
GRACE_US = 1_500_000
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}

# Activity: (family, technique).
ACTIVITIES = {
    "browsing": ("benign", ""),
    "download": ("benign", ""),
    "api_calls": ("benign", ""),
    "visitors": ("benign", ""),
    "name_lookup": ("benign", ""),
    "name_forwarding": ("benign", ""),
    "ssh_session": ("benign", ""),
    "ssh_command": ("benign", ""),
    "file_copy": ("benign", ""),
    "backup": ("benign", ""),
    "mail": ("benign", ""),
    "database_query": ("benign", ""),
    "cache_query": ("benign", ""),
    "message_bus": ("benign", ""),
    "idle_connection": ("benign", ""),
    "log_shipping": ("benign", ""),
    "time_sync": ("benign", ""),
    "monitoring": ("benign", ""),
    "health_check": ("benign", ""),
    "ping": ("benign", ""),
    "background": ("benign", ""),
    "syn_scan": ("port_scan", "T1046"),
    "connect_scan": ("port_scan", "T1046"),
    "udp_scan": ("port_scan", "T1046"),
    "ping_sweep": ("host_sweep", "T1018"),
    "port_sweep": ("host_sweep", "T1046"),
    "ssh_guessing": ("brute_force", "T1110.001"),
    "web_login_guessing": ("brute_force", "T1110.001"),
    "cache_password_guessing": ("brute_force", "T1110.001"),
    "path_guessing": ("web_scan", "T1595.003"),
    "slow_http": ("slow_dos", "T1499.002"),
    "udp_flood": ("udp_flood", "T1498.001"),
    "syn_flood": ("syn_flood", "T1499.001"),
    "theft_upload": ("exfiltration", "T1048"),
    "beacon": ("beacon", "T1071.001"),
    "dns_tunnel": ("dns_tunnel", "T1071.004"),
    "random_names": ("dga", "T1568.002"),
}


@dataclass
class Row:
    """One line of truth.csv."""

    activity: str
    family: str
    technique: str
    src_ip: str
    dst_ip: str
    src_port: str
    dst_port: str
    protocol: str
    host: str
    start_us: int
    end_us: int

    def weight(self):
        """How much the row says: a port of one flow over a host name over single addresses over networks."""
        single = sum(bool(end) and "/" not in end for end in (self.src_ip, self.dst_ip))
        return (bool(self.src_port), bool(self.host), single, bool(self.src_ip) + bool(self.dst_ip), bool(self.dst_port))

    def covers(self, flow):
        """Whether the row describes a flow (see `flows.Flow`)."""
        if not self.start_us <= flow.start_us <= self.end_us or PROTOCOLS[self.protocol] != flow.protocol:
            return False
        if self.host and not _host_matches(self.host, flow.host):
            return False
        forward = (flow.src_ip, flow.src_port, flow.dst_ip, flow.dst_port)
        backward = (flow.dst_ip, flow.dst_port, flow.src_ip, flow.src_port)
        return self._ends(*forward) or self._ends(*backward)

    def _ends(self, src_ip, src_port, dst_ip, dst_port):
        return (_port_matches(self.src_port, src_port) and _port_matches(self.dst_port, dst_port)
                and within(self.src_ip, src_ip) and within(self.dst_ip, dst_ip))


class Ledger:
    """Collects rows while the activities run. Threads may share it."""

    def __init__(self):
        self._lock = threading.Lock()
        self.rows = []

    def add(self, activity, src, dst, protocol, dst_port="", src_port="", host="", start_us=None, end_us=None):
        family, technique = ACTIVITIES[activity]
        now = now_us()
        row = Row(activity, family, technique, str(src), str(dst), str(src_port), str(dst_port), protocol, host,
                  start_us if start_us is not None else now, end_us if end_us is not None else now)
        with self._lock:
            self.rows.append(row)
        return row

    @contextmanager
    def during(self, activity, src, dst, protocol, dst_port="", **more):
        """A row that begins now and ends, with `GRACE_US`, when the block ends."""
        row = self.add(activity, src, dst, protocol, dst_port, **more)
        try:
            yield row
        finally:
            row.end_us = now_us() + GRACE_US

    def write(self, path):
        with open(path, "w", newline="") as out:
            writer = csv.DictWriter(out, [f.name for f in fields(Row)], lineterminator="\n")
            writer.writeheader()
            for row in sorted(self.rows, key=lambda r: (r.start_us, r.activity, r.src_ip, r.src_port)):
                writer.writerow(asdict(row))


def read(path):
    """The rows of a truth.csv."""
    with open(path, newline="") as lines:
        return [Row(**{**line, "start_us": int(line["start_us"]), "end_us": int(line["end_us"])}) for line in csv.DictReader(lines)]


def now_us():
    return time.time_ns() // 1000


_NETWORKS = {}


def within(pattern, address):
    """Whether an address lies in an address, a network, or "any" (blank)."""
    if not pattern or pattern == address:
        return True
    if "/" not in pattern:
        return False
    key = (pattern, address)
    if key not in _NETWORKS:
        _NETWORKS[key] = ipaddress.ip_address(address) in ipaddress.ip_network(pattern)
    return _NETWORKS[key]


def _port_matches(pattern, port):
    return not pattern or int(pattern) == port


def _host_matches(pattern, host):
    host = (host or "").lower()
    return host.endswith(pattern) or host == pattern[1:] if pattern.startswith(".") else host == pattern
