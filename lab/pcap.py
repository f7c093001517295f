"""Reading a classic pcap with Ethernet frames, as far as the lab's own captures need it. Standard library only."""

import gzip
import ipaddress
import struct
from dataclasses import dataclass

MAGIC = 0xA1B2C3D4
HEADER = struct.Struct("<IHHiIII")
RECORD = struct.Struct("<IIII")
IPV4, IPV6 = 0x0800, 0x86DD
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
EXTENSIONS = (0, 43, 44, 60)
EXTENSIONS_MAX = 8


@dataclass
class Packet:
    """What a flow needs to know of a packet. Ports are 0 where the protocol has none."""

    src_ip: str
    dst_ip: str
    src_port: int
    dst_port: int
    protocol: int
    length: int
    flags: int
    payload: bytes
    payload_length: int
    vlan: int = 0

    def key(self):
        """The same for both directions."""
        ends = sorted([(self.src_ip, self.src_port), (self.dst_ip, self.dst_port)])
        return (self.protocol, *ends)


def records(path):
    """(time in microseconds, original length, bytes) of each record; gzip is opened on the way."""
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else open(path, "rb") as file:
        magic = HEADER.unpack(file.read(HEADER.size))[0]
        if magic != MAGIC:
            raise ValueError(f"{path}: not a little-endian microsecond pcap")
        while len(head := file.read(RECORD.size)) == RECORD.size:
            seconds, micros, kept, length = RECORD.unpack(head)
            yield seconds * 1_000_000 + micros, length, file.read(kept)


def dissect(frame):
    """The packet in an Ethernet frame, or None where it is not IP."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == IPV4 and len(frame) >= 34:
        header = (frame[14] & 15) * 4
        length, protocol = int.from_bytes(frame[16:18], "big"), frame[23]
        src, dst = ".".join(map(str, frame[26:30])), ".".join(map(str, frame[30:34]))
        later = int.from_bytes(frame[20:22], "big") & 0x1FFF
        return _upper(src, dst, length, protocol, b"" if later else frame[14 + header :], length - header)
    if kind == IPV6 and len(frame) >= 54:
        length, protocol, at = int.from_bytes(frame[18:20], "big") + 40, frame[20], 54
        src, dst = (str(ipaddress.IPv6Address(frame[a : a + 16])) for a in (22, 38))
        for _ in range(EXTENSIONS_MAX):
            if protocol not in EXTENSIONS or at + 8 > len(frame):
                break
            protocol, at = frame[at], at + (8 if protocol == 44 else (frame[at + 1] + 1) * 8)
        return _upper(src, dst, length, protocol, frame[at:], length - (at - 14))
    return None


def _upper(src, dst, length, protocol, data, data_length):
    src_port = dst_port = flags = header = 0
    if protocol == TCP and len(data) >= 20:
        header, flags = (data[12] >> 4) * 4, data[13]
    if protocol == UDP and len(data) >= 8:
        header = 8
    if header:
        src_port, dst_port = struct.unpack(">HH", data[:4])
    return Packet(src, dst, src_port, dst_port, protocol, length, flags, data[header:], max(0, data_length - header))
