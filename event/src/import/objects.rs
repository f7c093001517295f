//! JSON objects out of a stream: an array of them over many lines, or one after the other.
//!
//! nfdump prints `[`, then objects over several lines with commas between, then `]`; its line form prints one object per line.
//! An object ends with its brace. One that has not ended when the next line opens a new one is broken and given up, so that
//! the rest can still be read; so is one longer than a line may be.

use std::io::{self, BufRead};

use crate::limits::LINE_BYTES_MAX;

use super::lines::{Frame, Framing, TOO_LONG};

/// One frame per object; anything between objects that is no comma, bracket or space is a broken frame up to the line's end.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// Line ends met so far.
    lines: u64,
}

/// Where the scanner stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before an object.
    Between,
    /// Inside an object, so many braces and brackets deep.
    Inside { depth: u32, text: Text },
    /// Inside something that is no object.
    Stray,
}

/// Whether the scanner stands in a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

impl Framing for Objects {
    fn next(&mut self, reader: &mut (dyn BufRead + Send), frame: &mut Frame) -> io::Result<bool> {
        frame.bytes.clear();
        frame.broken = None;
        let mut state = State::Between;
        let mut line_start = false;
        loop {
            let buffer = match reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                if matches!(state, State::Inside { .. }) {
                    frame.broken.get_or_insert("the file ends inside this object");
                }
                return Ok(state != State::Between);
            }
            let mut used = 0;
            let mut done = false;
            for byte in buffer {
                if line_start && *byte == b'{' && matches!(state, State::Inside { .. }) {
                    frame.broken.get_or_insert("the object is not closed before the next one opens");
                    done = true;
                    break;
                }
                used += 1;
                line_start = *byte == b'\n';
                self.lines += u64::from(line_start);
                if state == State::Between {
                    frame.line = self.lines + 1;
                }
                let before = state;
                state = step(state, *byte);
                if before == State::Between && state == State::Between {
                    continue;
                }
                done = state == State::Between;
                keep(frame, *byte, before, state);
                if done {
                    break;
                }
            }
            reader.consume(used);
            if done {
                return Ok(true);
            }
        }
    }
}

/// Adds a byte to the frame, as long as there is room.
fn keep(frame: &mut Frame, byte: u8, before: State, after: State) {
    if after == State::Stray {
        frame.broken.get_or_insert("not a JSON object");
    }
    if before == State::Stray && after == State::Between {
        return;
    }
    if frame.bytes.len() < LINE_BYTES_MAX {
        frame.bytes.push(byte);
    } else {
        frame.broken = Some(TOO_LONG);
    }
}

fn step(state: State, byte: u8) -> State {
    match state {
        State::Between => match byte {
            b'{' => State::Inside { depth: 1, text: Text::Outside },
            b'[' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' => State::Between,
            _ => State::Stray,
        },
        State::Stray if byte == b'\n' => State::Between,
        State::Stray => State::Stray,
        State::Inside { depth, text } => step_inside(depth, text, byte),
    }
}

fn step_inside(depth: u32, text: Text, byte: u8) -> State {
    let inside = |depth, text| State::Inside { depth, text };
    match text {
        // No string of JSON holds a line end: one that seems to was never closed.
        _ if byte == b'\n' => inside(depth, Text::Outside),
        Text::Escaped => inside(depth, Text::Inside),
        Text::Inside => match byte {
            b'\\' => inside(depth, Text::Escaped),
            b'"' => inside(depth, Text::Outside),
            _ => inside(depth, Text::Inside),
        },
        Text::Outside => match byte {
            b'"' => inside(depth, Text::Inside),
            b'{' | b'[' => inside(depth.saturating_add(1), Text::Outside),
            b'}' | b']' if depth <= 1 => State::Between,
            b'}' | b']' => inside(depth - 1, Text::Outside),
            _ => inside(depth, Text::Outside),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &str) -> Vec<(u64, String, bool)> {
        let mut reader = io::BufReader::with_capacity(7, text.as_bytes());
        let (mut objects, mut frame, mut found) = (Objects::default(), Frame::default(), Vec::new());
        while objects.next(&mut reader, &mut frame).unwrap() {
            found.push((frame.line, String::from_utf8(frame.bytes.clone()).unwrap(), frame.broken.is_some()));
        }
        found
    }

    fn whole(line: u64, text: &str) -> (u64, String, bool) {
        (line, text.to_owned(), false)
    }

    #[test]
    fn arrays_and_lines_give_the_same_objects() {
        assert_eq!(
            frames("[\n{\n\"a\": [1]\n},\n{\"b\":{}}]\n"),
            [whole(2, "{\n\"a\": [1]\n}"), whole(5, "{\"b\":{}}")]
        );
        assert_eq!(frames("{\"a\":\"}\\\"{\"}\n{}\n"), [whole(1, "{\"a\":\"}\\\"{\"}"), whole(2, "{}")]);
    }

    #[test]
    fn a_broken_object_does_not_take_the_next_one_with_it() {
        let found = frames("{\"a\": \"x\n{\"b\":1}\nnonsense\n{\"c\":1}\n{\"d\"");
        let broken: Vec<_> = found.iter().map(|(line, _, broken)| (*line, *broken)).collect();
        assert_eq!(broken, [(1, true), (2, false), (3, true), (4, false), (5, true)]);
        assert_eq!(found[1].1, "{\"b\":1}");
        assert_eq!(found[2].1, "nonsense");
    }

    #[test]
    fn an_endless_object_keeps_bounded_memory() {
        let text = format!("{{\"a\":\"{}\"}}{{}}", "x".repeat(3 * LINE_BYTES_MAX));
        let found = frames(&text);
        assert_eq!(found[0].1.len(), LINE_BYTES_MAX);
        assert!(found[0].2);
        assert_eq!(found[1].1, "{}");
    }
}
