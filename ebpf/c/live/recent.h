/* Which flows were seen recently: how a new one is known where no table of flows is kept.
 *
 * FB_RECENT_SETS sets of four marks each: 64 bits of a flow's ends, and when it was last seen, in 2^20 us. The one seen longest ago gives
 * way. So flows that come back within the idle timeout may count as new where more are at work than there are places (65,536, and
 * before that where five share a set), and two flows of one mark count as one (once in 2^32 where both are in one set). Both
 * directions of a flow have the same mark.
 *
 * CPUs write without a lock: two that see the same new flow at the same moment may both count it.
 */
#ifndef FB_LIVE_RECENT_H
#define FB_LIVE_RECENT_H

#include "../types.h"

#define FB_RECENT_SETS 16384u /* a power of two */
#define FB_RECENT_WAYS 4u

struct fb_recent_flow {
	fb_u32 mark; /* the upper half; the lower half chooses the set */
	fb_u32 seen;
};

struct fb_recent {
	struct fb_recent_flow flows[FB_RECENT_WAYS];
};

/* One end of a flow, mixed. */
FB_INLINE fb_u64 fb_mark_end(fb_u64 high, fb_u64 low, fb_u32 port)
{
	fb_u64 mixed = (low ^ ((fb_u64)port << 16 | port)) * 0x9e3779b97f4a7c15ull;

	mixed ^= mixed >> 32;
	mixed = (mixed + high) * 0xd6e8feb86659fd93ull;
	return mixed ^ mixed >> 32;
}

/* The same whichever end comes first. */
FB_INLINE fb_u64 fb_mark_of(fb_u64 one_end, fb_u64 other_end, fb_u32 protocol)
{
	fb_u64 mixed = (one_end + other_end + protocol) * 0x9e3779b97f4a7c15ull;

	return mixed ^ mixed >> 29;
}

/* Whether the flow of this mark was not seen for `idle`; it is from now on. */
FB_INLINE fb_u32 fb_recent_see(struct fb_recent *set, fb_u64 mark, fb_u32 now, fb_u32 idle)
{
	fb_u32 upper = (fb_u32)(mark >> 32), oldest = 0, oldest_age = 0, way;

	_Pragma("unroll") for (way = 0; way < FB_RECENT_WAYS; way++) {
		struct fb_recent_flow *flow = &set->flows[way];
		fb_u32 age = now - flow->seen;

		if (flow->mark == upper && flow->seen) {
			/* Not written again in the same 2^20 us, so that CPUs that share it need not hand it on. */
			if (age)
				flow->seen = now;
			/* A clock that another CPU read a little later is not an age. */
			return age > idle && age < 1u << 31;
		}
		if (!flow->seen)
			age = 1u << 31;
		if (way == 0 || (age > oldest_age && age <= 1u << 31)) {
			oldest = way;
			oldest_age = age;
		}
	}
	set->flows[oldest & (FB_RECENT_WAYS - 1)].mark = upper;
	set->flows[oldest & (FB_RECENT_WAYS - 1)].seen = now;
	return 1;
}

#endif
