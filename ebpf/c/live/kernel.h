/* The little of the kernel's own types that the tracing programs read. Offsets are settled when the program is loaded, from the
 * running kernel's BTF, so that only names and types of fields count here, not their places. */
#ifndef FB_LIVE_KERNEL_H
#define FB_LIVE_KERNEL_H

#include "../types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	possible_net_t nd_net;
};

struct inode {
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
};

struct socket {
	struct file *file;
};

struct sock_common {
	unsigned short skc_num;
	possible_net_t skc_net;
};

typedef struct {
	int counter;
} atomic_t;

struct sock_backlog {
	atomic_t rmem_alloc;
};

/* Since Linux 6.18 a busy socket counts its drops here. */
struct numa_drop_counters {
	atomic_t drops0;
	atomic_t drops1;
};

struct sock {
	struct sock_common __sk_common;
	struct sock_backlog sk_backlog;
	int sk_rcvbuf;
	unsigned short sk_protocol;
	struct socket *sk_socket;
	atomic_t sk_drops;
	struct numa_drop_counters *sk_drop_counters;
};

struct seq_file;
struct bpf_map;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};

struct sk_buff {
	struct net_device *dev;
	unsigned char *head;
	unsigned short transport_header;
	unsigned short network_header;
};

enum skb_drop_reason {
	SKB_DROP_REASON_NOT_SPECIFIED = 2,
	SKB_DROP_REASON_NO_SOCKET = 3,
	SKB_DROP_REASON_SOCKET_RCVBUFF = 6,
	SKB_DROP_REASON_PROTO_MEM = 7,
};

#pragma clang attribute pop

#endif
