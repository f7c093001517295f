//! Units: bytes and their multiples, times, packets, and rates of them.
//!
//! `kB` is 1,000 bytes and `KiB` 1,024. Case tells bits from bytes in rates (`MB/s`, `Mbps`); a bare `Mb` could be
//! either and is refused by the caller.

/// What is measured, in the unit in which [`Unit::factor`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Bytes,
    Micros,
    Packets,
    BytesPerSecond,
    BitsPerSecond,
    PacketsPerSecond,
    /// Set flags of one kind: a name of a feature.
    Flags(&'static str),
}

/// A unit: what it measures and how many of the base unit it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    pub(super) measure: Measure,
    pub(super) factor: f64,
    /// As on a chip.
    pub(super) shown: &'static str,
    /// Bits or bytes: the spelling does not say.
    pub(super) unclear: bool,
}

const fn unit(measure: Measure, factor: f64, shown: &'static str) -> Unit {
    Unit { measure, factor, shown, unclear: false }
}

const KIBI: f64 = 1024.0;

/// Reads one unit as it was written, with its case.
pub(super) fn parse(raw: &str) -> Option<Unit> {
    if raw.len() > 24 || raw.is_empty() {
        return None;
    }
    match raw {
        "Mb" | "Gb" | "Kb" | "Tb" | "kb/s" | "mb/s" | "gb/s" => {
            return Some(Unit { unclear: true, ..unit(Measure::Bytes, 1.0, "") });
        }
        "MBps" => return Some(unit(Measure::BytesPerSecond, 1e6, "MB/s")),
        "KBps" | "kBps" => return Some(unit(Measure::BytesPerSecond, 1e3, "kB/s")),
        "GBps" => return Some(unit(Measure::BytesPerSecond, 1e9, "GB/s")),
        "Mb/s" => return Some(unit(Measure::BitsPerSecond, 1e6, "Mbit/s")),
        "Gb/s" => return Some(unit(Measure::BitsPerSecond, 1e9, "Gbit/s")),
        "Kb/s" => return Some(unit(Measure::BitsPerSecond, 1e3, "kbit/s")),
        _ => {}
    }
    let low = raw.to_lowercase();
    if let Some(bare) = low.strip_suffix("/s").or_else(|| low.strip_suffix("/sec")) {
        return per_second(bare);
    }
    bytes(&low).or_else(|| time(&low)).or_else(|| count(&low)).or_else(|| rate(&low))
}

/// `bare` per second: bytes, bits or packets.
pub(super) fn per_second(bare: &str) -> Option<Unit> {
    let one = |measure, factor, shown| Some(unit(measure, factor, shown));
    match bare {
        "bit" | "bits" => return one(Measure::BitsPerSecond, 1.0, "bit/s"),
        "kbit" | "kbits" | "kilobit" | "kilobits" => return one(Measure::BitsPerSecond, 1e3, "kbit/s"),
        "mbit" | "mbits" | "megabit" | "megabits" => return one(Measure::BitsPerSecond, 1e6, "Mbit/s"),
        "gbit" | "gbits" | "gigabit" | "gigabits" => return one(Measure::BitsPerSecond, 1e9, "Gbit/s"),
        _ => {}
    }
    let plain = bytes(bare).or_else(|| count(bare))?;
    let shown = match plain.shown {
        "B" => "B/s",
        "kB" => "kB/s",
        "MB" => "MB/s",
        "GB" => "GB/s",
        "KiB" => "KiB/s",
        "MiB" => "MiB/s",
        "GiB" => "GiB/s",
        "packets" => "packets/s",
        _ => return None,
    };
    let measure = if plain.measure == Measure::Bytes { Measure::BytesPerSecond } else { Measure::PacketsPerSecond };
    Some(unit(measure, plain.factor, shown))
}

fn bytes(low: &str) -> Option<Unit> {
    let (factor, shown) = match low {
        "b" | "byte" | "bytes" => (1.0, "B"),
        "kb" | "kilobyte" | "kilobytes" | "kbyte" | "kbytes" => (1e3, "kB"),
        "mb" | "megabyte" | "megabytes" | "mbyte" | "mbytes" | "meg" | "megs" => (1e6, "MB"),
        "gb" | "gigabyte" | "gigabytes" | "gbyte" | "gbytes" | "gig" | "gigs" => (1e9, "GB"),
        "tb" | "terabyte" | "terabytes" => (1e12, "TB"),
        "kib" | "kibibyte" | "kibibytes" => (KIBI, "KiB"),
        "mib" | "mebibyte" | "mebibytes" => (KIBI * KIBI, "MiB"),
        "gib" | "gibibyte" | "gibibytes" => (KIBI * KIBI * KIBI, "GiB"),
        "tib" | "tebibyte" | "tebibytes" => (KIBI * KIBI * KIBI * KIBI, "TiB"),
        "bit" | "bits" => (0.125, "bit"),
        "kbit" | "kbits" | "kilobit" | "kilobits" => (125.0, "kbit"),
        "mbit" | "mbits" | "megabit" | "megabits" => (125e3, "Mbit"),
        "gbit" | "gbits" | "gigabit" | "gigabits" => (125e6, "Gbit"),
        _ => return None,
    };
    Some(unit(Measure::Bytes, factor, shown))
}

/// A unit of time; `m` is not one here, since it is also a million and a metre.
pub(super) fn time(low: &str) -> Option<Unit> {
    let (factor, shown) = match low {
        "us" | "µs" | "μs" | "usec" | "microsecond" | "microseconds" => (1.0, "µs"),
        "ms" | "msec" | "millisecond" | "milliseconds" => (1e3, "ms"),
        "s" | "sec" | "secs" | "second" | "seconds" => (1e6, "s"),
        "min" | "mins" | "minute" | "minutes" => (60e6, "min"),
        "h" | "hr" | "hrs" | "hour" | "hours" => (3600e6, "h"),
        "d" | "day" | "days" => (86_400e6, "d"),
        _ => return None,
    };
    Some(unit(Measure::Micros, factor, shown))
}

fn count(low: &str) -> Option<Unit> {
    let (flags, shown) = match low {
        "packet" | "packets" | "pkt" | "pkts" => return Some(unit(Measure::Packets, 1.0, "packets")),
        "kpkts" => return Some(unit(Measure::Packets, 1e3, "packets")),
        "syn" | "syns" => ("syn_flag_count", "SYN"),
        "fin" | "fins" => ("fin_flag_count", "FIN"),
        "rst" | "rsts" | "reset" | "resets" => ("rst_flag_count", "RST"),
        "ack" | "acks" => ("ack_flag_count", "ACK"),
        "psh" | "pshs" => ("psh_flag_count", "PSH"),
        "urg" | "urgs" => ("urg_flag_count", "URG"),
        _ => return None,
    };
    Some(unit(Measure::Flags(flags), 1.0, shown))
}

fn rate(low: &str) -> Option<Unit> {
    let (measure, factor, shown) = match low {
        "bps" => (Measure::BitsPerSecond, 1.0, "bit/s"),
        "kbps" => (Measure::BitsPerSecond, 1e3, "kbit/s"),
        "mbps" => (Measure::BitsPerSecond, 1e6, "Mbit/s"),
        "gbps" => (Measure::BitsPerSecond, 1e9, "Gbit/s"),
        "pps" => (Measure::PacketsPerSecond, 1.0, "packets/s"),
        "kpps" => (Measure::PacketsPerSecond, 1e3, "packets/s"),
        "mpps" => (Measure::PacketsPerSecond, 1e6, "packets/s"),
        _ => return None,
    };
    Some(unit(measure, factor, shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_bytes_are_told_apart() {
        assert_eq!(parse("MB/s").map(|u| (u.measure, u.factor)), Some((Measure::BytesPerSecond, 1e6)));
        assert_eq!(parse("Mbit/s").map(|u| (u.measure, u.factor)), Some((Measure::BitsPerSecond, 1e6)));
        assert_eq!(parse("Mbps").map(|u| u.measure), Some(Measure::BitsPerSecond));
        assert_eq!(parse("MBps").map(|u| u.measure), Some(Measure::BytesPerSecond));
        assert_eq!(parse("GiB").map(|u| u.factor), Some(1_073_741_824.0));
        assert!(parse("Mb").is_some_and(|u| u.unclear));
        assert_eq!(parse("m"), None);
    }
}
