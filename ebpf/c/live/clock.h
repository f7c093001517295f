/* Nanoseconds of the kernel's clock as microseconds and as the tick of a bin, for the price of one division a millisecond. */
#ifndef FB_LIVE_CLOCK_H
#define FB_LIVE_CLOCK_H

#include "bins.h"

#define FB_NS_PER_US 1000u
#define FB_NS_PER_BIN (FB_NS_PER_US * FB_BIN_US)

/* Where one CPU's clock stands. */
struct fb_clock {
	fb_u64 bin_ns; /* when the current millisecond began */
	fb_u64 bin_us;
	fb_u32 tick;   /* its number, the low half */
	fb_u32 unused;
};

/* x / 1,000 = x * 4,294,968 / 2^32 for x < 6,100,805: the factor is 2^32 / 1,000 and 704 / 1,000 too large. */
#define FB_PER_1000 4294968u
_Static_assert(FB_NS_PER_BIN < 6100805u, "a bin is short enough for the multiplication");

/* Moves to `now_ns`, which may lie before; gives microseconds. */
FB_INLINE fb_i64 fb_clock_move(struct fb_clock *clock, fb_u64 now_ns)
{
	fb_u64 passed = now_ns - clock->bin_ns;

	if (passed >= FB_NS_PER_BIN) {
		fb_u64 tick = now_ns / FB_NS_PER_BIN;

		clock->tick = (fb_u32)tick;
		clock->bin_us = tick * FB_BIN_US;
		clock->bin_ns = tick * FB_NS_PER_BIN;
		passed = now_ns - clock->bin_ns;
	}
	return (fb_i64)(clock->bin_us + (passed * FB_PER_1000 >> 32));
}

#endif
