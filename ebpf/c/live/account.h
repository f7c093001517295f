/* A packet's way into its flow. */
#ifndef FB_LIVE_ACCOUNT_H
#define FB_LIVE_ACCOUNT_H

#include "lock.h"
#include "maps.h"

#include "../gso.h"

/* What fb_account() says. */
#define FB_ACCOUNTED 1u
#define FB_NEW_FLOW 2u

FB_INLINE fb_u32 fb_same_key(const struct fb_key *a, const struct fb_key *b)
{
	const fb_u64 *x = (const fb_u64 *)a, *y = (const fb_u64 *)b;

	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4])) == 0;
}

FB_INLINE void fb_record_of(struct fb_record *record, const struct fb_slot *slot, fb_u32 why)
{
	record->key = slot->key;
	record->flow = slot->flow;
	record->ordinal = slot->ordinal;
	record->icmp_type = slot->icmp_type;
	record->icmp_code = slot->icmp_code;
	record->why = why;
}

FB_INLINE void fb_begin(struct fb_slot *slot, struct fb_work *work, fb_i64 now, fb_u32 swapped)
{
	fb_flow_begin(&slot->flow, now, swapped);
	slot->ordinal = work->ordinal++;
	slot->icmp_type = work->packet.icmp_type;
	slot->icmp_code = work->packet.icmp_code;
	slot->use = FB_LIVE;
}

/* Makes a place for a flow that has none. 0, or the kernel's error. */
FB_INLINE long fb_make_place(struct fb_work *work, struct fb_books *books)
{
	long error;

	work->fresh.key = work->key;
	error = bpf_map_update_elem(&flows, &work->key, &work->fresh, BPF_NOEXIST);
	books->places_made += error == 0;
	/* Where another CPU was faster, its place serves. */
	return error == -17 /* EEXIST */ ? 0 : error;
}

FB_INLINE void fb_deliver(struct fb_books *books, const struct fb_record *record)
{
	const struct fb_flow *flow = &record->flow;

	if (record->why == FB_END_SEGMENT)
		books->segments++;
	else
		books->flows_ended++;
	if (bpf_ringbuf_output(&ended, (void *)record, sizeof(*record), 0)) {
		books->undelivered += (fb_u64)flow->way[0].packets + flow->way[1].packets;
		books->undelivered_flows++;
	}
}

/* Adds the packet in `work` to its flow, in as many pieces as `cut` says. */
FB_INLINE fb_u32 fb_account(struct fb_work *work, struct fb_books *books, const struct fb_cut *cut, fb_i64 now)
{
	const struct fb_limits limits = {fb_idle_us, fb_active_us, fb_activity_us};
	fb_u32 swapped = fb_key_of(&work->packet, &work->key);
	fb_u32 ends = 0, begun = 0, said = 0;
	struct fb_slot *slot = bpf_map_lookup_elem(&flows, &work->key);

	if (!slot) {
		long error = fb_make_place(work, books);

		slot = error ? 0 : bpf_map_lookup_elem(&flows, &work->key);
		if (!slot) {
			if (error == -7 /* E2BIG */)
				books->table_full += cut->count;
			else
				books->slot_busy += cut->count;
			return 0;
		}
	}
	if (!fb_lock(slot)) {
		books->slot_busy += cut->count;
		return 0;
	}
	if (slot->use == FB_ENDING || !fb_same_key(&slot->key, &work->key)) {
		fb_unlock(slot);
		books->slot_busy += cut->count;
		return 0;
	}
	if (slot->use == FB_LIVE) {
		enum fb_verdict verdict = fb_flow_judge(&slot->flow, &work->packet, now, &limits);

		if (verdict != FB_GOES_ON) {
			fb_u32 why = FB_END_CLOSED;

			if (verdict == FB_NEXT_SEGMENT)
				why = FB_END_SEGMENT;
			else if (verdict == FB_IDLE_TIMEOUT)
				why = FB_END_IDLE;
			else if (verdict == FB_CLOCK_STEP)
				why = FB_END_CLOCK_STEP;
			fb_record_of(&work->ended[0], slot, why);
			ends |= 1u;
			if (verdict == FB_NEXT_SEGMENT)
				fb_flow_continue(&slot->flow, now);
			else
				slot->use = FB_EMPTY;
		}
	}
	if (slot->use == FB_EMPTY) {
		fb_begin(slot, work, now, swapped);
		begun = 1;
	}
	said = fb_flow_add(&slot->flow, &work->packet, now, swapped, &limits);
	if (cut->count > 1)
		fb_flow_add_rest(&slot->flow, &work->packet, cut, swapped);
	if (said & FB_ENDED) {
		fb_record_of(&work->ended[1], slot, FB_END_CLOSED);
		ends |= 2u;
		slot->use = FB_EMPTY;
	}
	fb_unlock(slot);
	books->flows_begun += begun;
	books->time_held += (said & FB_CLAMPED) ? cut->count : 0;
	if (ends & 1u)
		fb_deliver(books, &work->ended[0]);
	if (ends & 2u)
		fb_deliver(books, &work->ended[1]);
	return FB_ACCOUNTED | (begun ? FB_NEW_FLOW : 0);
}

#endif
