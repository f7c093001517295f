//! `CICFlowMeter` tables: CSV with a header, several layouts, several meanings.
//!
//! **Promise.** What a column means the same as in our schema is taken; what can be worked out exactly is worked out
//! ([`measures`]); everything else stays unknown. The label goes to `label.truth` and nowhere else.
//!
//! **Layouts.** With addresses (84 columns; 91 and 94 of the corrected meter; 85 of CIC-IDS2017's own tables) and without
//! (79 and fewer). Further columns, such as a data set adds, are passed over. A header may come again in mid-file, also
//! another one; it is counted and holds from there on.
//!
//! **Without addresses** both are `0.0.0.0` and there is no Community ID; without a timestamp the flow starts at 0. Without
//! a protocol column it is TCP where an initial window is given, else UDP where there is a port, else 0; the meter writes a
//! window of -1 for whatever is not TCP. Each of these is counted.
//!
//! **Failure.** A row with another number of cells, an address that is none, a time that cannot be read or a cell that is
//! no number is rejected. `Infinity`, `NaN`, and values below zero, which the meter's known faults produce, are unknown and
//! counted.

mod columns;
mod measures;
mod row;

use std::borrow::Cow;

use crate::community::community_id;
use crate::limits::WORD_BYTES_MAX;
use crate::{Event, EventId, Flow, ParseError};

use super::records::{Decode, Decoded};
use super::time;
use columns::{Column, Header, Layout};
use row::Row;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Words in the label column that say there is no label.
const NO_LABELS: [&str; 3] = ["NeedManualLabel", "No Label", "-"];

/// Whether `line` is the header of such a table.
pub(crate) fn is_header(line: &[u8]) -> bool {
    Header::read(line).is_some()
}

/// Reads rows under the header met last.
#[derive(Default)]
pub(crate) struct Decoder {
    header: Option<Header>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    headers_repeated: u64,
    not_finite: u64,
    negative: u64,
    without_addresses: u64,
    without_time: u64,
    to_the_minute: u64,
    protocol_inferred: u64,
    flags_unusable: u64,
    not_text: u64,
}

impl Decode for Decoder {
    fn decode(&mut self, bytes: &[u8], event: &mut Event) -> Result<Decoded, ParseError> {
        if let Some(header) = Header::read(bytes) {
            self.counts.headers_repeated += u64::from(self.header.is_some());
            self.header = Some(header);
            return Ok(Decoded::Nothing);
        }
        let header = self.header.as_ref().ok_or_else(|| ParseError::invalid("row", "it stands before any header"))?;
        // Labels of CIC-IDS2017 hold a dash in a Windows code page; such bytes become U+FFFD.
        let line = String::from_utf8_lossy(bytes);
        self.counts.not_text += u64::from(matches!(line, Cow::Owned(_)));
        let row = Row::read(&line, header)?;
        fill(&row, header, bytes, event, &mut self.counts)?;
        Ok(Decoded::Event)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let counts = &self.counts;
        vec![
            ("headers_repeated", counts.headers_repeated),
            ("values_not_finite", counts.not_finite),
            ("values_negative", counts.negative),
            ("events_without_addresses", counts.without_addresses),
            ("events_without_time", counts.without_time),
            ("times_to_the_minute", counts.to_the_minute),
            ("protocols_inferred", counts.protocol_inferred),
            ("flag_columns_unusable", counts.flags_unusable),
            ("lines_not_utf8", counts.not_text),
        ]
    }
}

fn fill(
    row: &Row<'_>,
    header: &Header,
    bytes: &[u8],
    event: &mut Event,
    counts: &mut Counts,
) -> Result<(), ParseError> {
    counts.not_finite += row.not_finite;
    counts.negative += row.negative;
    counts.flags_unusable += u64::from(header.layout == Layout::First && header.has(Column::Ack));
    event.sensor.push_str("CICFlowMeter");
    fill_flow(row, header, &mut event.flow, counts)?;
    fill_times(row, event, counts)?;
    measures::fill(row, header.layout, event.flow.protocol, &mut event.features);
    if let Some(label) = row.label.filter(|label| !NO_LABELS.contains(label)) {
        event.label.truth = Some(bounded(label, WORD_BYTES_MAX).to_owned());
    }
    event.event_id = EventId::derive(event.start_us, &[b"cicflowmeter", bytes]);
    Ok(())
}

fn fill_flow(row: &Row<'_>, header: &Header, flow: &mut Flow, counts: &mut Counts) -> Result<(), ParseError> {
    const PORT: &str = "a whole number from 0 to 65535";
    flow.src_port = row.whole(Column::SrcPort, "source port", PORT)?.unwrap_or(0);
    flow.dst_port = row.whole(Column::DstPort, "destination port", PORT)?.unwrap_or(0);
    let protocol = row.whole(Column::Protocol, "protocol", "a whole number from 0 to 255")?;
    if protocol.is_none() {
        counts.protocol_inferred += 1;
    }
    flow.protocol = protocol.unwrap_or_else(|| infer_protocol(row, flow.dst_port));
    let src = Row::address(row.src_ip, "source address")?;
    let dst = Row::address(row.dst_ip, "destination address")?;
    match (src, dst) {
        (Some(src), Some(dst)) => {
            flow.src_ip = src;
            flow.dst_ip = dst;
            flow.community_id = community(row, flow);
        }
        (None, None) if !header.has(Column::SrcIp) => counts.without_addresses += 1,
        _ => return Err(ParseError::Missing("an address")),
    }
    Ok(())
}

/// The Community ID, with ICMP type and code in place of ports where the corrected meter gives them.
fn community(row: &Row<'_>, flow: &Flow) -> String {
    let (kind, code) = (row.number(Column::IcmpType), row.number(Column::IcmpCode));
    if matches!(flow.protocol, 1 | 58) && kind >= 0.0 && code >= 0.0 {
        return community_id(&Flow { src_port: kind as u16, dst_port: code as u16, ..flow.clone() });
    }
    community_id(flow)
}

fn infer_protocol(row: &Row<'_>, dst_port: u16) -> u8 {
    if row.number(Column::FwdInitWindow) >= 0.0 {
        TCP
    } else if dst_port != 0 {
        UDP
    } else {
        0
    }
}

fn fill_times(row: &Row<'_>, event: &mut Event, counts: &mut Counts) -> Result<(), ParseError> {
    match row.timestamp {
        Some(text) => {
            let start = time::cic(text);
            event.start_us =
                start.ok_or_else(|| ParseError::invalid("timestamp", format!("{text:.40?} is no time")))?;
            counts.to_the_minute += u64::from(text.matches(':').count() == 1);
        }
        None => counts.without_time += 1,
    }
    let duration = row.number(Column::Duration);
    event.end_us = event.start_us.saturating_add(if duration.is_nan() { 0 } else { duration as i64 });
    Ok(())
}

/// The longest start of `text` that fits in `limit` bytes.
pub(crate) fn bounded(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
