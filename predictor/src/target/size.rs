//! Sizes as people write them.

/// `512`, `64k`, `16M`, `2G` (powers of 1,024) as bytes.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, shift) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 10),
        (at, 'm' | 'M') => (&text[..at], 20),
        (at, 'g' | 'G') => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(1 << shift)
}

/// Bytes with the largest unit that leaves three digits.
pub fn show_size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "K", "M", "G"] {
        if value < 999.5 || unit == "G" {
            return if unit == "B" || value >= 99.5 {
                format!("{value:.0}{unit}")
            } else {
                format!("{value:.1}{unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{bytes}B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_nonsense_is_not() {
        assert_eq!(parse_size("4096"), Some(4_096));
        assert_eq!(parse_size("64k"), Some(65_536));
        assert_eq!(parse_size("2G"), Some(2 << 30));
        for nonsense in ["", "k", "-1", "1.5M", "1kB", "99999999999G", "é"] {
            assert_eq!(parse_size(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn sizes_are_shown_short() {
        assert_eq!([show_size(512), show_size(212_992), show_size(16 << 20)], ["512B", "208K", "16.0M"]);
    }
}
