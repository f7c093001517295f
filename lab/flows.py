"""Flows of a capture, cut by the rules of the event schema: RST, FIN from both sides and the ACK after it, idle and active
timeouts of 120 s. Slow and simple; it serves the ground truth only. The program's own meter is another, independent one.

A connection that stays open longer than the active timeout gives several flows. A packet that comes after the end, such as the
second ACK of two sides that closed at the same time, is a flow of its own; such a TCP flow is not `opened`."""

from dataclasses import dataclass

import names
import pcap

IDLE_US = ACTIVE_US = 120_000_000
FIN, SYN, RST, ACK = 1, 2, 4, 16
BOTH = 3


@dataclass
class Flow:
    """One flow; forward is the direction of its first packet. Bytes are IP lengths."""

    src_ip: str
    dst_ip: str
    src_port: int
    dst_port: int
    protocol: int
    start_us: int
    end_us: int
    spkts: int = 0
    dpkts: int = 0
    sbytes: int = 0
    dbytes: int = 0
    fwd_len_tot: int = 0
    bwd_len_tot: int = 0
    host: str = ""
    segment: int = 0
    opened: bool = True
    fins: int = 0
    last_fin: int = 0
    ended: bool = False

    @property
    def duration(self):
        return self.end_us - self.start_us

    def add(self, time_us, packet):
        forward = (packet.src_ip, packet.src_port) == (self.src_ip, self.src_port)
        self.end_us = time_us
        if forward:
            self.spkts, self.sbytes, self.fwd_len_tot = self.spkts + 1, self.sbytes + packet.length, self.fwd_len_tot + packet.payload_length
        else:
            self.dpkts, self.dbytes, self.bwd_len_tot = self.dpkts + 1, self.dbytes + packet.length, self.bwd_len_tot + packet.payload_length
        if not self.host and packet.payload:
            self.host = names.name_in(packet)
        if packet.protocol == pcap.TCP:
            self._close(packet.flags, 1 if forward else 2)

    def goes_on(self, time_us, packet):
        """Whether the packet still belongs to this flow or to its next segment."""
        reopened = self.fins == BOTH and packet.flags & (SYN | ACK) == SYN
        return not self.ended and not reopened and time_us - self.end_us <= IDLE_US

    def _close(self, flags, way):
        if self.spkts + self.dpkts == 1:
            self.opened = bool(flags & SYN)
        if flags & RST:
            self.ended = True
        elif flags & FIN:
            self.fins, self.last_fin = self.fins | way, way
        elif self.fins == BOTH and flags & ACK and way != self.last_fin:
            self.ended = True


def flows(path):
    """All flows of a capture in the order of their first packets."""
    live, found = {}, []
    for time_us, _, data in pcap.records(path):
        packet = pcap.dissect(data)
        if packet is None:
            continue
        key = packet.key()
        flow, segment = live.get(key), 0
        if flow and not flow.goes_on(time_us, packet):
            flow = None
        elif flow and time_us - flow.start_us > ACTIVE_US:
            flow, segment = None, flow.segment + 1
        if flow is None:
            flow = Flow(packet.src_ip, packet.dst_ip, packet.src_port, packet.dst_port, packet.protocol, time_us, time_us, segment=segment)
            live[key] = flow
            found.append(flow)
        flow.add(time_us, packet)
    return found
