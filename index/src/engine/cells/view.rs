//! A question as seen from the origin of a cell's codes.
//!
//! A row's product with the question is [`View::base`] and its `lean` (see `quantise`) and the product with its codes, which
//! both planes of the question know but for their own errors, and what the codes lose, of which [`View::distance`] bounds
//! what it can matter.

use super::super::quantise::{Question, RowScale};
use super::bound::{Trust, rounding};
use super::layout::CellBound;

/// Standard deviations of the sum of rounding errors that a search which is not certain reckons with. The errors of single
/// numbers are independent of the question, so their sum with it is about `error / sqrt(dimension)`; six of these are
/// exceeded once in 10^9 rows.
const DEVIATIONS: f32 = 6.0;

/// What a search knows of a cell before it looks at its rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    /// Product of the question with the origin.
    base: f32,
    /// How far the question is from the origin, at most.
    distance: f32,
    /// Most by which `base` may be wrong, as far as that is reckoned with, and what single precision may get wrong.
    slack: f32,
}

/// What of errors is reckoned with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caution {
    /// Share of the greatest possible sum of rounding errors.
    share: f32,
    /// What single precision may get wrong.
    rounding: f32,
}

impl Caution {
    pub(super) fn new(trust: Trust, dimension: usize) -> Self {
        let share = match trust {
            Trust::Certain => 1.0,
            Trust::Confident(_) => (DEVIATIONS / (dimension as f32).sqrt()).min(1.0),
        };
        Self { share, rounding: rounding(dimension) }
    }

    /// What is reckoned with of a greatest possible sum of errors.
    pub(super) fn share(self, greatest: f32) -> f32 {
        self.share * greatest
    }

    /// The view of `cell`, with whose centre's direction the question has the product `along`.
    pub(super) fn view(self, question: &Question, cell: &CellBound, along: f32) -> View {
        let error = cell.origin.abs() * (question.low_error + self.rounding);
        let squared = question.length * question.length + cell.origin * (cell.origin - 2.0 * along);
        let distance = (squared.max(0.0) + 2.0 * error + self.rounding).sqrt();
        View { base: cell.origin * along, distance, slack: self.share * error + self.rounding }
    }

    /// The greatest product that a row can have, by the high plane's product `dot`.
    #[inline]
    pub(super) fn upper(self, view: &View, question: &Question, row: &RowScale, dot: i32) -> f32 {
        let about = view.base + row.lean + row.scale * question.high_product(dot);
        about + self.share * (question.high_error * row.reach + view.distance * row.error) + view.slack
    }

    /// The least and the greatest, by both planes.
    #[inline]
    pub(super) fn range(self, view: &View, question: &Question, row: &RowScale, dots: [i32; 2]) -> (f32, f32) {
        let about = view.base + row.lean + row.scale * question.product(dots[0], dots[1]);
        let slack = self.share * (question.low_error * row.reach + view.distance * row.error) + view.slack;
        (about - slack, about + slack)
    }
}
