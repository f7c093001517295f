"""The 83 features of a sequence of packets, in numpy: for generated traffic, where writing a capture would only cost time.

It follows the schema's definitions; `tests/check_meter.py` writes the same packets to a capture and compares with
what the program's own meter says.
"""

from dataclasses import dataclass

import numpy as np

from .schema import FEATURE_COUNT, PLACE, TCP

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128

ACTIVE_TIMEOUT_US = 120_000_000
IDLE_TIMEOUT_US = 120_000_000
ACTIVITY_US = 5_000_000
SUBFLOW_US = 1_000_000
BULK_US = 1_000_000
BULK_PACKETS = 4


@dataclass
class Packets:
    """Columns of equal length, in order of time; `back` is True for packets against the flow's direction."""

    time_us: np.ndarray
    back: np.ndarray
    payload: np.ndarray
    header: np.ndarray
    flags: np.ndarray
    window: np.ndarray

    def __len__(self) -> int:
        return len(self.time_us)

    def take(self, rows) -> "Packets":
        """The packets at `rows`."""
        return Packets(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def segments(packets: Packets) -> list[Packets]:
    """The packets cut where a meter ends a flow: at its active timeout and after an idle one."""
    cuts, start, last = [0], packets.time_us[0], packets.time_us[0]
    for i, time in enumerate(packets.time_us):
        if time - last > IDLE_TIMEOUT_US or time - start > ACTIVE_TIMEOUT_US:
            cuts.append(i)
            start = time
        last = time
    cuts.append(len(packets))
    return [packets.take(slice(a, b)) for a, b in zip(cuts, cuts[1:])]


def features(packets: Packets, protocol: int) -> np.ndarray:
    """The features, float64, NaN where the protocol has none."""
    out = np.zeros(FEATURE_COUNT)
    back, forward = packets.back, ~packets.back
    length = packets.payload + packets.header
    time = packets.time_us.astype(np.float64)
    duration = time[-1] - time[0]

    _totals(out, length, forward, back, duration)
    _lengths(out, packets, length, forward, back)
    _gaps(out, time, forward, back)
    _flags(out, packets, forward, back)
    _activity(out, time)
    _bulks(out, packets, "fwd", forward)
    _bulks(out, packets, "bwd", back)
    subflows = 1 + int((np.diff(time) > SUBFLOW_US).sum())
    for name, total in (("fwd_packets", "spkts"), ("fwd_bytes", "sbytes"), ("bwd_packets", "dpkts"), ("bwd_bytes", "dbytes")):
        out[PLACE["subflow_" + name]] = out[PLACE[total]] / subflows

    for side, rows in (("fwd", forward), ("bwd", back)):
        known = protocol == TCP and rows.any()
        out[PLACE[f"init_{side}_win_bytes"]] = packets.window[rows][0] if known else np.nan
    return out


def _totals(out, length, forward, back, duration) -> None:
    spkts, dpkts = float(forward.sum()), float(back.sum())
    sbytes, dbytes = float(length[forward].sum()), float(length[back].sum())
    per_second = 1e6 / duration if duration > 0 else 0.0
    named = {
        "duration": duration, "spkts": spkts, "dpkts": dpkts, "sbytes": sbytes, "dbytes": dbytes,
        "sload": sbytes * 8 * per_second, "dload": dbytes * 8 * per_second,
        "smean": sbytes / spkts if spkts else 0, "dmean": dbytes / dpkts if dpkts else 0,
        "rate": (spkts + dpkts) * per_second, "srate": spkts * per_second, "drate": dpkts * per_second,
        "spkts_ratio": spkts / (spkts + dpkts), "sbytes_ratio": sbytes / (sbytes + dbytes),
        "flow_pkts_per_sec": (spkts + dpkts) * per_second, "flow_bytes_per_sec": (sbytes + dbytes) * per_second,
        "down_up_ratio": dbytes / sbytes if sbytes else 0,
    }
    _set(out, named)


def _lengths(out, packets, length, forward, back) -> None:
    named = {
        "packet_len_mean": length.mean(), "packet_len_std": length.std(), "packet_len_var": length.var(),
        "packet_len_max": length.max(), "packet_len_min": length.min(), "avg_packet_size": packets.payload.mean(),
    }
    for side, rows in (("fwd", forward), ("bwd", back)):
        sizes, headers = length[rows], packets.header[rows]
        if not len(sizes):
            continue
        named |= {
            f"{side}_len_max": sizes.max(), f"{side}_len_min": sizes.min(), f"{side}_len_std": sizes.std(),
            f"{side}_len_tot": packets.payload[rows].sum(), f"avg_{side}_segment_size": packets.payload[rows].mean(),
            f"{side}_header_len_mean": headers.mean(), f"{side}_header_len_max": headers.max(),
            f"{side}_header_len_min": headers.min(),
        }
    _set(out, named)


def _gaps(out, time, forward, back) -> None:
    for side, times in (("flow", time), ("fwd", time[forward]), ("bwd", time[back])):
        if len(times) < 2:
            continue
        gaps = np.diff(times)
        named = {f"{side}_iat_mean": gaps.mean(), f"{side}_iat_std": gaps.std(), f"{side}_iat_max": gaps.max(), f"{side}_iat_min": gaps.min()}
        if side != "flow":
            named[f"{side}_iat_tot"] = gaps.sum()
        _set(out, named)


def _flags(out, packets, forward, back) -> None:
    count = lambda bit, rows=slice(None): float(((packets.flags[rows] & bit) > 0).sum())
    _set(out, {
        "fwd_psh_flags": count(PSH, forward), "bwd_psh_flags": count(PSH, back),
        "fwd_urg_flags": count(URG, forward), "bwd_urg_flags": count(URG, back),
        "fin_flag_count": count(FIN), "syn_flag_count": count(SYN), "rst_flag_count": count(RST), "psh_flag_count": count(PSH),
        "ack_flag_count": count(ACK), "urg_flag_count": count(URG), "ece_flag_count": count(ECE), "cwr_flag_count": count(CWR),
    })


def _activity(out, time) -> None:
    gaps = np.diff(time)
    breaks = np.flatnonzero(gaps > ACTIVITY_US)
    starts = np.concatenate([[0], breaks + 1])
    ends = np.concatenate([breaks, [len(time) - 1]])
    active = time[ends] - time[starts]
    _set(out, {"active_mean": active.mean(), "active_max": active.max()})
    if len(breaks):
        _set(out, {"idle_mean": gaps[breaks].mean(), "idle_max": gaps[breaks].max()})


def _bulks(out, packets, side, rows) -> None:
    """Runs of data packets in one direction; data the other way, or a pause, ends a run."""
    data = np.flatnonzero(packets.payload > 0)
    if len(data) < BULK_PACKETS:
        return
    time, ours = packets.time_us[data], rows[data]
    broken = (np.diff(time) > BULK_US) | (ours[1:] != ours[:-1])
    starts = np.concatenate([[0], np.flatnonzero(broken) + 1])
    ends = np.concatenate([np.flatnonzero(broken), [len(data) - 1]])
    kept = (ends - starts + 1 >= BULK_PACKETS) & ours[starts]
    if not kept.any():
        return
    starts, ends = starts[kept], ends[kept]
    total = np.concatenate([[0], np.cumsum(packets.payload[data])])
    size = float((total[ends + 1] - total[starts]).sum())
    duration, bulks = float((time[ends] - time[starts]).sum()), len(starts)
    _set(out, {
        f"{side}_bulk_rate_avg": size * 1e6 / duration if duration > 0 else 0, f"{side}_bulk_size_avg": size / bulks,
        f"{side}_bulk_duration_avg": duration / bulks, f"{side}_avg_packets_bulk": float((ends - starts + 1).sum()) / bulks,
    })


def _set(out, named: dict) -> None:
    for name, value in named.items():
        out[PLACE[name]] = value
