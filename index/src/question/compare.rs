//! Comparatives: "over", "at least", "shorter than", `>=`.

use super::item::Cursor;
use crate::filter::Compare;

/// A comparison at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Tokens.
    pub(super) len: usize,
    pub(super) op: Op,
    /// What the word itself measures.
    pub(super) about: About,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Is(Compare),
    Differs,
    /// "about": not exact, so never a filter.
    About,
}

/// What a comparative says about the thing compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Anything,
    /// "longer", "shorter".
    Time,
    /// "faster", "slower".
    Rate,
}

const TABLE: &[(&str, Op, About)] = &[
    ("no more than", Op::Is(Compare::Le), About::Anything),
    ("not more than", Op::Is(Compare::Le), About::Anything),
    ("no longer than", Op::Is(Compare::Le), About::Time),
    ("not longer than", Op::Is(Compare::Le), About::Time),
    ("no less than", Op::Is(Compare::Ge), About::Anything),
    ("not less than", Op::Is(Compare::Ge), About::Anything),
    ("no fewer than", Op::Is(Compare::Ge), About::Anything),
    ("no larger than", Op::Is(Compare::Le), About::Anything),
    ("in excess of", Op::Is(Compare::Gt), About::Anything),
    ("more than", Op::Is(Compare::Gt), About::Anything),
    ("greater than", Op::Is(Compare::Gt), About::Anything),
    ("larger than", Op::Is(Compare::Gt), About::Anything),
    ("bigger than", Op::Is(Compare::Gt), About::Anything),
    ("higher than", Op::Is(Compare::Gt), About::Anything),
    ("longer than", Op::Is(Compare::Gt), About::Time),
    ("faster than", Op::Is(Compare::Gt), About::Rate),
    ("less than", Op::Is(Compare::Lt), About::Anything),
    ("fewer than", Op::Is(Compare::Lt), About::Anything),
    ("smaller than", Op::Is(Compare::Lt), About::Anything),
    ("lower than", Op::Is(Compare::Lt), About::Anything),
    ("shorter than", Op::Is(Compare::Lt), About::Time),
    ("slower than", Op::Is(Compare::Lt), About::Rate),
    ("in under", Op::Is(Compare::Lt), About::Anything),
    ("at least", Op::Is(Compare::Ge), About::Anything),
    ("minimum of", Op::Is(Compare::Ge), About::Anything),
    ("at most", Op::Is(Compare::Le), About::Anything),
    ("maximum of", Op::Is(Compare::Le), About::Anything),
    ("up to", Op::Is(Compare::Le), About::Anything),
    ("equal to", Op::Is(Compare::Eq), About::Anything),
    ("not equal to", Op::Differs, About::Anything),
    ("over", Op::Is(Compare::Gt), About::Anything),
    ("above", Op::Is(Compare::Gt), About::Anything),
    ("beyond", Op::Is(Compare::Gt), About::Anything),
    ("exceeding", Op::Is(Compare::Gt), About::Anything),
    ("exceeds", Op::Is(Compare::Gt), About::Anything),
    ("under", Op::Is(Compare::Lt), About::Anything),
    ("below", Op::Is(Compare::Lt), About::Anything),
    ("exactly", Op::Is(Compare::Eq), About::Anything),
    ("equals", Op::Is(Compare::Eq), About::Anything),
    (">=", Op::Is(Compare::Ge), About::Anything),
    ("<=", Op::Is(Compare::Le), About::Anything),
    (">", Op::Is(Compare::Gt), About::Anything),
    ("<", Op::Is(Compare::Lt), About::Anything),
    ("=", Op::Is(Compare::Eq), About::Anything),
    ("!=", Op::Differs, About::Anything),
    ("about", Op::About, About::Anything),
    ("around", Op::About, About::Anything),
    ("roughly", Op::About, About::Anything),
    ("approximately", Op::About, About::Anything),
    ("~", Op::About, About::Anything),
];

/// Reads a comparative at the cursor.
pub(super) fn comparison(c: &Cursor) -> Option<Comparison> {
    let lead = c.run(&["is", "are", "was", "were", "of", "for", "a", "total"], 2);
    TABLE.iter().find_map(|&(words, op, about)| {
        c.skip(lead).phrase(&[words]).map(|len| Comparison { len: lead + len, op, about })
    })
}

/// "10 MB or more": a comparative after the value.
pub(super) fn comparison_after(c: &Cursor) -> Option<(usize, Compare)> {
    if let Some(len) = c.phrase(&["or more", "or longer", "or larger", "or bigger", "and more", "or above", "and up"]) {
        return Some((len, Compare::Ge));
    }
    c.phrase(&["or less", "or fewer", "or shorter", "or smaller", "or under", "or below"]).map(|len| (len, Compare::Le))
}

/// As on a chip.
pub(super) fn shown(op: Compare) -> &'static str {
    match op {
        Compare::Lt => "under",
        Compare::Le => "at most",
        Compare::Eq => "exactly",
        Compare::Ge => "at least",
        Compare::Gt => "over",
    }
}
