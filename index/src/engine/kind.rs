//! Which engine a segment gets.

use std::fmt;
use std::str::FromStr;

use super::HnswSettings;
use crate::IndexError;

/// Longest name of a FAISS index.
const FACTORY_BYTES_MAX: usize = 128;

/// What compares questions with the vectors of a segment.
///
/// As text: `cells`, `flat`, `faiss:` and what FAISS's `index_factory` takes, or `hnsw`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// Vectors in bytes, in cells, with certified scans: see the module `cells`.
    #[default]
    Cells,
    /// Nothing beside the vectors: every search compares all that match.
    Flat,
    /// A FAISS index by its factory's name, with what a search may visit after an `@`: `HNSW32@ef=128`,
    /// `IVF4096,PQ64x4fs@nprobe=16,factor=8`.
    Faiss(String),
    /// A graph built by `hnsw_rs`, with its settings after an `@`: `hnsw`, `hnsw@m=16,efc=200,ef=128`.
    Hnsw(HnswSettings),
}

impl EngineKind {
    /// The error for an engine that this build leaves out.
    pub(crate) fn left_out(&self) -> IndexError {
        let feature = if matches!(self, Self::Hnsw(_)) { "hnsw" } else { "faiss" };
        IndexError::Options(format!(
            "the engine {self} is not in this build; choose `cells` or `flat`, or build with the cargo feature `{feature}`"
        ))
    }

    /// Refuses an engine that this build leaves out.
    pub(crate) fn check(&self) -> Result<(), IndexError> {
        let there = match self {
            Self::Cells | Self::Flat => true,
            Self::Faiss(_) => cfg!(feature = "faiss"),
            Self::Hnsw(_) => cfg!(feature = "hnsw"),
        };
        if there { Ok(()) } else { Err(self.left_out()) }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cells => f.write_str("cells"),
            Self::Flat => f.write_str("flat"),
            Self::Faiss(factory) => write!(f, "faiss:{factory}"),
            // Whole, so that what a segment was built with is known for ever.
            Self::Hnsw(settings) => write!(f, "hnsw@{settings}"),
        }
    }
}

impl FromStr for EngineKind {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        if let Some(factory) = text.strip_prefix("faiss:")
            && (1..=FACTORY_BYTES_MAX).contains(&factory.len())
        {
            return Ok(Self::Faiss(factory.to_owned()));
        }
        if let Some(settings) = text.strip_prefix("hnsw@") {
            return settings.parse().map(Self::Hnsw);
        }
        match text {
            "cells" => Ok(Self::Cells),
            "flat" => Ok(Self::Flat),
            "hnsw" => Ok(Self::Hnsw(HnswSettings::default())),
            _ => Err(IndexError::Options(format!(
                "there is no engine {text:?}; known are `cells`, `flat`, `hnsw` (with settings `hnsw@m=16,efc=200,ef=128`) \
                 and `faiss:FACTORY` (for example `faiss:HNSW32`)"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_others_are_refused() {
        for name in ["cells", "flat", "faiss:IVF4096,PQ64x4fs@nprobe=16", "hnsw@m=8,efc=64,ef=32"] {
            assert_eq!(name.parse::<EngineKind>().unwrap().to_string(), name);
        }
        for name in ["", "faiss:", "Cells", "hnsw32", "hnsw@", "hnsw@m=0", "hnsw:m=16"] {
            assert!(name.parse::<EngineKind>().is_err(), "{name}");
        }
        assert_eq!("hnsw".parse::<EngineKind>().unwrap().to_string(), "hnsw@m=16,efc=200,ef=128");
    }
}
