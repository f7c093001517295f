//! Promise: no text makes the parser fail, and what it returns is well formed.
//!
//! Goal and method: arbitrary Unicode, and soups of the words and shapes the parser knows, go through it; of every answer
//! the spans lie on character boundaries in order, the chips' texts are the spans', the filter passes the check of the
//! index and survives JSON, words come from the text, and the limits hold.

use forebay_index::filter::Filter;
use forebay_index::question::{COUNT_MAX, Clock, Question, TEXT_MAX, UNDERSTOOD_MAX, parse};
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// Words and shapes that recognisers look for, so that soups reach deep into them.
const WORDS: &str = "from to not no without except or and but , between over under more less than at least most 10 MB 5 minutes \
    10.0.0.1 10.0.0.0/8 10.0.0.300 ::1 fe80::/10 [::1]:443 port ports 22 80,443 6000-7000 99999 :443 tcp/22 tcp udp icmp ssh dns http \
    tls web traffic mail last night yesterday today since Monday on 2024-03-05 02:00 03:00 02:00-03:00 25:00 UTC am pm ago before \
    after until in March 2024 malicious flows verdict family port_scan host example.org *.example.org sni contains foo top first \
    limit uploaded received packets bytes smean > < >= = != duration syn RST flag only with reply unanswered outside internal hosts \
    internet source destination high the of a one hundred million is per second 1,000 1-5 kB/s Mb ~ -> ( ) ? . ; service = protocol \
    47 non-tls !dns http://a.example/b 2024-03-05T10:00:00Z 2024-03-05T10:00:00Z/PT1H weird Ünïcödé 🔥 İ ß";

fn check(text: &str, now_us: i64) -> Result<Question, TestCaseError> {
    let clock = Clock { now_us, zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone") };
    let question = parse(text, &clock);
    prop_assert!(text.starts_with(&question.text));
    prop_assert!(question.text.chars().count() <= TEXT_MAX);
    prop_assert!(question.understood.len() <= UNDERSTOOD_MAX);
    prop_assert!(question.k.is_none_or(|k| (1..=COUNT_MAX).contains(&k)));
    let mut end = 0;
    for chip in &question.understood {
        prop_assert_eq!(question.text.get(chip.span.clone()), Some(chip.text.as_str()));
        prop_assert!(chip.span.start >= end && chip.span.end > chip.span.start, "{:?}", chip);
        prop_assert!(!chip.label.is_empty());
        end = chip.span.end;
        let json = serde_json::to_string(&chip.filter).expect("a filter is JSON");
        prop_assert_eq!(&serde_json::from_str::<Filter>(&json).expect("and back"), &chip.filter);
    }
    for note in &question.notes {
        prop_assert_eq!(question.text.get(note.span.clone()), Some(note.text.as_str()));
    }
    prop_assert_eq!(question.filter().check(), Ok(()));
    for word in question.words.split_whitespace() {
        prop_assert!(question.text.contains(word), "{word} is not of the text");
    }
    Ok(question)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,200}", now_us in any::<i64>()) {
        check(&text, now_us)?;
    }

    #[test]
    fn any_characters_at_all_have_an_answer(text in any::<String>()) {
        check(&text, 1_709_717_400_000_000)?;
    }

    #[test]
    fn any_soup_of_known_words_has_an_answer(
        words in proptest::collection::vec(proptest::sample::select(WORDS.split_whitespace().collect::<Vec<_>>()), 0..40),
        joint in proptest::sample::select(vec![" ", " ", " ", ", ", "/", ""]),
    ) {
        check(&words.join(joint), 1_709_717_400_000_000)?;
    }

    #[test]
    fn numbers_of_any_size_have_an_answer(number in "[0-9]{1,40}(\\.[0-9]{1,40})?(e[0-9]{1,3})?", unit in "(MB|s|h|days|packets|)") {
        for shape in ["over {} ", "port {} ", "last {} ", "top {} ", "protocol {} ", "from {} to {} ", "{} ago ", "at {}:00 "] {
            check(&format!("{}{unit}", shape.replace("{}", &number)), 1_709_717_400_000_000)?;
        }
    }
}

#[test]
fn a_text_over_the_limit_is_read_up_to_it_with_a_note() {
    let text = format!("port 22 {}", "ü".repeat(3 * TEXT_MAX));
    let question = check(&text, 0).expect("well formed");
    assert_eq!(question.text.chars().count(), TEXT_MAX);
    assert_eq!(question.understood.len(), 1);
    assert_eq!(question.notes.len(), 1);
}

#[test]
fn conditions_over_the_limit_are_left_out_with_notes() {
    let text: Vec<String> = (0..50).map(|at| format!("over {at} MB.")).collect();
    let question = check(&text.join(" "), 0).expect("well formed");
    assert_eq!(question.understood.len(), UNDERSTOOD_MAX);
    assert_eq!(question.notes.len(), 50 - UNDERSTOOD_MAX);
    let text = "from outside. ".repeat(30);
    let question = check(&text, 0).expect("well formed");
    assert!(question.understood.len() > 5 && question.understood.len() + question.notes.len() == 30);
}

#[test]
fn a_question_in_json_has_what_a_page_needs() {
    let clock = Clock { now_us: 0, zone: TimeZone::UTC };
    let json = serde_json::to_value(parse("ssh to port 99999, top 5", &clock)).expect("JSON");
    assert_eq!(json["understood"][0]["start"], 0);
    assert_eq!(json["understood"][0]["end"], 3);
    assert_eq!(json["understood"][0]["label"], "ssh");
    assert_eq!(json["understood"][0]["filter"]["service"], "ssh");
    assert_eq!(json["notes"][0]["text"], "to port 99999");
    assert_eq!(json["k"], 5);
}
