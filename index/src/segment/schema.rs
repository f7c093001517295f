//! The tantivy schema of a segment, and an event as a document of it.

use std::net::{IpAddr, Ipv6Addr};

use forebay_event::{Event, FEATURE_NAMES, Verdict, service};
use tantivy::TantivyDocument;
use tantivy::schema::{FAST, Field, IndexRecordOption, NumericOptions, STORED, Schema, TextFieldIndexing, TextOptions};

use super::stored;
use crate::IndexError;
use crate::filter::{SUM_NAMES, feature_value};
use crate::text::{TOKENIZER, render};

/// Names of fields, as in the fast-field file.
pub(super) mod name {
    pub(crate) const EVENT: &str = "event";
    pub(crate) const TEXT: &str = "text";
    pub(crate) const SEQ: &str = "seq";
    pub(crate) const START: &str = "start_us";
    pub(crate) const SRC_IP: &str = "src_ip";
    pub(crate) const DST_IP: &str = "dst_ip";
    pub(crate) const SRC_PORT: &str = "src_port";
    pub(crate) const DST_PORT: &str = "dst_port";
    pub(crate) const PROTOCOL: &str = "protocol";
    pub(crate) const SERVICE: &str = "service";
    pub(crate) const VERDICT: &str = "verdict";
    pub(crate) const FAMILY: &str = "family";
    pub(crate) const HOST: &str = "host";
}

/// The fields of the schema.
pub(super) struct Fields {
    pub(super) schema: Schema,
    pub(super) event: Field,
    pub(super) text: Field,
    seq: Field,
    start: Field,
    src_ip: Field,
    dst_ip: Field,
    src_port: Field,
    dst_port: Field,
    protocol: Field,
    service: Field,
    verdict: Field,
    family: Field,
    host: Field,
    /// The features, then the sums, in the order of `numbers`.
    features: Vec<Field>,
}

/// Names of everything a `Feature` filter compares, in the order of the columns.
pub(crate) fn numbers() -> impl Iterator<Item = &'static str> {
    FEATURE_NAMES.iter().chain(&SUM_NAMES).copied()
}

impl Fields {
    /// The schema, always the same for one format of segments.
    pub(super) fn new() -> Self {
        let mut schema = Schema::builder();
        let number = NumericOptions::default().set_fast();
        let word = TextOptions::default().set_fast("raw");
        let text = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqs)
            .set_fieldnorms(true);
        Self {
            event: schema.add_bytes_field(name::EVENT, STORED),
            text: schema.add_text_field(name::TEXT, TextOptions::default().set_indexing_options(text)),
            seq: schema.add_u64_field(name::SEQ, number.clone()),
            start: schema.add_i64_field(name::START, number.clone()),
            src_ip: schema.add_ip_addr_field(name::SRC_IP, FAST),
            dst_ip: schema.add_ip_addr_field(name::DST_IP, FAST),
            src_port: schema.add_u64_field(name::SRC_PORT, number.clone()),
            dst_port: schema.add_u64_field(name::DST_PORT, number.clone()),
            protocol: schema.add_u64_field(name::PROTOCOL, number.clone()),
            service: schema.add_u64_field(name::SERVICE, number.clone()),
            verdict: schema.add_u64_field(name::VERDICT, number.clone()),
            family: schema.add_text_field(name::FAMILY, word.clone()),
            host: schema.add_text_field(name::HOST, word),
            features: numbers().map(|name| schema.add_f64_field(name, number.clone())).collect(),
            schema: schema.build(),
        }
    }

    /// `event` as a document.
    pub(super) fn document(&self, event: &Event, seq: u64) -> Result<TantivyDocument, IndexError> {
        let mut document = TantivyDocument::new();
        let mut bytes = Vec::with_capacity(1_024);
        stored::encode(event, &mut bytes)
            .map_err(|error| IndexError::Event { id: event.event_id, reason: error.to_string() })?;
        document.add_bytes(self.event, &bytes);
        document.add_text(self.text, render(event));
        document.add_u64(self.seq, seq);
        document.add_i64(self.start, event.start_us);
        document.add_ip_addr(self.src_ip, ip_number(event.flow.src_ip));
        document.add_ip_addr(self.dst_ip, ip_number(event.flow.dst_ip));
        document.add_u64(self.src_port, event.flow.src_port.into());
        document.add_u64(self.dst_port, event.flow.dst_port.into());
        document.add_u64(self.protocol, event.flow.protocol.into());
        document.add_u64(self.service, service::service_of(event) as u64);
        if let Some(verdict) = event.class.verdict {
            document.add_u64(self.verdict, verdict_number(verdict));
        }
        if let Some(family) = &event.class.family {
            document.add_text(self.family, family.to_ascii_lowercase());
        }
        if let Some(host) = &event.app.host {
            document.add_text(self.host, host.to_ascii_lowercase());
        }
        for (field, name) in self.features.iter().zip(numbers()) {
            if let Some(value) = feature_value(&event.features, name) {
                document.add_f64(*field, value);
            }
        }
        Ok(document)
    }
}

/// An address as one number: IPv4 is its mapped IPv6 address.
pub(crate) fn ip_number(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// A verdict as a number.
pub(crate) fn verdict_number(verdict: Verdict) -> u64 {
    match verdict {
        Verdict::Benign => 1,
        Verdict::Suspicious => 2,
        Verdict::Malicious => 3,
    }
}

/// The verdict of a number.
pub(crate) fn verdict_of(number: u64) -> Option<Verdict> {
    [Verdict::Benign, Verdict::Suspicious, Verdict::Malicious].into_iter().find(|v| verdict_number(*v) == number)
}
