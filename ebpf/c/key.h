/* The key of a bidirectional flow: both directions give the same one. */
#ifndef FB_KEY_H
#define FB_KEY_H

#include "packet.h"

/* `low` is the end that compares lower as two machine words and a port: any fixed order serves. */
struct fb_key {
	fb_u64 low[2];
	fb_u64 high[2];
	fb_u16 low_port;
	fb_u16 high_port;
	fb_u16 vlan;
	fb_u8 protocol;
	fb_u8 version;
};

_Static_assert(sizeof(struct fb_key) == 40, "struct fb_key is shared with Rust and has no padding");

/* Writes the key of `packet`; returns 1 where the packet's source is the high end. */
FB_INLINE fb_u32 fb_key_of(const struct fb_packet *packet, struct fb_key *key)
{
	fb_u32 swapped;

	if (packet->src[1] != packet->dst[1])
		swapped = packet->src[1] > packet->dst[1];
	else if (packet->src[0] != packet->dst[0])
		swapped = packet->src[0] > packet->dst[0];
	else
		swapped = packet->src_port > packet->dst_port;
	key->low[0] = swapped ? packet->dst[0] : packet->src[0];
	key->low[1] = swapped ? packet->dst[1] : packet->src[1];
	key->high[0] = swapped ? packet->src[0] : packet->dst[0];
	key->high[1] = swapped ? packet->src[1] : packet->dst[1];
	key->low_port = swapped ? packet->dst_port : packet->src_port;
	key->high_port = swapped ? packet->src_port : packet->dst_port;
	key->vlan = packet->vlan;
	key->protocol = packet->protocol;
	key->version = packet->version;
	return swapped;
}

#endif
