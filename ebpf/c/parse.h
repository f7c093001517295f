/* A frame in, the facts of one packet out: link layer, IP, transport. Of tunnels the outer packet is taken. */
#ifndef FB_PARSE_H
#define FB_PARSE_H

#include "transport.h"

/* The packet behind a link header that has been parsed. */
FB_INLINE enum fb_reject fb_parse_packet(const struct fb_view *view, const struct fb_link *link, struct fb_packet *packet)
{
	struct fb_ip ip;
	fb_u32 header;
	enum fb_reject reject;

	__builtin_memset(packet, 0, sizeof(*packet));
	packet->vlan = link->vlan;
	reject = fb_ip_parse(view, link, &ip, packet);
	if (reject != FB_ACCEPTED)
		return reject;
	reject = fb_transport_parse(view, &ip, packet, &header);
	if (reject != FB_ACCEPTED)
		return reject;
	/* The chain of extensions is at most FB_EXTENSIONS_MAX * 2,048 bytes long, so that this fits 16 bits. */
	packet->header_bytes = (fb_u16)(ip.offset - ip.start + header);
	packet->payload_offset = ip.offset + header;
	packet->payload_bytes = ip.end - packet->payload_offset;
	return FB_ACCEPTED;
}

FB_INLINE struct fb_view fb_view_of(const fb_u8 *data, fb_u32 captured, fb_u32 wire)
{
	struct fb_view view = {data, captured, wire};

	if (view.captured > FB_FRAME_BYTES_MAX)
		view.captured = FB_FRAME_BYTES_MAX;
	if (view.wire < view.captured)
		view.wire = view.captured;
	return view;
}

/* `data` holds `captured` bytes of a frame that was `wire` bytes long. Nothing beyond `captured` is read. */
FB_INLINE enum fb_reject fb_parse(fb_u32 link_type, const fb_u8 *data, fb_u32 captured, fb_u32 wire,
				  struct fb_packet *packet)
{
	struct fb_view view = fb_view_of(data, captured, wire);
	struct fb_link link;
	enum fb_reject reject = fb_link_parse(link_type, &view, &link);

	if (reject != FB_ACCEPTED) {
		__builtin_memset(packet, 0, sizeof(*packet));
		return reject;
	}
	return fb_parse_packet(&view, &link, packet);
}

#endif
