//! An event in words, for BM25 and for people who write as they speak.
//!
//! [`render`] says what kind of flow it was, never its raw numbers or addresses: those are exact filters. Words for
//! sizes and behaviour come from fixed thresholds, stated beside each, and only where the source knows the feature.

mod behaviour;
mod magnitude;
mod place;

use forebay_event::{Event, service};

/// The tokenizer of rendered events: runs of letters and digits, lower case, at most 40 bytes. Tantivy's `default`.
pub(crate) const TOKENIZER: &str = "default";

/// Longest word the tokenizer keeps, in bytes (less than this).
const WORD_BYTES_LIMIT: usize = 40;

/// The event in words, separated by spaces.
pub fn render(event: &Event) -> String {
    let mut words = Words(String::with_capacity(256));
    words.add(&crate::filter::protocol_name(event.flow.protocol));
    let spoken = &service::SERVICES[service::service_of(event)];
    if spoken.name != "unknown" {
        words.add(spoken.name);
        spoken.aliases.iter().for_each(|alias| words.add(alias));
    }
    if let Some(protocol) = event.app.protocol.as_deref().filter(|protocol| *protocol != spoken.name) {
        words.add(protocol);
    }
    [&event.app.host, &event.class.family, &event.class.technique]
        .into_iter()
        .flatten()
        .for_each(|text| words.add(text));
    if let Some(verdict) = event.class.verdict {
        words.add(verdict.as_str());
    }
    place::describe(event, &mut words);
    magnitude::describe(&event.features, &mut words);
    behaviour::describe(event, &mut words);
    words.0
}

/// The different words of a text, in the order they come, cut as [`TOKENIZER`] cuts, without [`STOP_WORDS`].
pub(crate) fn terms(text: &str) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    for word in words_of(text) {
        if !STOP_WORDS.contains(&word.as_str()) && !terms.contains(&word) {
            terms.push(word);
        }
    }
    terms
}

/// The words of a text, cut as [`TOKENIZER`] cuts.
pub(crate) fn words_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && word.len() < WORD_BYTES_LIMIT)
        .map(str::to_lowercase)
}

/// Words of questions that say nothing about a flow. Left out, so that they do not count as words that are missing.
const STOP_WORDS: &[&str] = &[
    "a",
    "about",
    "all",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "been",
    "but",
    "by",
    "can",
    "connection",
    "connections",
    "did",
    "do",
    "does",
    "event",
    "events",
    "every",
    "find",
    "flow",
    "flows",
    "for",
    "from",
    "give",
    "had",
    "has",
    "have",
    "how",
    "i",
    "in",
    "is",
    "it",
    "its",
    "list",
    "me",
    "my",
    "of",
    "on",
    "or",
    "our",
    "please",
    "session",
    "sessions",
    "show",
    "some",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "to",
    "traffic",
    "was",
    "we",
    "went",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "whose",
    "why",
    "will",
    "with",
];

/// Words being put together.
pub(crate) struct Words(String);

impl Words {
    /// Adds a text after a space.
    pub(crate) fn add(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use forebay_event::feature::{DBYTES, DPKTS, DURATION, SBYTES, SPKTS, SYN_FLAG_COUNT};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rendered_event_says_what_it_was() {
        let mut event = Event::default();
        event.flow.src_ip = "192.168.1.5".parse().unwrap();
        event.flow.dst_ip = "93.184.216.34".parse().unwrap();
        event.flow.protocol = 6;
        event.flow.dst_port = 443;
        event.app.host = Some("www.example.org".to_owned());
        for (place, value) in [(SBYTES, 9e7), (DBYTES, 1e5), (SPKTS, 7e4), (DPKTS, 9e3), (DURATION, 9e7)] {
            event.features.0[place] = value;
        }
        let text = render(&event);
        let words: Vec<String> = words_of(&text).collect();
        for word in ["tcp", "tls", "https", "example", "outbound", "large", "upload", "long"] {
            assert!(words.iter().any(|w| w == word), "{word} is not in {text:?}");
        }
        assert!(!text.contains("93.184"), "{text}");
    }

    #[test]
    fn what_is_unknown_is_not_said() {
        let mut event = Event::default();
        event.flow.protocol = 6;
        assert_eq!(render(&event), "TCP from unspecified to unspecified");
        event.features.0[SYN_FLAG_COUNT] = 1.0;
        event.features.0[SPKTS] = 1.0;
        event.features.0[DPKTS] = 0.0;
        assert!(render(&event).contains("unanswered"));
    }

    #[test]
    fn words_that_say_nothing_are_left_out_once_each() {
        assert_eq!(terms("Show me the SSH logins, ssh-logins!"), ["ssh", "logins"]);
    }

    proptest! {
        #[test]
        fn words_are_cut_as_the_text_index_cuts_them(text in "\\PC{0,80}") {
            let mut analyzer = tantivy::tokenizer::TokenizerManager::default().get(TOKENIZER).unwrap();
            let mut stream = analyzer.token_stream(&text);
            let mut theirs = Vec::new();
            while stream.advance() {
                theirs.push(stream.token().text.clone());
            }
            drop(stream);
            prop_assert_eq!(words_of(&text).collect::<Vec<_>>(), theirs);
        }
    }
}
