//! One budget, many buffers: who gets how much.
//!
//! **Promise.** Pure. The sum of the shares is never over the budget; no share is under its buffer's minimum or over its
//! maximum; a buffer that wants more never gets less for it, and the others never more. Minima that do not fit the budget are an error,
//! never a silent cut.
//!
//! **How.** Every buffer has a curve ([`curve`]): the price of room `c` falls as the probability falls that the backlog
//! exceeds `c`. Room is given where it is worth most until its worth is the same everywhere, or has fallen to the price of holding
//! a byte. That is water-filling ([`fill()`]): the common worth is the water level, found by halving an interval, since
//! the sum of shares only falls as the level rises.
//!
//! **Limits.** [`BUFFERS_MAX`] buffers. No allocation: shares are written into the caller's slice.

mod curve;
mod fill;

pub use curve::{Curve, HOLD_PRICE};
pub use fill::{Filled, fill};

/// Most buffers that share one budget.
pub const BUFFERS_MAX: usize = 65_536;

/// The bounds and the curve of one buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// The least it may have, in bytes.
    pub min_bytes: u64,
    /// The most it may have, in bytes. At least `min_bytes`; less counts as `min_bytes`.
    pub max_bytes: u64,
    /// What it wants, and how badly.
    pub curve: Curve,
}

/// Why a budget cannot be shared out. The fault of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// The minima alone are more than there is.
    #[error(
        "the budget of {budget_bytes} B is less than the {needed_bytes} B that {buffers} buffers need at least; raise \
         sidecar.budget_bytes or lower the minima of the targets"
    )]
    BelowMinima {
        /// The budget, in bytes.
        budget_bytes: u64,
        /// The sum of the minima, in bytes.
        needed_bytes: u64,
        /// How many buffers want them.
        buffers: usize,
    },
    /// More buffers than [`BUFFERS_MAX`].
    #[error("{0} buffers are more than the {BUFFERS_MAX} that one sidecar shares a budget among; narrow the targets")]
    TooMany(usize),
}
