"""Events metered from captures by the program's own meter: the lab's sites, and public captures where they are present.

The lab's captures are not part of the repository: `lab/run.py --site NAME --seed N --out FOLDER` makes one, and the folders
are looked for under `TOWERS_LAB` (default: the cache folder). The sample that is part of the repository is never read here.
"""

import csv
import ipaddress
import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np

from . import tags
from .dataset import CACHE, Events, cached, from_rows
from .public import BY_SERVICE
from .schema import FEATURES, ROOT, SHARED, service_of

LAB = Path(os.environ.get("TOWERS_LAB", CACHE / "lab"))
# Sites by what they serve; a site is held out whole.
LAB_SITES = {"train": ("train-a", "train-b", "train-c", "train-f"), "validation": ("train-d",), "test": ("train-e", "train-g")}
METER = os.environ.get("TOWERS_METER", str(ROOT / "target/release/forebay"))
PUBLIC_PER_CAPTURE = 1500
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}

# What the lab did: tags that hold, and tags one flow cannot settle.
ACTIVITIES = {
    "browsing": ("browsing benign", ""), "visitors": ("browsing benign", ""), "download": ("download benign", "browsing"), "api_calls": ("api benign", "browsing beacon c2"),
    "name_lookup": ("dns_lookup benign", "nxdomain"), "name_forwarding": ("dns_lookup", "nxdomain dns_tunnel benign attack"),
    "ssh_session": ("interactive benign", ""), "ssh_command": ("benign", "interactive"), "file_copy": ("benign", "transfer upload download file_share"),
    "backup": ("upload benign", "file_share"), "mail": ("mail benign", ""), "database_query": ("database benign", ""), "cache_query": ("database benign", ""),
    "message_bus": ("benign", "iot_telemetry logging keepalive api"), "idle_connection": ("keepalive benign", ""), "log_shipping": ("logging benign", ""),
    "time_sync": ("time_sync benign", ""), "monitoring": ("monitoring benign", ""), "health_check": ("benign", "api browsing monitoring keepalive"),
    "ping": ("ping benign", ""), "syn_scan": ("scan_tcp", "syn_flood flood dos"), "connect_scan": ("scan_tcp", "syn_flood flood dos"), "udp_scan": ("scan_udp", ""),
    "ping_sweep": ("sweep", "ping"), "port_sweep": ("scan_tcp", "syn_flood flood dos"), "ssh_guessing": ("brute", ""), "web_login_guessing": ("brute", "web_attack api browsing http_flood"),
    "cache_password_guessing": ("brute", "database"), "path_guessing": ("web_attack", "scan browsing api http_flood brute"), "slow_http": ("slow_dos", "keepalive"),
    "udp_flood": ("udp_flood", ""), "syn_flood": ("syn_flood", "scan scan_tcp"), "theft_upload": ("upload attack", "c2"), "beacon": ("beacon", "api browsing"),
    "dns_tunnel": ("dns_tunnel", "dns_lookup"), "random_names": ("nxdomain", "attack benign c2 beacon"),
}

# What a public capture shows, by a part of its name; the rest is told by the service alone.
SHOWN = {
    "cic-ddos-2019-synflood": ("syn_flood", "scan scan_tcp"), "synscan": ("scan_tcp", "syn_flood flood dos"), "ssh-bruteforce": ("brute", ""),
    "icmp-portscan": ("sweep", "ping"), "http_espn": ("benign", "* browsing"), "facetime": ("voip benign", ""), "iot-sentinel": ("benign", "*"),
}
NDPI_GAMES = "nintendo riotgames wow codm genshin roblox lol_wild_rift tencent_games epicgames".split()
NDPI_CALLS = "stun_signal google_meet threema viber imo agora stun_dtls_rtp dingtalk".split()


def lab(part: str) -> list[Events]:
    """Events of the lab's sites that serve `part`, as far as they have been made."""
    folders = [LAB / site for site in LAB_SITES[part]]
    return [_lab(folder) for folder in folders if (folder / "truth.csv").exists()]


def _lab(folder: Path) -> Events:
    files = [folder / "traffic.pcap.gz", folder / "truth.csv"]
    return cached(f"lab-{folder.name}", files, lambda: from_rows(list(_lab_rows(folder)), f"lab {folder.name}"))


def _lab_rows(folder: Path):
    truth = Truth(folder / "truth.csv")
    for event in meter(folder / "traffic.pcap.gz"):
        activity = truth.of(event)
        if activity in ACTIVITIES:
            yield *columns(event), tags.behaviour_row(*ACTIVITIES[activity]), activity


class Truth:
    """Which activity made a flow, by the rules that `lab/truth.py` states."""

    def __init__(self, path: Path):
        self.rows = defaultdict(list)
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines):
                row |= {"start_us": int(row["start_us"]), "end_us": int(row["end_us"])}
                row["ends"] = [ipaddress.ip_network(row[e]) if row[e] else None for e in ("src_ip", "dst_ip")]
                single = sum(n is not None and n.num_addresses == 1 for n in row["ends"])
                known = sum(n is not None for n in row["ends"])
                row["weight"] = (bool(row["src_port"]), bool(row["host"]), single, known, bool(row["dst_port"]))
                self.rows[PROTOCOLS[row["protocol"]]].append(row)

    def of(self, event: dict) -> str | None:
        """The activity of the row that says most about the flow."""
        flow = event["flow"]
        forward = (ipaddress.ip_address(flow["src_ip"]), flow["src_port"]), (ipaddress.ip_address(flow["dst_ip"]), flow["dst_port"])
        host, start = (event["app"]["host"] or "").lower(), event["start_us"]
        fits = [r for r in self.rows[flow["protocol"]] if r["start_us"] <= start <= r["end_us"] and _named(r["host"], host)]
        fits = [r for r in fits if _joins(r, *forward) or _joins(r, *forward[::-1])]
        return max(fits, key=lambda r: r["weight"])["activity"] if fits else None


def _named(wanted: str, host: str) -> bool:
    return not wanted or host == wanted.lstrip(".") or (wanted.startswith(".") and host.endswith(wanted))


def _joins(row: dict, source, target) -> bool:
    for network, name, (address, port) in zip(row["ends"], ("src_port", "dst_port"), (source, target)):
        if network is not None and address not in network:
            return False
        if row[name] and int(row[name]) != port:
            return False
    return True


def public(repositories: tuple[str, ...]) -> list[Events]:
    """Events of the public captures of these repositories, one table each."""
    folder = SHARED / "pcaps"
    out = []
    for name in repositories:
        files = sorted(folder.glob(f"{name}__*"))
        if files:
            out.append(cached(f"captures-{name}", files, lambda: from_rows(_public_rows(files), f"captures of {name}")))
    return out


def _public_rows(files: list[Path]) -> list[tuple]:
    rows = []
    for path in files:
        for number, event in enumerate(meter(path)):
            if number >= PUBLIC_PER_CAPTURE:
                break
            values, protocol, service = columns(event)
            rows.append((values, protocol, service, _shown(path.name.lower(), service), path.name.split(".")[0]))
    return rows


def _shown(name: str, service: int) -> np.ndarray:
    for part, (yes, maybe) in SHOWN.items():
        if part in name:
            return tags.behaviour_row(yes, maybe)
    if name.startswith("ndpi__") and BY_SERVICE.get(service) is None and service == 0:
        for games, tag in ((NDPI_GAMES, "game"), (NDPI_CALLS, "voip")):
            if any(game in name for game in games):
                return tags.behaviour_row(tag, "*")
    return tags.behaviour_row(BY_SERVICE.get(service, ""), "*")


def columns(event: dict) -> tuple[np.ndarray, int, int]:
    """Features, protocol and service of an event as the program writes it."""
    flow = event["flow"]
    values = [np.nan if event["features"][name] is None else event["features"][name] for name in FEATURES]
    service = service_of(flow["protocol"], flow["src_port"], flow["dst_port"], event["app"]["protocol"])
    return np.array(values), flow["protocol"], service


def meter(path: Path):
    """The events of a capture. A capture the meter cannot finish gives what stands before the damage."""
    done = subprocess.run([METER, "meter", str(path)], capture_output=True, text=True)
    if done.returncode and not done.stdout:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        if path.parent.parent == LAB:
            raise SystemExit(f"{path}: {METER} could not meter it: {reason}")
        print(f"{path.name}: not metered: {reason}")
    for line in done.stdout.splitlines():
        yield json.loads(line)
