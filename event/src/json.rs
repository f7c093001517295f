//! One line of JSON, parsed into reused memory, and a plain way to walk through it.
//!
//! `simd-json` gives a flat tape of nodes; a container's node says how many nodes follow that belong to it. It rewrites
//! its input while it unescapes, so the line is copied first and stays as it was for whoever wants to keep it.

use simd_json::prelude::*;
use simd_json::{Buffers, Node, StaticNode, Tape};

use crate::ParseError;
use crate::limits::{JSON_DEPTH_MAX, LINE_BYTES_MAX};

/// Memory for one line at a time.
pub(crate) struct Json {
    line: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

/// A value on the tape: its first node and everything after it.
#[derive(Clone, Copy)]
pub(crate) struct Value<'t, 'l>(&'t [Node<'l>]);

/// The members of an object, in the order of the line.
#[derive(Clone, Copy)]
pub(crate) struct Members<'t, 'l>(&'t [Node<'l>]);

impl Default for Json {
    fn default() -> Self {
        Self { line: Vec::new(), buffers: Buffers::with_max_depth(4096, JSON_DEPTH_MAX), tape: Tape::null() }
    }
}

impl Json {
    /// Parses `line` and hands the members of its object to `read`.
    pub(crate) fn object<R>(
        &mut self,
        line: &[u8],
        read: impl FnOnce(Members<'_, '_>) -> Result<R, ParseError>,
    ) -> Result<R, ParseError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(ParseError::TooLong);
        }
        self.line.clear();
        self.line.extend_from_slice(line);
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let outcome = match simd_json::fill_tape(&mut self.line, &mut self.buffers, &mut tape) {
            Err(error) => Err(ParseError::Json(error.to_string())),
            Ok(()) => Value(&tape.0).members().ok_or(ParseError::NotAnObject).and_then(read),
        };
        self.tape = tape.reset();
        outcome
    }
}

impl<'t, 'l> Value<'t, 'l> {
    /// The members, if this is an object.
    pub(crate) fn members(self) -> Option<Members<'t, 'l>> {
        match self.0.first()? {
            Node::Object { count, .. } => self.0.get(1..=*count).map(Members),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub(crate) fn is_null(self) -> bool {
        matches!(self.0.first(), Some(Node::Static(StaticNode::Null)) | None)
    }

    /// The text, if this is a string.
    pub(crate) fn text(self) -> Option<&'l str> {
        match self.0.first()? {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub(crate) fn boolean(self) -> Option<bool> {
        self.fixed()?.as_bool()
    }

    /// The number, if this is one; whole numbers beyond 2^53 are rounded.
    pub(crate) fn number(self) -> Option<f64> {
        self.fixed()?.cast_f64()
    }

    /// The whole number, if this is one and fits.
    pub(crate) fn integer(self) -> Option<i64> {
        self.fixed()?.as_i64()
    }

    /// The whole number without a sign, if this is one.
    pub(crate) fn unsigned(self) -> Option<u64> {
        self.fixed()?.as_u64()
    }

    /// The elements, if this is an array.
    pub(crate) fn first_element(self) -> Option<Value<'t, 'l>> {
        match self.0.first()? {
            Node::Array { len, count } if *len > 0 => self.0.get(1..=*count).map(Value),
            _ => None,
        }
    }

    fn fixed(self) -> Option<StaticNode> {
        match self.0.first()? {
            Node::Static(node) => Some(*node),
            _ => None,
        }
    }

    /// How many nodes of the tape this value takes.
    fn span(self) -> usize {
        match self.0.first() {
            Some(Node::Object { count, .. } | Node::Array { count, .. }) => count + 1,
            _ => 1,
        }
    }
}

#[allow(clippy::copy_iterator)] // copied on purpose, to look for one name after another
impl<'t, 'l> Iterator for Members<'t, 'l> {
    type Item = (&'l str, Value<'t, 'l>);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = self.0.split_first()?;
        let Node::String(key) = key else { return None };
        let value = Value(rest);
        self.0 = rest.get(value.span()..).unwrap_or_default();
        Some((key, value))
    }
}

impl<'t, 'l> Members<'t, 'l> {
    /// The value of the last member called `name` that is not `null`.
    pub(crate) fn find(self, name: &str) -> Option<Value<'t, 'l>> {
        self.filter(|(key, value)| *key == name && !value.is_null()).last().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(levels: usize) -> String {
        format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
    }

    #[test]
    fn members_are_found_past_nested_values() {
        let mut json = Json::default();
        let line = br#"{"a":{"x":[1,{"y":2}]},"b":[],"c":-7,"d":null}"#;
        json.object(line, |members| {
            assert_eq!(members.map(|(key, _)| key).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
            assert_eq!(members.find("c").and_then(Value::integer), Some(-7));
            assert!(members.find("d").is_none());
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn depth_is_bounded() {
        let mut json = Json::default();
        assert!(json.object(depth(JSON_DEPTH_MAX).as_bytes(), |_| Ok(())).is_ok());
        let refused = json.object(depth(JSON_DEPTH_MAX + 1).as_bytes(), |_| Ok(()));
        assert!(matches!(refused, Err(ParseError::Json(_))), "{refused:?}");
    }

    #[test]
    fn what_is_not_an_object_is_said_to_be_none() {
        let mut json = Json::default();
        for line in ["[]", "1", "\"x\"", "null"] {
            assert_eq!(json.object(line.as_bytes(), |_| Ok(())), Err(ParseError::NotAnObject), "{line}");
        }
        assert!(json.object(b"", |_| Ok(())).is_err());
        assert_eq!(json.object(&vec![b' '; LINE_BYTES_MAX + 1], |_| Ok(())), Err(ParseError::TooLong));
    }
}
