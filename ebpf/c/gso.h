/* Packets that are not cut yet: a segmentation-offload (or coalesced) packet becomes the packets of the wire.
 *
 * The kernel hands TCP and UDP data over in packets of many segments. They are cut after the egress hook and joined before the
 * ingress hook, so that what a program sees as one packet is `count` of them on the wire, each with the same headers. All of
 * them have one time, which is what makes a closed form possible: the gaps between them are 0.
 *
 * Flags as the kernel cuts them (net/ipv4/tcp_offload.c, tcp_gso_segment): FIN and PSH on the last segment only, CWR on the first
 * only, the others on all.
 */
#ifndef FB_GSO_H
#define FB_GSO_H

#include "flow.h"

struct fb_cut {
	fb_u32 count;        /* packets on the wire */
	fb_u32 payload;      /* bytes in each but the last */
	fb_u32 payload_last;
	fb_u8 flags_last;    /* TCP flags of the last */
	fb_u8 unused[3];
};

/* Settles how `packet` is cut and makes it the first piece. `segments` and `size` are the kernel's gso_segs and gso_size; 0
 * segments (a guest's packet that nobody counted) are counted from the size. */
FB_INLINE void fb_cut_of(struct fb_packet *packet, fb_u32 segments, fb_u32 size, struct fb_cut *cut)
{
	fb_u32 payload = packet->payload_bytes, headers = packet->ip_bytes - payload;

	cut->count = 1;
	cut->payload = payload;
	cut->payload_last = payload;
	cut->flags_last = packet->tcp_flags;
	if (size == 0 || payload == 0)
		return;
	if (segments == 0)
		segments = (payload + size - 1) / size;
	if (segments <= 1 || segments > payload)
		return;
	/* In a tunnel the size is that of the inner payload, while ours holds the inner headers: in equal pieces then. */
	if (segments != (payload + size - 1) / size)
		size = payload / segments;
	cut->count = segments;
	cut->payload = size;
	cut->payload_last = payload - size * (segments - 1);
	cut->flags_last = packet->tcp_flags & (fb_u8)~FB_CWR;
	packet->payload_bytes = size;
	packet->ip_bytes = headers + size;
	packet->tcp_flags &= (fb_u8)~(FB_FIN | FB_PSH);
}

/* Adds the pieces after the first one, which `packet` is and which fb_flow_add() has just added. They are of one flow whatever
 * the first one ended. */
FB_INLINE void fb_flow_add_rest(struct fb_flow *flow, const struct fb_packet *packet, const struct fb_cut *cut, fb_u32 swapped)
{
	fb_u32 side = swapped == flow->swapped ? FB_FORWARD : FB_BACKWARD;
	struct fb_direction *way = &flow->way[side & 1u];
	fb_u32 rest = cut->count - 1, flags = cut->flags_last;
	fb_u32 ip_bytes = packet->ip_bytes;
	fb_u32 ip_bytes_last = ip_bytes - packet->payload_bytes + cut->payload_last;

	flow->iat_min = 0;
	way->iat_min = 0;
	way->packets += rest;
	way->bytes += (fb_u64)(rest - 1) * ip_bytes + ip_bytes_last;
	way->bytes_squared += (fb_u64)(rest - 1) * ip_bytes * ip_bytes + (fb_u64)ip_bytes_last * ip_bytes_last;
	way->payload += (fb_u64)(rest - 1) * cut->payload + cut->payload_last;
	way->header += (fb_u64)rest * packet->header_bytes;
	if (ip_bytes_last < way->bytes_min)
		way->bytes_min = ip_bytes_last;
	if (ip_bytes_last > way->bytes_max)
		way->bytes_max = ip_bytes_last;
	way->psh += (flags & FB_PSH) != 0;
	way->urg += (flags & FB_URG) ? rest : 0;
	flow->ack += (flags & FB_ACK) ? rest : 0;
	flow->ece += (flags & FB_ECE) ? rest : 0;
	flow->run_packets += rest;
	flow->run_bytes += (fb_u64)(rest - 1) * cut->payload + cut->payload_last;
	if (flags & FB_FIN) {
		flow->fin++;
		flow->fin_ways |= (fb_u8)(1u << side);
		flow->fin_last = (fb_u8)side;
	}
}

#endif
