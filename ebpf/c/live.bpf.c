/* Live traffic: the flow core at the tcx hooks of an interface.
 *
 * Promise: every packet that passes is in exactly one flow, or counted under the reason why not (live/books.h); features are those
 * that the same packets give from a capture file, because the code that computes their state is the same.
 *
 * Hook: tcx (or clsact) ingress and egress. Ingress sees packets after the driver and GRO, before netfilter; egress sees them
 * after netfilter and qdisc choice, before segmentation. "Bytes" are IP bytes of the packets of the wire, as everywhere: packets
 * of many segments are cut (gso.h), VLAN tags that the kernel took out of the frame are put back in the key.
 *
 * Table: a hash with a lock per flow, not an LRU. An LRU gives up flows without a word, so that their packets are in no event and no
 * counter, and its values may hold no lock, so that two CPUs overwrite each other's changes. Here a full table turns new flows
 * away, which is counted, until user space has ended those idle for longest, which loses nothing; the lock makes the
 * state of a flow exact whichever CPUs its two directions arrive on. A preallocated hash gives exactly the number of places
 * it was made for, so that it needs no headroom.
 *
 * A flow that ends leaves an empty place, which the next packet of its key begins anew; only fb_end_flows, asked by user space,
 * takes places out of the table, so that a packet never finds its flow gone in mid-change.
 *
 * Failure: a program that cannot do its work counts the packet and lets it pass. It never drops, changes or redirects one.
 */
#include "live/bounds.h"

#include "live/account.h"
#include "live/books.h"
#include "live/count.h"
#include "live/dropped.h"
#include "live/ending.h"
#include "live/fragments.h"
#include "live/frame.h"
#include "live/held.h"
#include "live/watch.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Parses the packet and settles how it is cut, whatever it is. 0: it is turned away, which is counted. */
FB_INLINE fb_u32 fb_take_in(struct __sk_buff *skb, struct fb_work *work, struct fb_books *books, fb_u32 is_raw, fb_i64 now,
			    struct fb_cut *cut)
{
	struct fb_packet *packet = &work->packet;
	fb_u32 segments = skb->gso_segs;
	enum fb_reject reject = fb_parse_skb(skb, work, is_raw);

	if (reject != FB_ACCEPTED) {
		segments = segments ? segments : 1;
		books->seen += segments;
		books->rejected[reject < FB_REJECT_COUNT ? reject : FB_BAD_LINK_HEADER] += segments;
		return 0;
	}
	fb_cut_of(packet, segments, skb->gso_size, cut);
	books->seen += cut->count;
	if (packet->ip_bytes > FB_WIRE_IP_BYTES_MAX) {
		books->rejected[FB_JUMBOGRAM] += cut->count;
		return 0;
	}
	if (packet->fragment != FB_WHOLE) {
		if (!fb_resolve(packet, now)) {
			books->fragment_without_first += cut->count;
			return 0;
		}
		books->fragments_joined += packet->fragment == FB_LATER_FRAGMENT;
	}
	books->length_from_wire += (packet->notes & FB_NOTE_LENGTH_FROM_WIRE) != 0;
	books->length_over_wire += (packet->notes & FB_NOTE_LENGTH_OVER_WIRE) != 0;
	books->super_packets += cut->count > 1;
	return 1;
}

/* What the packet in `work` adds to the bins, but for its flow. */
FB_INLINE void fb_arrival_of(const struct fb_work *work, const struct fb_cut *cut, struct fb_arrival *arrival)
{
	const struct fb_packet *packet = &work->packet;

	arrival->tick = work->clock.tick;
	arrival->packets = cut->count;
	arrival->bytes = packet->ip_bytes;
	arrival->syns = (packet->tcp_flags & (FB_SYN | FB_ACK)) == FB_SYN;
	if (cut->count > 1)
		arrival->bytes = packet->ip_bytes * cut->count - packet->payload_bytes + cut->payload_last;
}

FB_INLINE fb_u64 fb_now_ns(const struct __sk_buff *skb)
{
	return fb_replay ? skb->tstamp : bpf_ktime_get_ns();
}

FB_INLINE void fb_meter(struct __sk_buff *skb, fb_u32 way)
{
	fb_u32 zero = 0, said;
	struct fb_work *work = bpf_map_lookup_elem(&work_map, &zero);
	struct fb_books *books = bpf_map_lookup_elem(&books_map, &zero);
	struct fb_arrival arrival;
	struct fb_cut cut;
	fb_i64 now;

	if (!work || !books)
		return;
	now = fb_clock_move(&work->clock, fb_now_ns(skb));
	if (!fb_take_in(skb, work, books, fb_raw_link, now, &cut))
		return;
	if (skb->vlan_present)
		work->packet.vlan = skb->vlan_tci & 0xfffu;
	fb_arrival_of(work, &cut, &arrival);
	said = fb_account(work, books, &cut, now);
	if (said & FB_ACCOUNTED) {
		books->accounted += cut.count;
		books->bytes += arrival.bytes;
	}
	arrival.new_flows = (said & FB_NEW_FLOW) != 0;
	fb_watch(way, work->packet.dst_port, work->packet.protocol, &arrival);
}

/* Counts without following flows: a fraction of the cost, where nobody wants events. */
FB_INLINE void fb_count(struct __sk_buff *skb, fb_u32 way, fb_u32 is_raw)
{
	fb_u32 zero = 0;
	struct fb_work *work = bpf_map_lookup_elem(&work_map, &zero);
	struct fb_books *books = bpf_map_lookup_elem(&books_map, &zero);
	struct fb_arrival arrival;
	struct fb_glance glance;
	fb_i64 now;

	if (!work || !books)
		return;
	now = fb_clock_move(&work->clock, fb_now_ns(skb));
	if (!is_raw && fb_glance_at(skb, &glance)) {
		arrival.tick = work->clock.tick;
		arrival.packets = 1;
		arrival.bytes = glance.ip_bytes;
		arrival.syns = glance.is_syn;
		books->seen++;
	} else {
		struct fb_packet *packet = &work->packet;
		struct fb_cut cut;

		if (!fb_take_in(skb, work, books, is_raw, now, &cut))
			return;
		fb_arrival_of(work, &cut, &arrival);
		fb_glance_of(packet, &glance);
	}
	books->accounted += arrival.packets;
	books->bytes += arrival.bytes;
	arrival.new_flows = (fb_u16)fb_is_new(glance.mark, now);
	books->flows_begun += arrival.new_flows;
	fb_watch(way, glance.port, glance.protocol, &arrival);
}

SEC("classifier")
int fb_ingress(struct __sk_buff *skb)
{
	fb_meter(skb, FB_ROW_INGRESS);
	return -1; /* TCX_NEXT, TC_ACT_UNSPEC: as if this program were not there */
}

SEC("classifier")
int fb_egress(struct __sk_buff *skb)
{
	fb_meter(skb, FB_ROW_EGRESS);
	return -1;
}

SEC("classifier")
int fb_count_ingress(struct __sk_buff *skb)
{
	fb_count(skb, FB_ROW_INGRESS, 0);
	return -1;
}

SEC("classifier")
int fb_count_egress(struct __sk_buff *skb)
{
	fb_count(skb, FB_ROW_EGRESS, 0);
	return -1;
}

/* The same for interfaces without a link header. */
SEC("classifier")
int fb_count_raw_ingress(struct __sk_buff *skb)
{
	fb_count(skb, FB_ROW_INGRESS, 1);
	return -1;
}

SEC("classifier")
int fb_count_raw_egress(struct __sk_buff *skb)
{
	fb_count(skb, FB_ROW_EGRESS, 1);
	return -1;
}

/* Run by user space, never attached: serves the first `cb[0]` of `requests`. */
SEC("classifier")
int fb_end_flows(struct __sk_buff *skb)
{
	fb_u32 place, count = skb->cb[0];

	for (place = 0; place < FB_REQUESTS; place++) {
		fb_u32 at = place;
		struct fb_request *request = place < count ? bpf_map_lookup_elem(&requests, &at) : 0;

		if (!request)
			break;
		fb_serve(request);
	}
	return 0;
}

/* A datagram found its socket's receive buffer, or the memory of its protocol, full. */
SEC("tp_btf/udp_fail_queue_rcv_skb")
int fb_udp_drop(fb_u64 *ctx)
{
	int error = (int)ctx[0];
	struct sock *sk = (struct sock *)ctx[1];
	struct fb_port *port = fb_port_of_sock(sk);
	struct fb_drop_event event = {};

	if (!port)
		return 0;
	event.port = sk->__sk_common.skc_num;
	event.inode = fb_inode_of(sk);
	event.queued_bytes = (fb_u32)sk->sk_backlog.rmem_alloc.counter;
	event.limit_bytes = (fb_u32)sk->sk_rcvbuf;
	event.drop = error == -105 /* ENOBUFS */ ? FB_DROP_NO_MEMORY : FB_DROP_BUFFER_FULL;
	fb_dropped(port, &event);
	return 0;
}

/* Something received from a socket. */
SEC("tp_btf/sock_recv_length")
int fb_drained(fb_u64 *ctx)
{
	int bytes = (int)ctx[1], flags = (int)ctx[2];
	struct fb_port *port;

	if (bytes <= 0 || (flags & FB_MSG_PEEK))
		return 0;
	port = fb_port_of_sock((struct sock *)ctx[0]);
	if (port) {
		__sync_fetch_and_add(&port->drained_messages, 1);
		__sync_fetch_and_add(&port->drained_bytes, (fb_u64)bytes);
	}
	return 0;
}

/* Any other packet for a watched port that the kernel gave up. Those of fb_udp_drop() are left to it. */
SEC("tp_btf/kfree_skb")
int fb_given_up(fb_u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	fb_u32 reason = (fb_u32)ctx[2];
	struct fb_drop_event event = {};
	struct fb_port *port;
	struct net_device *device;
	fb_u8 bytes[4], protocol;

	if (reason <= bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED))
		return 0;
	if (!fb_place_of_l4(skb, &protocol, bytes))
		return 0;
	event.port = (fb_u16)(bytes[2] << 8 | bytes[3]);
	port = fb_port_of(event.port, protocol);
	if (!port)
		return 0;
	device = skb->dev;
	if (fb_netns && (!device || device->nd_net.net->ns.inum != fb_netns))
		return 0;
	event.kernel_reason = reason;
	if (reason == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_SOCKET_RCVBUFF))
		event.drop = FB_DROP_BUFFER_FULL;
	else if (reason == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_PROTO_MEM))
		event.drop = FB_DROP_NO_MEMORY;
	else if (reason == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NO_SOCKET))
		event.drop = FB_DROP_NO_SOCKET;
	if (protocol == FB_UDP && (event.drop == FB_DROP_BUFFER_FULL || event.drop == FB_DROP_NO_MEMORY))
		return 0;
	fb_dropped(port, &event);
	return 0;
}

/* One socket in hand, for whoever reads the iterator. */
SEC("iter/bpf_sk_storage_map")
int fb_tell_held(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct fb_hand *hand = ctx->value;
	struct sock *sk = ctx->sk;
	struct fb_held held = {};

	if (!sk || !hand)
		return 0;
	held.id = hand->id;
	held.queued_bytes = (fb_u32)sk->sk_backlog.rmem_alloc.counter;
	held.limit_bytes = (fb_u32)sk->sk_rcvbuf;
	held.drops = fb_drops_of(sk);
	bpf_seq_write(ctx->meta->seq, &held, sizeof(held));
	return 0;
}

/* What costs are measured against. */
SEC("classifier")
int fb_nothing(struct __sk_buff *skb)
{
	return -1;
}
