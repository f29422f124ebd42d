//! All cases together.

use std::path::PathBuf;

use segloss::metrics::Counts;

use super::case::{Case, Class};
use super::metric::{Empty, Metric};
use super::volume::Meaning;

/// Everything that a report shows.
#[derive(Debug)]
pub(crate) struct Evaluation {
    pub(crate) prediction: PathBuf,
    pub(crate) truth: PathBuf,
    pub(crate) classes: Vec<Class>,
    /// What the labels of all cases say.
    pub(crate) meaning: Meaning,
    /// In the order of their names.
    pub(crate) cases: Vec<Case>,
    /// Those that could not be scored: the name and why.
    pub(crate) failed: Vec<(String, String)>,
    /// Files without a partner.
    pub(crate) unmatched: Vec<PathBuf>,
    /// Files beside one of the same name, in a format that is preferred.
    pub(crate) passed_over: Vec<PathBuf>,
    /// What else should be known.
    pub(crate) remarks: Vec<String>,
    pub(crate) empty: Empty,
    /// Whose definition of surfaces was taken, and the tolerance of their Dice: in mm where all spacings are known, else in
    /// voxels. `None` without surfaces.
    pub(crate) surfaces: Option<(&'static str, f64)>,
    /// Where probabilities of one class were predicted.
    pub(crate) soft: Option<SoftBy>,
}

/// How soft scores were computed.
#[derive(Debug)]
pub(crate) struct SoftBy {
    /// Above which a voxel is foreground.
    pub(crate) threshold: f64,
    pub(crate) adapter: String,
    /// `gpu` or `reference`.
    pub(crate) kind: &'static str,
}

/// A mean over cases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mean {
    /// NaN over none.
    pub(crate) value: f64,
    /// Cases in it.
    pub(crate) count: usize,
    /// Cases left out, for which it is not defined.
    pub(crate) left_out: usize,
}

impl Mean {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut sum, mut count, mut left_out) = (0.0, 0, 0);
        for value in values {
            if value.is_nan() {
                left_out += 1;
            } else {
                sum += value;
                count += 1;
            }
        }
        Self { value: sum / count as f64, count, left_out }
    }
}

impl Evaluation {
    /// Which classes are not the background.
    pub(crate) fn foreground(&self) -> Vec<bool> {
        self.classes.iter().map(|class| !class.is_background(self.meaning)).collect()
    }

    /// The metrics that any case has.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let is_measured = |metric: &Metric| {
            self.cases.iter().any(|case| case.scores.iter().any(|score| metric.of(score, case, self.empty).is_some()))
        };
        Metric::SOFT.into_iter().chain(Metric::COUNTED).chain(Metric::SURFACE).filter(is_measured).collect()
    }

    /// A metric of a class in a case; NaN where it is not defined or was not measured.
    pub(crate) fn value(&self, metric: Metric, case: &Case, class: usize) -> f64 {
        metric.of(&case.scores[class], case, self.empty).unwrap_or(f64::NAN)
    }

    /// A metric of a class, as the mean over cases.
    pub(crate) fn mean(&self, metric: Metric, class: usize) -> Mean {
        Mean::of(self.cases.iter().map(|case| self.value(metric, case, class)))
    }

    /// The counts of a class over all cases.
    pub(crate) fn pooled(&self, class: usize) -> Counts {
        self.cases.iter().fold(Counts::default(), |sum, case| sum.combine(case.scores[class].counts))
    }

    /// The counts of every class over all cases.
    pub(crate) fn all_pooled(&self) -> Vec<Counts> {
        (0..self.classes.len()).map(|class| self.pooled(class)).collect()
    }

    /// A metric of a class over all voxels; `None` of those that are not made of counts, and of volumes without a unit.
    pub(crate) fn of_pool(&self, metric: Metric, class: usize) -> Option<f64> {
        let volume = |voxels: fn(&Counts) -> u64| {
            self.cases
                .iter()
                .map(|case| Some(voxels(&case.scores[class].counts) as f64 * case.voxel_volume?))
                .sum::<Option<f64>>()
        };
        match metric {
            Metric::PredictedVolume => volume(Counts::predicted),
            Metric::TrueVolume => volume(Counts::actual),
            _ => metric.of_counts(&self.pooled(class), self.empty),
        }
    }

    /// The mean of generalised Dice over the cases.
    pub(crate) fn generalized_dice(&self) -> Mean {
        Mean::of(self.cases.iter().map(|case| case.generalized_dice))
    }

    /// A metric of the case over all classes: the mean of those for which it is defined.
    pub(crate) fn over_classes(&self, metric: Metric, case: &Case) -> f64 {
        Mean::of((0..self.classes.len()).map(|class| self.value(metric, case, class))).value
    }

    /// The cases with the lowest mean Dice, the worst first: one in ten, at least one, of those that are not perfect.
    pub(crate) fn worst(&self) -> Vec<usize> {
        let mut ranked: Vec<_> = (0..self.cases.len())
            .map(|case| (self.over_classes(Metric::Dice, &self.cases[case]), case))
            .filter(|(dice, _)| *dice < 1.0)
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        ranked.truncate(self.cases.len().div_ceil(10));
        ranked.into_iter().map(|(_, case)| case).collect()
    }
}
