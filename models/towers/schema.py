"""The names the towers share with the program: features, services, ports.

They are read from the Rust sources, so that there is one list and not two. A source that no longer has the expected
shape stops training at once.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
SHARED = ROOT.parent / "shared" / "data"

FEATURE_COUNT = 83
SERVICE_VOCABULARY = 128
PROTOCOL_VOCABULARY = 256
DIMENSION = 256
SPACE = "forebay-256-v1"


def _feature_names() -> list[str]:
    text = (ROOT / "event/src/feature.rs").read_text()
    body = re.search(r"FEATURE_NAMES: \[&str; FEATURE_COUNT\] = \[(.*?)\];", text, re.S)
    names = re.findall(r'"(\w+)"', body.group(1)) if body else []
    if len(names) != FEATURE_COUNT:
        raise SystemExit(f"event/src/feature.rs: found {len(names)} feature names, expected {FEATURE_COUNT}")
    return names


def _services() -> list[tuple[str, list[str], list[int]]]:
    text = (ROOT / "event/src/service.rs").read_text()
    rows = re.findall(r'service\("([^"]+)", &\[([^\]]*)\], &\[([^\]]*)\]\)', text)
    services = [(n, re.findall(r'"([^"]+)"', a), [int(p) for p in re.findall(r"\d+", ports)]) for n, a, ports in rows]
    if not services or services[0][0] != "unknown" or len(services) > SERVICE_VOCABULARY:
        raise SystemExit("event/src/service.rs: the table of services does not have the expected shape")
    return services


FEATURES = _feature_names()
PLACE = {name: i for i, name in enumerate(FEATURES)}
SERVICES = _services()
SERVICE_PLACE = {name: i for i, (n, aliases, _) in enumerate(SERVICES) for name in [n, *aliases]}
SERVICE_BY_PORT = {port: i for i, (_, _, ports) in enumerate(SERVICES) for port in ports}

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58


def service_of(protocol: int, src_port: int, dst_port: int, app: str | None = None) -> int:
    """The place a flow's service has in the table, by the same rule as `event::service::service_of`."""
    if app and app in SERVICE_PLACE:
        return SERVICE_PLACE[app]
    if protocol in (ICMP, ICMP6):
        return SERVICE_PLACE["icmp"]
    if protocol == 47:
        return SERVICE_PLACE["gre"]
    if protocol in (TCP, UDP, 132):
        return SERVICE_BY_PORT.get(dst_port) or SERVICE_BY_PORT.get(src_port) or 0
    return 0
