//! Events and vectors that are made up, for examples that measure.

use forebay_event::feature::{DBYTES, DPKTS, DURATION, SBYTES, SPKTS};
use forebay_event::{Event, EventId};

/// Numbers in a vector.
pub(crate) const DIMENSION: usize = 256;

/// An event with every feature known.
pub(crate) fn event(random: &mut Random) -> Event {
    let start_us = 1_700_000_000_000_000 + (random.next() % 86_400_000_000) as i64;
    let mut event = Event { event_id: EventId::derive(start_us, &[&random.next().to_le_bytes()]), ..Event::default() };
    (event.start_us, event.end_us) = (start_us, start_us + 1_000_000);
    event.flow.src_ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 | (random.next() as u32 & 0xffff)).into();
    event.flow.dst_ip = std::net::Ipv4Addr::from_bits(random.next() as u32).into();
    event.flow.protocol = 6;
    event.flow.dst_port = (random.next() % 1_000) as u16 * 10 + 22;
    for place in 0..forebay_event::FEATURE_COUNT {
        event.features.0[place] = (random.next() % 1_000) as f64;
    }
    for place in [DURATION, SPKTS, DPKTS, SBYTES, DBYTES] {
        event.features.0[place] = (random.next() % 500_000) as f64;
    }
    event
}

/// A vector near one of 500 directions.
pub(crate) fn vector(random: &mut Random) -> Vec<f32> {
    let mut direction = Random(random.next() % 500);
    let vector: Vec<f32> = (0..DIMENSION).map(|_| direction.signed() + 0.7 * random.signed()).collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

/// `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}
