/* The state of one flow and how a packet changes it.
 *
 * Promise: FB_FLOW_BYTES bytes whatever the flow does, integers only. From this state all 83 features are computed at the
 * end of the flow, in user space, where there are floating point and 128-bit integers.
 *
 * Ranges, which make every sum fit:
 * - a time is an offset in microseconds from the start of the flow. A flow is cut at its active timeout, which is at most
 *   FB_ACTIVE_US_MAX (one hour), so that offsets and sums of gaps fit 32 bits, and the sum of squared gaps, being at most
 *   the square of their sum, fits 64;
 * - a flow is cut as well at FB_FLOW_PACKETS_MAX (2^31) packets; an IP packet is shorter than 2^16 + 40 bytes, so that
 *   the sum of squared lengths is below 2^31 * (2^16 + 40)^2 < 2^64.
 */
#ifndef FB_FLOW_H
#define FB_FLOW_H

#include "packet.h"

#define FB_FLOW_BYTES 312u
#define FB_FLOW_PACKETS_MAX (1u << 31)
#define FB_ACTIVE_US_MAX 3600000000ull

/* Packets with gaps of at most this are one subflow, and may be one bulk. */
#define FB_SUBFLOW_GAP_US 1000000u
#define FB_BULK_GAP_US 1000000u
/* Data-carrying packets that make a bulk. */
#define FB_BULK_PACKETS_MIN 4u

#define FB_FORWARD 0u
#define FB_BACKWARD 1u
#define FB_NO_DIRECTION 2u

/* One direction. Minima of nothing are 0: `packets` says whether there is something. */
struct fb_direction {
	fb_u64 bytes;
	fb_u64 bytes_squared;
	fb_u64 payload;
	fb_u64 header;
	fb_u64 iat_squared;
	fb_u64 bulk_bytes;
	fb_u32 packets;
	fb_u32 first;           /* offset of the first packet */
	fb_u32 last;            /* offset of the last packet */
	fb_u32 iat_min;
	fb_u32 iat_max;
	fb_u32 bytes_min;
	fb_u32 bytes_max;
	fb_u32 psh;
	fb_u32 urg;
	fb_u32 bulks;
	fb_u32 bulk_packets;
	fb_u32 bulk_duration;
	fb_u16 header_min;
	fb_u16 header_max;
	fb_u16 window;          /* of the first packet */
	fb_u16 unused;
};

struct fb_flow {
	fb_i64 start_us;        /* Unix epoch */
	fb_u64 iat_squared;
	fb_u64 run_bytes;       /* of the run of data-carrying packets that is open and may become a bulk */
	struct fb_direction way[2];
	fb_u32 last;            /* offset of the last packet */
	fb_u32 iat_min;
	fb_u32 iat_max;
	fb_u32 active_start;    /* offset where the active period began that is open */
	fb_u32 active_max;      /* of the periods that are closed */
	fb_u32 idles;
	fb_u32 idle_sum;
	fb_u32 idle_max;
	fb_u32 subflows;
	fb_u32 fin;
	fb_u32 syn;
	fb_u32 rst;
	fb_u32 ack;
	fb_u32 ece;
	fb_u32 cwr;
	fb_u32 run_packets;
	fb_u32 run_first;
	fb_u32 run_last;
	fb_u32 segment;
	fb_u8 run_way;          /* FB_FORWARD, FB_BACKWARD, or FB_NO_DIRECTION where no run is open */
	fb_u8 fin_ways;         /* bit 0: FIN seen forward, bit 1: backward */
	fb_u8 fin_last;         /* direction of the last FIN */
	fb_u8 swapped;          /* the flow's first packet came from the high end of the key */
};

_Static_assert(sizeof(struct fb_direction) == 104, "struct fb_direction is shared with Rust");
_Static_assert(sizeof(struct fb_flow) == FB_FLOW_BYTES, "struct fb_flow is shared with Rust");

struct fb_limits {
	fb_i64 idle_us;
	fb_i64 active_us;       /* at most FB_ACTIVE_US_MAX */
	fb_i64 activity_us;
};

/* What a packet is to the flow whose key it has. */
enum fb_verdict {
	FB_GOES_ON = 0,
	FB_NEXT_SEGMENT,        /* the active timeout, or FB_FLOW_PACKETS_MAX: the flow goes on as a new event */
	FB_IDLE_TIMEOUT,        /* a new flow begins: no packet for longer than the idle timeout */
	FB_CLOCK_STEP,          /* a new flow begins: the packet is older than the flow's last by more than that */
	FB_REOPENED             /* a new flow begins: a SYN after both sides have sent FIN */
};

/* What fb_flow_add() says. */
#define FB_ENDED 1u         /* by RST, or by the ACK after FIN from both sides */
#define FB_CLAMPED 2u       /* the packet's time was before the flow's last packet: that one's was taken */

#define FB_FIN_BOTH 3u

FB_INLINE enum fb_verdict fb_flow_judge(const struct fb_flow *flow, const struct fb_packet *packet, fb_i64 now,
					const struct fb_limits *limits)
{
	fb_i64 gap = now - (flow->start_us + (fb_i64)flow->last);

	if (gap > limits->idle_us)
		return FB_IDLE_TIMEOUT;
	if (gap < -limits->idle_us)
		return FB_CLOCK_STEP;
	if (flow->fin_ways == FB_FIN_BOTH && (packet->tcp_flags & (FB_SYN | FB_ACK)) == FB_SYN)
		return FB_REOPENED;
	if (now - flow->start_us > limits->active_us)
		return FB_NEXT_SEGMENT;
	if (flow->way[FB_FORWARD].packets + flow->way[FB_BACKWARD].packets >= FB_FLOW_PACKETS_MAX)
		return FB_NEXT_SEGMENT;
	return FB_GOES_ON;
}

/* A flow that begins at `now`, without a packet yet. */
FB_INLINE void fb_flow_begin(struct fb_flow *flow, fb_i64 now, fb_u32 swapped)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->start_us = now;
	flow->subflows = 1;
	flow->run_way = FB_NO_DIRECTION;
	flow->swapped = (fb_u8)swapped;
}

/* The next event of a flow that goes on: its direction, and how far its close has come, are kept. */
FB_INLINE void fb_flow_continue(struct fb_flow *flow, fb_i64 now)
{
	fb_u32 segment = flow->segment;
	fb_u8 fin_ways = flow->fin_ways, fin_last = flow->fin_last;

	fb_flow_begin(flow, now, flow->swapped);
	flow->segment = segment + 1;
	flow->fin_ways = fin_ways;
	flow->fin_last = fin_last;
}

/* Closes the open run of data-carrying packets: long enough, it was a bulk. */
FB_INLINE void fb_run_close(struct fb_flow *flow)
{
	if (flow->run_way <= FB_BACKWARD && flow->run_packets >= FB_BULK_PACKETS_MIN) {
		struct fb_direction *way = &flow->way[flow->run_way];

		way->bulks++;
		way->bulk_packets += flow->run_packets;
		way->bulk_bytes += flow->run_bytes;
		way->bulk_duration += flow->run_last - flow->run_first;
	}
	flow->run_way = FB_NO_DIRECTION;
}

FB_INLINE void fb_run_add(struct fb_flow *flow, const struct fb_packet *packet, fb_u32 at, fb_u32 way)
{
	if (packet->payload_bytes == 0)
		return;
	if (flow->run_way != way || at - flow->run_last > FB_BULK_GAP_US) {
		fb_run_close(flow);
		flow->run_way = (fb_u8)way;
		flow->run_packets = 0;
		flow->run_bytes = 0;
		flow->run_first = at;
	}
	flow->run_packets++;
	flow->run_bytes += packet->payload_bytes;
	flow->run_last = at;
}

FB_INLINE void fb_gap_add(struct fb_flow *flow, fb_u32 gap, fb_u32 first, const struct fb_limits *limits)
{
	flow->iat_squared += (fb_u64)gap * gap;
	if (first || gap < flow->iat_min)
		flow->iat_min = gap;
	if (gap > flow->iat_max)
		flow->iat_max = gap;
	if (gap > FB_SUBFLOW_GAP_US)
		flow->subflows++;
	if ((fb_i64)gap > limits->activity_us) {
		fb_u32 active = flow->last - flow->active_start;

		if (active > flow->active_max)
			flow->active_max = active;
		flow->active_start = flow->last + gap;
		flow->idles++;
		flow->idle_sum += gap;
		if (gap > flow->idle_max)
			flow->idle_max = gap;
	}
}

FB_INLINE void fb_direction_add(struct fb_direction *way, const struct fb_packet *packet, fb_u32 at)
{
	if (way->packets == 0) {
		way->first = at;
		way->bytes_min = packet->ip_bytes;
		way->header_min = packet->header_bytes;
		way->window = packet->window;
	} else {
		fb_u32 gap = at - way->last;

		way->iat_squared += (fb_u64)gap * gap;
		if (way->packets == 1 || gap < way->iat_min)
			way->iat_min = gap;
		if (gap > way->iat_max)
			way->iat_max = gap;
	}
	way->last = at;
	way->packets++;
	way->bytes += packet->ip_bytes;
	way->bytes_squared += (fb_u64)packet->ip_bytes * packet->ip_bytes;
	way->payload += packet->payload_bytes;
	way->header += packet->header_bytes;
	if (packet->ip_bytes < way->bytes_min)
		way->bytes_min = packet->ip_bytes;
	if (packet->ip_bytes > way->bytes_max)
		way->bytes_max = packet->ip_bytes;
	if (packet->header_bytes < way->header_min)
		way->header_min = packet->header_bytes;
	if (packet->header_bytes > way->header_max)
		way->header_max = packet->header_bytes;
	way->psh += (packet->tcp_flags & FB_PSH) != 0;
	way->urg += (packet->tcp_flags & FB_URG) != 0;
}

/* Counts flags; says whether the flow ends with this packet. */
FB_INLINE fb_u32 fb_flags_add(struct fb_flow *flow, const struct fb_packet *packet, fb_u32 way)
{
	fb_u32 flags = packet->tcp_flags;

	flow->fin += (flags & FB_FIN) != 0;
	flow->syn += (flags & FB_SYN) != 0;
	flow->rst += (flags & FB_RST) != 0;
	flow->ack += (flags & FB_ACK) != 0;
	flow->ece += (flags & FB_ECE) != 0;
	flow->cwr += (flags & FB_CWR) != 0;
	if (flags & FB_RST)
		return FB_ENDED;
	if (flags & FB_FIN) {
		flow->fin_ways |= (fb_u8)(1u << way);
		flow->fin_last = (fb_u8)way;
		return 0;
	}
	/* The ACK that answers the last FIN. */
	if (flow->fin_ways == FB_FIN_BOTH && (flags & FB_ACK) && way != flow->fin_last)
		return FB_ENDED;
	return 0;
}

/* Adds a packet that fb_flow_judge() let go on, or the first one of a flow that has just begun. */
FB_INLINE fb_u32 fb_flow_add(struct fb_flow *flow, const struct fb_packet *packet, fb_i64 now, fb_u32 swapped,
			     const struct fb_limits *limits)
{
	fb_u32 way = swapped == flow->swapped ? FB_FORWARD : FB_BACKWARD;
	fb_u32 before = flow->way[FB_FORWARD].packets + flow->way[FB_BACKWARD].packets;
	fb_u32 said = 0, at;

	if (now < flow->start_us + (fb_i64)flow->last) {
		said = FB_CLAMPED;
		at = flow->last;
	} else {
		at = (fb_u32)(now - flow->start_us);
	}
	if (before)
		fb_gap_add(flow, at - flow->last, before == 1, limits);
	fb_direction_add(&flow->way[way], packet, at);
	fb_run_add(flow, packet, at, way);
	flow->last = at;
	return said | fb_flags_add(flow, packet, way);
}

#endif
