"""CICFlowMeter tables, as the program's importer understands them.

That meter's lengths are of payloads and its header lengths leave out the IP header, so that lengths of packets here
are payload + header + 20 bytes for each packet (its tables hold IPv4 only). What it does not say stays NaN.
"""

import csv
import gzip
import math
import re
from pathlib import Path

import numpy as np

from .schema import FEATURE_COUNT, PLACE, TCP

IPV4_HEADER = 20
SECOND = 1e6

# Feature, and the names its column has had (letters and digits only, lower case).
DIRECT = {
    "duration": "flowduration", "spkts": "totalfwdpacket totalfwdpackets", "dpkts": "totalbwdpackets totalbackwardpackets",
    "flow_iat_mean": "flowiatmean", "flow_iat_std": "flowiatstd", "flow_iat_max": "flowiatmax", "flow_iat_min": "flowiatmin",
    "fwd_psh_flags": "fwdpshflags", "bwd_psh_flags": "bwdpshflags", "fwd_urg_flags": "fwdurgflags", "bwd_urg_flags": "bwdurgflags",
    "packet_len_std": "", "fin_flag_count": "finflagcount", "syn_flag_count": "synflagcount", "rst_flag_count": "rstflagcount",
    "psh_flag_count": "pshflagcount", "ack_flag_count": "ackflagcount", "urg_flag_count": "urgflagcount",
    "ece_flag_count": "eceflagcount", "cwr_flag_count": "cwrflagcount cweflagcount", "flow_pkts_per_sec": "flowpacketss",
    "srate": "fwdpacketss", "drate": "bwdpacketss",
    "fwd_len_tot": "totallengthoffwdpacket totallengthoffwdpackets", "bwd_len_tot": "totallengthofbwdpacket totallengthofbwdpackets",
    "fwd_iat_mean": "fwdiatmean", "fwd_iat_std": "fwdiatstd", "fwd_iat_max": "fwdiatmax", "fwd_iat_min": "fwdiatmin",
    "fwd_iat_tot": "fwdiattotal", "bwd_iat_mean": "bwdiatmean", "bwd_iat_std": "bwdiatstd", "bwd_iat_max": "bwdiatmax",
    "bwd_iat_min": "bwdiatmin", "bwd_iat_tot": "bwdiattotal",
    "active_mean": "activemean", "active_max": "activemax", "idle_mean": "idlemean", "idle_max": "idlemax",
    "avg_packet_size": "packetlengthmean", "avg_fwd_segment_size": "fwdpacketlengthmean", "avg_bwd_segment_size": "bwdpacketlengthmean",
}
WINDOWS = {"init_fwd_win_bytes": "fwdinitwinbytes initwinbytesforward", "init_bwd_win_bytes": "bwdinitwinbytes initwinbytesbackward"}


def rows(path: Path):
    """Each row as a dictionary by plain column name; repeated headers and unreadable rows are passed over."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as lines:
        reader = csv.reader(lines)
        names = [plain(name) for name in next(reader)]
        for row in reader:
            if len(row) == len(names) and row[0] != names[0]:
                yield dict(zip(names, row))


def plain(name: str) -> str:
    """A column's name without case, spaces and signs."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def number(row: dict, names: str) -> float:
    """The first of the columns that holds a finite number, else NaN."""
    for name in names.split():
        try:
            value = float(row[name])
        except (KeyError, ValueError):
            continue
        if math.isfinite(value):
            return value
    return math.nan


def features(row: dict, protocol: int) -> np.ndarray:
    """The features a row gives."""
    out = np.full(FEATURE_COUNT, np.nan)
    for name, columns in DIRECT.items():
        value = number(row, columns)
        out[PLACE[name]] = value if value >= 0 else np.nan
    if protocol == TCP:
        for name, columns in WINDOWS.items():
            value = number(row, columns)
            out[PLACE[name]] = value if value >= 0 else np.nan
    _derive(out, row)
    return out


def _derive(out: np.ndarray, row: dict) -> None:
    get = lambda name: out[PLACE[name]]
    counts = {"fwd": get("spkts"), "bwd": get("dpkts")}
    headers = {}
    for side, column in (("fwd", "fwdheaderlength"), ("bwd", "bwdheaderlength")):
        headers[side] = number(row, column) + IPV4_HEADER * counts[side]
        if not 0 <= number(row, column) <= 60 * max(counts[side], 1):
            headers[side] = math.nan
    sbytes, dbytes = get("fwd_len_tot") + headers["fwd"], get("bwd_len_tot") + headers["bwd"]
    packets, seconds = counts["fwd"] + counts["bwd"], get("duration") / SECOND
    per_second = 1 / seconds if seconds > 0 else 0.0
    named = {
        "sbytes": sbytes, "dbytes": dbytes, "sload": sbytes * 8 * per_second, "dload": dbytes * 8 * per_second,
        "smean": ratio(sbytes, counts["fwd"]), "dmean": ratio(dbytes, counts["bwd"]),
        "packet_len_mean": ratio(sbytes + dbytes, packets), "rate": packets * per_second,
        "spkts_ratio": ratio(counts["fwd"], packets), "sbytes_ratio": ratio(sbytes, sbytes + dbytes),
        "flow_bytes_per_sec": (sbytes + dbytes) * per_second, "down_up_ratio": ratio(dbytes, sbytes),
        "fwd_header_len_mean": ratio(headers["fwd"], counts["fwd"]), "bwd_header_len_mean": ratio(headers["bwd"], counts["bwd"]),
    }
    for name, value in named.items():
        out[PLACE[name]] = value


def ratio(part: float, whole: float) -> float:
    """Part of whole, 0 where there is no whole."""
    return part / whole if whole else 0.0
