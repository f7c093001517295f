/* The core as functions that Rust calls. See ebpf/src/core.rs for the other side of each. */
#include "flow.h"
#include "key.h"
#include "parse.h"

fb_u32 forebay_parse(fb_u32 link_type, const fb_u8 *data, fb_u32 captured, fb_u32 wire, struct fb_packet *packet);
fb_u32 forebay_key(const struct fb_packet *packet, struct fb_key *key);
fb_u32 forebay_flow_judge(const struct fb_flow *flow, const struct fb_packet *packet, fb_i64 now,
			  const struct fb_limits *limits);
void forebay_flow_begin(struct fb_flow *flow, fb_i64 now, fb_u32 swapped);
void forebay_flow_continue(struct fb_flow *flow, fb_i64 now);
fb_u32 forebay_flow_add(struct fb_flow *flow, const struct fb_packet *packet, fb_i64 now, fb_u32 swapped,
			const struct fb_limits *limits);
void forebay_flow_end(struct fb_flow *flow);

fb_u32 forebay_parse(fb_u32 link_type, const fb_u8 *data, fb_u32 captured, fb_u32 wire, struct fb_packet *packet)
{
	return fb_parse(link_type, data, captured, wire, packet);
}

fb_u32 forebay_key(const struct fb_packet *packet, struct fb_key *key)
{
	return fb_key_of(packet, key);
}

fb_u32 forebay_flow_judge(const struct fb_flow *flow, const struct fb_packet *packet, fb_i64 now,
			  const struct fb_limits *limits)
{
	return fb_flow_judge(flow, packet, now, limits);
}

void forebay_flow_begin(struct fb_flow *flow, fb_i64 now, fb_u32 swapped)
{
	fb_flow_begin(flow, now, swapped);
}

void forebay_flow_continue(struct fb_flow *flow, fb_i64 now)
{
	fb_flow_continue(flow, now);
}

fb_u32 forebay_flow_add(struct fb_flow *flow, const struct fb_packet *packet, fb_i64 now, fb_u32 swapped,
			const struct fb_limits *limits)
{
	return fb_flow_add(flow, packet, now, swapped, limits);
}

/* A bulk still open when the flow ends counts. */
void forebay_flow_end(struct fb_flow *flow)
{
	fb_run_close(flow);
}
