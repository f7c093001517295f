//! One batch of events as bytes, and back.

use std::io::{self, Write};

use forebay_event::Event;

use crate::IndexError;
use crate::limits::{FRAME_BYTES_MAX, LOG_EVENT_BYTES_MAX};
use crate::segment::{decode, encode};

/// First bytes of a frame.
pub(super) const MAGIC: &[u8; 8] = b"FBFRAME1";

/// Bytes before the payload.
pub(super) const HEADER_BYTES: usize = 48;

/// Frames begin at multiples of this.
pub(super) const ALIGN: usize = 8;

/// A batch of events that is ready to be written, but for its vectors, which lie in the slice that searches will see.
pub(crate) struct Frame {
    header: Header,
    events: Vec<u8>,
}

/// What the header of a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) payload_bytes: usize,
    pub(super) first_seq: u64,
    pub(super) synced: u64,
    pub(super) events: usize,
    pub(super) dimension: usize,
    pub(super) crc: u32,
}

/// A batch as it was read back.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) first_seq: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) vectors: Vec<f32>,
}

impl Frame {
    /// The frame of `events`, numbered from `first_seq`, with their vectors. `None` if it would be longer than a frame may
    /// be.
    pub(crate) fn new(events: &[Event], vectors: &[f32], first_seq: u64) -> Result<Option<Self>, IndexError> {
        let numbers: &[u8] = bytemuck::cast_slice(vectors);
        let mut bytes = Vec::with_capacity(events.len() * EVENT_BYTES_USUAL);
        for event in events {
            let start = bytes.len();
            bytes.extend_from_slice(&[0; 4]);
            encode(event, &mut bytes).map_err(std::io::Error::from)?;
            let length = (bytes.len() - start - 4) as u32;
            bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
            if numbers.len() + bytes.len() > FRAME_BYTES_MAX {
                return Ok(None);
            }
        }
        let mut crc = crc32fast::Hasher::new();
        crc.update(numbers);
        crc.update(&bytes);
        let payload_bytes = numbers.len() + bytes.len();
        let dimension = vectors.len().checked_div(events.len()).unwrap_or(0);
        let header =
            Header { payload_bytes, first_seq, synced: 0, events: events.len(), dimension, crc: crc.finalize() };
        // Headers are a multiple of the alignment, so what pads the payload pads the frame.
        bytes.resize(bytes.len() + header.frame_bytes() - HEADER_BYTES - payload_bytes, 0);
        Ok(Some(Self { header, events: bytes }))
    }

    /// Writes the frame to a file of which `synced` bytes are synced; `vectors` are those it was made with.
    pub(super) fn write(&self, file: &mut impl Write, vectors: &[f32], synced: u64) -> io::Result<()> {
        file.write_all(&Header { synced, ..self.header }.encode())?;
        file.write_all(bytemuck::cast_slice(vectors))?;
        file.write_all(&self.events)
    }

    /// Length in the file.
    pub(crate) fn len(&self) -> usize {
        self.header.frame_bytes()
    }
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&(self.payload_bytes as u64).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.synced.to_le_bytes());
        bytes[32..36].copy_from_slice(&(self.events as u32).to_le_bytes());
        bytes[36..40].copy_from_slice(&(self.dimension as u32).to_le_bytes());
        bytes[40..44].copy_from_slice(&self.crc.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..44]);
        bytes[44..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header at the beginning of `bytes`, if it is one and its checksum is right.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let long = |at: usize| header[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let short = |at: usize| header[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        if &header[..8] != MAGIC || short(44)? != crc32fast::hash(&header[..44]) {
            return None;
        }
        Some(Self {
            payload_bytes: usize::try_from(long(8)?).ok().filter(|bytes| *bytes <= FRAME_BYTES_MAX)?,
            first_seq: long(16)?,
            synced: long(24)?,
            events: short(32)? as usize,
            dimension: short(36)? as usize,
            crc: short(40)?,
        })
    }

    /// Bytes of the whole frame in the file.
    pub(super) fn frame_bytes(&self) -> usize {
        (HEADER_BYTES + self.payload_bytes).next_multiple_of(ALIGN)
    }

    /// The batch in `payload`, or what is wrong with it.
    pub(super) fn batch(&self, payload: &[u8], dimension: usize) -> Result<Batch, String> {
        if payload.len() != self.payload_bytes || crc32fast::hash(payload) != self.crc {
            return Err("its checksum does not match".to_owned());
        }
        if self.dimension != dimension {
            return Err(format!("its vectors have {} numbers instead of {dimension}", self.dimension));
        }
        let vector_bytes = self.events * dimension * size_of::<f32>();
        let (numbers, mut rest) = payload.split_at_checked(vector_bytes).ok_or("cut short")?;
        let numbers = numbers.as_chunks::<4>().0;
        let vectors = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
        let mut events = Vec::with_capacity(self.events);
        for _ in 0..self.events {
            let (length, after) = rest.split_first_chunk::<4>().ok_or("cut short")?;
            let length = u32::from_le_bytes(*length) as usize;
            if length > LOG_EVENT_BYTES_MAX {
                return Err(format!("an event of {length} bytes"));
            }
            let (stored, after) = after.split_at_checked(length).ok_or("cut short")?;
            events.push(decode(stored)?);
            rest = after;
        }
        Ok(Batch { first_seq: self.first_seq, events, vectors })
    }
}

/// Room that is set aside for the stored form of an event; more is taken where it is needed.
const EVENT_BYTES_USUAL: usize = 1_024;

const _: () = assert!(HEADER_BYTES.is_multiple_of(ALIGN));
const _: () = assert!(cfg!(target_endian = "little"), "vectors are written as they lie in memory");

#[cfg(test)]
mod tests {
    use forebay_event::EventId;
    use proptest::prelude::*;

    use super::*;

    fn event(number: u64, host: &str, value: f64) -> Event {
        let mut event = Event { event_id: EventId::derive(5, &[&number.to_le_bytes()]), ..Event::default() };
        event.app.host = Some(host.to_owned());
        event.features.0[3] = value;
        event
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_batch_comes_back_and_any_changed_byte_is_noticed(
            hosts in prop::collection::vec("\\PC{0,20}", 0..20), first_seq: u64, synced: u64, value in -1e300..1e300f64,
            at: prop::sample::Index, bit in 0..8u32,
        ) {
            const DIMENSION: usize = 3;
            let events: Vec<Event> = (0..).zip(&hosts).map(|(number, host)| event(number, host, value)).collect();
            let vectors: Vec<f32> = (0..events.len() * DIMENSION).map(|n| n as f32 / 7.0).collect();
            let frame = Frame::new(&events, &vectors, first_seq).unwrap().unwrap();
            let mut bytes = Vec::new();
            frame.write(&mut bytes, &vectors, synced).unwrap();
            prop_assert_eq!(bytes.len(), frame.len());
            prop_assert_eq!(bytes.len() % ALIGN, 0);
            let read = |bytes: &[u8]| -> Option<(u64, Batch)> {
                let header = Header::decode(bytes)?;
                let payload = bytes.get(HEADER_BYTES..HEADER_BYTES + header.payload_bytes)?;
                let dimension = if events.is_empty() { 0 } else { DIMENSION };
                Some((header.synced, header.batch(payload, dimension).ok()?))
            };
            let (found_synced, back) = read(&bytes).unwrap();
            prop_assert_eq!((found_synced, back.first_seq, &back.vectors), (synced, first_seq, &vectors));
            let text = |events: &[Event]| serde_json::to_string(events).unwrap();
            prop_assert_eq!(text(&back.events), text(&events));
            // Padding is no part of the batch; everything before it is.
            let whole = HEADER_BYTES + Header::decode(&bytes).unwrap().payload_bytes;
            let place = at.index(whole);
            bytes[place] ^= 1 << bit;
            prop_assert!(read(&bytes).is_none());
        }
    }
}
