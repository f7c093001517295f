"""Making a service unusable, in small: every flood is bounded in packets and rate, and aims at the lab's own servers."""

import sys
from pathlib import Path

TOOLS = Path(__file__).parent.parent / "tools"
SLOW_CONNECTIONS_MAX, SLOW_S = 14, 95
DATAGRAMS_MAX, DATAGRAM_RATE = 5_000, 400
SYNS_MAX = 300


def slow_http(lab, seconds):
    """Requests that never end: a header line every few seconds."""
    rng, slow = lab.rng("slow_http"), lab.site.machine("slow")
    addresses = [slow.v4, *slow.more_v4]
    stay_s = int(min(seconds, rng.randint(70, SLOW_S)))
    command = [sys.executable, TOOLS / "slow_http.py", lab.v4("web"), 80, lab.site.web_hosts[0], SLOW_CONNECTIONS_MAX, stay_s,
               rng.randint(4, 9), lab.site.slow_part]
    rows = [lab.ledger.during("slow_http", address, lab.v4("web"), "tcp", 80) for address in addresses]
    for row in rows:
        row.__enter__()
    lab.run("slow", [*command, *addresses], stay_s + 10)
    for row in rows:
        row.__exit__(None, None, None)


def udp_flood(lab, _seconds):
    """Many addresses send datagrams at the operations server."""
    rng, bots = lab.rng("udp_flood"), lab.site.machine("bots")
    addresses, port = [bots.v4, *bots.more_v4], rng.choice([514, 161, 123])
    command = [sys.executable, TOOLS / "datagrams.py", lab.v4("ops"), port, DATAGRAMS_MAX, DATAGRAM_RATE, rng.choice([200, 512, 1000]), lab.site.seed]
    rows = [lab.ledger.during("udp_flood", address, lab.v4("ops"), "udp", port) for address in addresses]
    for row in rows:
        row.__enter__()
    lab.run("bots", [*command, *addresses], 40)
    for row in rows:
        row.__exit__(None, None, None)


def syn_flood(lab, _seconds):
    """Connections to the web server that are never finished, from an address where nobody is; one source port each."""
    rng, source = lab.rng("syn_flood"), lab.site.nobody
    count = rng.randint(150, SYNS_MAX)
    with lab.ledger.during("syn_flood", source, lab.v4("web"), "tcp", 443):
        lab.run("bots", [sys.executable, TOOLS / "half_open.py", source, lab.v4("web"), 443, count, lab.site.seed], 40)
