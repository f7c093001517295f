//! From the columns of a row to our features.
//!
//! The meter's lengths are *payload* bytes (above TCP or UDP) and its header lengths those of the TCP or UDP header alone;
//! ours are IP lengths. The meter reads IPv4 only, and an IPv4 header without options has 20 bytes, so
//!
//! ```text
//! sbytes = payload + header + 20 * packets          header of UDP = 8 * packets
//! ```
//!
//! which is exact but for packets with IP options. The greatest, least and deviation of lengths follow as well where all
//! headers of the flow are equally long: always for UDP; for TCP where the sum of headers is the least header times the
//! packets. Otherwise they stay unknown. Deviations are of the sample in the Java versions (n - 1); ours are of the
//! population. The Python port counts whole frames, whose link header is unknown: no lengths from it.

use crate::Features;
use crate::feature as f;

use super::super::totals::{Totals, finite, share};
use super::columns::{Column, Layout};
use super::row::Row;
use super::{TCP, UDP};

/// Bytes of an IPv4 header without options.
const IP_HEADER: f64 = 20.0;
const UDP_HEADER: f64 = 8.0;
const TCP_HEADER_MIN: f64 = 20.0;
const TCP_HEADER_MAX: f64 = 60.0;

/// The columns of one direction.
struct Direction {
    packets: Column,
    payload: Column,
    header: Column,
    header_min: Column,
    len_max: Column,
    len_min: Column,
    len_std: Column,
}

const FORWARD: Direction = Direction {
    packets: Column::FwdPackets,
    payload: Column::FwdPayload,
    header: Column::FwdHeader,
    header_min: Column::FwdHeaderMin,
    len_max: Column::FwdLenMax,
    len_min: Column::FwdLenMin,
    len_std: Column::FwdLenStd,
};

const BACKWARD: Direction = Direction {
    packets: Column::BwdPackets,
    payload: Column::BwdPayload,
    header: Column::BwdHeader,
    header_min: Column::BwdHeaderMin,
    len_max: Column::BwdLenMax,
    len_min: Column::BwdLenMin,
    len_std: Column::BwdLenStd,
};

/// What is known of the packets of one direction.
struct Side {
    packets: f64,
    payload: f64,
    /// All headers together, IP included.
    headers: f64,
    /// The shortest header, IP included.
    header_min: f64,
    /// The header of every packet, IP included, where they are all alike.
    header_each: f64,
}

impl Side {
    fn of(row: &Row<'_>, layout: Layout, protocol: u8, columns: &Direction) -> Self {
        let packets = row.number(columns.packets);
        let measured = layout != Layout::Python && matches!(protocol, TCP | UDP);
        let payload = if measured { row.number(columns.payload) } else { f64::NAN };
        let (sum, min) = match protocol {
            UDP => (UDP_HEADER * packets, UDP_HEADER),
            TCP => (row.number(columns.header), row.number(columns.header_min)),
            _ => (f64::NAN, f64::NAN),
        };
        let possible = protocol == UDP || (TCP_HEADER_MIN * packets..=TCP_HEADER_MAX * packets).contains(&sum);
        let sum = if possible { sum } else { f64::NAN };
        let min_possible = (UDP_HEADER..=TCP_HEADER_MAX).contains(&min) && min * packets <= sum && packets > 0.0;
        let min = if min_possible { min } else { f64::NAN };
        let each = if min * packets == sum { min } else { f64::NAN };
        Self {
            packets,
            payload,
            headers: sum + IP_HEADER * packets,
            header_min: min + IP_HEADER,
            header_each: each + IP_HEADER,
        }
    }

    fn bytes(&self) -> f64 {
        self.payload + self.headers
    }
}

/// Fills in everything that a row tells.
pub(super) fn fill(row: &Row<'_>, layout: Layout, protocol: u8, features: &mut Features) {
    let forward = Side::of(row, layout, protocol, &FORWARD);
    let backward = Side::of(row, layout, protocol, &BACKWARD);
    let totals = Totals {
        duration_us: row.number(Column::Duration),
        forward_packets: forward.packets,
        backward_packets: backward.packets,
        forward_bytes: forward.bytes(),
        backward_bytes: backward.bytes(),
    };
    totals.fill(features);
    fill_payload(&forward, &backward, features);
    fill_lengths(row, layout, &forward, &backward, features);
    fill_gaps(row, layout, &totals, features);
    fill_flags(row, layout, protocol, features);
    fill_bulks(row, layout, protocol, features);
    fill_windows(row, layout, protocol, features);
    fill_activity(row, &totals, features);
    for value in &mut features.0 {
        *value = finite(*value);
    }
}

fn fill_payload(forward: &Side, backward: &Side, features: &mut Features) {
    let out = &mut features.0;
    out[f::FWD_LEN_TOT] = forward.payload;
    out[f::BWD_LEN_TOT] = backward.payload;
    out[f::AVG_FWD_SEGMENT_SIZE] = share(forward.payload, forward.packets);
    out[f::AVG_BWD_SEGMENT_SIZE] = share(backward.payload, backward.packets);
    out[f::AVG_PACKET_SIZE] = share(forward.payload + backward.payload, forward.packets + backward.packets);
    out[f::FWD_HEADER_LEN_MEAN] = share(forward.headers, forward.packets);
    out[f::BWD_HEADER_LEN_MEAN] = share(backward.headers, backward.packets);
}

fn fill_lengths(row: &Row<'_>, layout: Layout, forward: &Side, backward: &Side, features: &mut Features) {
    let out = &mut features.0;
    let sides = [
        (
            forward,
            &FORWARD,
            [f::FWD_LEN_MAX, f::FWD_LEN_MIN, f::FWD_LEN_STD, f::FWD_HEADER_LEN_MAX, f::FWD_HEADER_LEN_MIN],
        ),
        (
            backward,
            &BACKWARD,
            [f::BWD_LEN_MAX, f::BWD_LEN_MIN, f::BWD_LEN_STD, f::BWD_HEADER_LEN_MAX, f::BWD_HEADER_LEN_MIN],
        ),
    ];
    for (side, columns, [max, min, std, header_max, header_min]) in sides {
        if side.packets == 0.0 {
            for place in [max, min, std, header_max, header_min] {
                out[place] = 0.0;
            }
        } else if !side.payload.is_nan() {
            out[max] = row.number(columns.len_max) + side.header_each;
            out[min] = row.number(columns.len_min) + side.header_each;
            out[std] = population(layout, row.number(columns.len_std), side.packets) + side.header_each * 0.0;
            out[header_max] = side.header_each;
            out[header_min] = side.header_min;
        }
    }
    let alike = backward.packets == 0.0 || forward.header_each == backward.header_each;
    if alike && !forward.payload.is_nan() && layout == Layout::Corrected {
        // Before the correction the meter counted the first packet twice in these.
        let packets = forward.packets + backward.packets;
        let std = population(layout, row.number(Column::LenStd), packets) + forward.header_each * 0.0;
        out[f::PACKET_LEN_MAX] = row.number(Column::LenMax) + forward.header_each;
        out[f::PACKET_LEN_MIN] = row.number(Column::LenMin) + forward.header_each;
        out[f::PACKET_LEN_STD] = std;
        out[f::PACKET_LEN_VAR] = std * std;
    }
}

fn fill_gaps(row: &Row<'_>, layout: Layout, totals: &Totals, features: &mut Features) {
    let out = &mut features.0;
    let plain = [
        (f::FLOW_IAT_MEAN, Column::FlowIatMean),
        (f::FLOW_IAT_MAX, Column::FlowIatMax),
        (f::FLOW_IAT_MIN, Column::FlowIatMin),
        (f::FWD_IAT_TOT, Column::FwdIatTotal),
        (f::FWD_IAT_MEAN, Column::FwdIatMean),
        (f::FWD_IAT_MAX, Column::FwdIatMax),
        (f::FWD_IAT_MIN, Column::FwdIatMin),
        (f::BWD_IAT_TOT, Column::BwdIatTotal),
        (f::BWD_IAT_MEAN, Column::BwdIatMean),
        (f::BWD_IAT_MAX, Column::BwdIatMax),
        (f::BWD_IAT_MIN, Column::BwdIatMin),
    ];
    for (place, column) in plain {
        out[place] = row.number(column);
    }
    let packets = totals.forward_packets + totals.backward_packets;
    out[f::FLOW_IAT_STD] = population(layout, row.number(Column::FlowIatStd), packets - 1.0);
    out[f::FWD_IAT_STD] = population(layout, row.number(Column::FwdIatStd), totals.forward_packets - 1.0);
    out[f::BWD_IAT_STD] = population(layout, row.number(Column::BwdIatStd), totals.backward_packets - 1.0);
}

/// The deviation of the population from what the meter gives for `count` values.
fn population(layout: Layout, std: f64, count: f64) -> f64 {
    if layout == Layout::Python || std == 0.0 {
        std
    } else if count >= 2.0 {
        std * ((count - 1.0) / count).sqrt()
    } else {
        f64::NAN
    }
}

fn fill_flags(row: &Row<'_>, layout: Layout, protocol: u8, features: &mut Features) {
    let out = &mut features.0;
    if layout != Layout::First {
        let counts = [
            (f::FIN_FLAG_COUNT, Column::Fin),
            (f::SYN_FLAG_COUNT, Column::Syn),
            (f::RST_FLAG_COUNT, Column::Rst),
            (f::PSH_FLAG_COUNT, Column::Psh),
            (f::ACK_FLAG_COUNT, Column::Ack),
            (f::URG_FLAG_COUNT, Column::Urg),
            (f::ECE_FLAG_COUNT, Column::Ece),
            (f::CWR_FLAG_COUNT, Column::Cwr),
        ];
        for (place, column) in counts {
            out[place] = row.number(column);
        }
    }
    // Before the correction only the first packet's flags reached the columns of one direction.
    if matches!(layout, Layout::Corrected | Layout::Python) || protocol == UDP {
        out[f::FWD_PSH_FLAGS] = row.number(Column::FwdPsh);
        out[f::BWD_PSH_FLAGS] = row.number(Column::BwdPsh);
        out[f::FWD_URG_FLAGS] = row.number(Column::FwdUrg);
        out[f::BWD_URG_FLAGS] = row.number(Column::BwdUrg);
    }
}

/// Bulks of the corrected meter. The mean duration follows from size and rate, because both are means over the same bulks.
fn fill_bulks(row: &Row<'_>, layout: Layout, protocol: u8, features: &mut Features) {
    if layout != Layout::Corrected || !matches!(protocol, TCP | UDP) {
        return;
    }
    let out = &mut features.0;
    let sides = [
        (
            [Column::FwdBulkBytes, Column::FwdBulkPackets, Column::FwdBulkRate],
            [f::FWD_BULK_SIZE_AVG, f::FWD_AVG_PACKETS_BULK, f::FWD_BULK_RATE_AVG, f::FWD_BULK_DURATION_AVG],
        ),
        (
            [Column::BwdBulkBytes, Column::BwdBulkPackets, Column::BwdBulkRate],
            [f::BWD_BULK_SIZE_AVG, f::BWD_AVG_PACKETS_BULK, f::BWD_BULK_RATE_AVG, f::BWD_BULK_DURATION_AVG],
        ),
    ];
    for (columns, [size, packets, rate, duration]) in sides {
        let [bytes, count, per_second] = columns.map(|column| row.number(column));
        out[size] = bytes;
        out[packets] = count;
        out[rate] = per_second;
        out[duration] = share(bytes * 1e6, per_second);
    }
}

fn fill_windows(row: &Row<'_>, layout: Layout, protocol: u8, features: &mut Features) {
    if protocol != TCP {
        return;
    }
    let out = &mut features.0;
    let known = |value: f64| if value >= 0.0 { value } else { f64::NAN };
    out[f::INIT_FWD_WIN_BYTES] = known(row.number(Column::FwdInitWindow));
    // Before the correction this was the window of the last packet, not of the first.
    if layout == Layout::Corrected && row.number(Column::BwdPackets) > 0.0 {
        out[f::INIT_BWD_WIN_BYTES] = known(row.number(Column::BwdInitWindow));
    }
}

/// Gaps over five seconds are measured as ours. Active periods are not (the meter leaves out those of a single packet, and
/// the last one), but a flow without such a gap is one active period.
fn fill_activity(row: &Row<'_>, totals: &Totals, features: &mut Features) {
    let out = &mut features.0;
    let (mean, max) = (row.number(Column::IdleMean), row.number(Column::IdleMax));
    out[f::IDLE_MEAN] = mean;
    out[f::IDLE_MAX] = max;
    if max == 0.0 {
        out[f::ACTIVE_MEAN] = totals.duration_us;
        out[f::ACTIVE_MAX] = totals.duration_us;
    }
}
