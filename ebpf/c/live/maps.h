/* The maps, and what user space sets before loading. */
#ifndef FB_LIVE_MAPS_H
#define FB_LIVE_MAPS_H

#include "bounds.h"

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../link.h"
#include "bins.h"
#include "books.h"
#include "clock.h"
#include "ports.h"
#include "recent.h"
#include "slot.h"

/* Set by user space before loading. */
const volatile fb_i64 fb_idle_us = 120000000;
const volatile fb_i64 fb_active_us = 120000000;
const volatile fb_i64 fb_activity_us = 5000000;
const volatile fb_u32 fb_cpus = 1;        /* possible CPUs: the stride of rows */
const volatile fb_u32 fb_raw_link = 0;    /* the interface has no link header: frames begin with IP */
const volatile fb_u32 fb_port_way = 0;    /* the row of the direction in which packets reach watched ports */
const volatile fb_u32 fb_netns = 0;       /* inode of the network namespace whose sockets are watched */
const volatile fb_u32 fb_ordered_stores = 0; /* this processor keeps stores in order (x86) */
const volatile fb_u32 fb_replay = 0;      /* packets from a file: time and length are those of the context */

/* What one CPU works with. */
struct fb_work {
	fb_u8 window[FB_WINDOW + FB_WINDOW_SLACK] __attribute__((aligned(8)));
	fb_u32 captured;
	struct fb_link link;
	struct fb_packet packet;
	struct fb_key key;
	struct fb_slot fresh;        /* all zero but for the key: what a flow is inserted as */
	struct fb_record ended[2];   /* a packet ends two flows at most: the one before its own, and its own */
	struct fb_clock clock;
	fb_u16 ordinal;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, fb_u32);
	__type(value, struct fb_work);
} work_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, fb_u32);
	__type(value, struct fb_books);
} books_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FB_FLOWS_DEFAULT);
	__type(key, struct fb_key);
	__type(value, struct fb_slot);
} flows SEC(".maps");

/* Records of flows that packets ended. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1u << 22);
} ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FB_REQUESTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, fb_u32);
	__type(value, struct fb_request);
} requests SEC(".maps");

/* Rows by `row * cpus + cpu`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FB_ROW_PORTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, fb_u32);
	__type(value, struct fb_row);
} rows SEC(".maps");

/* The totals of each row, at the same places. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FB_ROW_PORTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, fb_u32);
	__type(value, struct fb_total);
} row_totals SEC(".maps");

/* The row of a port of UDP, then of TCP (see fb_port_key()), or 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FB_PORT_KEYS);
	__type(key, fb_u32);
	__type(value, fb_u32);
} port_rows SEC(".maps");

/* Flows seen recently, where no table of flows is kept. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FB_RECENT_SETS);
	__type(key, fb_u32);
	__type(value, struct fb_recent);
} recent SEC(".maps");

/* By `row - FB_ROW_PORTS`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, fb_u32);
	__type(value, struct fb_port);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1u << 16);
} drops SEC(".maps");

/* Drop events that found the ring full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, fb_u32);
	__type(value, fb_u64);
} drops_missed SEC(".maps");

#endif
