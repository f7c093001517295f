/* What sockets in hand hold, told of all of them in one read instead of some system calls for each. */
#ifndef FB_LIVE_HELD_H
#define FB_LIVE_HELD_H

#include "kernel.h"
#include "maps.h"

#include <bpf/bpf_core_read.h>

/* Goes with its socket. */
struct fb_hand {
	fb_u64 id; /* user space's */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fb_hand);
} hands SEC(".maps");

struct fb_held {
	fb_u64 id;
	fb_u32 queued_bytes; /* truesize, as SO_MEMINFO has it; so the next two */
	fb_u32 limit_bytes;
	fb_u32 drops;
	fb_u32 unused;
};

_Static_assert(sizeof(struct fb_held) == 24, "struct fb_held is shared with Rust");

FB_INLINE fb_u32 fb_drops_of(struct sock *sk)
{
	fb_u32 drops = (fb_u32)sk->sk_drops.counter;

	if (bpf_core_field_exists(sk->sk_drop_counters)) {
		struct numa_drop_counters *counters = sk->sk_drop_counters;

		if (counters)
			drops = (fb_u32)counters->drops0.counter + (fb_u32)counters->drops1.counter;
	}
	return drops;
}

#endif
