//! Promise: on public flow tables every row is an event or a rejection with a reason, and none is lost.
//!
//! Method: every table under `../shared/data` that is in a format we read is imported; events and rejections are counted
//! against the lines of the file. Tables in formats we do not claim must be refused as unrecognised. Skipped, loudly, where
//! the tables are not there.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use forebay_event::Event;
use forebay_event::import;
use forebay_event::source::{EventSource, Item, SourceError};

/// Tables, and whether their rows must all be accepted, all be rejected, or be of a format that is not read.
const TABLES: &[(&str, Expected)] = &[
    ("flows/cicflowmeter_engelen_from_pcaps_truth_per_file.csv.gz", Expected::Mostly),
    ("flows/cicids2017_improved_cns2022_sample.csv.gz", Expected::Mostly),
    ("flows/cicids2017_ml_balanced_52f_noip.csv.gz", Expected::Mostly),
    ("flows/cicids2017_original_trafficlabelling_slices.csv.gz", Expected::Mostly),
    // Its addresses and times were replaced by numbers.
    ("flows/cicids2017_original_webattacks_balanced_ENCODED_ids.csv.gz", Expected::None),
    ("reference/cicflowmeter_java_orig_98a5eba.csv.gz", Expected::Mostly),
    ("reference/cicflowmeter_java_engelen_4dd5319.csv.gz", Expected::Mostly),
    ("reference/cicflowmeter_py_0.2.0.csv.gz", Expected::Mostly),
    ("flows/slips_argus_binetflow.csv.gz", Expected::Unrecognised),
    ("flows/ustc_tfc2016_wireshark_conversations.csv.gz", Expected::Unrecognised),
    ("flows/westermo_ot_flows_right.csv.gz", Expected::Unrecognised),
    ("reference/nfstream_6.6.0.csv.gz", Expected::Unrecognised),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    Mostly,
    None,
    Unrecognised,
}

#[test]
fn every_row_is_an_event_or_a_rejection() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !root.is_dir() {
        eprintln!("SKIPPED: {} is not there, so no public table was imported", root.display());
        return;
    }
    for (name, expected) in TABLES {
        let path = root.join(name);
        if !path.is_file() {
            eprintln!("SKIPPED: {} is not there", path.display());
            continue;
        }
        let opened = import::open_path(&path);
        if *expected == Expected::Unrecognised {
            assert!(matches!(opened.err(), Some(SourceError::Unrecognised { .. })), "{name}");
            continue;
        }
        check(name, &path, *expected, opened.unwrap().as_mut());
    }
}

fn check(name: &str, path: &PathBuf, expected: Expected, source: &mut dyn EventSource) {
    let (mut events, mut rejected, mut reasons) = (0, 0, BTreeMap::<String, u64>::new());
    let mut event = Event::default();
    loop {
        match source.read(&mut event).unwrap() {
            Item::Event => events += 1,
            Item::Rejected(rejection) => {
                rejected += 1;
                assert!(!rejection.reason.is_empty() && !rejection.bytes.is_empty() && rejection.line > 1);
                *reasons.entry(rejection.reason).or_default() += 1;
            }
            Item::End => break,
        }
    }
    let headers = 1 + source.counters().iter().find(|(name, _)| *name == "headers_repeated").unwrap().1;
    let progress = source.progress();
    eprintln!("{name}: {events} events, {rejected} rejected {reasons:?}, {:?}", source.counters());
    assert_eq!(events + rejected + headers, rows(path), "{name}");
    assert_eq!(Some(progress.bytes_read), progress.bytes_total, "{name}");
    match expected {
        Expected::Mostly => assert!(events > 0 && rejected * 1000 <= events, "{name}: {reasons:?}"),
        Expected::None => assert!(events == 0 && reasons.len() <= 3, "{name}: {reasons:?}"),
        Expected::Unrecognised => unreachable!("handled above"),
    }
}

/// Lines that are not blank.
fn rows(path: &PathBuf) -> u64 {
    let mut reader = BufReader::new(flate2::read::MultiGzDecoder::new(fs_err::File::open(path).unwrap()));
    let (mut rows, mut line) = (0, Vec::new());
    while reader.read_until(b'\n', &mut line).unwrap() > 0 {
        rows += u64::from(!line.trim_ascii().is_empty());
        line.clear();
    }
    rows
}
