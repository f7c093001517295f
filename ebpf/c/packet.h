/* What the meter knows of one packet, and why a frame may not become one. */
#ifndef FB_PACKET_H
#define FB_PACKET_H

#include "types.h"

/* Why a frame was not accepted. The Rust face names them in the same order. */
enum fb_reject {
	FB_ACCEPTED = 0,
	FB_UNSUPPORTED_LINK,    /* a link type that is not read */
	FB_BAD_LINK_HEADER,     /* the frame ends inside its link header, or the header contradicts itself */
	FB_TOO_MANY_TAGS,       /* more VLAN tags or MPLS labels than FB_TAGS_MAX */
	FB_NOT_IP,              /* ARP, LLDP, PPP control, ... */
	FB_TRUNCATED,           /* the capture kept too little of a frame that was long enough */
	FB_BAD_IP_HEADER,       /* version, header length or total length contradict the frame */
	FB_LONG_IPV6_CHAIN,     /* more than FB_EXTENSIONS_MAX extension headers */
	FB_BAD_L4_HEADER,       /* TCP, UDP, SCTP or ICMP header does not fit what IP announced */
	FB_JUMBOGRAM,           /* longer than FB_IP_BYTES_MAX */
	FB_REJECT_COUNT
};

/* Which piece of a fragmented packet this is. */
enum fb_fragment {
	FB_WHOLE = 0,
	FB_FIRST_FRAGMENT,      /* holds the transport header */
	FB_LATER_FRAGMENT       /* does not: ports, flags and window are 0 */
};

/* Longest IP packet: an IPv6 header and the largest payload length. A kernel program sees longer ones, not yet cut into those of
 * the wire, and says how long. */
#define FB_WIRE_IP_BYTES_MAX 65575u
#ifndef FB_IP_BYTES_MAX
#define FB_IP_BYTES_MAX FB_WIRE_IP_BYTES_MAX
#endif

#define FB_VLAN_NONE 0xffffu

/* Notes on a packet that was accepted by a fallback. */
#define FB_NOTE_LENGTH_FROM_WIRE 1u /* the IP length was 0 (segmentation offload): taken from the frame's length */
#define FB_NOTE_LENGTH_OVER_WIRE 2u /* the IP length goes beyond the frame: believed all the same */

#define FB_FIN 0x01u
#define FB_SYN 0x02u
#define FB_RST 0x04u
#define FB_PSH 0x08u
#define FB_ACK 0x10u
#define FB_URG 0x20u
#define FB_ECE 0x40u
#define FB_CWR 0x80u

#define FB_ICMP 1u
#define FB_TCP 6u
#define FB_UDP 17u
#define FB_ICMP6 58u
#define FB_SCTP 132u

/* Addresses are 16 bytes as on the wire; IPv4 is mapped (::ffff:a.b.c.d). */
struct fb_packet {
	fb_u64 src[2];
	fb_u64 dst[2];
	fb_u32 ip_bytes;        /* IPv4 total length; IPv6 payload length + 40 */
	fb_u32 payload_bytes;   /* above the transport header, as announced, captured or not */
	fb_u32 payload_offset;  /* where that begins in the frame */
	fb_u32 fragment_id;
	fb_u16 src_port;
	fb_u16 dst_port;
	fb_u16 header_bytes;    /* IP, its extensions, and the transport header */
	fb_u16 window;          /* TCP, unscaled */
	fb_u16 vlan;            /* the outermost, or FB_VLAN_NONE */
	fb_u8 version;          /* 4 or 6 */
	fb_u8 protocol;
	fb_u8 tcp_flags;
	fb_u8 icmp_type;
	fb_u8 icmp_code;
	fb_u8 fragment;         /* enum fb_fragment */
	fb_u8 notes;            /* FB_NOTE_* */
	fb_u8 unused[7];
};

_Static_assert(sizeof(struct fb_packet) == 72, "struct fb_packet is shared with Rust");

#endif
