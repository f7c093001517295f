//! Goal: the allocator keeps its four promises for any claims: never over the budget, never outside a buffer's bounds, monotone
//! in demand, and an error exactly where the minima do not fit.
//!
//! Method: generated claims and budgets; for the monotony one claim is raised and everything else stays.

use forebay_predictor::budget::{BudgetError, Claim, Curve, HOLD_PRICE, fill};
use forebay_predictor::demand::Demand;
use proptest::prelude::*;

/// The water level is found to within rounding: a share may be off by the bytes that the last bits of the level make.
const ROUNDING_BYTES: u64 = 2;

#[derive(Clone, Debug)]
struct Raw {
    min: u64,
    extra: u64,
    quantiles: [u64; 4],
    weight: f64,
}

impl Raw {
    fn claim(&self) -> Claim {
        Claim {
            min_bytes: self.min,
            max_bytes: self.min + self.extra,
            curve: Curve::new(Demand::quantiles(self.quantiles), self.weight),
        }
    }
}

fn raw() -> impl Strategy<Value = Raw> {
    let most = 64_u64 << 20;
    (0..1_u64 << 20, 0..most, prop::array::uniform4(0..most), 0.01..100.0_f64, any::<bool>()).prop_map(
        |(min, extra, quantiles, weight, is_ceiling)| {
            let quantiles = if is_ceiling { [quantiles[0]; 4] } else { quantiles };
            Raw { min, extra, quantiles, weight }
        },
    )
}

fn shares(raws: &[Raw], budget: u64) -> Result<Vec<u64>, BudgetError> {
    let claims: Vec<Claim> = raws.iter().map(Raw::claim).collect();
    let mut shares = vec![0; claims.len()];
    fill(&claims, budget, &mut shares).map(|filled| {
        assert_eq!(filled.given_bytes, shares.iter().sum::<u64>());
        assert!(filled.level >= HOLD_PRICE);
        shares
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn within_the_budget_and_within_the_bounds(raws in prop::collection::vec(raw(), 0..40), budget in 0..1_u64 << 31) {
        let minima: u64 = raws.iter().map(|raw| raw.min).sum();
        match shares(&raws, budget) {
            Err(BudgetError::BelowMinima { needed_bytes, .. }) => {
                prop_assert!(minima > budget);
                prop_assert_eq!(needed_bytes, minima);
            }
            Err(other) => prop_assert!(false, "{}", other),
            Ok(shares) => {
                prop_assert!(minima <= budget);
                prop_assert!(shares.iter().sum::<u64>() <= budget);
                for (share, raw) in shares.iter().zip(&raws) {
                    prop_assert!(raw.min <= *share && *share <= raw.min + raw.extra);
                }
            }
        }
    }

    #[test]
    fn nothing_is_left_over_while_someone_wants_it(raws in prop::collection::vec(raw(), 1..40), budget in 0..1_u64 << 31) {
        let claims: Vec<Claim> = raws.iter().map(Raw::claim).collect();
        let mut shares = vec![0; claims.len()];
        if let Ok(filled) = fill(&claims, budget, &mut shares) && filled.is_short() {
            let left = budget - filled.given_bytes;
            prop_assert!(left <= ROUNDING_BYTES * claims.len() as u64, "{} B left over", left);
        }
    }

    #[test]
    fn who_wants_more_gets_no_less_and_the_others_no_more(
        raws in prop::collection::vec(raw(), 1..20),
        budget in 20_u64 << 20..1 << 30,
        which in any::<prop::sample::Index>(),
        more in prop::array::uniform4(0_u64..32 << 20),
    ) {
        let which = which.index(raws.len());
        let before = shares(&raws, budget).unwrap();
        let mut raised = raws.clone();
        let ordered = Demand::quantiles(raws[which].quantiles).bytes();
        for (quantile, (old, more)) in raised[which].quantiles.iter_mut().zip(ordered.iter().zip(more)) {
            *quantile = old + more;
        }
        let after = shares(&raised, budget).unwrap();
        for place in 0..raws.len() {
            if place == which {
                prop_assert!(after[place] + ROUNDING_BYTES >= before[place]);
            } else {
                prop_assert!(after[place] <= before[place] + ROUNDING_BYTES);
            }
        }
    }
}
