//! Numbers as people write them: `1,000`, `1_000`, `1.5`, `10k`, "ten", "a million", and numbers grown together with
//! their unit, `10MB`.

use super::item::Cursor;

/// A number at the cursor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number<'a> {
    /// Tokens it covers, the one with the grown-on unit included.
    pub(super) len: usize,
    pub(super) value: f64,
    /// What follows the digits in the same token.
    pub(super) suffix: &'a str,
    /// "a" or "an": a number only before a unit of time or a larger number word.
    pub(super) article: bool,
}

/// Values over this are nothing that a flow can have.
pub(super) const VALUE_MAX: f64 = 1e18;

/// Reads a number at the cursor.
pub(super) fn number<'a>(c: &Cursor<'a>) -> Option<Number<'a>> {
    let (mut value, mut suffix, mut article) = match split(c.raw(0)) {
        Some((value, suffix)) => (value, suffix, false),
        None => (word(c.word(0))?, "", c.any(0, &["a", "an"])),
    };
    let mut len = 1;
    if suffix.is_empty()
        && let Some(factor) = factor(c.word(1))
    {
        value *= factor;
        article = false;
        len += 1;
    }
    if let Some(factor) = match suffix {
        "k" | "K" => Some(1e3),
        _ => None,
    } {
        value *= factor;
        suffix = "";
    }
    (value <= VALUE_MAX).then_some(Number { len, value, suffix, article })
}

/// Splits `10MB` into 10 and `MB`; commas and underscores may group digits in threes.
pub(super) fn split(raw: &str) -> Option<(f64, &str)> {
    if !raw.starts_with(|c: char| c.is_ascii_digit()) && !raw.starts_with('.') {
        return None;
    }
    let end = raw.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_'))).unwrap_or(raw.len());
    let (digits, suffix) = raw.split_at_checked(end)?;
    let exponent = exponent(suffix);
    let plain: String = digits.chars().filter(|c| !matches!(c, ',' | '_')).collect();
    let value: f64 = format!("{plain}{}", &suffix[..exponent]).parse().ok()?;
    value.is_finite().then_some((value, &suffix[exponent..]))
}

/// The length of `e6` at the start of `suffix`, 0 where there is none.
fn exponent(suffix: &str) -> usize {
    let digits = suffix.strip_prefix(['e', 'E']).map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    if (1..=2).contains(&digits) { digits + 1 } else { 0 }
}

/// A small number as a word.
pub(super) fn word(low: &str) -> Option<f64> {
    const WORDS: &[&str] =
        &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    match low {
        "a" | "an" | "single" => Some(1.0),
        "fifteen" => Some(15.0),
        "twenty" => Some(20.0),
        "thirty" => Some(30.0),
        "fifty" => Some(50.0),
        "hundred" => Some(100.0),
        "thousand" => Some(1e3),
        _ => WORDS.iter().position(|word| *word == low).map(|value| value as f64),
    }
}

fn factor(low: &str) -> Option<f64> {
    match low {
        "hundred" => Some(100.0),
        "thousand" | "k" => Some(1e3),
        "million" => Some(1e6),
        "billion" => Some(1e9),
        _ => None,
    }
}

/// `value` with a comma between each three digits and no needless zeros.
pub(super) fn shown(value: f64) -> String {
    let plain = if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value}") };
    let (whole, fraction) = plain.split_once('.').map_or((plain.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && whole.len() > 4 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_what_follows_them_come_apart() {
        assert_eq!(split("1,000"), Some((1000.0, "")));
        assert_eq!(split("10MB"), Some((10.0, "MB")));
        assert_eq!(split("1.5e3ms"), Some((1500.0, "ms")));
        assert_eq!(split("5e"), Some((5.0, "e")));
        assert_eq!(split("10.0.0.1"), None);
        assert_eq!(split("MB"), None);
    }

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        assert_eq!(shown(1000.0), "1000");
        assert_eq!(shown(10_000.0), "10,000");
        assert_eq!(shown(1_234_567.0), "1,234,567");
        assert_eq!(shown(0.5), "0.5");
    }
}
