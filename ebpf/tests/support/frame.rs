//! Frames from the network's point of view: what a packet is, and the bytes it makes.

use std::net::IpAddr;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

pub const ETHERNET: u32 = 1;

/// One packet, as the tests speak of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub time_us: i64,
    pub src: IpAddr,
    pub dst: IpAddr,
    pub src_port: u16,
    pub dst_port: u16,
    pub protocol: u8,
    pub flags: u8,
    pub window: u16,
    /// 32-bit words of TCP options.
    pub options: u8,
    pub payload: Vec<u8>,
}

impl Seen {
    pub fn tcp(time_us: i64, src: (&str, u16), dst: (&str, u16), flags: u8, payload: &[u8]) -> Self {
        Self {
            time_us,
            src: src.0.parse().unwrap(),
            dst: dst.0.parse().unwrap(),
            src_port: src.1,
            dst_port: dst.1,
            protocol: 6,
            flags,
            window: 8192,
            options: 0,
            payload: payload.to_vec(),
        }
    }

    pub fn udp(time_us: i64, src: (&str, u16), dst: (&str, u16), payload: &[u8]) -> Self {
        Self { protocol: 17, window: 0, ..Self::tcp(time_us, src, dst, 0, payload) }
    }

    /// Bytes of the transport header.
    pub fn l4_header(&self) -> usize {
        match self.protocol {
            6 => 20 + 4 * usize::from(self.options),
            1 | 17 | 58 => 8,
            132 => 12,
            _ => 0,
        }
    }

    pub fn ip_header(&self) -> usize {
        if self.src.is_ipv4() { 20 } else { 40 }
    }

    pub fn header_bytes(&self) -> usize {
        self.ip_header() + self.l4_header()
    }

    pub fn ip_bytes(&self) -> usize {
        self.header_bytes() + self.payload.len()
    }

    /// The transport header and the payload.
    pub fn l4(&self) -> Vec<u8> {
        let mut out = vec![0u8; self.l4_header()];
        if matches!(self.protocol, 6 | 17 | 132) {
            out[..2].copy_from_slice(&self.src_port.to_be_bytes());
            out[2..4].copy_from_slice(&self.dst_port.to_be_bytes());
        }
        match self.protocol {
            6 => {
                out[12] = (5 + self.options) << 4;
                out[13] = self.flags;
                out[14..16].copy_from_slice(&self.window.to_be_bytes());
            }
            17 => out[4..6].copy_from_slice(&(8 + self.payload.len() as u16).to_be_bytes()),
            1 => out[0] = 8,
            58 => out[0] = 128,
            _ => {}
        }
        out.extend(&self.payload);
        out
    }

    /// The IP packet.
    pub fn ip(&self) -> Vec<u8> {
        ip(self.src, self.dst, self.protocol, &self.l4())
    }

    /// In an Ethernet frame, padded as short frames are.
    pub fn ethernet(&self) -> Vec<u8> {
        let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        out.extend(if self.src.is_ipv4() { [8, 0] } else { [0x86, 0xdd] });
        out.extend(self.ip());
        out.resize(out.len().max(60), 0);
        out
    }
}

/// An IP header of either version before `body`.
pub fn ip(src: IpAddr, dst: IpAddr, protocol: u8, body: &[u8]) -> Vec<u8> {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut out = vec![0x45, 0];
            out.extend((20 + body.len() as u16).to_be_bytes());
            out.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
            out.extend(src.octets());
            out.extend(dst.octets());
            out.extend(body);
            out
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut out = vec![0x60, 0, 0, 0];
            out.extend((body.len() as u16).to_be_bytes());
            out.extend([protocol, 64]);
            out.extend(src.octets());
            out.extend(dst.octets());
            out.extend(body);
            out
        }
        _ => panic!("both ends speak one version of IP"),
    }
}

/// A pcap file of microseconds and little-endian numbers.
pub fn pcap(link_type: u32, frames: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(0xa1b2_c3d4u32.to_le_bytes());
    out.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0]);
    out.extend(link_type.to_le_bytes());
    for (time_us, frame) in frames {
        out.extend(((time_us / 1_000_000) as u32).to_le_bytes());
        out.extend(((time_us % 1_000_000) as u32).to_le_bytes());
        out.extend((frame.len() as u32).to_le_bytes());
        out.extend((frame.len() as u32).to_le_bytes());
        out.extend(frame);
    }
    out
}

/// The same, of packets in Ethernet frames.
pub fn pcap_of(packets: &[Seen]) -> Vec<u8> {
    let frames: Vec<_> = packets.iter().map(|packet| (packet.time_us, packet.ethernet())).collect();
    pcap(ETHERNET, &frames)
}
