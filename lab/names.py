"""The host name in a packet's payload: a DNS question, the server name of a TLS ClientHello, an HTTP Host header."""

import re

import pcap

DNS_PORTS = (53,)
HOST = re.compile(rb"\r\nhost: *([^\r\n:]+)", re.IGNORECASE)
METHODS = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ")


def name_in(packet):
    """The name, in lower case, or the empty string."""
    if packet.protocol == pcap.UDP and (packet.src_port in DNS_PORTS or packet.dst_port in DNS_PORTS):
        return question(packet.payload)
    if packet.protocol == pcap.TCP and packet.payload.startswith(METHODS):
        found = HOST.search(packet.payload)
        return found.group(1).decode("ascii", "replace").lower() if found else ""
    if packet.protocol == pcap.TCP and packet.payload[:1] == b"\x16":
        return server_name(packet.payload)
    return ""


def question(data):
    """The first question of a DNS message (RFC 1035, section 4.1.2)."""
    if len(data) < 17 or int.from_bytes(data[4:6], "big") < 1:
        return ""
    labels, at = [], 12
    while at < len(data) and 0 < data[at] < 64:
        labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii", "replace"))
        at += 1 + data[at]
    return ".".join(labels).lower()


def server_name(data):
    """The server name extension of a ClientHello (RFC 8446, section 4.1.2; RFC 6066, section 3)."""
    try:
        if data[5] != 1:
            return ""
        at = 5 + 4 + 2 + 32
        at += 1 + data[at]
        at += 2 + int.from_bytes(data[at : at + 2], "big")
        at += 1 + data[at]
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        at += 2
        while at + 4 <= min(end, len(data)):
            kind, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
            if kind == 0:
                length = int.from_bytes(data[at + 7 : at + 9], "big")
                return data[at + 9 : at + 9 + length].decode("ascii", "replace").lower()
            at += 4 + size
    except IndexError:
        pass
    return ""
