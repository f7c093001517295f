//! From bytes to numbered lines, a batch at a time.
//!
//! Only the batch and the line that is not finished are held. A line that is too long is not kept at all beyond the limit.

use forebay_event::limits::LINE_BYTES_MAX;

use crate::limits::{BATCH_BYTES_MAX, BATCH_LINES_MAX};

/// Lines that wait to be stored together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    lines: Vec<Place>,
}

/// A line in a batch.
#[derive(Debug)]
struct Place {
    number: u64,
    start: usize,
    end: usize,
    too_long: bool,
}

/// A line as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'b> {
    /// From 1.
    pub(crate) number: u64,
    /// Without its end; none if it was longer than a line may be.
    pub(crate) bytes: Option<&'b [u8]>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lines.len() >= BATCH_LINES_MAX || self.bytes.len() >= BATCH_BYTES_MAX
    }

    /// Adds a line without its line feed, unless it is blank.
    fn push(&mut self, number: u64, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let too_long = line.len() > LINE_BYTES_MAX;
        if too_long || !line.iter().all(u8::is_ascii_whitespace) {
            let start = self.bytes.len();
            if !too_long {
                self.bytes.extend_from_slice(line);
            }
            self.lines.push(Place { number, start, end: self.bytes.len(), too_long });
        }
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.lines.iter().map(|place| Line {
            number: place.number,
            bytes: (!place.too_long).then(|| &self.bytes[place.start..place.end]),
        })
    }
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    /// The line that is not finished, at most [`LINE_BYTES_MAX`] and one byte of it.
    partial: Vec<u8>,
    /// Lines finished so far.
    number: u64,
}

impl Cutter {
    /// Adds the lines that end in `bytes` to `batch`, and gives what is left of `bytes` once the batch is full.
    pub(crate) fn cut<'b>(&mut self, mut bytes: &'b [u8], batch: &mut Batch) -> &'b [u8] {
        while !bytes.is_empty() && !batch.is_full() {
            let end = memchr::memchr(b'\n', bytes);
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            if let Some(end) = end
                && self.partial.is_empty()
            {
                // The whole line is here: it need not be put together first.
                self.number += 1;
                batch.push(self.number, piece);
                bytes = &bytes[end + 1..];
                continue;
            }
            let room = (LINE_BYTES_MAX + 2).saturating_sub(self.partial.len());
            self.partial.extend_from_slice(&piece[..piece.len().min(room)]);
            let Some(end) = end else { return &[] };
            self.finish_line(batch);
            bytes = &bytes[end + 1..];
        }
        bytes
    }

    /// Adds a last line that has no line end.
    pub(crate) fn end(&mut self, batch: &mut Batch) {
        if !self.partial.is_empty() {
            self.finish_line(batch);
        }
    }

    fn finish_line(&mut self, batch: &mut Batch) {
        self.number += 1;
        batch.push(self.number, &self.partial);
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<(u64, Option<Vec<u8>>)> {
        let (mut cutter, mut batch) = (Cutter::default(), Batch::default());
        for piece in pieces {
            assert!(cutter.cut(piece, &mut batch).is_empty());
        }
        cutter.end(&mut batch);
        batch.lines().map(|line| (line.number, line.bytes.map(<[u8]>::to_vec))).collect()
    }

    #[test]
    fn lines_are_the_same_however_the_stream_is_cut() {
        let stream = b"one\ntwo\r\n\n  \nfive\nsix";
        let whole = cut(&[stream]);
        let expected = [(1, "one"), (2, "two"), (5, "five"), (6, "six")];
        assert_eq!(whole, expected.map(|(number, text)| (number, Some(text.as_bytes().to_vec()))));
        for size in 1..stream.len() {
            assert_eq!(cut(&stream.chunks(size).collect::<Vec<_>>()), whole, "pieces of {size}");
        }
    }

    #[test]
    fn a_line_at_the_limit_is_kept_and_one_byte_more_is_not() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let lines = cut(&[&longest, b"\r\n", &longest, b"x\nnext\n"]);
        assert_eq!(lines[0].1.as_deref(), Some(&*longest));
        assert_eq!(lines[1], (2, None));
        assert_eq!(lines[2], (3, Some(b"next".to_vec())));
    }

    #[test]
    fn an_endless_line_is_not_held() {
        let (mut cutter, mut batch) = (Cutter::default(), Batch::default());
        for _ in 0..1000 {
            cutter.cut(&[b'x'; 4096], &mut batch);
        }
        assert!(cutter.partial.capacity() <= 4 * LINE_BYTES_MAX);
        assert!(batch.is_empty());
    }

    #[test]
    fn a_full_batch_leaves_the_rest() {
        let stream = "x\n".repeat(BATCH_LINES_MAX + 5);
        let (mut cutter, mut batch) = (Cutter::default(), Batch::default());
        let rest = cutter.cut(stream.as_bytes(), &mut batch);
        assert_eq!((batch.lines().count(), rest.len()), (BATCH_LINES_MAX, 10));
    }
}
