//! Promise: writing an event allocates nothing once the buffer is large enough, and reading allocates only the event's own
//! optional strings.
//!
//! Method: an allocator that counts. One test in this file, so that nothing else allocates meanwhile.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use forebay_event::{Event, EventId, FEATURE_COUNT, Verdict, jsonl};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only a counter is raised.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the pointer came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn counted(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    work();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

#[test]
fn writing_allocates_nothing_and_reading_only_optional_strings() {
    let mut event = Event { event_id: EventId::derive(1, &[b"x"]), ..Event::default() };
    event.flow.src_ip = "2001:db8::1".parse().unwrap();
    event.flow.vlan = Some(7);
    event.node_id = "a \"node\" \u{1}".to_owned();
    event.app.host = Some("www.example.org".to_owned());
    event.scores.fast = Some(0.1);
    event.class.verdict = Some(Verdict::Benign);
    for place in 0..FEATURE_COUNT {
        event.features.0[place] = 1.0 / (place as f64 + 3.0);
    }
    let mut line = Vec::with_capacity(16 * 1024);
    assert_eq!(counted(|| jsonl::write(&event, &mut line)), 0);

    let (mut parser, mut read) = (jsonl::Parser::default(), Event::default());
    for _ in 0..2 {
        parser.parse(&line, &mut read).unwrap();
    }
    // `app.host`.
    assert_eq!(counted(|| parser.parse(&line, &mut read).unwrap()), 1);
    assert_eq!(read, event);
}
