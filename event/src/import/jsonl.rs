//! Our own lines, as a source.

use crate::jsonl::Parser;
use crate::{Event, ParseError};

use super::records::{Decode, Decoded};

/// One line, one event.
#[derive(Default)]
pub(crate) struct Decoder(Parser);

impl Decode for Decoder {
    fn decode(&mut self, bytes: &[u8], event: &mut Event) -> Result<Decoded, ParseError> {
        self.0.parse(bytes, event)?;
        Ok(Decoded::Event)
    }

    fn stands_alone(&self) -> bool {
        true
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("unknown_members", self.0.unknown_members())]
    }
}
