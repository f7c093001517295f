/* Watched ports: what left their sockets' queues and what was dropped in front of them. */
#ifndef FB_LIVE_PORTS_H
#define FB_LIVE_PORTS_H

#include "../packet.h"

/* Where the row of a port is looked up: ports of UDP, then those of TCP. */
#define FB_PORT_KEYS 131072u

FB_INLINE fb_u32 fb_port_key(fb_u32 port, fb_u32 protocol)
{
	return (port & 0xffffu) | (protocol == FB_TCP) << 16;
}

/* Totals of one port since it is watched. Programs run their receiving and dropping in many places at once: atomic adds. */
struct fb_port {
	fb_u64 drained_messages; /* receive calls that took something */
	fb_u64 drained_bytes;
	fb_u64 dropped;          /* packets */
	fb_u64 event_tick;       /* of the last drop event */
};

/* Why a packet for a watched port was dropped. */
enum fb_drop {
	FB_DROP_OTHER = 0,
	FB_DROP_BUFFER_FULL,  /* the socket's receive buffer */
	FB_DROP_NO_MEMORY,    /* the protocol's memory limit (net.ipv4.udp_mem, tcp_mem) */
	FB_DROP_NO_SOCKET
};

/* At most one a millisecond and port; `dropped` is the port's total then, so that what lies between is known too. */
struct fb_drop_event {
	fb_u64 time_us;       /* monotonic */
	fb_u64 dropped;
	fb_u64 inode;         /* of the socket; 0 where it is not known */
	fb_u32 queued_bytes;  /* of memory in the socket's receive queue */
	fb_u32 limit_bytes;   /* the socket's receive buffer */
	fb_u32 kernel_reason; /* enum skb_drop_reason of the running kernel; 0 where the tracepoint has none */
	fb_u16 port;
	fb_u8 drop;           /* enum fb_drop */
	fb_u8 unused;
};

_Static_assert(sizeof(struct fb_port) == 32, "struct fb_port is shared with Rust");
_Static_assert(sizeof(struct fb_drop_event) == 40, "struct fb_drop_event is shared with Rust");

#endif
