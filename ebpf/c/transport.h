/* Ports, flags and header length of TCP (RFC 9293), UDP, SCTP (RFC 9260) and ICMP; anything else has none. */
#ifndef FB_TRANSPORT_H
#define FB_TRANSPORT_H

#include "ip.h"

#define FB_TCP_HEADER 20u
#define FB_TCP_CAPTURED 16u /* up to and with the window */
#define FB_UDP_HEADER 8u
#define FB_SCTP_HEADER 12u
#define FB_ICMP_HEADER 8u
#define FB_ICMP_HEADER_MIN 4u

/* Whether a header of `size` bytes fits the IP packet and its first `captured` bytes are there. */
FB_INLINE enum fb_reject fb_l4_fits(const struct fb_view *view, const struct fb_ip *ip, fb_u32 size, fb_u32 captured)
{
	if (ip->end - ip->offset < size)
		return FB_BAD_L4_HEADER;
	return fb_has(view, ip->offset, captured) ? FB_ACCEPTED : FB_TRUNCATED;
}

FB_INLINE void fb_ports(const struct fb_view *view, const struct fb_ip *ip, struct fb_packet *packet)
{
	packet->src_port = fb_load16(view, ip->offset);
	packet->dst_port = fb_load16(view, ip->offset + 2);
}

FB_INLINE enum fb_reject fb_tcp(const struct fb_view *view, const struct fb_ip *ip, struct fb_packet *packet,
				fb_u32 *header)
{
	enum fb_reject reject = fb_l4_fits(view, ip, FB_TCP_HEADER, FB_TCP_CAPTURED);

	if (reject != FB_ACCEPTED)
		return reject;
	*header = (fb_load8(view, ip->offset + 12) >> 4) * 4u;
	if (*header < FB_TCP_HEADER || *header > ip->end - ip->offset)
		return FB_BAD_L4_HEADER;
	fb_ports(view, ip, packet);
	packet->tcp_flags = fb_load8(view, ip->offset + 13);
	packet->window = fb_load16(view, ip->offset + 14);
	return FB_ACCEPTED;
}

FB_INLINE enum fb_reject fb_icmp(const struct fb_view *view, const struct fb_ip *ip, struct fb_packet *packet,
				 fb_u32 *header)
{
	enum fb_reject reject = fb_l4_fits(view, ip, FB_ICMP_HEADER_MIN, 2);

	if (reject != FB_ACCEPTED)
		return reject;
	packet->icmp_type = fb_load8(view, ip->offset);
	packet->icmp_code = fb_load8(view, ip->offset + 1);
	*header = ip->end - ip->offset;
	if (*header > FB_ICMP_HEADER)
		*header = FB_ICMP_HEADER;
	return FB_ACCEPTED;
}

/* Reads the transport header at `ip->offset` and says how long it is. */
FB_INLINE enum fb_reject fb_transport_parse(const struct fb_view *view, const struct fb_ip *ip,
					    struct fb_packet *packet, fb_u32 *header)
{
	enum fb_reject reject;

	*header = 0;
	if (packet->fragment == FB_LATER_FRAGMENT)
		return FB_ACCEPTED;
	switch (packet->protocol) {
	case FB_TCP:
		return fb_tcp(view, ip, packet, header);
	case FB_UDP:
	case FB_SCTP:
		*header = packet->protocol == FB_UDP ? FB_UDP_HEADER : FB_SCTP_HEADER;
		reject = fb_l4_fits(view, ip, *header, 4);
		if (reject == FB_ACCEPTED)
			fb_ports(view, ip, packet);
		return reject;
	case FB_ICMP:
	case FB_ICMP6:
		return fb_icmp(view, ip, packet, header);
	default:
		return FB_ACCEPTED;
	}
}

#endif
