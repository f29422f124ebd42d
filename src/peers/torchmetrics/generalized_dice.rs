//! `GeneralizedDiceScore`.

use super::{InputFormat, check_classes, per_class, same_classes};
use crate::metrics::{CountTable, Counts, Values};
use crate::peers::Metric;
use crate::peers::metric::{counting_loss, needs_space};
use crate::{Error, Loss, Problem};

const PEER: &str = "GeneralizedDiceScore";

/// What a class weighs, T being its true voxels in a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum WeightType {
    /// 1/T².
    #[default]
    Square,
    /// 1/T.
    Simple,
    /// 1.
    Linear,
}

/// `GeneralizedDiceScore(num_classes, include_background=True, per_class=False, weight_type="square",
/// input_format="one-hot")`: the mean over the samples of 2Σw·I/Σw·(P + T) over the classes, or `[C]` with `per_class` if C is
/// not 1, of 2w·I/w·(P + T), which is 2I/(P + T) unless w is 0.
///
/// * A score of 0/0 is 0 and counts, where both masks are empty and where w is 0.
/// * A class with an empty target has no weight of its own. It takes the largest that *some* class has in any sample, 0 if that
///   class has none: the original lines up a list that goes by classes first with one that goes by samples first, so that row
///   n·C + c takes the weight of class (n·C + c)/N, rounded down. With one sample that is its own class, and so 0.
/// * The samples among which it looks are those of one `update` there, of all [counts](CountTable) here. After several updates
///   the original's value is the mean of theirs, weighted by their samples, which differs where targets are empty.
/// * A single class is kept, whatever `include_background` says, but `per_class` then gives nothing.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct GeneralizedDiceScore {
    /// The number of classes, which must be given. As in the original, a number that is not the data's does not matter for masks
    /// without `per_class`; otherwise it is an error.
    pub num_classes: usize,
    /// Whether class 0 is scored.
    pub include_background: bool,
    /// Whether every class has a score of its own.
    pub per_class: bool,
    /// w.
    pub weight_type: WeightType,
    /// What the original is handed.
    pub input_format: InputFormat,
}

impl Default for GeneralizedDiceScore {
    fn default() -> Self {
        Self {
            num_classes: 0,
            include_background: true,
            per_class: false,
            weight_type: WeightType::Square,
            input_format: InputFormat::OneHot,
        }
    }
}

impl GeneralizedDiceScore {
    fn check(&self, classes: usize) -> Result<(), Error> {
        check_classes(PEER, Some(self.num_classes))?;
        match self.input_format {
            InputFormat::OneHot => Ok(()),
            InputFormat::Index | InputFormat::Mixed => same_classes(PEER, self.num_classes, classes),
        }
    }

    /// The weights of all rows, those of empty targets replaced.
    fn weights(&self, counts: &CountTable) -> Vec<f64> {
        let weight = |counts: &Counts| {
            let volume = counts.actual() as f64;
            match self.weight_type {
                WeightType::Square => 1.0 / (volume * volume),
                WeightType::Simple => 1.0 / volume,
                WeightType::Linear => 1.0,
            }
        };
        let free: Vec<f64> = counts.rows().iter().map(weight).collect();
        let (samples, classes) = (counts.samples(), counts.classes());
        let largest = |class: usize| {
            let of_class = (0..samples).map(|sample| free[sample * classes + class]);
            of_class.filter(|weight| weight.is_finite()).fold(0.0, f64::max)
        };
        let kept = |(row, &weight): (usize, &f64)| if weight.is_finite() { weight } else { largest(row / samples) };
        free.iter().enumerate().map(kept).collect()
    }
}

/// 2Σw·I/Σw·(P + T) of some rows; 0 where that is 0/0.
fn score<'a>(rows: impl Iterator<Item = (&'a Counts, &'a f64)>) -> f64 {
    let (overlap, cardinalities) = rows.fold((0.0, 0.0), |(overlap, cardinalities), (counts, weight)| {
        let both = (counts.predicted() + counts.actual()) as f64;
        (overlap + weight * 2.0 * counts.true_positives as f64, cardinalities + weight * both)
    });
    if cardinalities == 0.0 { 0.0 } else { overlap / cardinalities }
}

impl Metric for GeneralizedDiceScore {
    fn counting(&self, problem: &Problem) -> Result<Loss, Error> {
        self.check(problem.shape.classes())?;
        needs_space(PEER, problem)?;
        Ok(counting_loss())
    }

    fn compute(&self, counts: &CountTable) -> Result<Values, Error> {
        self.check(counts.classes())?;
        let scored = if self.include_background { counts.clone() } else { counts.without_background() };
        let (weights, classes, samples) = (self.weights(&scored), scored.classes(), scored.samples());
        let row = |sample: usize, class: usize| {
            let index = sample * classes + class;
            (&scored.rows()[index], &weights[index])
        };
        let mean = |score: &dyn Fn(usize) -> f64| (0..samples).map(score).sum::<f64>() / samples as f64;
        if !self.per_class {
            let of_sample = |sample| score((0..classes).map(|class| row(sample, class)));
            return Ok(Values::scalar(mean(&of_sample)));
        }
        let room = self.num_classes - usize::from(!self.include_background);
        if room == 0 && classes == 1 {
            return Ok(per_class(vec![]));
        }
        same_classes(PEER, room, classes)?;
        let of_class = |class| mean(&|sample| score(std::iter::once(row(sample, class))));
        Ok(per_class((0..classes).map(of_class).collect()))
    }
}
