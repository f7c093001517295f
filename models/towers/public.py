"""Public data sets of flows, from `../shared/data` where it is present: what their labels say, and what they leave open."""

import csv
import gzip
from collections import Counter

import numpy as np

from . import cicflow, tags
from .dataset import Events, cached, from_rows
from .schema import FEATURE_COUNT, PLACE, SERVICE_PLACE, SHARED, TCP, UDP, service_of

FLOWS = SHARED / "flows"

# What a label of CIC-IDS2017 means, in any of its spellings: tags that hold, and tags it leaves open.
CIC_LABELS = (
    ("benign normaltraffic", "benign", "*"), ("doshulk", "http_flood", "browsing api"), ("dosgoldeneye", "http_flood", "browsing api slow_dos keepalive"),
    ("dosslowloris", "slow_dos", "keepalive"), ("dosslowhttptest", "slow_dos", "keepalive"), ("ddos", "http_flood", "browsing api"),
    ("portscan portscanning", "scan_tcp", "syn_flood flood dos"), ("infiltrationportscan", "scan_tcp", "syn_flood flood dos"),
    ("ftppatator sshpatator bruteforce", "brute", ""), ("botnet bot bots", "c2", "beacon api browsing"),
    ("webattackbruteforce", "web_attack", "brute http_flood api browsing"), ("webattackxss webattacksqlinjection webattacks", "web_attack", "brute api browsing"),
    ("dos", "dos", "flood http_flood slow_dos"), ("infiltration", "attack", "*"), ("heartbleed", "attack", "*"),
)
LABELS = {name: (yes, maybe) for names, yes, maybe in CIC_LABELS for name in names.split()}


def cic(name: str, per_label: int | None = None) -> Events:
    """A CICFlowMeter table with labels; of each label at most `per_label` rows, spread evenly over the file."""
    path = FLOWS / f"{name}.csv.gz"
    return cached(f"{name}-{per_label}", [path], lambda: _cic(path, name, per_label))


def _cic(path, name, per_label) -> Events:
    kept = list(cicflow.rows(path))
    label = lambda row: cicflow.plain(row.get("label") or row.get("attacktype") or "")
    total, seen, out = Counter(map(label, kept)), Counter(), []
    for row in kept:
        kind = label(row)
        seen[kind] += 1
        step = max(1, -(-total[kind] // per_label)) if per_label else 1
        if kind not in LABELS or seen[kind] % step or "attempted" in kind:
            continue
        protocol = int(cicflow.number(row, "protocol") if "protocol" in row else TCP)
        port = cicflow.number(row, "dstport destinationport")
        source = cicflow.number(row, "srcport sourceport")
        service = service_of(protocol, int(source if source == source else 0), int(port if port == port else 0))
        out.append((cicflow.features(row, protocol), protocol, service, _narrowed(kind, service), kind))
    return from_rows(out, name)


def _narrowed(kind: str, service: int) -> np.ndarray:
    """The row of a label; what is benign and a service that only one behaviour uses, gets that behaviour."""
    yes, maybe = LABELS[kind]
    if yes == "benign":
        yes += " " + BY_SERVICE.get(service, "")
    return tags.behaviour_row(yes, maybe)


def _by_service() -> dict[int, str]:
    named = {
        "dns_lookup": "dns", "time_sync": "ntp", "logging": "syslog", "monitoring": "snmp netflow", "mail": "smtp imap pop3",
        "database": "mysql postgresql redis mongodb mssql oracle", "auth": "kerberos ldap radius", "addressing": "dhcp",
        "discovery": "mdns ssdp llmnr", "file_share": "smb nfs", "remote_desktop": "rdp vnc", "ot": "modbus s7comm dnp3 enip bacnet opcua iec104",
        "iot_telemetry": "mqtt", "vpn": "wireguard openvpn ipsec", "p2p": "bittorrent", "routing": "bgp", "voip": "sip rtp",
    }
    return {SERVICE_PLACE[service]: tag for tag, services in named.items() for service in services.split()}


BY_SERVICE = _by_service()


def few_fields(spkts, dpkts, sbytes, dbytes, seconds) -> np.ndarray:
    """The features of a source that knows only packets, bytes and time."""
    out = np.full(FEATURE_COUNT, np.nan)
    packets, volume, per_second = spkts + dpkts, sbytes + dbytes, (1 / seconds if seconds > 0 else 0.0)
    named = {
        "duration": seconds * 1e6, "spkts": spkts, "dpkts": dpkts, "sbytes": sbytes, "dbytes": dbytes,
        "sload": sbytes * 8 * per_second, "dload": dbytes * 8 * per_second, "smean": cicflow.ratio(sbytes, spkts),
        "dmean": cicflow.ratio(dbytes, dpkts), "rate": packets * per_second, "srate": spkts * per_second, "drate": dpkts * per_second,
        "spkts_ratio": cicflow.ratio(spkts, packets), "sbytes_ratio": cicflow.ratio(sbytes, volume), "flow_pkts_per_sec": packets * per_second,
        "flow_bytes_per_sec": volume * per_second, "down_up_ratio": cicflow.ratio(dbytes, sbytes), "packet_len_mean": cicflow.ratio(volume, packets),
    }
    for name, value in named.items():
        out[PLACE[name]] = value
    return out


WESTERMO = {
    "normal": ("benign", "*"), "badssh": ("brute", ""), "goodssh": ("interactive benign", ""), "badportscan1": ("scan", "scan_tcp scan_udp sweep"),
    "badportscan2": ("scan", "scan_tcp scan_udp sweep"),
}


def westermo(side: str) -> Events:
    """Flows of an industrial test network; frames are counted with their Ethernet header, which is taken off."""
    path = FLOWS / f"westermo_ot_flows_{side}.csv.gz"
    return cached(f"westermo-{side}", [path], lambda: from_rows(list(_westermo(path)), "westermo"))


def _westermo(path):
    ethernet, protocols = 14, {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
    for row in cicflow.rows(path):
        label, protocol = cicflow.plain(row["nstmlabel"]), protocols.get(row["protocol"].lower().partition("-")[2])
        if protocol is None or label not in WESTERMO:
            continue
        count = {s: cicflow.number(row, f"{s}packets") for s in "sr"}
        size = {s: max(0.0, np.nan_to_num(cicflow.number(row, f"{s}bytessum")) - ethernet * count[s]) for s in "sr"}
        values = few_fields(count["s"], count["r"], size["s"], size["r"], cicflow.number(row, "duration"))
        for name, column in (("fwd_len_tot", "spayloadsum"), ("bwd_len_tot", "rpayloadsum")):
            values[PLACE[name]] = cicflow.number(row, column)
        for flag, name in (("syn", "syn_flag_count"), ("rst", "rst_flag_count"), ("fin", "fin_flag_count"), ("ack", "ack_flag_count"), ("psh", "psh_flag_count")):
            values[PLACE[name]] = sum(np.nan_to_num(cicflow.number(row, f"{s}{flag}rate")) * count[s] for s in "sr")
        # The table holds no ports, so that a service is known only where the protocol is one.
        yield values, protocol, service_of(protocol, 0, 0), tags.behaviour_row(*WESTERMO[label]), label


USTC = {
    "gmail": "mail", "outlook": "mail", "mysql": "database", "bittorrent": "p2p", "skype": "voip", "facetime": "voip", "worldofwarcraft": "game",
    "cridex": "attack", "miuref": "attack", "neris": "attack", "shifu": "attack", "zeus": "attack", "nsisay": "attack", "virut": "attack", "htbot": "attack",
}


def ustc(per_label: int) -> Events:
    """Conversations of ten malware families and ten applications; lengths there hold the Ethernet header, which is taken off."""
    path = FLOWS / "ustc_tfc2016_wireshark_conversations.csv.gz"
    return cached(f"ustc-{per_label}", [path], lambda: from_rows(list(_ustc(path, per_label)), "ustc"))


def _ustc(path, per_label):
    seen = Counter()
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            name, _, transport = row["label"].rpartition("_")
            tag = USTC.get(cicflow.plain(name))
            seen[row["label"]] += 1
            if tag is None or seen[row["label"]] > per_label:
                continue
            protocol = UDP if transport == "UDP" else TCP
            count = [float(row["Packets A → B"]), float(row["Packets B → A"])]
            size = [max(0.0, float(row["Bytes A → B"]) - 14 * count[0]), max(0.0, float(row["Bytes B → A"]) - 14 * count[1])]
            values = few_fields(*count, *size, float(row["Duration"]))
            service = service_of(protocol, int(row["Port A"] or 0), int(row["Port B"] or 0))
            yes = tag if tag == "attack" else tag + " benign"
            if tag != "attack" and BY_SERVICE.get(service) not in (None, tag):
                continue
            yield values, protocol, service, tags.behaviour_row(yes, "*"), row["label"]
