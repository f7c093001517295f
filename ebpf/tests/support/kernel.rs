//! The kernel's meter on frames that are given to it one by one.

use std::io::Cursor;

use forebay_ebpf::Packet;
use forebay_ebpf::capture::Capture;
use forebay_ebpf::live::{Books, Offload, Replay};
use forebay_event::Event;

use super::frame::ETHERNET;

/// A frame as both meters get it.
#[derive(Clone, Debug)]
pub struct Timed {
    pub time_us: i64,
    pub wire_bytes: u32,
    pub data: Vec<u8>,
}

/// Whether programs can be loaded here; says loudly if not.
pub fn is_missing() -> bool {
    use forebay_ebpf::live::capabilities::{Capability, missing};
    let gone = missing(&[Capability::Bpf, Capability::Perfmon, Capability::NetAdmin, Capability::SysAdmin]).unwrap();
    if !gone.is_empty() {
        eprintln!("SKIPPED: the kernel's meter was not run: missing {gone:?}");
        return true;
    }
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        eprintln!("SKIPPED: the kernel's meter was not run: this kernel has no BTF");
        return true;
    }
    false
}

/// Whether a test run takes this frame: Ethernet, with whole headers of IP, and not longer than the kernel allows.
pub fn is_possible(frame: &Timed) -> bool {
    let least = match frame.data.get(12..14) {
        Some([8, 0]) => 34,
        Some([0x86, 0xdd]) => 54,
        _ => 15,
    };
    frame.time_us > 0 && frame.data.len() >= least && frame.wire_bytes <= 65_535
}

/// Frames of a capture that both meters can take, in the order of their times, and how many were left out.
pub fn frames_of(capture: Vec<u8>) -> (Vec<Timed>, usize) {
    let mut left_out = 0;
    let mut frames = Vec::new();
    let Ok(mut capture) = Capture::new(Box::new(Cursor::new(capture))) else { return (frames, 0) };
    while let Ok(true) = capture.advance() {
        let frame = capture.frame();
        let timed = Timed { time_us: frame.time_us, wire_bytes: frame.wire_bytes, data: frame.data.to_vec() };
        if frame.link_type == ETHERNET && is_possible(&timed) {
            frames.push(timed);
        } else {
            left_out += 1;
        }
    }
    // Live time does not go back: steps of a capture's clock are the native meter's own matter.
    frames.sort_by_key(|frame| frame.time_us);
    (frames, left_out)
}

/// A capture of these frames, with lengths of the wire.
pub fn pcap_of_frames(frames: &[Timed]) -> Vec<u8> {
    let mut out = super::frame::pcap(ETHERNET, &[]);
    for frame in frames {
        out.extend(((frame.time_us / 1_000_000) as u32).to_le_bytes());
        out.extend(((frame.time_us % 1_000_000) as u32).to_le_bytes());
        out.extend((frame.data.len() as u32).to_le_bytes());
        out.extend(frame.wire_bytes.max(frame.data.len() as u32).to_le_bytes());
        out.extend(&frame.data);
    }
    out
}

/// Through the kernel.
pub fn meter(replay: &mut Replay, frames: &[Timed]) -> (Vec<Event>, Books) {
    for frame in frames {
        replay.push(frame.time_us as u64, &frame.data, frame.wire_bytes, Offload::default()).unwrap();
    }
    replay.finish().unwrap()
}

/// What the native parser says of a frame.
pub fn parsed(frame: &Timed) -> Option<Packet> {
    Packet::parse(ETHERNET, &frame.data, frame.wire_bytes).ok()
}
