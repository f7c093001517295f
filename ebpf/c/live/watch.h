/* What one packet adds to the bins. */
#ifndef FB_LIVE_WATCH_H
#define FB_LIVE_WATCH_H

#include "maps.h"

FB_INLINE fb_u32 fb_tick(struct fb_work *work, fb_i64 now)
{
	fb_u64 passed = (fb_u64)now - work->tick_us;

	if (passed >= FB_BIN_US) {
		fb_u64 tick = (fb_u64)now / FB_BIN_US;

		work->tick = (fb_u32)tick;
		work->tick_us = tick * FB_BIN_US;
	}
	return work->tick;
}

FB_INLINE void fb_row_add(fb_u32 row, const struct fb_arrival *arrival)
{
	fb_u32 place = row * fb_cpus + bpf_get_smp_processor_id();
	struct fb_row *ring = bpf_map_lookup_elem(&rows, &place);

	if (ring && fb_bin_add(ring, arrival)) {
		fb_u32 *newest = bpf_map_lookup_elem(&newest_ticks, &place);

		if (newest)
			*newest = arrival->tick;
	}
}

FB_INLINE void fb_watch(struct fb_work *work, fb_u32 way, const struct fb_arrival *arrival)
{
	fb_u32 port = work->packet.dst_port, *row;

	fb_row_add(way, arrival);
	if (way != fb_port_way || port == 0)
		return;
	row = bpf_map_lookup_elem(&port_rows, &port);
	if (row && *row >= FB_ROW_PORTS)
		fb_row_add(*row, arrival);
}

#endif
