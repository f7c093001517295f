//! The names of the rules.

use std::str::FromStr;

use super::Policy;
use super::always_big::AlwaysBig;
use super::ewma::Ewma;
use super::fixed::Fixed;
use super::max_of_window::MaxOfWindow;
use super::pd::Pd;
use super::reactive_doubling::ReactiveDoubling;

/// Which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every buffer keeps the limit its program gave it.
    Static,
    /// The budget in equal parts, always.
    AlwaysBig,
    /// Twice as much on a drop or at half full.
    ReactiveDoubling,
    /// The largest backlog of the last seconds.
    MaxOfWindow,
    /// Moving average and k deviations.
    Ewma,
    /// A controller on the fill.
    Pd,
}

/// A name that is no policy. The fault of whoever wrote the configuration.
#[derive(Debug, thiserror::Error)]
#[error("there is no policy `{0}`; the policies are {list}", list = Kind::ALL.map(Kind::name).join(", "))]
pub struct UnknownPolicy(String);

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Static, Self::AlwaysBig, Self::ReactiveDoubling, Self::MaxOfWindow, Self::Ewma, Self::Pd];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::AlwaysBig => "always_big",
            Self::ReactiveDoubling => "reactive_doubling",
            Self::MaxOfWindow => "max_of_window",
            Self::Ewma => "ewma",
            Self::Pd => "pd",
        }
    }

    /// A policy of this kind with the constants of its file.
    pub fn build(self) -> Box<dyn Policy> {
        match self {
            Self::Static => Box::new(Fixed::new()),
            Self::AlwaysBig => Box::new(AlwaysBig),
            Self::ReactiveDoubling => Box::new(ReactiveDoubling::new()),
            Self::MaxOfWindow => Box::new(MaxOfWindow::default()),
            Self::Ewma => Box::new(Ewma::default()),
            Self::Pd => Box::new(Pd::new()),
        }
    }
}

impl FromStr for Kind {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownPolicy(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_told_the_list() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse::<Kind>().unwrap(), kind);
        }
        let error = "lstm2".parse::<Kind>().unwrap_err().to_string();
        assert!(error.contains("`lstm2`") && error.contains("max_of_window"), "{error}");
    }
}
