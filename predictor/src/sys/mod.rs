//! The few things of the kernel that no library wraps: two socket options and two netlink dialogues.

pub mod netlink;
pub mod qdisc;
pub mod sock_diag;
pub mod sock_opt;
