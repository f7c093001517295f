"""Tags: what may be true of an event. Events carry tags, phrases require them, and a pair matches when all required hold.

A tag of an event is yes, no or unknown: a data set that says "normal" says nothing about whether the flow was browsing.
Pairs that hang on an unknown tag are left out of training and of judgement. Beside the tags of behaviour named here stand
`prop:` tags, computed from the features, and `svc:` and `proto:` tags, from the envelope.
"""

import numpy as np

from . import properties
from .schema import SERVICES

BEHAVIOURS = (
    "attack benign scan scan_tcp scan_udp sweep brute dos flood syn_flood udp_flood http_flood icmp_flood slow_dos amplification "
    "web_attack beacon c2 upload download transfer dns_lookup dns_tunnel nxdomain interactive remote_desktop mail database ping voip "
    "streaming time_sync logging monitoring discovery addressing keepalive browsing api file_share ot iot_telemetry vpn p2p game "
    "auth routing"
).split()
PROTOCOLS = {"proto:tcp": (6,), "proto:udp": (17,), "proto:icmp": (1, 58)}
TAGS = BEHAVIOURS + properties.NAMES + list(PROTOCOLS) + ["svc:" + name for name, _, _ in SERVICES[1:]]
PLACE = {tag: i for i, tag in enumerate(TAGS)}

IMPLIES = {
    "scan_tcp": "scan", "scan_udp": "scan", "sweep": "scan", "scan": "attack", "brute": "attack", "dos": "attack",
    "syn_flood": "flood", "udp_flood": "flood", "http_flood": "flood", "icmp_flood": "flood", "flood": "dos", "slow_dos": "dos",
    "amplification": "dos", "web_attack": "attack", "beacon": "c2", "c2": "attack", "dns_tunnel": "attack", "upload": "transfer",
    "download": "transfer", "nxdomain": "dns_lookup",
}


def closed(names) -> set[str]:
    """The behaviours named and all they imply."""
    out = set()
    for name in names:
        while name and name not in out:
            if name not in PLACE:
                raise KeyError(f"no tag is called {name}")
            out.add(name)
            name = IMPLIES.get(name)
    return out


def behaviour_row(yes: str, maybe: str = "") -> np.ndarray:
    """1 yes, 0 no, -1 unknown for each behaviour; `maybe` may be "*", every other behaviour."""
    certain = closed(yes.split())
    row = np.full(len(BEHAVIOURS), -1 if maybe == "*" else 0, np.int8)
    for name in maybe.replace("*", "").split():
        row[PLACE[name]] = -1
    for name in certain:
        row[PLACE[name]] = 1
    if "attack" in certain:
        row[PLACE["benign"]] = 0
    if "benign" in certain:
        row[[PLACE[n] for n in BEHAVIOURS if "attack" in closed([n])]] = 0
    return row


def table(behaviours: np.ndarray, features: np.ndarray, protocol: np.ndarray, service: np.ndarray) -> np.ndarray:
    """All tags of all events, int8 [events, tags], from the rows of behaviour and from what can be computed."""
    protocols = np.stack([np.isin(protocol, numbers) for numbers in PROTOCOLS.values()], axis=1).astype(np.int8)
    services = (service[:, None] == np.arange(1, len(SERVICES))[None, :]).astype(np.int8)
    return np.concatenate([behaviours, properties.table(features, protocol), protocols, services], axis=1)


def matches(required: np.ndarray, tags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For phrases [P, tags] (0 or 1) and events [E, tags]: which pairs match, and which are known not to."""
    wanted = required.astype(np.float32)
    held = wanted @ (tags == 1).T.astype(np.float32)
    failed = wanted @ (tags == 0).T.astype(np.float32)
    return held == wanted.sum(axis=1, keepdims=True), failed > 0
