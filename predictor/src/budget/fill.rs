//! Water-filling.

use super::{BUFFERS_MAX, BudgetError, Claim, HOLD_PRICE};

/// Halvings of the level. Each halves the error; 52 bits is all that a level of f64 has.
const HALVINGS: usize = 52;

/// How a budget was shared out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filled {
    /// The sum of all shares, in bytes.
    pub given_bytes: u64,
    /// The worth of the next byte, in prices of a dropped byte. [`HOLD_PRICE`] where everyone got what they wanted.
    pub level: f64,
}

impl Filled {
    /// Whether the budget kept someone from what they wanted.
    pub fn is_short(&self) -> bool {
        self.level > HOLD_PRICE
    }
}

/// Shares `budget_bytes` among `claims`, one share for each. See the folder for what holds of the shares.
///
/// # Panics
///
/// Never for slices of the same length; a shorter `shares` is a fault of the caller and asserted.
pub fn fill(claims: &[Claim], budget_bytes: u64, shares: &mut [u64]) -> Result<Filled, BudgetError> {
    assert_eq!(claims.len(), shares.len(), "a share for each claim");
    if claims.len() > BUFFERS_MAX {
        return Err(BudgetError::TooMany(claims.len()));
    }
    let needed_bytes = sum(claims.iter().map(|claim| claim.min_bytes));
    if needed_bytes > budget_bytes {
        return Err(BudgetError::BelowMinima { budget_bytes, needed_bytes, buffers: claims.len() });
    }
    let level = level(claims, budget_bytes);
    for (share, claim) in shares.iter_mut().zip(claims) {
        *share = claim.share(level);
    }
    let given_bytes = sum(shares.iter().copied());
    debug_assert!(given_bytes <= budget_bytes, "{given_bytes} of {budget_bytes} B were given");
    Ok(Filled { given_bytes, level })
}

/// The lowest level, not under the price of holding, at which the shares fit the budget.
fn level(claims: &[Claim], budget_bytes: u64) -> f64 {
    let fits = |level: f64| sum(claims.iter().map(|claim| claim.share(level))) <= budget_bytes;
    if fits(HOLD_PRICE) {
        return HOLD_PRICE;
    }
    // At the worth of the dearest first byte everyone has the minimum, and the minima fit.
    let (mut low, mut high) = (HOLD_PRICE, claims.iter().map(|claim| claim.curve.weight()).fold(1.0, f64::max));
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if fits(middle) { high = middle } else { low = middle }
    }
    high
}

impl Claim {
    fn share(&self, level: f64) -> u64 {
        // A float of up to 2^63 becomes bytes by cutting off the fraction, so never more than the curve says.
        (self.curve.room(level) as u64).clamp(self.min_bytes, self.max_bytes.max(self.min_bytes))
    }
}

fn sum(values: impl Iterator<Item = u64>) -> u64 {
    values.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Curve;
    use crate::demand::Demand;

    fn claim(min_bytes: u64, max_bytes: u64, demand: Demand) -> Claim {
        Claim { min_bytes, max_bytes, curve: Curve::new(demand, 1.0) }
    }

    #[test]
    fn everyone_gets_what_they_want_while_it_lasts() {
        let claims = [claim(10, 1_000, Demand::ceiling(500)), claim(10, 300, Demand::ceiling(500))];
        let mut shares = [0; 2];
        let filled = fill(&claims, 10_000, &mut shares).unwrap();
        assert_eq!(shares, [500, 300], "the second is bounded by its maximum");
        assert!(!filled.is_short());
    }

    #[test]
    fn short_room_goes_by_what_it_is_worth() {
        // Both may need 1,000, but the first needs 900 half of the time and the second hardly ever more than 10.
        let often = Demand::quantiles([900, 950, 990, 1_000]);
        let seldom = Demand::quantiles([0, 0, 10, 1_000]);
        let mut shares = [0; 2];
        let filled = fill(&[claim(0, 2_000, often), claim(0, 2_000, seldom)], 1_000, &mut shares).unwrap();
        assert!(filled.is_short());
        assert!(shares[0] > 950 && shares[1] < 50, "{shares:?}");
        assert!(filled.given_bytes > 990, "and hardly a byte is left over: {shares:?}");
    }

    #[test]
    fn plain_ceilings_are_cut_in_proportion() {
        let claims = [claim(0, 10_000, Demand::ceiling(1_000)), claim(0, 10_000, Demand::ceiling(3_000))];
        let mut shares = [0; 2];
        fill(&claims, 2_000, &mut shares).unwrap();
        assert!(shares[0].abs_diff(500) <= 1 && shares[1].abs_diff(1_500) <= 1, "{shares:?}");
    }

    #[test]
    fn minima_beyond_the_budget_are_an_error_with_both_figures() {
        let claims = [claim(600, 1_000, Demand::default()), claim(600, 1_000, Demand::default())];
        let error = fill(&claims, 1_000, &mut [0; 2]).unwrap_err();
        assert_eq!(error, BudgetError::BelowMinima { budget_bytes: 1_000, needed_bytes: 1_200, buffers: 2 });
    }

    #[test]
    fn nobody_shares_nothing() {
        assert_eq!(fill(&[], 0, &mut []).unwrap().given_bytes, 0);
    }
}
