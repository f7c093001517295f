/* Drops in front of watched ports, and what leaves their sockets. Tracepoints see the whole machine: a port counts in one network
 * namespace only, where that is set. */
#ifndef FB_LIVE_DROPPED_H
#define FB_LIVE_DROPPED_H

#include "kernel.h"
#include "maps.h"

#include <bpf/bpf_core_read.h>

#define FB_MSG_PEEK 2

FB_INLINE struct fb_port *fb_port_of(fb_u32 port, fb_u32 protocol)
{
	fb_u32 key = fb_port_key(port, protocol), *row, place;

	if (port == 0 || (protocol != FB_UDP && protocol != FB_TCP))
		return 0;
	row = bpf_map_lookup_elem(&port_rows, &key);
	if (!row || *row < FB_ROW_PORTS)
		return 0;
	place = *row - FB_ROW_PORTS;
	return bpf_map_lookup_elem(&ports, &place);
}

FB_INLINE struct fb_port *fb_port_of_sock(struct sock *sk)
{
	struct fb_port *port = fb_port_of(sk->__sk_common.skc_num, sk->sk_protocol);

	if (port && fb_netns && sk->__sk_common.skc_net.net->ns.inum != fb_netns)
		return 0;
	return port;
}

/* Counts a drop, and tells of it unless it has been told of one in this millisecond. */
FB_INLINE void fb_dropped(struct fb_port *port, const struct fb_drop_event *facts)
{
	fb_u64 now = bpf_ktime_get_ns() / 1000, tick = now / FB_BIN_US;
	struct fb_drop_event event = *facts;
	fb_u32 zero = 0;

	event.time_us = now;
	event.dropped = __sync_fetch_and_add(&port->dropped, 1) + 1;
	if (__sync_lock_test_and_set(&port->event_tick, tick) == tick)
		return;
	if (bpf_ringbuf_output(&drops, &event, sizeof(event), 0)) {
		fb_u64 *missed = bpf_map_lookup_elem(&drops_missed, &zero);

		if (missed)
			__sync_fetch_and_add(missed, 1);
	}
}

FB_INLINE fb_u64 fb_inode_of(struct sock *sk)
{
	struct socket *socket = sk->sk_socket;
	struct file *file = socket ? socket->file : 0;

	return file ? file->f_inode->i_ino : 0;
}

/* Transport protocol and ports of a packet that the kernel has parsed so far. 0: neither is known. */
FB_INLINE fb_u32 fb_place_of_l4(struct sk_buff *skb, fb_u8 *protocol, fb_u8 ports[4])
{
	const fb_u8 *head = skb->head;
	fb_u32 network = skb->network_header, transport = skb->transport_header;
	fb_u8 version;

	/* The kernel's mark of a header that is not known is all ones; the same place for both means that IP was not parsed. */
	if (transport == 0xffffu || network == 0xffffu || transport <= network)
		return 0;
	if (bpf_probe_read_kernel(&version, 1, head + network))
		return 0;
	if (bpf_probe_read_kernel(protocol, 1, head + network + ((version >> 4) == 4 ? 9 : 6)))
		return 0;
	if (*protocol != FB_UDP && *protocol != FB_TCP)
		return 0;
	return bpf_probe_read_kernel(ports, 4, head + transport) == 0;
}

#endif
