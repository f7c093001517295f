/* What one packet adds to the bins. */
#ifndef FB_LIVE_WATCH_H
#define FB_LIVE_WATCH_H

#include "maps.h"

FB_INLINE void fb_row_add(fb_u32 row, const struct fb_arrival *arrival)
{
	fb_u32 place = row * fb_cpus + bpf_get_smp_processor_id();
	struct fb_row *ring = bpf_map_lookup_elem(&rows, &place);
	struct fb_total *total = bpf_map_lookup_elem(&row_totals, &place);

	if (!ring || !total)
		return;
	fb_bin_add(ring, arrival);
	fb_total_add(total, arrival);
}

/* `port` is where the packet goes to. */
FB_INLINE void fb_watch(fb_u32 way, fb_u32 port, fb_u32 protocol, const struct fb_arrival *arrival)
{
	fb_u32 key = fb_port_key(port, protocol), *row;

	fb_row_add(way, arrival);
	if (way != fb_port_way || port == 0 || (protocol != FB_UDP && protocol != FB_TCP))
		return;
	row = bpf_map_lookup_elem(&port_rows, &key);
	if (row && *row >= FB_ROW_PORTS)
		fb_row_add(*row, arrival);
}

#endif
