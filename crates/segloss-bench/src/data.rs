//! Data that repeats, so that the reference has one period of it to do, however much there is.

use segloss::reference::{self, Finalized};
use segloss::{Batch, Error, Labels, Shape, Sums, Targets};

use crate::Case;
use crate::storage::stored;

/// Voxels of a row after which its data repeats: no multiple or divisor of a tile's.
const PERIOD: usize = 15_013;

/// The logits and targets of one period of every row, and what the reference makes of all of them.
pub(crate) struct Expected {
    pub(crate) shape: Shape,
    pub(crate) logits: Vec<f32>,
    /// 0 and 1, or the classes' numbers of one period of voxels.
    pub(crate) targets: Vec<u8>,
    pub(crate) outcome: Finalized,
    /// One period of every row, with respect to the [scaled](loss_scale) loss.
    pub(crate) gradient: Vec<f64>,
    period: usize,
}

/// What the gradient is multiplied with, lest 16 bits hold nothing of a mean over many voxels: as mixed-precision training
/// scales its losses, by a power of two.
pub(crate) fn loss_scale(voxels: usize) -> f32 {
    voxels.next_power_of_two() as f32
}

impl Expected {
    pub(crate) fn new(case: &Case, voxels: usize) -> Result<Self, Error> {
        let (shape, period) = (Shape::new(&[1, case.classes, voxels])?, PERIOD.min(voxels));
        // Logits in ±10 and binary targets or labels, from a fixed multiplicative sequence.
        let random = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(15).wrapping_mul(0x85eb_ca6b) >> 8;
        let logit = |i: usize| stored(case.logits, random(2 * i) as f32 * (20.0 / (1 << 24) as f32) - 10.0);
        let (rows, values) = if case.targets.is_labels() { (1, case.classes as u32) } else { (case.classes, 2) };
        let logits: Vec<f32> = (0..case.classes * period).map(logit).collect();
        let targets: Vec<u8> = (0..rows * period).map(|i| (random(2 * i + 1) % values) as u8).collect();
        let part = Part { case, period, logits: &logits, targets: &targets };
        let (whole, rest) = (part.sums(period)?, part.sums(voxels % period)?);
        let outcome = reference::finalize(&case.loss, &shape, &repeated(whole, rest, voxels / period));
        let mut gradient =
            part.of(period, |batch| reference::gradient(&case.loss.statistics(), &outcome.coefficients, batch))?;
        gradient.iter_mut().for_each(|g| *g *= f64::from(loss_scale(voxels)));
        Ok(Self { shape, logits, targets, outcome, gradient, period })
    }

    /// A tensor of the problem from one period of every row, from an element on.
    pub(crate) fn repeated<'a, T: Copy>(&self, tensor: &'a [T], first: usize) -> impl Iterator<Item = T> + use<'a, T> {
        let (voxels, period) = (self.shape.voxels(), self.period);
        let elements = tensor.len() / period * voxels;
        (first..elements).map(move |i| tensor[i / voxels * period + i % voxels % period])
    }
}

/// The first voxels of a period of every row.
struct Part<'a> {
    case: &'a Case,
    period: usize,
    logits: &'a [f32],
    targets: &'a [u8],
}

impl Part<'_> {
    /// What a stage of the reference makes of so many voxels.
    fn of<T>(&self, voxels: usize, stage: impl FnOnce(&Batch) -> T) -> Result<T, Error> {
        fn cut<T: Copy>(tensor: &[T], period: usize, voxels: usize) -> Vec<T> {
            tensor.chunks_exact(period).flat_map(|row| &row[..voxels]).copied().collect()
        }
        let shape = Shape::new(&[1, self.case.classes, voxels])?;
        let (logits, targets) = (cut(self.logits, self.period, voxels), cut(self.targets, self.period, voxels));
        let dense: Vec<f32> = targets.iter().map(|&t| t.into()).collect();
        let is_labels = self.case.targets.is_labels();
        let targets: Targets = if is_labels { Labels::U8(&targets).into() } else { (&dense).into() };
        Ok(stage(&Batch::new(&shape, &logits, targets)?))
    }

    fn sums(&self, voxels: usize) -> Result<Vec<Vec<Sums>>, Error> {
        self.of(voxels, |batch| reference::accumulate(&self.case.loss.statistics(), batch))
    }
}

/// The sums of every row: those of whole periods many times, and those of the part of one that is left.
fn repeated(whole: Vec<Vec<Sums>>, rest: Vec<Vec<Sums>>, times: usize) -> Vec<Vec<Sums>> {
    let repeat =
        |sums: Sums| Sums { values: sums.values.map(|sum| sum * times as f64), count: sums.count * times as u64 };
    let rows = |(whole, rest): (Vec<Sums>, Vec<Sums>)| {
        whole.into_iter().zip(rest).map(|(whole, rest)| repeat(whole).combine(rest)).collect()
    };
    whole.into_iter().zip(rest).map(rows).collect()
}
