#!/usr/bin/env python3
"""Holds a capture against its truth with tshark, a dissector that shares no code with the lab.

    python3 lab/check.py lab/sample

For each line of `CHECKS`: every packet that the display filter selects belongs to a flow of one of the allowed activities, and
every flow of the activities in `whole` has such a packet, but for what comes after a connection's end. Also: tshark counts the packets that run.json says were written."""

import collections
import json
import pathlib
import subprocess
import sys
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import truth
from answers import label
from flows import flows
from pcap import Packet
from site_plan import Site

SHELLS = ("ssh_session", "ssh_command", "file_copy", "backup")
FIELDS = ("frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
          "ip.proto", "ipv6.nxt")


@dataclass
class Check:
    """What tshark must find, and where."""

    what: str
    select: str
    allowed: tuple
    whole: tuple = ()


def checks(site):
    """The expectations for a site."""
    v4 = {name: machine.v4 for name, machine in site.machines.items()}
    return (
        Check("SSH banners", 'ssh.protocol && tcp.srcport == %d' % site.ssh_port, (*SHELLS, "ssh_guessing", "connect_scan"), SHELLS),
        Check("names of the control host in TLS", f'tls.handshake.extensions_server_name == "{site.control_host}"', ("beacon",),
              ("beacon",) if site.beacon_scheme == "https" else ()),
        Check("names of the file exchange in TLS", f'tls.handshake.extensions_server_name == "{site.drop_host}"', ("theft_upload",),
              ("theft_upload",) if site.theft_scheme == "https" else ()),
        Check("logins posted", 'http.request.method == "POST" && http.request.uri == "/login"', ("web_login_guessing",),
              ("web_login_guessing",)),
        Check("answers to logins", "http.response.code == 401", ("web_login_guessing",), ("web_login_guessing",)),
        Check("paths guessed", 'http.user_agent contains "gobuster"', ("path_guessing",), ("path_guessing",)),
        Check("packages fetched", f'http.request && http.host == "{site.mirror}"', ("download",)),
        Check("names that do not exist", "dns.flags.rcode == 3", ("random_names", "name_lookup", "name_forwarding"), ("random_names",)),
        Check("questions below the tunnel's domain", f'dns.qry.name contains "{site.tunnel_domain}"', ("dns_tunnel",), ("dns_tunnel",)),
        Check("letters", 'smtp.req.command == "MAIL"', ("mail",), ("mail",)),
        Check("PostgreSQL starts", "pgsql.frontend && tcp.dstport == 5432", ("database_query",), ("database_query",)),
        Check("cache passwords refused", 'tcp.srcport == 6379 && tcp.payload contains "WRONGPASS"', ("cache_password_guessing",),
              ("cache_password_guessing",)),
        Check("MQTT connects", "mqtt.msgtype == 1", ("message_bus",), ("message_bus",)),
        Check("clock questions", "ntp.flags.mode == 3", ("time_sync", "udp_flood", "udp_scan"), ("time_sync",)),
        Check("counters read", "snmp.get_request_element || snmp.data == 0", ("monitoring", "udp_scan", "udp_flood"), ("monitoring",)),
        Check("log lines", "udp.dstport == 514", ("log_shipping", "udp_flood", "udp_scan"), ("log_shipping",)),
        Check("half-open scan", f'tcp.flags.syn == 1 && ip.src == {v4["scanner"]}', ("syn_scan",), ("syn_scan",)),
        Check("whole-connection scan and sweep", f'tcp.flags.syn == 1 && ip.src == {v4[site.scan_user]} && ip.dst == {v4["web"]}',
              ("connect_scan", "port_sweep", "browsing"), ("connect_scan",)),
        Check("sweep by ping", f'icmp.type == 8 && ip.src == {v4[site.scan_user]} && icmp.ident', ("ping_sweep", "ping"), ("ping_sweep",)),
        Check("SYNs from nobody", f"tcp.flags.syn == 1 && ip.src == {site.nobody}", ("syn_flood",), ("syn_flood",)),
        Check("datagrams from bots", "udp && (%s)" % " || ".join(f"ip.src == {a}" for a in [v4["bots"], *site.machine("bots").more_v4]),
              ("udp_flood",), ("udp_flood",)),
    )


def main():
    folder = pathlib.Path(sys.argv[1])
    facts = json.loads((folder / "run.json").read_text())
    site, capture = Site(facts["site"], facts["seed"]), folder / "traffic.pcap.gz"
    labelled, problems = label(flows(capture), truth.read(folder / "truth.csv"))
    failed = len(problems)
    total = len(_tshark(capture, "frame", ("frame.number",)))
    print(f"{'ok' if total == facts['packets'] else 'FAILED':7} tshark reads {total} packets, {facts['packets']} were written")
    failed += total != facts["packets"]
    index = _index(labelled)
    for check in checks(site):
        failed += not _holds(check, capture, labelled, index)
    return 1 if failed else 0


def _holds(check, capture, labelled, index):
    found, hit = collections.Counter(), set()
    for line in _tshark(capture, check.select, FIELDS):
        place = _place(line, index)
        found[labelled[place][1].activity if place is not None else "no flow"] += 1
        hit.add(place)
    strangers = {name: count for name, count in found.items() if name not in check.allowed}
    missed = sum(row.activity in check.whole and flow.opened and place not in hit for place, (flow, row) in enumerate(labelled))
    good = not strangers and not missed and (found or not check.whole)
    wrong = (f", strangers {strangers}" if strangers else "") + (f", {missed} flows without" if missed else "")
    print(f"{'ok' if good else 'FAILED':7} {check.what}: {dict(found)}{wrong}")
    return good


def _index(labelled):
    index = collections.defaultdict(list)
    for place, (flow, _) in enumerate(labelled):
        index[_key(flow.src_ip, flow.src_port, flow.dst_ip, flow.dst_port, flow.protocol)].append(place)
    return {"places": index, "flows": labelled}


def _key(src, src_port, dst, dst_port, protocol):
    return Packet(src, dst, src_port, dst_port, protocol, 0, 0, b"", 0).key()


def _place(line, index):
    epoch, v4_src, v4_dst, v6_src, v6_dst, tcp_src, tcp_dst, udp_src, udp_dst, proto, following = line
    src, dst = (v4_src or v6_src).split(",")[0], (v4_dst or v6_dst).split(",")[0]
    protocol = int((proto or following).split(",")[0])
    ports = [0, 0] if protocol in (1, 58) else [int((a or b).split(",")[0]) for a, b in ((tcp_src, udp_src), (tcp_dst, udp_dst))]
    seconds, _, part = epoch.partition(".")
    time_us = int(seconds) * 1_000_000 + int(part[:6].ljust(6, "0"))
    places = index["places"].get(_key(src, ports[0], dst, ports[1], protocol), [])
    inside = [place for place in places if index["flows"][place][0].start_us <= time_us <= index["flows"][place][0].end_us]
    return inside[-1] if inside else None


def _tshark(capture, select, fields):
    command = ["tshark", "-n", "-d", "tcp.port==2222,ssh", "-r", str(capture), "-Y", select, "-T", "fields", *[word for field in fields for word in ("-e", field)]]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"tshark: {done.stderr.strip()}")
    return [line.split("\t") for line in done.stdout.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
