"""Properties that can be read off the features, as tags: yes, no, or unknown where the source does not give them.

Between a clear yes and a clear no lies a band that is unknown, so that nobody is taught that 59 s is short and 60 s long.
"""

import numpy as np

from .schema import PLACE, TCP

NAMES = [
    "prop:" + name
    for name in (
        "long short big tiny upload_heavy download_heavy one_packet no_reply refused reset handshake_only no_payload many_packets "
        "high_rate trickle idle_gaps regular small_packets full_packets"
    ).split()
]


def table(features: np.ndarray, protocol: np.ndarray) -> np.ndarray:
    """Tags int8 [events, properties] in the order of `NAMES`."""
    with np.errstate(all="ignore"):
        tags = _tags(features, protocol)
    return np.stack([tags[name.removeprefix("prop:")] for name in NAMES], axis=1)


def _tags(features: np.ndarray, protocol: np.ndarray) -> dict[str, np.ndarray]:
    f = lambda name: features[:, PLACE[name]].astype(np.float64)
    packets, volume, duration = f("spkts") + f("dpkts"), f("sbytes") + f("dbytes"), f("duration")
    share = f("sbytes") / volume
    payload = f("fwd_len_tot") + f("bwd_len_tot")
    tcp, few, seconds = protocol == TCP, packets <= 4, duration / 1e6
    bytes_per_second = volume / np.maximum(seconds, 1e-6)
    variation = f("flow_iat_std") / f("flow_iat_mean")
    refused = tcp & (f("rst_flag_count") > 0) & (payload == 0)
    refused_known = tcp & ~np.isnan(f("rst_flag_count")) & ~np.isnan(payload)
    handshake = tcp & (f("syn_flag_count") >= 2) & (f("ack_flag_count") >= 2) & (payload == 0) & (f("dpkts") > 0)
    return {
        "long": _band(seconds, 60, 20),
        "short": _band(-seconds, -0.05, -1.0),
        "big": _band(volume, 2e6, 2e5),
        "tiny": _band(-volume, -300, -1500),
        "upload_heavy": _all(_band(share, 0.85, 0.6), _band(volume, 5e3, 1e3)),
        "download_heavy": _all(_band(-share, -0.15, -0.4), _band(volume, 5e3, 1e3)),
        "one_packet": _band(-packets, -1, -2),
        "no_reply": _band(-f("dpkts"), 0, -1),
        "refused": _flag(refused & few, refused_known | ~tcp),
        "reset": _flag(tcp & (f("rst_flag_count") > 0), ~np.isnan(f("rst_flag_count")) | ~tcp),
        "handshake_only": _flag(handshake, ~np.isnan(f("syn_flag_count") + f("ack_flag_count") + payload) | ~tcp),
        "no_payload": _band(-payload, 0, -1),
        "many_packets": _band(packets, 1000, 200),
        "high_rate": _all(_band(bytes_per_second, 1.25e6, 1.25e5), _band(volume, 1e5, 1e4)),
        "trickle": _all(_band(seconds, 20, 5), _band(-bytes_per_second, -200, -2000), _band(packets, 5, 3)),
        "idle_gaps": _band(f("flow_iat_max"), 5e6, 2e6),
        "regular": _all(_band(-variation, -0.3, -0.8), _band(packets, 8, 4)),
        "small_packets": _all(_band(-f("packet_len_mean"), -110, -250), _band(packets, 10, 5)),
        "full_packets": _all(_band(f("packet_len_mean"), 800, 400), _band(packets, 5, 3)),
    }


def _band(value: np.ndarray, yes_from: float, no_to: float) -> np.ndarray:
    """Yes from one bound on, no up to the other, unknown between them and for NaN."""
    out = np.full(len(value), -1, np.int8)
    out[value >= yes_from] = 1
    out[value <= no_to] = 0
    return out


def _flag(value: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.where(known, value.astype(np.int8), np.int8(-1))


def _all(*parts: np.ndarray) -> np.ndarray:
    """Yes where all are, no where one is, else unknown."""
    stacked = np.stack(parts)
    return np.where((stacked == 0).any(0), 0, np.where((stacked == 1).all(0), 1, -1)).astype(np.int8)
