/* Arrivals by the millisecond.
 *
 * A row is a ring of FB_BINS bins: what arrived in the last 1,024 ms. Rows 0 and 1 are the interface's ingress and egress, the
 * others watched ports. Every CPU writes a row of its own, plainly and without atomics; the reader adds them up. A bin is
 * taken over, zeroed, by the first packet of a later millisecond that falls on it, so that a reader that stays away from the
 * newest and the oldest few of the ring is never overtaken. The totals of each row stand apart with its newest tick: a reader
 * of many rows touches only those in which something came, and one that needs no milliseconds reads nothing else. A packet
 * that comes too late for its bin (its CPU was taken away between reading the clock and counting) is in the totals all the same.
 */
#ifndef FB_LIVE_BINS_H
#define FB_LIVE_BINS_H

#include "../types.h"

#define FB_BINS 1024u /* milliseconds; a power of two */
#define FB_BIN_US 1000u

#define FB_ROW_INGRESS 0u
#define FB_ROW_EGRESS 1u
#define FB_ROW_PORTS 2u

struct fb_bin {
	fb_u32 tick;      /* monotonic milliseconds, the low half */
	fb_u32 packets;   /* of the wire */
	fb_u32 bytes;     /* IP bytes */
	fb_u16 new_flows; /* these two stay at 65,535 if more come in one millisecond on one CPU */
	fb_u16 syns;      /* SYN without ACK */
};

struct fb_row {
	struct fb_bin bins[FB_BINS];
};

/* Everything since the row is used. The 32-bit counts wrap. */
struct fb_total {
	fb_u64 packets;
	fb_u64 bytes;
	fb_u32 new_flows;
	fb_u32 syns;
	fb_u32 tick; /* the newest */
	fb_u32 unused;
};

_Static_assert(sizeof(struct fb_bin) == 16, "struct fb_bin is shared with Rust");
_Static_assert(sizeof(struct fb_total) == 32, "struct fb_total is shared with Rust");

/* What one packet adds. */
struct fb_arrival {
	fb_u32 tick;
	fb_u32 packets;
	fb_u32 bytes;
	fb_u16 new_flows;
	fb_u16 syns;
};

FB_INLINE void fb_bin_add(struct fb_row *row, const struct fb_arrival *arrival)
{
	struct fb_bin *bin = &row->bins[arrival->tick & (FB_BINS - 1)];

	if (bin->tick != arrival->tick) {
		bin->packets = 0;
		bin->bytes = 0;
		bin->new_flows = 0;
		bin->syns = 0;
		bin->tick = arrival->tick;
	}
	bin->packets += arrival->packets;
	bin->bytes += arrival->bytes;
	if (bin->new_flows != 0xffffu)
		bin->new_flows += arrival->new_flows;
	if (bin->syns != 0xffffu)
		bin->syns += arrival->syns;
}

FB_INLINE void fb_total_add(struct fb_total *total, const struct fb_arrival *arrival)
{
	total->packets += arrival->packets;
	total->bytes += arrival->bytes;
	total->new_flows += arrival->new_flows;
	total->syns += arrival->syns;
	total->tick = arrival->tick;
}

#endif
