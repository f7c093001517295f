//! How a graph of the engine `hnsw` is built and walked: what stands behind `hnsw@`.

use std::fmt;
use std::str::FromStr;

use crate::IndexError;

/// Links of a row in the upper layers; twice as many in the lowest. The library takes 1 to 255, and with fewer than 4 a graph
/// falls apart.
const M: Bounds = Bounds { name: "m", least: 4, most: 128 };

/// Candidates kept while a row is inserted.
const EFC: Bounds = Bounds { name: "efc", least: 8, most: 4_096 };

/// Candidates kept while a question is answered.
const EF: Bounds = Bounds { name: "ef", least: 8, most: 65_536 };

/// Most links of a row in the lowest layer.
#[cfg(feature = "hnsw")]
pub(super) const LINKS_MAX: usize = 2 * M.most;

/// Settings of the engine `hnsw`: what its paper (Malkov and Yashunin, 2016) calls `M`, `efConstruction` and `ef`.
///
/// As text: `m=16,efc=200,ef=128`, each at most once, in any order; one that is left out has the value that stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HnswSettings {
    m: usize,
    efc: usize,
    ef: usize,
}

struct Bounds {
    name: &'static str,
    least: usize,
    most: usize,
}

impl Default for HnswSettings {
    fn default() -> Self {
        Self { m: 16, efc: 200, ef: 128 }
    }
}

impl HnswSettings {
    /// Links of a row in the upper layers; twice as many in the lowest.
    pub fn m(&self) -> usize {
        self.m
    }

    /// Candidates kept while a row is inserted.
    pub fn efc(&self) -> usize {
        self.efc
    }

    /// Candidates kept while a question is answered.
    pub fn ef(&self) -> usize {
        self.ef
    }
}

impl fmt::Display for HnswSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},efc={},ef={}", self.m, self.efc, self.ef)
    }
}

impl FromStr for HnswSettings {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        let mut settings = Self::default();
        let mut seen = Vec::with_capacity(3);
        for setting in text.split(',') {
            let (name, value) = setting.split_once('=').ok_or_else(|| refusal(text, setting))?;
            let (place, bounds) = match name {
                "m" => (&mut settings.m, M),
                "efc" => (&mut settings.efc, EFC),
                "ef" => (&mut settings.ef, EF),
                _ => return Err(refusal(text, setting)),
            };
            *place = bounds.parse(value).ok_or_else(|| refusal(text, setting))?;
            if seen.contains(&name) {
                return Err(IndexError::Options(format!("hnsw@{text}: {name} stands there twice")));
            }
            seen.push(name);
        }
        Ok(settings)
    }
}

impl Bounds {
    /// Digits alone, inside the bounds.
    fn parse(&self, value: &str) -> Option<usize> {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        value.parse().ok().filter(|number| digits && (self.least..=self.most).contains(number))
    }
}

fn refusal(text: &str, setting: &str) -> IndexError {
    let known: Vec<String> = [M, EFC, EF].iter().map(|b| format!("{} ({} to {})", b.name, b.least, b.most)).collect();
    IndexError::Options(format!(
        "hnsw@{text}: {setting:?} is not NAME=NUMBER with one of {}; for example hnsw@m=16,efc=200,ef=128",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_and_others_are_refused() {
        let settings: HnswSettings = "ef=64,m=8".parse().unwrap();
        assert_eq!(settings, HnswSettings { m: 8, efc: 200, ef: 64 });
        assert_eq!(settings.to_string().parse::<HnswSettings>().unwrap(), settings);
        for wrong in ["", "ef", "ef=", "ef=7", "ef=65537", "m=3", "m=129", "efc=+64", "ef= 64", "ef=64,", "M=16", "k=3"]
        {
            let error = wrong.parse::<HnswSettings>().unwrap_err().to_string();
            assert!(error.contains("m (4 to 128)"), "{wrong}: {error}");
        }
        assert!("ef=64,ef=64".parse::<HnswSettings>().unwrap_err().to_string().contains("twice"));
        assert!("m=99999999999999999999".parse::<HnswSettings>().is_err());
    }
}
