//! Lines of bounded length out of any reader.

use std::io::{self, BufRead};

use crate::limits::LINE_BYTES_MAX;

/// A piece of a source that should hold one event: a line, or an object of an array.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// Line on which it starts, from 1.
    pub(crate) line: u64,
    /// Its bytes; the first [`LINE_BYTES_MAX`] of them if `broken` is set for its length.
    pub(crate) bytes: Vec<u8>,
    /// Why it cannot hold an event, if that is plain already.
    pub(crate) broken: Option<&'static str>,
}

/// What an overlong frame is rejected with.
pub(crate) const TOO_LONG: &str = "longer than 65536 bytes, of which the first 65536 are kept";

const _: () = assert!(LINE_BYTES_MAX == 65536, "the text above says so");

/// Cuts a source into frames.
pub(crate) trait Framing: Send {
    /// Fills `frame` with the next piece; false at the end.
    fn next(&mut self, reader: &mut (dyn BufRead + Send), frame: &mut Frame) -> io::Result<bool>;

    /// This framing, if it is by lines.
    fn lines(&mut self) -> Option<&mut Lines> {
        None
    }
}

/// One frame per line that is not blank; line ends `\n` or `\r\n`, a byte order mark at the start is dropped.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    line: u64,
}

impl Framing for Lines {
    fn next(&mut self, reader: &mut (dyn BufRead + Send), frame: &mut Frame) -> io::Result<bool> {
        frame.bytes.clear();
        let Some(Line { line, broken }) = self.append(reader, &mut frame.bytes)? else { return Ok(false) };
        (frame.line, frame.broken) = (line, broken);
        Ok(true)
    }

    fn lines(&mut self) -> Option<&mut Lines> {
        Some(self)
    }
}

/// What [`Lines::append`] appended.
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) line: u64,
    /// As [`Frame::broken`].
    pub(crate) broken: Option<&'static str>,
}

impl Lines {
    /// Appends the next line that is not blank to `bytes`, without its line end; none at the end. On an error `bytes` may have
    /// got the beginning of a line.
    pub(crate) fn append(
        &mut self,
        reader: &mut (dyn BufRead + Send),
        bytes: &mut Vec<u8>,
    ) -> io::Result<Option<Line>> {
        let begin = bytes.len();
        loop {
            bytes.truncate(begin);
            let mut broken = None;
            // Two more than fit, so that `\r\n` after a line of full length is seen.
            let room = LINE_BYTES_MAX as u64 + 2;
            if io::Read::take(&mut *reader, room).read_until(b'\n', bytes)? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let ended = bytes.ends_with(b"\n");
            if ended {
                bytes.pop();
                if bytes.len() > begin && bytes.ends_with(b"\r") {
                    bytes.pop();
                }
            }
            if self.line == 1 && bytes[begin..].starts_with(b"\xef\xbb\xbf") {
                bytes.drain(begin..begin + 3);
            }
            if bytes.len() - begin > LINE_BYTES_MAX {
                bytes.truncate(begin + LINE_BYTES_MAX);
                broken = Some(TOO_LONG);
                if !ended {
                    skip_line(reader)?;
                }
            }
            if !bytes[begin..].iter().all(u8::is_ascii_whitespace) || broken.is_some() {
                return Ok(Some(Line { line: self.line, broken }));
            }
        }
    }
}

/// Passes over everything up to and with the next line end, in no more memory than the reader's own.
fn skip_line(reader: &mut (dyn BufRead + Send)) -> io::Result<()> {
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &[u8]) -> Vec<(u64, usize, bool)> {
        let mut reader = io::BufReader::with_capacity(1000, text);
        let (mut lines, mut frame, mut found) = (Lines::default(), Frame::default(), Vec::new());
        while lines.next(&mut reader, &mut frame).unwrap() {
            found.push((frame.line, frame.bytes.len(), frame.broken.is_some()));
        }
        found
    }

    #[test]
    fn line_ends_blank_lines_and_the_mark_are_no_content() {
        assert_eq!(frames(b"\xef\xbb\xbfab\r\n\n  \nc"), [(1, 2, false), (4, 1, false)]);
    }

    #[test]
    fn a_line_of_full_length_is_whole_and_a_longer_one_is_cut() {
        let mut text = vec![b'a'; LINE_BYTES_MAX];
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&vec![b'b'; LINE_BYTES_MAX + 1]);
        text.extend_from_slice(b"\n");
        text.extend_from_slice(&vec![b'c'; 3 * LINE_BYTES_MAX]);
        text.extend_from_slice(b"\nd");
        let full = LINE_BYTES_MAX;
        assert_eq!(frames(&text), [(1, full, false), (2, full, true), (3, full, true), (4, 1, false)]);
    }
}
