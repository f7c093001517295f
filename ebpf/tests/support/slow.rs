//! A second meter, slow and obviously right: it keeps every packet, and computes every feature from the words of the
//! event schema. It shares no code with the crate, and differs from it wherever there are two ways to say the same: a
//! variance is the mean of squared differences of all pairs, a bulk is found in the list of packets after the fact.

use std::net::IpAddr;

use super::frame::{ACK, FIN, PSH, RST, SYN, Seen};

#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub idle: i64,
    pub active: i64,
    pub activity: i64,
}

/// An event of the slow meter.
#[derive(Clone, Debug)]
pub struct SlowEvent {
    pub src: (IpAddr, u16),
    pub dst: (IpAddr, u16),
    pub protocol: u8,
    pub segment: u32,
    pub start_us: i64,
    pub end_us: i64,
    pub features: Vec<(&'static str, f64)>,
}

/// A flow: its packets by segment, the last of which is open. Times are never before the packet before.
struct Conversation {
    segments: Vec<Vec<Seen>>,
}

impl Conversation {
    fn first(&self) -> &Seen {
        &self.segments[0][0]
    }

    fn all(&self) -> Vec<&Seen> {
        self.segments.iter().flatten().collect()
    }

    fn last_us(&self) -> i64 {
        self.all().last().unwrap().time_us
    }

    fn is_forward(&self, packet: &Seen) -> bool {
        let first = self.first();
        (packet.src, packet.src_port) == (first.src, first.src_port)
    }

    fn takes(&self, packet: &Seen) -> bool {
        let ends = |p: &Seen| ((p.src, p.src_port), (p.dst, p.dst_port));
        let (a, b) = ends(self.first());
        packet.protocol == self.first().protocol && (ends(packet) == (a, b) || ends(packet) == (b, a))
    }

    /// Whether both sides have sent FIN, and who did so last.
    fn last_fin(&self) -> Option<bool> {
        let fins: Vec<bool> =
            self.all().into_iter().filter(|p| p.flags & FIN != 0).map(|p| self.is_forward(p)).collect();
        if fins.contains(&true) && fins.contains(&false) { fins.last().copied() } else { None }
    }

    fn events(&self, activity: i64) -> Vec<SlowEvent> {
        let first = self.first();
        let event = |(segment, packets): (usize, &Vec<Seen>)| {
            let ways: Vec<bool> = packets.iter().map(|p| self.is_forward(p)).collect();
            SlowEvent {
                src: (first.src, first.src_port),
                dst: (first.dst, first.dst_port),
                protocol: first.protocol,
                segment: segment as u32,
                start_us: packets[0].time_us,
                end_us: packets.last().unwrap().time_us,
                features: Vec::new(),
            }
            .with_features(packets, &ways, activity)
        };
        self.segments.iter().enumerate().map(event).collect()
    }
}

/// Meters packets in the order they come.
pub fn meter(packets: &[Seen], timeouts: Timeouts) -> Vec<SlowEvent> {
    let mut open: Vec<Conversation> = Vec::new();
    let mut done: Vec<Conversation> = Vec::new();
    for packet in packets {
        let (over, still): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|c| (packet.time_us - c.last_us()).abs() > timeouts.idle);
        done.extend(over);
        open = still;
        let mut place = open.iter().position(|c| c.takes(packet));
        if let Some(at) = place
            && open[at].last_fin().is_some()
            && packet.flags & SYN != 0
            && packet.flags & ACK == 0
        {
            done.push(open.remove(at));
            place = None;
        }
        let Some(at) = place else {
            open.push(Conversation { segments: vec![vec![packet.clone()]] });
            if packet.flags & RST != 0 {
                done.push(open.pop().unwrap());
            }
            continue;
        };
        let conversation = &mut open[at];
        let answers_last_fin =
            conversation.last_fin().is_some_and(|forward| forward != conversation.is_forward(packet))
                && packet.flags & ACK != 0
                && packet.flags & FIN == 0;
        let mut packet = packet.clone();
        let begun = conversation.segments.last().unwrap()[0].time_us;
        if packet.time_us - begun > timeouts.active {
            conversation.segments.push(Vec::new());
        } else {
            packet.time_us = packet.time_us.max(conversation.last_us());
        }
        let resets = packet.flags & RST != 0;
        conversation.segments.last_mut().unwrap().push(packet);
        if resets || answers_last_fin {
            done.push(open.remove(at));
        }
    }
    done.extend(open);
    done.iter().flat_map(|conversation| conversation.events(timeouts.activity)).collect()
}

/// The features that depend on the activity timeout.
fn periods(packets: &[Seen], activity: i64) -> Vec<(&'static str, f64)> {
    let mut active: Vec<Vec<i64>> = vec![vec![packets[0].time_us]];
    let mut idle: Vec<i64> = Vec::new();
    for pair in packets.windows(2) {
        let gap = pair[1].time_us - pair[0].time_us;
        if gap > activity {
            idle.push(gap);
            active.push(Vec::new());
        }
        active.last_mut().unwrap().push(pair[1].time_us);
    }
    let active: Vec<i64> = active.iter().map(|times| times.last().unwrap() - times[0]).collect();
    vec![
        ("active_mean", mean(&active)),
        ("active_max", max(&active)),
        ("idle_mean", mean(&idle)),
        ("idle_max", max(&idle)),
    ]
}

impl SlowEvent {
    fn with_features(mut self, packets: &[Seen], ways: &[bool], activity: i64) -> Self {
        let of = |forward: bool| -> Vec<&Seen> {
            packets.iter().zip(ways).filter(|(_, way)| **way == forward).map(|(packet, _)| packet).collect()
        };
        let all: Vec<&Seen> = packets.iter().collect();
        let (fwd, bwd) = (of(true), of(false));
        let duration = self.end_us - self.start_us;
        let per_second = |value: f64| if duration == 0 { 0.0 } else { value / (duration as f64 / 1e6) };
        let share = |part: f64, whole: f64| if whole == 0.0 { 0.0 } else { part / whole };
        let (spkts, dpkts) = (fwd.len() as f64, bwd.len() as f64);
        let (sbytes, dbytes) = (sum(&bytes(&fwd)), sum(&bytes(&bwd)));
        let subflows = 1.0 + gaps(&all).iter().filter(|gap| **gap > 1_000_000).count() as f64;
        let mut f = vec![
            ("duration", duration as f64),
            ("spkts", spkts),
            ("dpkts", dpkts),
            ("sbytes", sbytes),
            ("dbytes", dbytes),
            ("sload", per_second(sbytes * 8.0)),
            ("dload", per_second(dbytes * 8.0)),
            ("smean", mean(&bytes(&fwd))),
            ("dmean", mean(&bytes(&bwd))),
            ("rate", per_second(spkts + dpkts)),
            ("srate", per_second(spkts)),
            ("drate", per_second(dpkts)),
            ("flow_pkts_per_sec", per_second(spkts + dpkts)),
            ("flow_bytes_per_sec", per_second(sbytes + dbytes)),
            ("spkts_ratio", share(spkts, spkts + dpkts)),
            ("sbytes_ratio", share(sbytes, sbytes + dbytes)),
            ("down_up_ratio", share(dbytes, sbytes)),
            ("packet_len_mean", mean(&bytes(&all))),
            ("packet_len_var", variance(&bytes(&all))),
            ("packet_len_std", variance(&bytes(&all)).sqrt()),
            ("packet_len_max", max(&bytes(&all))),
            ("packet_len_min", min(&bytes(&all))),
            ("avg_packet_size", mean(&payloads(&all))),
            ("flow_iat_mean", mean(&gaps(&all))),
            ("flow_iat_std", variance(&gaps(&all)).sqrt()),
            ("flow_iat_max", max(&gaps(&all))),
            ("flow_iat_min", min(&gaps(&all))),
            ("subflow_fwd_packets", spkts / subflows),
            ("subflow_fwd_bytes", sbytes / subflows),
            ("subflow_bwd_packets", dpkts / subflows),
            ("subflow_bwd_bytes", dbytes / subflows),
        ];
        for (name, flag) in [
            ("fin_flag_count", FIN),
            ("syn_flag_count", SYN),
            ("rst_flag_count", RST),
            ("psh_flag_count", PSH),
            ("ack_flag_count", ACK),
            ("urg_flag_count", 0x20),
            ("ece_flag_count", 0x40),
            ("cwr_flag_count", 0x80),
        ] {
            f.push((name, count(&all, flag)));
        }
        f.extend(periods(packets, activity));
        f.extend(one_way(&fwd, &FORWARD_NAMES));
        f.extend(one_way(&bwd, &BACKWARD_NAMES));
        f.extend(bulks(packets, ways, true, &FORWARD_BULKS));
        f.extend(bulks(packets, ways, false, &BACKWARD_BULKS));
        self.features = f;
        self
    }
}

const FORWARD_NAMES: [&str; 16] = [
    "fwd_psh_flags",
    "fwd_urg_flags",
    "fwd_len_max",
    "fwd_len_min",
    "fwd_len_tot",
    "fwd_len_std",
    "avg_fwd_segment_size",
    "fwd_header_len_mean",
    "fwd_header_len_max",
    "fwd_header_len_min",
    "fwd_iat_mean",
    "fwd_iat_std",
    "fwd_iat_max",
    "fwd_iat_min",
    "fwd_iat_tot",
    "init_fwd_win_bytes",
];
const BACKWARD_NAMES: [&str; 16] = [
    "bwd_psh_flags",
    "bwd_urg_flags",
    "bwd_len_max",
    "bwd_len_min",
    "bwd_len_tot",
    "bwd_len_std",
    "avg_bwd_segment_size",
    "bwd_header_len_mean",
    "bwd_header_len_max",
    "bwd_header_len_min",
    "bwd_iat_mean",
    "bwd_iat_std",
    "bwd_iat_max",
    "bwd_iat_min",
    "bwd_iat_tot",
    "init_bwd_win_bytes",
];
const FORWARD_BULKS: [&str; 4] =
    ["fwd_bulk_rate_avg", "fwd_bulk_size_avg", "fwd_bulk_duration_avg", "fwd_avg_packets_bulk"];
const BACKWARD_BULKS: [&str; 4] =
    ["bwd_bulk_rate_avg", "bwd_bulk_size_avg", "bwd_bulk_duration_avg", "bwd_avg_packets_bulk"];

fn one_way(packets: &[&Seen], names: &[&'static str; 16]) -> Vec<(&'static str, f64)> {
    let headers: Vec<i64> = packets.iter().map(|p| p.header_bytes() as i64).collect();
    let window = match packets.first() {
        Some(packet) if packet.protocol == 6 => f64::from(packet.window),
        _ => f64::NAN,
    };
    let values = [
        count(packets, PSH),
        count(packets, 0x20),
        max(&bytes(packets)),
        min(&bytes(packets)),
        sum(&payloads(packets)),
        variance(&bytes(packets)).sqrt(),
        mean(&payloads(packets)),
        mean(&headers),
        max(&headers),
        min(&headers),
        mean(&gaps(packets)),
        variance(&gaps(packets)).sqrt(),
        max(&gaps(packets)),
        min(&gaps(packets)),
        sum(&gaps(packets)),
        window,
    ];
    names.iter().copied().zip(values).collect()
}

/// At least 4 consecutive data-carrying packets in one direction, gaps of at most 1 s, not interrupted by data in the
/// other direction.
fn bulks(packets: &[Seen], ways: &[bool], forward: bool, names: &[&'static str; 4]) -> Vec<(&'static str, f64)> {
    let data: Vec<(&Seen, bool)> =
        packets.iter().zip(ways.iter().copied()).filter(|(packet, _)| !packet.payload.is_empty()).collect();
    let runs = data.chunk_by(|(a, a_way), (b, b_way)| a_way == b_way && b.time_us - a.time_us <= 1_000_000);
    let bulks: Vec<&[(&Seen, bool)]> = runs.filter(|run| run.len() >= 4 && run[0].1 == forward).collect();
    let sizes: Vec<i64> = bulks.iter().map(|run| run.iter().map(|(p, _)| p.payload.len() as i64).sum()).collect();
    let times: Vec<i64> = bulks.iter().map(|run| run.last().unwrap().0.time_us - run[0].0.time_us).collect();
    let counts: Vec<i64> = bulks.iter().map(|run| run.len() as i64).collect();
    let seconds = sum(&times) / 1e6;
    let rate = if seconds == 0.0 { 0.0 } else { sum(&sizes) / seconds };
    names.iter().copied().zip([rate, mean(&sizes), mean(&times), mean(&counts)]).collect()
}

fn bytes(packets: &[&Seen]) -> Vec<i64> {
    packets.iter().map(|packet| packet.ip_bytes() as i64).collect()
}

fn payloads(packets: &[&Seen]) -> Vec<i64> {
    packets.iter().map(|packet| packet.payload.len() as i64).collect()
}

fn gaps(packets: &[&Seen]) -> Vec<i64> {
    packets.windows(2).map(|pair| pair[1].time_us - pair[0].time_us).collect()
}

fn count(packets: &[&Seen], flag: u8) -> f64 {
    packets.iter().filter(|packet| packet.protocol == 6 && packet.flags & flag != 0).count() as f64
}

fn sum(values: &[i64]) -> f64 {
    values.iter().sum::<i64>() as f64
}

fn mean(values: &[i64]) -> f64 {
    if values.is_empty() { 0.0 } else { sum(values) / values.len() as f64 }
}

fn max(values: &[i64]) -> f64 {
    values.iter().max().copied().unwrap_or(0) as f64
}

fn min(values: &[i64]) -> f64 {
    values.iter().min().copied().unwrap_or(0) as f64
}

/// Half the mean squared difference of all ordered pairs: exact in integers up to the last division.
fn variance(values: &[i64]) -> f64 {
    let squares: i128 =
        values.iter().flat_map(|a| values.iter().map(move |b| i128::from(a - b) * i128::from(a - b))).sum();
    if values.is_empty() { 0.0 } else { squares as f64 / 2.0 / (values.len() * values.len()) as f64 }
}
