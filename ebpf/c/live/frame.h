/* A packet buffer of the kernel as a packet of the core. */
#ifndef FB_LIVE_FRAME_H
#define FB_LIVE_FRAME_H

#include "maps.h"

#include "../gso.h"
#include "../parse.h"

/* Places in an Ethernet frame without tags. */
#define FB_ETHERNET_TYPE_AT 12
#define FB_ETHERNET_BYTES 14
#define FB_IPV4_PROTOCOL_AT 23
#define FB_IPV6_PROTOCOL_AT 20

/* Copies `words` words of the frame, which lie in one piece, to the window; says how many bytes. */
#define FB_COPY(window, data, words)                                                      \
	({                                                                                \
		_Pragma("unroll") for (fb_u32 word = 0; word < (words); word++)           \
			((fb_u64 *)(window))[word] = ((const fb_u64 *)(data))[word];      \
		(words) * 8u;                                                             \
	})

/* What nearly all packets are: as many bytes of them as the parser reads, without asking a helper. 0: this is none of those. */
FB_INLINE fb_u32 fb_copy_plain(struct __sk_buff *skb, struct fb_work *work, fb_u32 is_raw)
{
	const fb_u8 *data = (const fb_u8 *)(long)skb->data, *end = (const fb_u8 *)(long)skb->data_end;
	fb_u16 type;

	if (is_raw || data + 40 > end)
		return 0;
	type = __builtin_bswap16(*(const fb_u16 *)(data + FB_ETHERNET_TYPE_AT));
	work->link.offset = FB_ETHERNET_BYTES;
	work->link.ethertype = type;
	work->link.vlan = FB_VLAN_NONE;
	if (type == FB_ETHERTYPE_IPV4 && data[FB_ETHERNET_BYTES] == 0x45) {
		if (data[FB_IPV4_PROTOCOL_AT] == FB_UDP)
			return FB_COPY(work->window, data, 5);
		if (data[FB_IPV4_PROTOCOL_AT] == FB_TCP && data + 56 <= end)
			return FB_COPY(work->window, data, 7);
	} else if (type == FB_ETHERTYPE_IPV6 && data + 72 <= end) {
		if (data[FB_IPV6_PROTOCOL_AT] == FB_TCP || data[FB_IPV6_PROTOCOL_AT] == FB_UDP)
			return FB_COPY(work->window, data, 9);
	}
	return 0;
}

FB_INLINE fb_u32 fb_wire(const struct __sk_buff *skb)
{
	fb_u32 wire;

	if (!fb_replay)
		return skb->len;
	/* In so many words, or the compiler makes one load at a chosen offset of two, which the verifier does not allow. */
	asm volatile("%[wire] = *(u32 *)(%[skb] + %[at])"
		     : [wire] "=r"(wire)
		     : [skb] "r"(skb), [at] "i"(__builtin_offsetof(struct __sk_buff, wire_len)));
	return wire;
}

/* Copies at most `most` bytes and walks over the headers of the link, whatever they are. This and the next are functions of their own for the
 * verifier, which checks each once, and not in every state of its caller. */
__attribute__((noinline)) int fb_walk_link(struct __sk_buff *skb, struct fb_work *work, fb_u32 is_raw, fb_u32 most)
{
	fb_u32 size = skb->len;
	struct fb_view view;

	if (!work)
		return FB_BAD_LINK_HEADER;
	if (size > most)
		size = most;
	/* For the verifier: a range it keeps over the call. */
	asm volatile("" : "+r"(size));
	if (size == 0 || size > FB_WINDOW || bpf_skb_load_bytes(skb, 0, work->window, size))
		size = 0;
	work->captured = size;
	view = fb_view_of(work->window, size, fb_wire(skb));
	return (int)fb_link_parse(is_raw ? FB_LINK_RAW : FB_LINK_ETHERNET, &view, &work->link);
}

/* Parses the packet behind the link header. */
__attribute__((noinline)) int fb_walk_packet(struct __sk_buff *skb, struct fb_work *work)
{
	struct fb_view view;

	if (!work)
		return FB_BAD_LINK_HEADER;
	view = fb_view_of(work->window, work->captured, fb_wire(skb));
	return (int)fb_parse_packet(&view, &work->link, &work->packet);
}

FB_INLINE enum fb_reject fb_walk(struct __sk_buff *skb, struct fb_work *work, fb_u32 is_raw, fb_u32 most)
{
	enum fb_reject reject = (enum fb_reject)fb_walk_link(skb, work, is_raw, most);

	return reject == FB_ACCEPTED ? (enum fb_reject)fb_walk_packet(skb, work) : reject;
}

FB_INLINE enum fb_reject fb_parse_skb(struct __sk_buff *skb, struct fb_work *work, fb_u32 is_raw)
{
	enum fb_reject reject;

	work->captured = fb_copy_plain(skb, work, is_raw);
	if (work->captured)
		return (enum fb_reject)fb_walk_packet(skb, work);
	reject = fb_walk(skb, work, is_raw, FB_WINDOW_FIRST);
	if (reject == FB_TRUNCATED && skb->len > FB_WINDOW_FIRST)
		reject = fb_walk(skb, work, is_raw, FB_WINDOW);
	return reject;
}

#endif
