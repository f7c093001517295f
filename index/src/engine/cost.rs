//! What an answer costs, about, so that a planner can choose.

/// Numbers in the vectors that every engine's costs were measured with; a comparison takes time in proportion to them.
pub(super) const MEASURED_DIMENSION: f32 = 256.0;

/// What one way of answering costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    /// Rows compared with the question.
    pub(crate) rows: u64,
    /// Time on one core of the machine the constants were measured on, nanoseconds. Only ratios matter.
    pub(crate) ns: f32,
}

/// What the ways of answering cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Costs {
    /// Comparing all that match.
    pub(crate) scan: Cost,
    /// The engine's own way; absent where it has none, or none that finds enough.
    pub(crate) index: Option<Cost>,
}
