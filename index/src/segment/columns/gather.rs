//! Columns gathered from events, before they are written in their final form.

use std::collections::HashMap;
use std::net::IpAddr;

use forebay_event::{Event, service};

use super::dictionary::{NONE, Words};
use super::write::Fields;
use super::{Addresses, Numbers};
use crate::segment::schema::{NUMBERS, ip_number, numbers_of, verdict_number};

/// The fields of some events, field by field.
pub(crate) struct Gathered {
    seq: Vec<u64>,
    start: Vec<i64>,
    src_port: Vec<u16>,
    dst_port: Vec<u16>,
    protocol: Vec<u8>,
    service: Vec<u16>,
    verdict: Vec<u8>,
    src_ip: Vec<u32>,
    dst_ip: Vec<u32>,
    addresses: Vec<u128>,
    family: Gathering,
    host: Gathering,
    numbers: Vec<Vec<f64>>,
}

/// A column of words being gathered.
#[derive(Default)]
struct Gathering {
    ords: Vec<u32>,
    ends: Vec<u32>,
    text: Vec<u8>,
}

impl Gathered {
    /// The fields of `events`, numbered from `first_seq`.
    pub(crate) fn of(events: &[Event], first_seq: u64) -> Self {
        let rows = events.len();
        let mut numbers: Vec<Vec<f64>> = (0..NUMBERS).map(|_| Vec::with_capacity(rows)).collect();
        for event in events {
            for (column, value) in numbers.iter_mut().zip(numbers_of(&event.features)) {
                column.push(value);
            }
        }
        let (addresses, src_ip, dst_ip) = addresses(events);
        Self {
            seq: (first_seq..).take(rows).collect(),
            start: events.iter().map(|event| event.start_us).collect(),
            src_port: events.iter().map(|event| event.flow.src_port).collect(),
            dst_port: events.iter().map(|event| event.flow.dst_port).collect(),
            protocol: events.iter().map(|event| event.flow.protocol).collect(),
            service: events.iter().map(|event| service::service_of(event) as u16).collect(),
            verdict: events.iter().map(|event| event.class.verdict.map_or(0, verdict_number)).collect(),
            src_ip,
            dst_ip,
            addresses,
            family: Gathering::of(events, |event| event.class.family.as_deref()),
            host: Gathering::of(events, |event| event.app.host.as_deref()),
            numbers,
        }
    }
}

/// The different addresses in order, and the places of each event's source and destination.
fn addresses(events: &[Event]) -> (Vec<u128>, Vec<u32>, Vec<u32>) {
    let number = |ip: IpAddr| ip_number(ip).to_bits();
    let mut all: Vec<u128> =
        events.iter().flat_map(|event| [number(event.flow.src_ip), number(event.flow.dst_ip)]).collect();
    all.sort_unstable();
    all.dedup();
    let place: HashMap<u128, u32> = all.iter().copied().zip(0..).collect();
    let ords = |end: fn(&Event) -> IpAddr| events.iter().map(|event| place[&number(end(event))]).collect();
    let (src, dst) = (ords(|event| event.flow.src_ip), ords(|event| event.flow.dst_ip));
    (all, src, dst)
}

impl Gathering {
    fn of(events: &[Event], word: impl Fn(&Event) -> Option<&str>) -> Self {
        let lower: Vec<Option<String>> = events.iter().map(|event| word(event).map(str::to_ascii_lowercase)).collect();
        let mut words: Vec<&str> = lower.iter().flatten().map(String::as_str).collect();
        if words.is_empty() {
            return Self::default();
        }
        words.sort_unstable();
        words.dedup();
        let place: HashMap<&str, u32> = words.iter().copied().zip(0..).collect();
        let ords = lower.iter().map(|word| word.as_deref().map_or(NONE, |word| place[word])).collect();
        let text = words.concat().into_bytes();
        let mut end = 0;
        let ends = words.iter().map(|word| {
            end += word.len() as u32;
            end
        });
        Self { ords, ends: ends.collect(), text }
    }

    fn words(&self) -> Words<'_> {
        Words { ords: &self.ords, ends: &self.ends, text: &self.text }
    }
}

impl Fields for Gathered {
    fn rows(&self) -> usize {
        self.seq.len()
    }

    fn seq(&self) -> &[u64] {
        &self.seq
    }

    fn start(&self) -> &[i64] {
        &self.start
    }

    fn ports(&self) -> [&[u16]; 2] {
        [&self.src_port, &self.dst_port]
    }

    fn protocol(&self) -> &[u8] {
        &self.protocol
    }

    fn service(&self) -> &[u16] {
        &self.service
    }

    fn verdict(&self) -> &[u8] {
        &self.verdict
    }

    fn addresses(&self) -> [Addresses<'_>; 2] {
        [&self.src_ip, &self.dst_ip].map(|ords| Addresses { ords, dictionary: &self.addresses })
    }

    fn words(&self) -> [Words<'_>; 2] {
        [self.family.words(), self.host.words()]
    }

    fn number(&self, place: usize) -> Numbers<'_> {
        Numbers::F64(&self.numbers[place])
    }
}
