//! Where things lie in the scratch memory. Pure arithmetic, no GPU.

use crate::geometry::{Tiling, Walk};
use crate::loss::Empty;
use crate::{Loss, Problem};

/// Words in front of the regions: counters, peak, value, done. `Scratch` in shaders/params.wgsl.
pub(crate) const HEADER_WORDS: u64 = 8;
/// The first words of the header: counters of values that are not usable numbers. Behind them peak and value.
pub(crate) const COUNTER_WORDS: u64 = 4;
/// Words of a row's sums of one statistic: three sums and a count.
pub(crate) const SUMS_WORDS: u64 = 4;

/// Words of a group's derivatives.
pub(crate) const SLOPES_WORDS: u64 = 3;

/// The regions of the scratch memory, in words behind the header. Those that the host reads come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) term_values: u64,
    pub(crate) group_values: u64,
    pub(crate) sums: u64,
    pub(crate) slopes: u64,
    pub(crate) row_weights: u64,
    pub(crate) term_scales: u64,
    pub(crate) sample_scales: u64,
    pub(crate) partials: u64,
    pub(crate) end: u64,
}

impl Layout {
    pub(crate) fn new(loss: &Loss, problem: &Problem) -> Self {
        let tiling = Tiling::finest(&problem.shape, Walk::of(loss));
        let statistics = loss.statistics().len() as u64;
        let groups: u64 = (0..loss.terms.len()).map(|term| groups(loss, problem, term)).sum();
        let rows = u64::from(tiling.rows);
        let group_values = loss.terms.len() as u64;
        let sums = group_values + groups;
        let slopes = sums + rows * statistics * SUMS_WORDS;
        let row_weights = slopes + SLOPES_WORDS * groups;
        let weighs_rows = loss.terms.iter().filter(|term| term.weighs_volumes()).count() as u64;
        let term_scales = row_weights + rows * weighs_rows.min(1) * loss.terms.len() as u64;
        let sample_scales = term_scales + loss.terms.len() as u64;
        let skips = loss.terms.iter().any(|term| term.empty() == Empty::Skip);
        let samples = if skips { problem.shape.samples() as u64 * loss.terms.len() as u64 } else { 0 };
        let partials = sample_scales + samples;
        // The coefficients of columns take their place, also where there is nothing to sum.
        let sums_of_tiles = if tiling.walk == Walk::Rows { tiling.partials() } else { tiling.partials().max(rows) };
        let end = partials + sums_of_tiles * statistics * SUMS_WORDS;
        Self { term_values: 0, group_values, sums, slopes, row_weights, term_scales, sample_scales, partials, end }
    }

    /// The size of the scratch memory in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        4 * (HEADER_WORDS + self.end)
    }

    /// The bytes from the start that the host reads: header, term values, group values, sums.
    pub(crate) fn readback_bytes(&self) -> u64 {
        4 * (HEADER_WORDS + self.slopes)
    }
}

/// The number of groups of a term.
pub(crate) fn groups(loss: &Loss, problem: &Problem, term: usize) -> u64 {
    loss.terms[term].pool().groups(problem.shape.samples(), problem.shape.classes()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    /// The promise of the README: at most 1 MiB + 64 B × rows × terms.
    #[test]
    fn scratch_stays_within_its_bound() {
        let losses = [
            Loss::dice(),
            Loss::bce(),
            Loss::dice().with(0.5, Loss::bce()),
            Loss::generalized_dice(),
            Loss::cross_entropy(),
            Loss::dice().softmax().with(0.5, Loss::cross_entropy()),
            Loss::dice().with(1.0, Loss::dice().squared()).with(1.0, Loss::bce()).with(1.0, Loss::dice().hard(0.5)),
        ];
        for dims in
            [[1, 1, 1], [1, 1, 1 << 30], [1_000_000, 1, 1], [1000, 1000, 64], [8192, 1, 100_000], [3, 5, 1 << 27]]
        {
            let problem = Problem::new(Shape::new(&dims).unwrap()).with_gradient();
            for loss in &losses {
                let layout = Layout::new(loss, &problem);
                let bound = (1 << 20) + 64 * problem.shape.rows() as u64 * loss.terms.len() as u64;
                assert!(layout.bytes() <= bound, "{dims:?}: {} > {bound}", layout.bytes());
            }
        }
    }
}
