/* A flow's lock.
 *
 * The kernel's own (bpf_spin_lock) turns interrupts off and on and costs 39 ns a packet where this one costs 10. It is held for the few dozen
 * instructions in which a packet changes a flow, with bottom halves off, so that only another CPU can be waiting; it waits at
 * most FB_SPINS_MAX rounds (about a millisecond: a holder whose virtual CPU is not running), then gives up, which is
 * counted as slot_busy.
 */
#ifndef FB_LIVE_LOCK_H
#define FB_LIVE_LOCK_H

#include "maps.h"

#define FB_SPINS_MAX (1u << 16)

struct fb_spin {
	fb_u32 *lock;
	fb_u32 held;
};

static long fb_spin_once(fb_u32 round, struct fb_spin *spin)
{
	(void)round;
	spin->held = __sync_val_compare_and_swap(spin->lock, 0, 1) == 0;
	return spin->held;
}

static __noinline fb_u32 fb_lock_slowly(struct fb_slot *slot)
{
	struct fb_spin spin = {&slot->lock, 0};

	bpf_loop(FB_SPINS_MAX, fb_spin_once, &spin, 0);
	return spin.held;
}

/* 0: it could not be had. */
FB_INLINE fb_u32 fb_lock(struct fb_slot *slot)
{
	if (__sync_val_compare_and_swap(&slot->lock, 0, 1) == 0)
		return 1;
	return fb_lock_slowly(slot);
}

FB_INLINE void fb_unlock(struct fb_slot *slot)
{
	/* Where the processor keeps stores in order a plain one is a release; BPF has no other but the full exchange. */
	if (fb_ordered_stores) {
		asm volatile("" ::: "memory");
		*(volatile fb_u32 *)&slot->lock = 0;
	} else {
		__sync_lock_test_and_set(&slot->lock, 0);
	}
}

#endif
