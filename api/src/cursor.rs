//! Where a page ended.
//!
//! The index's own cursor is good for the same search only, and "the last hour" is another search a second later. So what
//! clients get also holds the time the first page was asked at: `<microseconds, hexadecimal>.<cursor of the index>`.

use std::fmt;

use forebay_index::Cursor;

/// Where a page ended, and the clock its question was read with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageCursor {
    pub(crate) now_us: i64,
    pub(crate) inner: Cursor,
}

impl PageCursor {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (now, inner) = text.split_once('.')?;
        Some(Self { now_us: i64::from_str_radix(now, 16).ok()?, inner: inner.parse().ok()? })
    }
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.now_us < 0 { "-" } else { "" };
        write!(f, "{sign}{:x}.{}", self.now_us.unsigned_abs(), self.inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_junk_does_not() {
        for now_us in [0, -5, i64::MAX, 1_700_000_000_000_000] {
            let cursor = PageCursor { now_us, inner: "a.b-c".parse().unwrap() };
            assert_eq!(PageCursor::parse(&cursor.to_string()), Some(cursor));
        }
        for junk in ["", "x", "zz.a", "1_0.a", "ffffffffffffffffff.a"] {
            assert_eq!(PageCursor::parse(junk), None, "{junk}");
        }
    }
}
