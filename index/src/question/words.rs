//! The words left for the query network.

use super::scan::FILLERS;
use super::token::Token;

/// Words that only ask, or only name what everything here is.
const ASKING: &[&str] = &[
    "show",
    "me",
    "find",
    "list",
    "give",
    "get",
    "display",
    "search",
    "look",
    "please",
    "what",
    "which",
    "who",
    "where",
    "there",
    "i",
    "want",
    "need",
    "see",
    "us",
    "for",
    "of",
    "from",
    "to",
    "at",
    "by",
    "over",
    "via",
    "it",
    "they",
    "have",
    "has",
    "had",
    "be",
    "been",
    "do",
    "does",
    "did",
    "can",
    "could",
    "you",
    "my",
    "our",
    "and",
    "or",
    "but",
    "results",
    "hits",
    "everything",
    "something",
    "anything",
    "data",
    "between",
    "during",
    "into",
    "through",
    "then",
    "these",
    "those",
    "this",
    "while",
    "when",
    "matching",
    "records",
    "happened",
    "made",
];
/// Words that lead to a condition and mean nothing once it is taken out.
const CONNECTORS: &[&str] = &[
    "from", "to", "and", "or", "with", "on", "in", "at", "by", "of", "over", "via", "between", "during", "but", "that",
    "which", "is", "are", "was", "were", "for", "using", "only", "the", "a", "an", "having", "into", "going", "coming",
    "then", "than",
];
/// Openings of a request.
const OPENINGS: &[&str] = &["please", "show", "me", "find", "list", "give", "get", "display", "search", "us"];

/// The tokens where `kept`, without connectors next to what was taken out and without the opening of a request; empty
/// where nothing is left that says anything.
pub(super) fn words(text: &str, tokens: &[Token], kept: &[bool]) -> String {
    let mut kept: Vec<bool> = kept.iter().zip(tokens).map(|(&kept, token)| kept && !token.operator).collect();
    let cut = kept.iter().zip(tokens).any(|(&kept, token)| !kept && !token.operator);
    if cut {
        trim_forward(tokens, &mut kept);
        trim_backward(tokens, &mut kept);
        trim_ends(tokens, &mut kept);
    }
    let opening = tokens.iter().take_while(|token| OPENINGS.contains(&token.low.as_str())).count();
    kept.iter_mut().take(opening).for_each(|kept| *kept = false);
    let left = || tokens.iter().zip(&kept).filter(|&(_, &kept)| kept).map(|(token, _)| token);
    if left().all(|token| ASKING.contains(&token.low.as_str()) || FILLERS.contains(&token.low.as_str())) {
        return String::new();
    }
    left().map(|token| &text[token.span.clone()]).collect::<Vec<_>>().join(" ")
}

/// Connectors before the first and after the last word that is left.
fn trim_ends(tokens: &[Token], kept: &mut [bool]) {
    let is_connector = |at: &usize| CONNECTORS.contains(&tokens[*at].low.as_str());
    let left: Vec<usize> = (0..kept.len()).filter(|&at| kept[at]).collect();
    let first: Vec<usize> = left.iter().copied().take_while(is_connector).collect();
    let last: Vec<usize> = left.iter().rev().copied().take_while(is_connector).collect();
    first.into_iter().chain(last).for_each(|at| kept[at] = false);
}

/// An "and" right after something taken out.
fn trim_forward(tokens: &[Token], kept: &mut [bool]) {
    for at in 1..tokens.len() {
        let joins = matches!(tokens[at].low.as_str(), "and" | "or" | "but");
        if kept[at] && !kept[at - 1] && joins {
            kept[at] = false;
        }
    }
}

/// Connectors right before something taken out.
fn trim_backward(tokens: &[Token], kept: &mut [bool]) {
    for at in (0..tokens.len().saturating_sub(1)).rev() {
        if kept[at] && !kept[at + 1] && CONNECTORS.contains(&tokens[at].low.as_str()) {
            kept[at] = false;
        }
    }
}
