//! Promise: a question is read as an analyst means it.
//!
//! Goal and method: `question_cases.txt` holds questions with the chips, words, notes and number of hits that a person
//! expects of them, near-misses that must stay words included; every one is parsed on Wednesday 2024-03-06, 09:30 UTC.
//! What the chips' filters mean is held by `question_filters.rs`.

use forebay_index::question::{Clock, Question, parse};
use jiff::tz::TimeZone;

const CASES: &str = include_str!("question_cases.txt");
/// 2024-03-06T09:30:00Z.
const NOW_US: i64 = 1_709_717_400_000_000;

/// A question and what is expected of it, in the form of the table.
struct Case {
    line: usize,
    question: String,
    expected: Vec<String>,
}

#[test]
fn every_question_of_the_table_is_read_as_it_says() {
    let cases = cases();
    assert!(cases.len() >= 150, "the table has shrunk to {}", cases.len());
    let clock = Clock { now_us: NOW_US, zone: TimeZone::UTC };
    let mut wrong = Vec::new();
    for case in &cases {
        let read = rendered(&parse(&case.question, &clock));
        if read != case.expected {
            wrong.push(format!(
                "line {}: {}\n  expected {:#?}\n  read {read:#?}",
                case.line, case.question, case.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// `[label] text` for each chip, then `k`, the words and the notes' places.
fn rendered(question: &Question) -> Vec<String> {
    let mut lines: Vec<String> =
        question.understood.iter().map(|chip| format!("[{}] {}", chip.label, chip.text)).collect();
    lines.extend(question.k.map(|k| format!("k {k}")));
    if !question.words.is_empty() {
        lines.push(format!("words {}", question.words));
    }
    lines.extend(question.notes.iter().map(|note| format!("note {}", note.text)));
    lines
}

/// The table: `? question`, then its expectations indented; `#` starts a comment.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (at, line) in CASES.lines().enumerate() {
        if let Some(question) = line.strip_prefix("? ") {
            cases.push(Case { line: at + 1, question: question.to_owned(), expected: Vec::new() });
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            let case = cases.last_mut().expect("a table starts with a question");
            case.expected.push(line.trim().to_owned());
        }
    }
    cases
}
