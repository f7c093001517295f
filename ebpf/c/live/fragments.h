/* Ports of first fragments, so that later ones join the flow of their packet: ebpf/src/fragment.rs, for the kernel. */
#ifndef FB_LIVE_FRAGMENTS_H
#define FB_LIVE_FRAGMENTS_H

#include "maps.h"

/* Packets in pieces that are remembered; the one seen longest ago gives way, and its later pieces are counted. */
#define FB_FRAGMENTED_MAX 4096u
/* How long: Linux gives up reassembly after 30 s (net.ipv4.ipfrag_time). */
#define FB_FRAGMENTED_US 30000000

struct fb_fragment_key {
	fb_u64 src[2];
	fb_u64 dst[2];
	fb_u32 id;
	fb_u32 protocol;
};

struct fb_fragment_ports {
	fb_i64 seen_us;
	fb_u16 src_port;
	fb_u16 dst_port;
	fb_u32 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FB_FRAGMENTED_MAX);
	__type(key, struct fb_fragment_key);
	__type(value, struct fb_fragment_ports);
} fragments SEC(".maps");

/* Learns from a first fragment and completes a later one. 0: a later one whose ports are unknown. */
static __noinline int fb_resolve(struct fb_packet *packet, fb_i64 now)
{
	struct fb_fragment_key key = {};
	struct fb_fragment_ports *known;
	fb_i64 age;

	if (!packet)
		return 0;
	if (packet->protocol != FB_TCP && packet->protocol != FB_UDP && packet->protocol != FB_SCTP)
		return 1;
	key.src[0] = packet->src[0];
	key.src[1] = packet->src[1];
	key.dst[0] = packet->dst[0];
	key.dst[1] = packet->dst[1];
	key.id = packet->fragment_id;
	key.protocol = packet->protocol;
	if (packet->fragment == FB_FIRST_FRAGMENT) {
		struct fb_fragment_ports ports = {};

		ports.seen_us = now;
		ports.src_port = packet->src_port;
		ports.dst_port = packet->dst_port;
		/* Where the map refuses, the later fragments are counted as without a first. */
		bpf_map_update_elem(&fragments, &key, &ports, BPF_ANY);
		return 1;
	}
	known = bpf_map_lookup_elem(&fragments, &key);
	if (!known)
		return 0;
	age = now - known->seen_us;
	if (age > FB_FRAGMENTED_US || age < -FB_FRAGMENTED_US)
		return 0;
	packet->src_port = known->src_port;
	packet->dst_port = known->dst_port;
	return 1;
}

#endif
