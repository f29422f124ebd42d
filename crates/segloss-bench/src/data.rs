//! Data that repeats, so that the reference has one period of it to do, however much there is.

use segloss::reference::{self, Finalized};
use segloss::{Batch, Error, Shape, Sums};

use crate::Case;

/// Voxels of a row after which its data repeats: no multiple or divisor of a tile's.
const PERIOD: usize = 15_013;

/// The logits and targets of one period of every row, and what the reference makes of all of them.
pub(crate) struct Expected {
    pub(crate) shape: Shape,
    pub(crate) logits: Vec<f32>,
    pub(crate) targets: Vec<f32>,
    pub(crate) outcome: Finalized,
    /// One period of every row.
    pub(crate) gradient: Vec<f64>,
}

impl Expected {
    pub(crate) fn new(case: &Case, voxels: usize) -> Result<Self, Error> {
        let period = Shape::new(&[1, case.classes, PERIOD])?;
        let shape = Shape::new(&[1, case.classes, voxels])?;
        // Logits in ±10 and binary targets, from a fixed multiplicative sequence.
        let random = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(15).wrapping_mul(0x85eb_ca6b) >> 8;
        let logits: Vec<f32> =
            (0..period.elements()).map(|i| random(2 * i) as f32 * (20.0 / (1 << 24) as f32) - 10.0).collect();
        let targets: Vec<f32> = (0..period.elements()).map(|i| (random(2 * i + 1) % 2) as f32).collect();
        let sums = sums(case, voxels, &logits, &targets)?;
        let outcome = reference::finalize(&case.loss, &shape, &sums);
        let batch = Batch::new(&period, &logits, &targets)?;
        let gradient = reference::gradient(&case.loss.statistics(), &outcome.coefficients, &batch);
        Ok(Self { shape, logits, targets, outcome, gradient })
    }

    /// A tensor of the problem from one period of every row, from an element on.
    pub(crate) fn repeated<'a, T: Copy>(&self, period: &'a [T], first: usize) -> impl Iterator<Item = T> + use<'a, T> {
        let (voxels, elements) = (self.shape.voxels(), self.shape.elements());
        (first..elements).map(move |i| period[i / voxels * PERIOD + i % voxels % PERIOD])
    }
}

/// The sums of every row: those of whole periods many times, and those of the part of one that is left.
fn sums(case: &Case, voxels: usize, logits: &[f32], targets: &[f32]) -> Result<Vec<Vec<Sums>>, Error> {
    let statistics = case.loss.statistics();
    let part = |length: usize| -> Result<Vec<Vec<Sums>>, Error> {
        let cut = |data: &[f32]| data.chunks_exact(PERIOD).flat_map(|row| &row[..length]).copied().collect::<Vec<_>>();
        let (shape, logits, targets) = (Shape::new(&[1, case.classes, length])?, cut(logits), cut(targets));
        Ok(reference::accumulate(&statistics, &Batch::new(&shape, &logits, &targets)?))
    };
    let (whole, rest, times) = (part(PERIOD)?, part(voxels % PERIOD)?, voxels / PERIOD);
    let repeat =
        |sums: Sums| Sums { values: sums.values.map(|sum| sum * times as f64), count: sums.count * times as u64 };
    let rows = |(whole, rest): (Vec<Sums>, Vec<Sums>)| {
        whole.into_iter().zip(rest).map(|(whole, rest)| repeat(whole).combine(rest)).collect()
    };
    Ok(whole.into_iter().zip(rest).map(rows).collect())
}
