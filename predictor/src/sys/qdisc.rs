//! The limit of a `pfifo` or `bfifo` queue of an interface, live (`include/uapi/linux/rtnetlink.h`, `pkt_sched.h`).

use std::io;

use super::netlink::{ACK, DUMP, Netlink, REQUEST, attributes, push_attribute, word};

const RTM_NEWQDISC: u16 = 36;
const RTM_GETQDISC: u16 = 38;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;

/// `TC_H_ROOT`.
const ROOT: u32 = u32::MAX;

/// Bytes of `struct tcmsg`.
const TCMSG_BYTES: usize = 20;

/// The root queue of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qdisc {
    /// Kind of the queue, for example `pfifo`.
    pub kind: String,
    /// Its handle.
    pub handle: u32,
    /// The limit in packets, where its kind is one whose limit can be set.
    pub limit: Option<u32>,
}

/// The root queue of the interface with index `interface`.
pub fn root(netlink: &mut Netlink, interface: u32) -> io::Result<Option<Qdisc>> {
    let mut found = None;
    netlink.ask(RTM_GETQDISC, REQUEST | DUMP, &tcmsg(interface, 0, 0), |body| {
        if word(body, 4) != interface || word(body, 12) != ROOT {
            return;
        }
        let mut qdisc = Qdisc { kind: String::new(), handle: word(body, 8), limit: None };
        for (kind, payload) in attributes(body, TCMSG_BYTES) {
            match kind {
                TCA_KIND => qdisc.kind = text(payload),
                TCA_OPTIONS if payload.len() == 4 => qdisc.limit = Some(word(payload, 0)),
                _ => {}
            }
        }
        // The options of other kinds may be four bytes long as well and mean something else.
        if qdisc.kind != "pfifo" {
            qdisc.limit = None;
        }
        found = Some(qdisc);
    })?;
    Ok(found)
}

/// Sets the limit of the `pfifo` that [`root`] found. Needs `CAP_NET_ADMIN`.
pub fn set_limit(netlink: &mut Netlink, interface: u32, qdisc: &Qdisc, limit: u32) -> io::Result<()> {
    let mut body = tcmsg(interface, qdisc.handle, ROOT).to_vec();
    let mut kind = qdisc.kind.clone().into_bytes();
    kind.push(0);
    push_attribute(&mut body, TCA_KIND, &kind);
    push_attribute(&mut body, TCA_OPTIONS, &limit.to_ne_bytes());
    netlink.ask(RTM_NEWQDISC, REQUEST | ACK, &body, |_| ())
}

fn tcmsg(interface: u32, handle: u32, parent: u32) -> [u8; TCMSG_BYTES] {
    let mut message = [0; TCMSG_BYTES];
    message[4..8].copy_from_slice(&interface.to_ne_bytes());
    message[8..12].copy_from_slice(&handle.to_ne_bytes());
    message[12..16].copy_from_slice(&parent.to_ne_bytes());
    message
}

fn text(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).trim_end_matches('\0').to_owned()
}
