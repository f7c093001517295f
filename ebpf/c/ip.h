/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with extension headers and fragments. */
#ifndef FB_IP_H
#define FB_IP_H

#include "link.h"

/* Extension headers of one packet that are walked over. RFC 8200 foresees seven. */
#define FB_EXTENSIONS_MAX 8u

#define FB_HOP_BY_HOP 0u
#define FB_ROUTING 43u
#define FB_FRAGMENT 44u
#define FB_AUTHENTICATION 51u
#define FB_NO_NEXT 59u
#define FB_DESTINATION 60u
#define FB_MOBILITY 135u
#define FB_HIP 139u
#define FB_SHIM6 140u

/* Where the IP packet begins and ends, and where the walk through its headers stands. */
struct fb_ip {
	fb_u32 start;  /* of the IP header in the frame */
	fb_u32 end;    /* of the IP packet, as announced */
	fb_u32 offset; /* of the next header */
};

FB_INLINE enum fb_reject fb_ip_short(const struct fb_view *view, fb_u32 offset, fb_u32 size)
{
	return fb_had(view, offset, size) ? FB_TRUNCATED : FB_BAD_IP_HEADER;
}

/* Settles the packet's length. 0 stands in headers of packets that segmentation offload was yet to cut. */
FB_INLINE enum fb_reject fb_ip_length(const struct fb_view *view, struct fb_ip *ip, fb_u32 announced,
				      struct fb_packet *packet)
{
	fb_u32 there = view->wire > ip->start ? view->wire - ip->start : 0;

	if (announced == 0) {
		packet->notes |= FB_NOTE_LENGTH_FROM_WIRE;
		announced = there;
	} else if (announced > there) {
		packet->notes |= FB_NOTE_LENGTH_OVER_WIRE;
	}
	if (announced > FB_IP_BYTES_MAX)
		return FB_JUMBOGRAM;
	packet->ip_bytes = announced;
	ip->end = ip->start + announced;
	return FB_ACCEPTED;
}

/* Walks over extension headers; IPv4 has only the authentication header of them. */
FB_INLINE enum fb_reject fb_extensions(const struct fb_view *view, struct fb_ip *ip, struct fb_packet *packet)
{
	fb_u32 count;

	for (count = 0; count < FB_EXTENSIONS_MAX; count++) {
		fb_u32 next = packet->protocol, size;

		if (packet->version == 4 && next != FB_AUTHENTICATION)
			return FB_ACCEPTED;
		switch (next) {
		case FB_HOP_BY_HOP:
		case FB_ROUTING:
		case FB_FRAGMENT:
		case FB_AUTHENTICATION:
		case FB_DESTINATION:
		case FB_MOBILITY:
		case FB_HIP:
		case FB_SHIM6:
			break;
		default:
			return FB_ACCEPTED;
		}
		ip->offset = FB_FORGET(view, ip->offset);
		if (ip->end - ip->offset < 8)
			return FB_BAD_IP_HEADER;
		if (!fb_has(view, ip->offset, 8))
			return FB_TRUNCATED;
		size = fb_load8(view, ip->offset + 1);
		size = next == FB_AUTHENTICATION ? (size + 2) * 4 : (size + 1) * 8;
		if (next == FB_FRAGMENT) {
			fb_u32 place = fb_load16(view, ip->offset + 2);

			size = 8;
			packet->fragment_id = fb_load32(view, ip->offset + 4);
			if (place & 0xfff8u)
				packet->fragment = FB_LATER_FRAGMENT;
			else if (place & 1u)
				packet->fragment = FB_FIRST_FRAGMENT;
		}
		if (size > ip->end - ip->offset)
			return FB_BAD_IP_HEADER;
		packet->protocol = fb_load8(view, ip->offset);
		ip->offset += size;
		/* What follows in a later fragment is data, whatever the chain says. */
		if (packet->fragment == FB_LATER_FRAGMENT)
			return FB_ACCEPTED;
	}
	return FB_LONG_IPV6_CHAIN;
}

/* An IPv4 address as the second half of the IPv6 address it maps to (::ffff:a.b.c.d), in wire order. */
FB_INLINE fb_u64 fb_mapped(const struct fb_view *view, fb_u32 offset)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return 0xffff0000ull | (fb_u64)__builtin_bswap32(fb_load32(view, offset)) << 32;
#else
	return 0xffffull << 32 | fb_load32(view, offset);
#endif
}

FB_INLINE enum fb_reject fb_ipv4(const struct fb_view *view, struct fb_ip *ip, struct fb_packet *packet)
{
	fb_u32 header, place;
	enum fb_reject reject;

	if (!fb_has(view, ip->start, 20))
		return fb_ip_short(view, ip->start, 20);
	header = (fb_load8(view, ip->start) & 0xfu) * 4;
	reject = fb_ip_length(view, ip, fb_load16(view, ip->start + 2), packet);
	if (reject != FB_ACCEPTED)
		return reject;
	if (header < 20 || header > packet->ip_bytes)
		return FB_BAD_IP_HEADER;
	place = fb_load16(view, ip->start + 6);
	packet->fragment_id = fb_load16(view, ip->start + 4);
	if (place & 0x1fffu)
		packet->fragment = FB_LATER_FRAGMENT;
	else if (place & 0x2000u)
		packet->fragment = FB_FIRST_FRAGMENT;
	packet->version = 4;
	packet->protocol = fb_load8(view, ip->start + 9);
	packet->src[1] = fb_mapped(view, ip->start + 12);
	packet->dst[1] = fb_mapped(view, ip->start + 16);
	ip->offset = ip->start + header;
	if (packet->fragment == FB_LATER_FRAGMENT)
		return FB_ACCEPTED;
	return fb_extensions(view, ip, packet);
}

FB_INLINE enum fb_reject fb_ipv6(const struct fb_view *view, struct fb_ip *ip, struct fb_packet *packet)
{
	fb_u32 payload, offloaded;
	enum fb_reject reject;

	if (!fb_has(view, ip->start, 40))
		return fb_ip_short(view, ip->start, 40);
	payload = fb_load16(view, ip->start + 4);
	packet->version = 6;
	packet->protocol = fb_load8(view, ip->start + 6);
	/* A payload length of 0 is the mark of a packet that offload was yet to cut only where something must follow. */
	offloaded = payload == 0 && (packet->protocol == FB_HOP_BY_HOP || packet->protocol == FB_TCP ||
				     packet->protocol == FB_UDP);
	reject = fb_ip_length(view, ip, offloaded ? 0 : payload + 40, packet);
	if (reject != FB_ACCEPTED)
		return reject;
	packet->src[0] = fb_load64_raw(view, ip->start + 8);
	packet->src[1] = fb_load64_raw(view, ip->start + 16);
	packet->dst[0] = fb_load64_raw(view, ip->start + 24);
	packet->dst[1] = fb_load64_raw(view, ip->start + 32);
	ip->offset = ip->start + 40;
	if (ip->offset > ip->end)
		return FB_BAD_IP_HEADER;
	return fb_extensions(view, ip, packet);
}

FB_INLINE enum fb_reject fb_ip_parse(const struct fb_view *view, const struct fb_link *link, struct fb_ip *ip,
				     struct fb_packet *packet)
{
	fb_u32 version;

	ip->start = link->offset;
	if (!fb_has(view, ip->start, 1))
		return fb_ip_short(view, ip->start, 1);
	version = fb_load8(view, ip->start) >> 4;
	if (version == 4 && link->ethertype != FB_ETHERTYPE_IPV6)
		return fb_ipv4(view, ip, packet);
	if (version == 6 && link->ethertype != FB_ETHERTYPE_IPV4)
		return fb_ipv6(view, ip, packet);
	return FB_BAD_IP_HEADER;
}

#endif
