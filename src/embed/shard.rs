//! `--shard I/N`: which of the inputs this machine takes, so that N machines share a list without talking to each other.
//!
//! An input belongs to the shard that the digest of its name says: SHA-256, the first eight bytes as a big-endian number, modulo
//! N. Where an input belongs depends on its name alone, so machines that list a bucket at slightly different moments never take
//! an input twice and never leave one to nobody, and a file that comes later moves no other. Dealing a sorted list out in turn
//! would be more even, but one more file would move half of the others. Shares are even when there are many inputs: with m a
//! shard the spread is about the square root of m.

use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Most shards; a shard without inputs is a job that writes an empty table.
const SHARDS_MAX: u64 = 100_000;

/// One of several shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 0.
    pub(crate) place: u64,
    /// How many there are.
    pub(crate) of: u64,
}

impl Shard {
    /// Whether the input called `name` belongs to this shard.
    pub(crate) fn takes(self, name: &str) -> bool {
        let digest = Sha256::digest(name.as_bytes());
        let first = digest.first_chunk().map_or(0, |bytes: &[u8; 8]| u64::from_be_bytes(*bytes));
        first % self.of == self.place
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.place, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(place, of)| Some((place.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((place, of)) if place < of && of <= SHARDS_MAX => Ok(Self { place, of }),
            Some((place, of)) if place == of && of > 0 => {
                Err(format!("shards count from 0: the last of {of} is {}/{of}", of - 1))
            }
            _ => {
                Err(format!("{text:?} is no shard; write I/N with I from 0 to N-1 and N up to {SHARDS_MAX}, as in 0/4"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_belongs_to_exactly_one_shard_and_shares_are_even() {
        let names: Vec<String> = (0..4000).map(|number| format!("s3://flows/2026/11/{number:05}.jsonl.zst")).collect();
        for of in [1, 2, 3, 7, 64] {
            let mut shares = vec![0; of as usize];
            for name in &names {
                let takers: Vec<u64> = (0..of).filter(|place| Shard { place: *place, of }.takes(name)).collect();
                assert_eq!(takers.len(), 1);
                shares[takers[0] as usize] += 1;
            }
            let even = 4000.0 / of as f64;
            let spread = shares.iter().map(|share| (f64::from(*share) - even).abs()).fold(0.0, f64::max);
            assert!(spread <= 5.0 * even.sqrt(), "{of}: {shares:?}");
        }
    }

    #[test]
    fn where_an_input_belongs_never_changes() {
        // Machines of different versions share a bucket: these places are a promise.
        let places: Vec<u64> = ["a", "b", "s3://flows/x.jsonl"]
            .iter()
            .map(|name| (0..1000).find(|place| Shard { place: *place, of: 1000 }.takes(name)).unwrap())
            .collect();
        assert_eq!(places, [250, 946, 294]);
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        assert_eq!("3/4".parse(), Ok(Shard { place: 3, of: 4 }));
        for text in ["", "1", "4/4", "0/0", "-1/4", "1/x", "1/2/3", "0/100001"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert!("4/4".parse::<Shard>().unwrap_err().contains("3/4"));
    }
}
