/* What counting needs of a packet, at one glance where it is a plain one. */
#ifndef FB_LIVE_COUNT_H
#define FB_LIVE_COUNT_H

#include "frame.h"

struct fb_glance {
	fb_u64 mark; /* of the flow; recent.h */
	fb_u32 ip_bytes;
	fb_u16 port; /* it goes to */
	fb_u8 protocol;
	fb_u8 is_syn; /* SYN without ACK */
};

/* Places in an IPv4 header without options and in an IPv6 header. */
#define FB_IPV4_BYTES 20u
#define FB_IPV6_BYTES 40u

/* Both ports, as they lie in the frame. */
FB_INLINE void fb_glance_ports(struct fb_glance *glance, const fb_u8 *l4, fb_u64 src[2], fb_u64 dst[2])
{
	fb_u32 src_port = __builtin_bswap16(*(const fb_u16 *)l4);

	glance->port = __builtin_bswap16(*(const fb_u16 *)(l4 + 2));
	glance->mark = fb_mark_of(fb_mark_end(src[0], src[1], src_port), fb_mark_end(dst[0], dst[1], glance->port),
				  glance->protocol);
}

/* `room` bytes of the IP packet lie behind its header, which ends at `l4`. */
FB_INLINE fb_u32 fb_glance_l4(struct fb_glance *glance, const fb_u8 *l4, const fb_u8 *end, fb_u32 room)
{
	glance->is_syn = 0;
	if (glance->protocol == FB_UDP)
		return room >= FB_UDP_HEADER && l4 + FB_UDP_HEADER <= end;
	if (glance->protocol != FB_TCP || room < FB_TCP_HEADER || l4 + FB_TCP_HEADER > end)
		return 0;
	glance->is_syn = (l4[13] & (FB_SYN | FB_ACK)) == FB_SYN;
	return (l4[12] >> 4) * 4u >= FB_TCP_HEADER && (l4[12] >> 4) * 4u <= room;
}

/* What nearly all packets are: whole, one on the wire, UDP or TCP straight behind the IP header. 0: this is none of those, and
 * is parsed as in full metering. Whatever is taken here would be taken there, with the same numbers (a test compares them). */
FB_INLINE fb_u32 fb_glance_at(struct __sk_buff *skb, struct fb_glance *glance)
{
	const fb_u8 *data = (const fb_u8 *)(long)skb->data, *end = (const fb_u8 *)(long)skb->data_end;
	const fb_u8 *ip = data + FB_ETHERNET_BYTES;
	fb_u64 src[2], dst[2];
	fb_u16 type;

	if (skb->gso_size || skb->gso_segs > 1 || ip + FB_IPV4_BYTES + FB_UDP_HEADER > end)
		return 0;
	type = __builtin_bswap16(*(const fb_u16 *)(data + FB_ETHERNET_TYPE_AT));
	if (type == FB_ETHERTYPE_IPV4) {
		glance->ip_bytes = __builtin_bswap16(*(const fb_u16 *)(ip + 2));
		glance->protocol = ip[9];
		/* No options, no fragment, no length that is still to be settled or goes beyond the frame. */
		if (ip[0] != 0x45 || (*(const fb_u16 *)(ip + 6) & __builtin_bswap16(0x3fff)) ||
		    glance->ip_bytes < FB_IPV4_BYTES || glance->ip_bytes + FB_ETHERNET_BYTES > skb->len ||
		    !fb_glance_l4(glance, ip + FB_IPV4_BYTES, end, glance->ip_bytes - FB_IPV4_BYTES))
			return 0;
		src[0] = dst[0] = 0;
		src[1] = 0xffff0000ull | (fb_u64) * (const fb_u32 *)(ip + 12) << 32;
		dst[1] = 0xffff0000ull | (fb_u64) * (const fb_u32 *)(ip + 16) << 32;
		fb_glance_ports(glance, ip + FB_IPV4_BYTES, src, dst);
		return 1;
	}
	if (type != FB_ETHERTYPE_IPV6 || ip + FB_IPV6_BYTES + FB_UDP_HEADER > end)
		return 0;
	glance->ip_bytes = __builtin_bswap16(*(const fb_u16 *)(ip + 4)) + FB_IPV6_BYTES;
	glance->protocol = ip[6];
	if ((ip[0] >> 4) != 6 || glance->ip_bytes == FB_IPV6_BYTES || glance->ip_bytes + FB_ETHERNET_BYTES > skb->len ||
	    !fb_glance_l4(glance, ip + FB_IPV6_BYTES, end, glance->ip_bytes - FB_IPV6_BYTES))
		return 0;
	src[0] = *(const fb_u64 *)(ip + 8);
	src[1] = *(const fb_u64 *)(ip + 16);
	dst[0] = *(const fb_u64 *)(ip + 24);
	dst[1] = *(const fb_u64 *)(ip + 32);
	fb_glance_ports(glance, ip + FB_IPV6_BYTES, src, dst);
	return 1;
}

/* The same of a packet that was parsed. */
FB_INLINE void fb_glance_of(const struct fb_packet *packet, struct fb_glance *glance)
{
	glance->protocol = packet->protocol;
	glance->port = packet->dst_port;
	glance->mark = fb_mark_of(fb_mark_end(packet->src[0], packet->src[1], packet->src_port),
				  fb_mark_end(packet->dst[0], packet->dst[1], packet->dst_port), packet->protocol);
}

FB_INLINE fb_u32 fb_is_new(fb_u64 mark, fb_i64 now)
{
	fb_u32 place = (fb_u32)mark & (FB_RECENT_SETS - 1);
	struct fb_recent *set = bpf_map_lookup_elem(&recent, &place);

	return set ? fb_recent_see(set, mark, (fb_u32)((fb_u64)now >> 20), (fb_u32)((fb_u64)fb_idle_us >> 20)) : 0;
}

#endif
