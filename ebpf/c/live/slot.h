/* A flow as it lies in the kernel's table, and as it is given to user space. */
#ifndef FB_LIVE_SLOT_H
#define FB_LIVE_SLOT_H

#include "../flow.h"
#include "../key.h"

/* Flows in a table unless user space says otherwise. */
#define FB_FLOWS_DEFAULT 65536u

enum fb_use {
	FB_EMPTY = 0,   /* the place of a flow that has ended: the next packet of its key begins a new one in it */
	FB_LIVE,
	FB_ENDING       /* about to leave the table: a packet that finds this is counted as slot_busy */
};

/* `key` is kept in the value as well: a program that looked a flow up just before it was deleted may find its memory used for
 * another one when it gets the lock, and must see that. `use` comes last, so that an insertion's copy writes it last. */
struct fb_slot {
	struct fb_key key;
	struct fb_flow flow;
	fb_u16 ordinal;
	fb_u8 icmp_type;
	fb_u8 icmp_code;
	fb_u32 lock;
	fb_u32 unused;
	fb_u32 use;
};

enum fb_end {
	FB_END_CLOSED = 0,  /* RST, or FIN from both sides */
	FB_END_SEGMENT,     /* cut; the flow goes on */
	FB_END_IDLE,
	FB_END_CLOCK_STEP,
	FB_END_ASKED        /* user space asked for it */
};

struct fb_record {
	struct fb_key key;
	struct fb_flow flow;
	fb_u16 ordinal;
	fb_u8 icmp_type;
	fb_u8 icmp_code;
	fb_u32 why; /* enum fb_end */
};

/* One flow that user space wants out of the table, and what came of it. */
enum fb_ask {
	FB_ASK_NOTHING = 0,
	FB_ASK_IF_IDLE,     /* if no packet has come for longer than the idle timeout at `now_us`, or it is empty */
	FB_ASK_NOW,
	FB_ASK_IF_EMPTY
};

enum fb_answer {
	FB_ANSWER_NOT_THERE = 0,
	FB_ANSWER_TAKEN,    /* `record` is the flow; it has left the table */
	FB_ANSWER_REMOVED,  /* it was empty, and has left the table */
	FB_ANSWER_STAYS
};

struct fb_request {
	struct fb_record record; /* its key says which */
	fb_u32 ask;
	fb_u32 answer;
	fb_i64 now_us;
};

/* Requests in one run. */
#define FB_REQUESTS 64u

_Static_assert(sizeof(struct fb_slot) == 40 + FB_FLOW_BYTES + 16, "struct fb_slot is shared with Rust");
_Static_assert(sizeof(struct fb_record) == 40 + FB_FLOW_BYTES + 8, "struct fb_record is shared with Rust");
_Static_assert(sizeof(struct fb_request) == 40 + FB_FLOW_BYTES + 24, "struct fb_request is shared with Rust");

#endif
