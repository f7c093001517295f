/* Flows leave the table: at the request of user space, under their lock, whatever packets do meanwhile. */
#ifndef FB_LIVE_ENDING_H
#define FB_LIVE_ENDING_H

#include "account.h"

/* Whether the flow in `slot` is to be ended as `request` says; its record is written where it was not empty. */
FB_INLINE fb_u32 fb_answer_of(struct fb_slot *slot, struct fb_request *request)
{
	fb_i64 idle = request->now_us - (slot->flow.start_us + (fb_i64)slot->flow.last);

	if (slot->use == FB_EMPTY)
		return FB_ANSWER_REMOVED;
	if (slot->use != FB_LIVE || request->ask == FB_ASK_IF_EMPTY)
		return FB_ANSWER_STAYS;
	if (request->ask == FB_ASK_IF_IDLE && idle <= fb_idle_us && idle >= -fb_idle_us)
		return FB_ANSWER_STAYS;
	fb_record_of(&request->record, slot, request->ask == FB_ASK_IF_IDLE ? FB_END_IDLE : FB_END_ASKED);
	return FB_ANSWER_TAKEN;
}

FB_INLINE void fb_serve(struct fb_request *request)
{
	struct fb_slot *slot = bpf_map_lookup_elem(&flows, &request->record.key);

	request->answer = FB_ANSWER_NOT_THERE;
	if (!slot)
		return;
	if (!fb_lock(slot)) {
		request->answer = FB_ANSWER_STAYS;
		return;
	}
	if (fb_same_key(&slot->key, &request->record.key)) {
		request->answer = fb_answer_of(slot, request);
		if (request->answer != FB_ANSWER_STAYS)
			slot->use = FB_ENDING;
	}
	fb_unlock(slot);
	if (request->answer != FB_ANSWER_TAKEN && request->answer != FB_ANSWER_REMOVED)
		return;
	/* Where the map refuses, the place stays and serves again. */
	if (bpf_map_delete_elem(&flows, &request->record.key))
		slot->use = FB_EMPTY;
}

#endif
