/* The books: every packet a program sees is counted once as seen and once as what became of it.
 *
 *   seen = accounted + sum(rejected) + fragment_without_first + table_full + slot_busy
 *   accounted = packets of flows given to user space + undelivered + packets of flows still in the table
 *
 * Counted in packets of the wire (a packet of many segments counts as that many), per CPU and without atomics: a tcx program
 * runs with bottom halves off, so that no other one interrupts it on its CPU.
 */
#ifndef FB_LIVE_BOOKS_H
#define FB_LIVE_BOOKS_H

#include "../packet.h"

struct fb_books {
	fb_u64 seen;
	fb_u64 accounted;              /* became part of a flow */
	fb_u64 bytes;                  /* IP bytes of these */
	fb_u64 rejected[FB_REJECT_COUNT]; /* by enum fb_reject; place 0 stays 0 */
	fb_u64 fragment_without_first; /* a later fragment whose ports are unknown */
	fb_u64 table_full;             /* the packet would have begun a flow for which there was no room */
	fb_u64 slot_busy;              /* its flow was being taken out, or the map refused, at that very moment */
	fb_u64 undelivered;            /* accounted, but the flow's record found the ring full */
	fb_u64 undelivered_flows;
	fb_u64 places_made;            /* in the table; user space takes them out */
	fb_u64 flows_begun;
	fb_u64 flows_ended;            /* in the program; those that user space ends it counts itself */
	fb_u64 segments;               /* cut at the active timeout */
	fb_u64 super_packets;          /* seen as one, several on the wire */
	fb_u64 fragments_joined;
	fb_u64 length_from_wire;
	fb_u64 length_over_wire;
	fb_u64 time_held;
};

#endif
