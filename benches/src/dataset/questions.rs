//! Questions in words: the phrases of judgement as they stand, then phrases drawn from the grammar of training.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::ensure;

use super::random::Random;

/// Attempts for each phrase wanted, after which the grammar is taken to hold no more.
const ATTEMPTS_PER_PHRASE: usize = 1_000;

/// `count` different questions, the same for the same seed.
pub fn questions(count: usize, seed: u64) -> anyhow::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/phrases");
    let lines = |name: &str| -> anyhow::Result<Vec<String>> {
        let text = fs_err::read_to_string(folder.join(name))?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Ok(lines.filter_map(|line| Some(line.split_once('|')?.1.trim().to_owned())).collect())
    };
    let mut taken = BTreeSet::new();
    let mut found: Vec<String> = Vec::new();
    for words in [lines("test.txt")?, lines("validation.txt")?].concat() {
        if found.len() < count && taken.insert(words.clone()) {
            found.push(words);
        }
    }
    let patterns = lines("train.txt")?;
    ensure!(!patterns.is_empty(), "models/phrases/train.txt holds no pattern");
    let mut random = Random::new(seed, 0x7175_6573);
    for _ in 0..count * ATTEMPTS_PER_PHRASE {
        if found.len() == count {
            return Ok(found);
        }
        let words = expanded(&patterns[random.below(patterns.len())], &mut random);
        if taken.insert(words.clone()) {
            found.push(words);
        }
    }
    ensure!(found.len() == count, "the grammar holds only {} different phrases", found.len());
    Ok(found)
}

/// One reading of a pattern: of each `{a|b|c}` one part.
fn expanded(pattern: &str, random: &mut Random) -> String {
    let mut words = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (choice, following) = after.split_once('}').unwrap_or((after, ""));
        let choices: Vec<&str> = choice.split('|').collect();
        words.push_str(before);
        words.push_str(choices[random.below(choices.len())]);
        rest = following;
    }
    words.push_str(rest);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_different_and_repeatable() {
        let first = questions(1_000, 1).unwrap();
        assert_eq!(first, questions(1_000, 1).unwrap());
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 1_000);
        assert!(first.iter().all(|words| !words.is_empty() && !words.contains(['{', '|', '}'])));
    }
}
