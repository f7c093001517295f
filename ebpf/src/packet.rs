//! One packet as the meter sees it: a frame parsed from the link layer up to the transport header.
//!
//! Of tunnels (GRE, IP in IP, VXLAN, ESP, ...) the outer packet is taken. VLAN tags, MPLS labels and `PPPoE` are not
//! tunnels but link headers, and are walked over.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::core::{self, FIRST_FRAGMENT, LATER_FRAGMENT, PacketFacts, VLAN_NONE};

/// Why a frame is not metered. Every such frame is counted under its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    /// A link type that is not read.
    UnsupportedLink,
    /// The frame ends inside its link header, or the header contradicts itself.
    BadLinkHeader,
    /// More than eight VLAN tags or MPLS labels.
    TooManyTags,
    /// Not IP: ARP, LLDP, PPP control and so on.
    NotIp,
    /// The capture kept too little of a frame that was long enough.
    Truncated,
    /// IP version, header length or total length contradict the frame.
    BadIpHeader,
    /// More than eight IPv6 extension headers.
    LongIpv6Chain,
    /// The transport header does not fit what IP announced.
    BadL4Header,
    /// An IP packet of more than 65,575 bytes.
    Jumbogram,
    /// A later fragment whose first fragment was not seen, so that its ports are unknown.
    FragmentWithoutFirst,
}

impl Reject {
    /// All reasons; the first nine are in the order of the C core's codes, from 1.
    pub const ALL: [Self; 10] = [
        Self::UnsupportedLink,
        Self::BadLinkHeader,
        Self::TooManyTags,
        Self::NotIp,
        Self::Truncated,
        Self::BadIpHeader,
        Self::LongIpv6Chain,
        Self::BadL4Header,
        Self::Jumbogram,
        Self::FragmentWithoutFirst,
    ];

    /// The name of its counter.
    pub const fn counter(self) -> &'static str {
        match self {
            Self::UnsupportedLink => "packets_unsupported_link",
            Self::BadLinkHeader => "packets_bad_link_header",
            Self::TooManyTags => "packets_too_many_tags",
            Self::NotIp => "packets_not_ip",
            Self::Truncated => "packets_truncated",
            Self::BadIpHeader => "packets_bad_ip_header",
            Self::LongIpv6Chain => "packets_long_ipv6_chain",
            Self::BadL4Header => "packets_bad_l4_header",
            Self::Jumbogram => "packets_jumbogram",
            Self::FragmentWithoutFirst => "packets_fragment_without_first",
        }
    }

    /// The reason with this code of the core; `None` is acceptance.
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        let place = (code as usize).checked_sub(1)?;
        Some(Self::ALL.get(place).copied().unwrap_or(Self::BadLinkHeader))
    }
}

/// The facts of one accepted packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub(crate) facts: PacketFacts,
}

impl Packet {
    /// Parses a frame of `link_type` (a LINKTYPE number of pcap files) that was `wire_bytes` long and of which `data`
    /// was captured.
    pub fn parse(link_type: u32, data: &[u8], wire_bytes: u32) -> Result<Self, Reject> {
        core::parse(link_type, data, wire_bytes).map(|facts| Self { facts })
    }

    /// Source address.
    pub fn src_ip(&self) -> IpAddr {
        address(self.facts.src, self.facts.version)
    }

    /// Destination address.
    pub fn dst_ip(&self) -> IpAddr {
        address(self.facts.dst, self.facts.version)
    }

    /// Source port; 0 where the protocol has none, and in a later fragment.
    pub fn src_port(&self) -> u16 {
        self.facts.src_port
    }

    /// Destination port; 0 where the protocol has none, and in a later fragment.
    pub fn dst_port(&self) -> u16 {
        self.facts.dst_port
    }

    /// IANA protocol number, after IPv6 extension headers.
    pub fn protocol(&self) -> u8 {
        self.facts.protocol
    }

    /// Outermost VLAN identifier.
    pub fn vlan(&self) -> Option<u16> {
        (self.facts.vlan != VLAN_NONE).then_some(self.facts.vlan)
    }

    /// IPv4 total length, IPv6 payload length + 40, bytes.
    pub fn ip_bytes(&self) -> u32 {
        self.facts.ip_bytes
    }

    /// IP header, extensions and transport header, bytes.
    pub fn header_bytes(&self) -> u16 {
        self.facts.header_bytes
    }

    /// What is above the transport header, as announced, bytes.
    pub fn payload_bytes(&self) -> u32 {
        self.facts.payload_bytes
    }

    /// TCP flags as in the header's octet (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128).
    pub fn tcp_flags(&self) -> u8 {
        self.facts.tcp_flags
    }

    /// TCP window, unscaled.
    pub fn window(&self) -> u16 {
        self.facts.window
    }

    /// ICMP type and code.
    pub fn icmp(&self) -> (u8, u8) {
        (self.facts.icmp_type, self.facts.icmp_code)
    }

    /// Whether this is the piece of a fragmented packet that holds the transport header.
    pub fn is_first_fragment(&self) -> bool {
        self.facts.fragment == FIRST_FRAGMENT
    }

    /// Whether this is a later piece of a fragmented packet.
    pub fn is_later_fragment(&self) -> bool {
        self.facts.fragment == LATER_FRAGMENT
    }

    /// The part of the payload that was captured in `frame`, the frame this was parsed from.
    pub fn payload<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let start = (self.facts.payload_offset as usize).min(frame.len());
        let end = start.saturating_add(self.facts.payload_bytes as usize).min(frame.len());
        &frame[start..end]
    }
}

/// An address of the core: 16 bytes as on the wire, IPv4 mapped.
pub(crate) fn address(words: [u64; 2], version: u8) -> IpAddr {
    let mut bytes = [0u8; 16];
    bytes[..8].copy_from_slice(&words[0].to_ne_bytes());
    bytes[8..].copy_from_slice(&words[1].to_ne_bytes());
    match version {
        4 => IpAddr::V4(Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15])),
        _ => IpAddr::V6(Ipv6Addr::from(bytes)),
    }
}
