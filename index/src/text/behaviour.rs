//! What the two ends did, in words.

use forebay_event::Event;
use forebay_event::feature::{DBYTES, DPKTS, IDLE_MAX, RST_FLAG_COUNT, SBYTES, SBYTES_RATIO, SPKTS, SYN_FLAG_COUNT};

use super::Words;

const TCP: u8 = 6;

/// Bytes from which a one-sided flow counts as a transfer.
const TRANSFER_BYTES_MIN: f64 = 10_000.0;
/// Share of the bytes from which one direction carries the flow.
const ONE_SIDED_SHARE: f64 = 0.9;
/// Packets up to which a reset means that the connection was refused, not torn down.
const REFUSED_PACKETS_MAX: f64 = 4.0;
/// A gap from which a flow is said to pause, microseconds: the activity timeout of the schema.
const PAUSE_US: f64 = 5e6;

/// Says who sent, who answered and how it ended, as far as known.
pub(super) fn describe(event: &Event, words: &mut Words) {
    let known = |place| event.features.known(place);
    if known(DPKTS) == Some(0.0) && known(SPKTS).is_some_and(|packets| packets > 0.0) {
        words.add("unanswered no reply one way");
    }
    if event.flow.protocol == TCP {
        tcp(event, words);
    }
    transfer(event, words);
    if known(IDLE_MAX).is_some_and(|gap| gap >= PAUSE_US) {
        words.add("idle pauses");
    }
}

fn tcp(event: &Event, words: &mut Words) {
    let known = |place| event.features.known(place);
    let packets = known(SPKTS).unwrap_or(0.0) + known(DPKTS).unwrap_or(0.0);
    if known(RST_FLAG_COUNT).is_some_and(|count| count > 0.0) {
        words.add(if packets <= REFUSED_PACKETS_MAX { "reset refused rejected failed" } else { "reset aborted" });
    }
    if known(SYN_FLAG_COUNT).is_some_and(|count| count > 0.0) && known(DPKTS) == Some(0.0) {
        words.add("syn half open");
    }
}

fn transfer(event: &Event, words: &mut Words) {
    let known = |place| event.features.known(place);
    let (Some(out), Some(back)) = (known(SBYTES), known(DBYTES)) else { return };
    if out + back < TRANSFER_BYTES_MIN {
        return;
    }
    let share = known(SBYTES_RATIO).unwrap_or(out / (out + back));
    if share >= ONE_SIDED_SHARE {
        words.add("upload sending outgoing");
    } else if share <= 1.0 - ONE_SIDED_SHARE {
        words.add("download receiving incoming");
    }
}
