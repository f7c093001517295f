//! Bodies as they are sent: plain, gzip (RFC 1952) or zstd (RFC 8878), decompressed step by step.
//!
//! A piece of compressed input may grow a thousandfold, so a step takes only as much input as gives a bounded output. What
//! is held at once is bounded, however the stream was made.

use std::io::{self, Write as _};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{DParameter, Decoder as RawDecoder, InBuffer, Operation as _, OutBuffer};

use crate::error::ApiError;
use crate::limits::{INFLATE_STEP_BYTES, ZSTD_WINDOW_LOG_MAX};

/// Decompressed bytes that one step of zstd may give.
const ZSTD_STEP_BYTES: usize = 128 * 1024;

/// Undoes the content encoding of a body.
pub(crate) enum Decoder {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd(Box<Zstd>),
}

/// A zstd stream that is being read.
pub(crate) struct Zstd {
    decoder: RawDecoder<'static>,
    room: Vec<u8>,
    /// Whether the step before filled the room, so that there may be more without more input.
    full: bool,
    /// Whether a frame ended with the step before.
    at_end: bool,
}

impl Decoder {
    /// The decoder that `headers` ask for.
    pub(crate) fn new(headers: &HeaderMap) -> Result<Self, ApiError> {
        let encoding = headers.get(header::CONTENT_ENCODING).map_or("identity", |value| value.to_str().unwrap_or("?"));
        if encoding.eq_ignore_ascii_case("identity") {
            return Ok(Self::Plain);
        }
        if encoding.eq_ignore_ascii_case("gzip") {
            return Ok(Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))));
        }
        if !encoding.eq_ignore_ascii_case("zstd") {
            let reason = "`Content-Encoding` must be gzip, zstd or identity.";
            return Err(ApiError::MediaType(reason.to_owned()));
        }
        let zstd = Zstd::new().map_err(|error| ApiError::Internal(format!("zstd: {error}")))?;
        Ok(Self::Zstd(Box::new(zstd)))
    }

    /// Whether a step can go on with what is left of `input`.
    pub(crate) fn can_step(&self, input: &Bytes) -> bool {
        !input.is_empty() || matches!(self, Self::Zstd(zstd) if zstd.full)
    }

    /// Takes some of `input` and appends what it gives to `out`: at most about 1 MiB, or `input` itself when it is plain.
    pub(crate) fn step(&mut self, input: &mut Bytes, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain => {
                out.extend_from_slice(&std::mem::take(input));
                Ok(())
            }
            Self::Gzip(decoder) => {
                let step = input.split_to(input.len().min(INFLATE_STEP_BYTES));
                decoder.write_all(&step)?;
                decoder.flush()?;
                out.append(decoder.get_mut());
                Ok(())
            }
            Self::Zstd(zstd) => zstd.step(input, out),
        }
    }

    /// Says whether the stream may end here; appends what was left.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain => Ok(()),
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                out.append(decoder.get_mut());
                Ok(())
            }
            Self::Zstd(zstd) if zstd.at_end => Ok(()),
            Self::Zstd(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Zstd {
    fn new() -> io::Result<Self> {
        let mut decoder = RawDecoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
        Ok(Self { decoder, room: vec![0; ZSTD_STEP_BYTES], full: false, at_end: true })
    }

    fn step(&mut self, input: &mut Bytes, out: &mut Vec<u8>) -> io::Result<()> {
        let mut source = InBuffer::around(input);
        let mut target = OutBuffer::around(&mut self.room[..]);
        let left = self.decoder.run(&mut source, &mut target)?;
        out.extend_from_slice(target.as_slice());
        self.full = target.pos() == ZSTD_STEP_BYTES;
        // With nothing read and nothing written the decoder only repeats that it waits for a next frame.
        if source.pos() > 0 || target.pos() > 0 {
            self.at_end = left == 0;
        }
        let taken = source.pos();
        let _ = input.split_to(taken);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// The whole text and the largest step.
    fn decode(encoding: &'static str, input: &[u8], piece: usize) -> io::Result<(Vec<u8>, usize)> {
        let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
        let mut decoder = Decoder::new(&headers).unwrap();
        let (mut all, mut largest) = (Vec::new(), 0);
        for part in input.chunks(piece) {
            let mut part = Bytes::copy_from_slice(part);
            while decoder.can_step(&part) {
                let before = all.len();
                decoder.step(&mut part, &mut all)?;
                largest = largest.max(all.len() - before);
            }
        }
        decoder.finish(&mut all)?;
        Ok((all, largest))
    }

    #[test]
    fn every_encoding_gives_the_text_back_however_it_is_cut() {
        let text: Vec<u8> = (0..60_000u32).flat_map(|i| format!("{i}\n").into_bytes()).collect();
        let zstd = |text: &[u8]| zstd::encode_all(text, 3).unwrap();
        // Two members one after the other are one stream, in both formats.
        let streams = [
            ("identity", text.clone()),
            ("gzip", gzip(&text)),
            ("zstd", zstd(&text)),
            ("gzip", [gzip(&text[..1000]), gzip(&text[1000..])].concat()),
            ("zstd", [zstd(&text[..1000]), zstd(&text[1000..])].concat()),
        ];
        for (encoding, stream) in streams {
            for piece in [17, 4096, stream.len()] {
                assert!(decode(encoding, &stream, piece).unwrap().0 == text, "{encoding} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_bomb_comes_out_in_bounded_steps() {
        let text = vec![0; 64 << 20];
        for (encoding, stream) in [("gzip", gzip(&text)), ("zstd", zstd::encode_all(&*text, 3).unwrap())] {
            let (all, largest) = decode(encoding, &stream, stream.len()).unwrap();
            assert_eq!(all.len(), text.len());
            assert!(largest <= 2 << 20, "{encoding}: {largest} bytes at once");
        }
    }

    #[test]
    fn damage_and_a_missing_end_are_errors() {
        for (encoding, stream) in [("gzip", gzip(b"text")), ("zstd", zstd::encode_all(&b"text"[..], 3).unwrap())] {
            assert!(decode(encoding, &stream[..stream.len() - 1], 7).is_err(), "{encoding}");
            assert!(decode(encoding, b"neither of the two", 7).is_err(), "{encoding}");
        }
    }
}
