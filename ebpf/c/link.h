/* From the link layer to the start of the IP header.
 *
 * Link types are the LINKTYPE_ numbers of pcap files (https://www.tcpdump.org/linktypes.html).
 */
#ifndef FB_LINK_H
#define FB_LINK_H

#include "bytes.h"
#include "packet.h"

/* VLAN tags, and MPLS labels, that are walked over. */
#define FB_TAGS_MAX 8u
/* Attributes of one NFLOG record that are looked at; the kernel writes about ten. */
#define FB_NFLOG_ATTRIBUTES_MAX 32u

#define FB_LINK_NULL 0u
#define FB_LINK_ETHERNET 1u
#define FB_LINK_PPP 9u
#define FB_LINK_FDDI 10u
#define FB_LINK_RAW_BSD 12u
#define FB_LINK_RAW_OPENBSD 14u
#define FB_LINK_PPP_HDLC 50u
#define FB_LINK_RAW 101u
#define FB_LINK_LOOP 108u
#define FB_LINK_SLL 113u
#define FB_LINK_IPV4 228u
#define FB_LINK_IPV6 229u
#define FB_LINK_NFLOG 239u
#define FB_LINK_SLL2 276u

#define FB_ETHERTYPE_IPV4 0x0800u
#define FB_ETHERTYPE_IPV6 0x86ddu

/* Where a walk through link headers stands. */
struct fb_link {
	fb_u32 offset;    /* of the next header */
	fb_u32 ethertype; /* of what stands there; 0: IP, of whichever version its first half byte says */
	fb_u16 vlan;
};

FB_INLINE enum fb_reject fb_link_short(const struct fb_view *view, fb_u32 offset, fb_u32 size)
{
	return fb_had(view, offset, size) ? FB_TRUNCATED : FB_BAD_LINK_HEADER;
}

/* PPP protocol field (RFC 1661, section 2), one byte where it is compressed. */
FB_INLINE enum fb_reject fb_ppp(const struct fb_view *view, struct fb_link *link)
{
	fb_u32 protocol, size = 1;

	if (!fb_has(view, link->offset, 2))
		return fb_link_short(view, link->offset, 2);
	protocol = fb_load8(view, link->offset);
	if (!(protocol & 1u)) {
		protocol = fb_load16(view, link->offset);
		size = 2;
	}
	link->offset += size;
	if (protocol == 0x21u)
		link->ethertype = FB_ETHERTYPE_IPV4;
	else if (protocol == 0x57u)
		link->ethertype = FB_ETHERTYPE_IPV6;
	else
		return FB_NOT_IP;
	return FB_ACCEPTED;
}

/* The control word of a pseudowire, and the Ethernet header it carries. */
FB_INLINE enum fb_reject fb_pseudowire(const struct fb_view *view, struct fb_link *link)
{
	if (!fb_has(view, link->offset, 4 + 14))
		return fb_link_short(view, link->offset, 4 + 14);
	link->ethertype = fb_load16(view, link->offset + 4 + 12);
	link->offset += 4 + 14;
	return link->ethertype ? FB_ACCEPTED : FB_NOT_IP;
}

/* MPLS label stack (RFC 3032). What follows has no type: the first half byte tells IPv4 and IPv6 from the control word of
 * a pseudowire, which is taken to carry Ethernet (RFC 4448). */
FB_INLINE enum fb_reject fb_mpls(const struct fb_view *view, struct fb_link *link)
{
	fb_u32 labels;

	for (labels = 0; labels < FB_TAGS_MAX; labels++) {
		fb_u32 entry;

		link->offset = FB_FORGET(view, link->offset);
		if (!fb_has(view, link->offset, 5))
			return fb_link_short(view, link->offset, 5);
		entry = fb_load32(view, link->offset);
		link->offset += 4;
		if (entry & 0x100u) {
			fb_u32 version = fb_load8(view, link->offset) >> 4;

			link->ethertype = 0;
			if (version == 4 || version == 6)
				return FB_ACCEPTED;
			return version == 0 ? fb_pseudowire(view, link) : FB_NOT_IP;
		}
	}
	return FB_TOO_MANY_TAGS;
}

/* An 802.3 length instead of an EtherType: only SNAP (RFC 1042) carries IP. */
FB_INLINE enum fb_reject fb_snap(const struct fb_view *view, struct fb_link *link)
{
	if (!fb_has(view, link->offset, 8))
		return fb_had(view, link->offset, 8) ? FB_TRUNCATED : FB_NOT_IP;
	if (fb_load32(view, link->offset) != 0xaaaa0300u || fb_load16(view, link->offset + 4) != 0)
		return FB_NOT_IP;
	link->ethertype = fb_load16(view, link->offset + 6);
	link->offset += 8;
	return FB_ACCEPTED;
}

/* One tag control information and the EtherType after it (IEEE 802.1Q). */
FB_INLINE enum fb_reject fb_vlan(const struct fb_view *view, struct fb_link *link)
{
	if (!fb_has(view, link->offset, 4))
		return fb_link_short(view, link->offset, 4);
	if (link->vlan == FB_VLAN_NONE)
		link->vlan = fb_load16(view, link->offset) & 0xfffu;
	link->ethertype = fb_load16(view, link->offset + 2);
	link->offset += 4;
	return FB_ACCEPTED;
}

/* Follows EtherTypes until IP. */
FB_INLINE enum fb_reject fb_ethertype(const struct fb_view *view, struct fb_link *link)
{
	fb_u32 tags;

	for (tags = 0; tags < FB_TAGS_MAX; tags++) {
		enum fb_reject reject;

		if (tags) {
			link->offset = FB_FORGET(view, link->offset);
			link->ethertype = FB_FORGET(view, link->ethertype);
			link->vlan = (fb_u16)FB_FORGET(view, link->vlan);
		}
		switch (link->ethertype) {
		case FB_ETHERTYPE_IPV4:
		case FB_ETHERTYPE_IPV6:
			return FB_ACCEPTED;
		case 0x8100u: /* 802.1Q */
		case 0x88a8u: /* 802.1ad */
		case 0x9100u: /* QinQ before it had a standard */
		case 0x9200u:
			reject = fb_vlan(view, link);
			break;
		case 0x8847u: /* MPLS unicast, multicast */
		case 0x8848u:
			reject = fb_mpls(view, link);
			if (reject == FB_ACCEPTED && link->ethertype == 0)
				return FB_ACCEPTED;
			break;
		case 0x8864u: /* PPPoE session (RFC 2516): 6 bytes, then PPP */
			link->offset += 6;
			return fb_ppp(view, link);
		default:
			if (link->ethertype > 1500)
				return FB_NOT_IP;
			reject = fb_snap(view, link);
		}
		if (reject != FB_ACCEPTED)
			return reject;
	}
	return FB_TOO_MANY_TAGS;
}

/* A header of `size` bytes with an EtherType at `at`. */
FB_INLINE enum fb_reject fb_typed(const struct fb_view *view, struct fb_link *link, fb_u32 size, fb_u32 at)
{
	if (!fb_has(view, 0, size))
		return fb_link_short(view, 0, size);
	link->ethertype = fb_load16(view, at);
	link->offset = size;
	return fb_ethertype(view, link);
}

/* BSD loopback: an address family in the byte order of whoever captured (AF_INET6 is 10, 24, 28 or 30). */
FB_INLINE enum fb_reject fb_loopback(const struct fb_view *view, struct fb_link *link)
{
	fb_u32 family;

	if (!fb_has(view, 0, 4))
		return fb_link_short(view, 0, 4);
	family = fb_load32(view, 0);
	if (family > 0xffffu)
		family = (family >> 24) | ((family >> 8) & 0xff00u);
	link->offset = 4;
	if (family == 2)
		link->ethertype = FB_ETHERTYPE_IPV4;
	else if (family == 10 || family == 24 || family == 28 || family == 30)
		link->ethertype = FB_ETHERTYPE_IPV6;
	else
		return FB_NOT_IP;
	return FB_ACCEPTED;
}

/* Netfilter log: family, version, resource, then attributes (length, type) in the order of whoever captured; type 9 is
 * the packet (linux/netfilter/nfnetlink_log.h). */
FB_INLINE enum fb_reject fb_nflog(const struct fb_view *view, struct fb_link *link)
{
	fb_u32 offset = 4, attribute, family, swapped;

	if (!fb_has(view, 0, 8))
		return fb_link_short(view, 0, 8);
	family = fb_load8(view, 0);
	if (family != 2 && family != 10)
		return FB_NOT_IP;
	link->ethertype = family == 2 ? FB_ETHERTYPE_IPV4 : FB_ETHERTYPE_IPV6;
	/* The first attribute is the packet header, a few bytes long: the order that makes it short is the right one. */
	swapped = fb_load16_le(view, 4) > fb_load16(view, 4);
	for (attribute = 0; attribute < FB_NFLOG_ATTRIBUTES_MAX; attribute++) {
		fb_u32 size, type;

		if (!fb_has(view, offset, 4))
			return fb_link_short(view, offset, 4);
		size = swapped ? fb_load16(view, offset) : fb_load16_le(view, offset);
		type = swapped ? fb_load16(view, offset + 2) : fb_load16_le(view, offset + 2);
		if (size < 4)
			return FB_BAD_LINK_HEADER;
		if ((type & 0x7fffu) == 9) {
			link->offset = offset + 4;
			return FB_ACCEPTED;
		}
		offset += (size + 3) & ~3u;
	}
	return FB_BAD_LINK_HEADER;
}

/* PPP with the HDLC address and control bytes, where they are (RFC 1662). */
FB_INLINE enum fb_reject fb_ppp_framed(const struct fb_view *view, struct fb_link *link)
{
	if (fb_has(view, 0, 2) && fb_load16(view, 0) == 0xff03u)
		link->offset = 2;
	return fb_ppp(view, link);
}

FB_INLINE enum fb_reject fb_link_parse(fb_u32 link_type, const struct fb_view *view, struct fb_link *link)
{
	link->offset = 0;
	link->ethertype = 0;
	link->vlan = FB_VLAN_NONE;
	switch (link_type) {
	case FB_LINK_ETHERNET:
		return fb_typed(view, link, 14, 12);
	case FB_LINK_FDDI: /* frame control and two addresses, then LLC */
		link->offset = 13;
		return fb_ethertype(view, link);
	case FB_LINK_SLL:
		return fb_typed(view, link, 16, 14);
	case FB_LINK_SLL2:
		return fb_typed(view, link, 20, 0);
	case FB_LINK_NULL:
	case FB_LINK_LOOP:
		return fb_loopback(view, link);
	case FB_LINK_RAW:
	case FB_LINK_RAW_BSD:
	case FB_LINK_RAW_OPENBSD:
		return FB_ACCEPTED;
	case FB_LINK_IPV4:
		link->ethertype = FB_ETHERTYPE_IPV4;
		return FB_ACCEPTED;
	case FB_LINK_IPV6:
		link->ethertype = FB_ETHERTYPE_IPV6;
		return FB_ACCEPTED;
	case FB_LINK_PPP:
	case FB_LINK_PPP_HDLC:
		return fb_ppp_framed(view, link);
	case FB_LINK_NFLOG:
		return fb_nflog(view, link);
	default:
		return FB_UNSUPPORTED_LINK;
	}
}

#endif
