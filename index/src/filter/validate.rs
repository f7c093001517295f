//! Refusing filters that are too large, or name what does not exist.

use forebay_event::feature::FEATURE_NAMES;
use forebay_event::service::SERVICES;

use super::matching::service_place;
use super::{Filter, HostMatch};
use crate::limits::{FILTER_DEPTH_MAX, FILTER_NODES_MAX, FILTER_TEXT_BYTES_MAX};

/// Names of sums of features that a filter may compare, beside `FEATURE_NAMES`.
pub const SUM_NAMES: [&str; 2] = ["bytes", "packets"];

/// Why a filter is refused. Always the caller's fault.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// Nested too deeply.
    #[error("nested deeper than {FILTER_DEPTH_MAX}")]
    TooDeep,
    /// Too many nodes.
    #[error("more than {FILTER_NODES_MAX} nodes")]
    TooLarge,
    /// A string is too long, or empty where it must not be.
    #[error("{field}: text of {bytes} bytes, must have 1 to {FILTER_TEXT_BYTES_MAX}")]
    Text {
        /// The node.
        field: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// A range that holds nothing.
    #[error("{field}: {from} to {to} is empty")]
    EmptyRange {
        /// The node.
        field: &'static str,
        /// Its start.
        from: i64,
        /// Its end.
        to: i64,
    },
    /// No service has this name.
    #[error("no service is called {name:?}{}", suggestion(.nearest.as_deref()))]
    NoService {
        /// The name asked for.
        name: String,
        /// The name most like it.
        nearest: Option<&'static str>,
    },
    /// No feature has this name.
    #[error("no feature is called {name:?}{}", suggestion(.nearest.as_deref()))]
    NoFeature {
        /// The name asked for.
        name: String,
        /// The name most like it.
        nearest: Option<&'static str>,
    },
    /// A comparison with something that is no number.
    #[error("{name}: compared with {value}, which is not a finite number")]
    NotFinite {
        /// The feature.
        name: String,
        /// What it was compared with.
        value: String,
    },
}

impl Filter {
    /// Refuses a filter outside the limits, and one that names a service or feature that does not exist.
    pub fn check(&self) -> Result<(), FilterError> {
        let mut nodes = 0;
        self.check_at(1, &mut nodes)
    }

    fn check_at(&self, depth: usize, nodes: &mut usize) -> Result<(), FilterError> {
        // Depth comes first: it bounds this recursion whatever the tree holds.
        if depth > FILTER_DEPTH_MAX {
            return Err(FilterError::TooDeep);
        }
        *nodes += 1;
        if *nodes > FILTER_NODES_MAX {
            return Err(FilterError::TooLarge);
        }
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().try_for_each(|part| part.check_at(depth + 1, nodes)),
            Self::Not(part) => part.check_at(depth + 1, nodes),
            _ => self.check_leaf(),
        }
    }

    fn check_leaf(&self) -> Result<(), FilterError> {
        match self {
            Self::Port { from, to, .. } => range("port", i64::from(*from), i64::from(*to)),
            Self::Time { from_us: Some(from), to_us: Some(to) } if from >= to => {
                Err(FilterError::EmptyRange { field: "time", from: *from, to: *to })
            }
            Self::Service(name) => {
                text("service", name)?;
                service_place(name).map(|_| ()).ok_or_else(|| FilterError::NoService {
                    name: name.clone(),
                    nearest: nearest(name, SERVICES.iter().map(|service| service.name)),
                })
            }
            Self::Family(family) => text("family", family),
            Self::Host { how: HostMatch::Exact | HostMatch::Domain | HostMatch::Contains, host } => text("host", host),
            Self::Feature { name, value, .. } => feature(name, *value),
            _ => Ok(()),
        }
    }
}

fn feature(name: &str, value: f64) -> Result<(), FilterError> {
    let known = || FEATURE_NAMES.iter().chain(&SUM_NAMES).copied();
    if !known().any(|one| one == name) {
        return Err(FilterError::NoFeature { name: name.to_owned(), nearest: nearest(name, known()) });
    }
    if !value.is_finite() {
        return Err(FilterError::NotFinite { name: name.to_owned(), value: value.to_string() });
    }
    Ok(())
}

fn range(field: &'static str, from: i64, to: i64) -> Result<(), FilterError> {
    if from > to { Err(FilterError::EmptyRange { field, from, to }) } else { Ok(()) }
}

fn text(field: &'static str, text: &str) -> Result<(), FilterError> {
    if text.is_empty() || text.len() > FILTER_TEXT_BYTES_MAX {
        return Err(FilterError::Text { field, bytes: text.len() });
    }
    Ok(())
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; nearest is {name:?}"))
}

/// The name fewest slips of the keyboard away from `wanted`, if it is near enough to be meant.
fn nearest(wanted: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    const ENOUGH: f64 = 0.5;
    let wanted = wanted.to_ascii_lowercase();
    names
        .map(|name| (name, strsim::normalized_damerau_levenshtein(&wanted, name)))
        .filter(|(_, likeness)| *likeness >= ENOUGH)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Compare, End};

    #[test]
    fn depth_and_size_are_bounded() {
        let mut deep = Filter::Protocol(6);
        for _ in 1..FILTER_DEPTH_MAX {
            deep = Filter::Not(Box::new(deep));
        }
        assert_eq!(deep.check(), Ok(()));
        assert_eq!(Filter::Not(Box::new(deep)).check(), Err(FilterError::TooDeep));

        let wide = |n| Filter::Or(vec![Filter::Protocol(6); n]);
        assert_eq!(wide(FILTER_NODES_MAX - 1).check(), Ok(()));
        assert_eq!(wide(FILTER_NODES_MAX).check(), Err(FilterError::TooLarge));
    }

    #[test]
    fn a_wrong_name_is_refused_with_the_nearest() {
        let filter = Filter::Feature { name: "durration".to_owned(), op: Compare::Gt, value: 1.0 };
        let message = filter.check().unwrap_err().to_string();
        assert!(message.contains("\"duration\""), "{message}");
        assert!(Filter::Service("telent".to_owned()).check().unwrap_err().to_string().contains("telnet"));
    }

    #[test]
    fn an_empty_range_is_refused() {
        assert!(Filter::Port { end: End::Dst, from: 2, to: 1 }.check().is_err());
        assert!(Filter::Time { from_us: Some(5), to_us: Some(5) }.check().is_err());
        assert!(Filter::Feature { name: "rate".to_owned(), op: Compare::Eq, value: f64::NAN }.check().is_err());
    }
}
