//! What is asked of FAISS: the name of an index, and what a search may visit.
//!
//! `HNSW32@ef=256`, `IVF4096,PQ64x4fs@nprobe=16,factor=8`. A trailing `,RFlat` is taken off: every candidate is scored
//! exactly in any case, by the vectors the segment has.

use std::str::FromStr;

use crate::IndexError;

/// What a search may visit unless it is said: about .98 recall@10 in graphs, .95 in lists, on 200,000 clustered vectors.
const EF_DEFAULT: usize = 128;
const NPROBE_DEFAULT: usize = 16;
const FACTOR_DEFAULT: f32 = 4.0;

/// Greatest of each.
const EFFORT_MAX: usize = 65_536;

/// A FAISS index and how it is searched.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Factory {
    /// What `index_factory` takes.
    pub(super) index: String,
    /// Candidates kept on a walk through a graph.
    pub(super) ef: usize,
    /// Inverted lists visited.
    pub(super) nprobe: usize,
    /// Candidates that a refinement inside FAISS looks at, for each that is asked for.
    pub(super) factor: f32,
}

impl FromStr for Factory {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        let (index, settings) = text.split_once('@').unwrap_or((text, ""));
        let index = index.strip_suffix(",RFlat").unwrap_or(index).to_owned();
        let mut factory = Self { index, ef: EF_DEFAULT, nprobe: NPROBE_DEFAULT, factor: FACTOR_DEFAULT };
        for setting in settings.split(',').filter(|setting| !setting.is_empty()) {
            let refuse = || {
                IndexError::Options(format!(
                    "faiss:{text}: {setting:?} is not ef=NUMBER, nprobe=NUMBER or factor=NUMBER (1 to {EFFORT_MAX})"
                ))
            };
            let (name, value) = setting.split_once('=').ok_or_else(refuse)?;
            let value: usize = value.parse().map_err(|_| refuse())?;
            if !(1..=EFFORT_MAX).contains(&value) {
                return Err(refuse());
            }
            match name {
                "ef" => factory.ef = value,
                "nprobe" => factory.nprobe = value,
                "factor" => factory.factor = value as f32,
                _ => return Err(refuse()),
            }
        }
        Ok(factory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_after_the_name() {
        let factory: Factory = "IVF64,PQ8x4fs,RFlat@nprobe=3,factor=2".parse().unwrap();
        let expected = Factory { index: "IVF64,PQ8x4fs".to_owned(), ef: EF_DEFAULT, nprobe: 3, factor: 2.0 };
        assert_eq!(factory, expected);
        for wrong in ["HNSW32@ef", "HNSW32@ef=0", "HNSW32@speed=9", "HNSW32@ef=x"] {
            assert!(wrong.parse::<Factory>().is_err(), "{wrong}");
        }
    }
}
