//! TorchMetrics: its overlap metrics of segmentations, checked against 1.9.0.
//!
//! Calling `update` on several batches and then `compute()` is [appending](crate::metrics::CountTable::append) their counts
//! and then [`compute`](Metric::compute). Predictions and targets may be labels, whatever [`InputFormat`] says. Masks are taken as
//! they are, as TorchMetrics takes integers; of floats it takes the class with the largest, as
//! [`counting_of`](Metric::counting_of) does with an argmax. The keyword arguments that all its metrics have (where states
//! live, how processes are synchronised) are not known here.

use super::Metric;
use super::metric::{counting_loss, metric_recipes, needs_space};
use crate::metrics::{CountTable, Counts, Values, mean_of_present, sum_of_present};
use crate::{Error, Loss, Problem};

mod generalized_dice;
#[cfg(test)]
mod tests;

pub use generalized_dice::{GeneralizedDiceScore, WeightType};

metric_recipes! {
    /// A metric of this module by its name.
    DiceScore = "DiceScore",
    GeneralizedDiceScore = "GeneralizedDiceScore",
    MeanIoU = "MeanIoU",
}

/// What TorchMetrics is handed. Here the formats of [targets](crate::Targets) say that; it decides only what `num_classes`
/// must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum InputFormat {
    /// Masks, `[N, C, spatial…]`.
    #[default]
    OneHot,
    /// Labels, `[N, spatial…]`.
    Index,
    /// One of each.
    Mixed,
}

/// How the scores of classes become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Average {
    /// The score of the classes' sums.
    Micro,
    /// The mean over the classes.
    #[default]
    Macro,
    /// The mean weighted by T.
    Weighted,
    /// They do not.
    None,
}

/// What is scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum AggregationLevel {
    /// Every sample, and then the mean is taken.
    #[default]
    Samplewise,
    /// All samples' sums.
    Global,
}

/// `DiceScore(num_classes, include_background=True, average="macro", aggregation_level="samplewise",
/// input_format="one-hot")`: 2I/(P + T), one number, or `[C]` without an average if C is not 1.
///
/// Where both masks are empty it is NaN, and no mean counts it; a mean of nothing is NaN. With weights, a sample with an
/// empty target in all classes scores 0 if anything is predicted. A single class is kept, whatever `include_background` says.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceScore {
    /// The number of classes, which must be given. As in the original, masks have the classes they have; only with
    /// [`InputFormat::Index`] and [`InputFormat::Mixed`] must they be as many.
    pub num_classes: usize,
    /// Whether class 0 is scored.
    pub include_background: bool,
    /// How the classes' scores become one; `None` (`null` in JSON) is [`Average::None`].
    pub average: Option<Average>,
    /// Whether every sample is scored or all together.
    pub aggregation_level: AggregationLevel,
    /// What the original is handed.
    pub input_format: InputFormat,
}

impl Default for DiceScore {
    fn default() -> Self {
        Self {
            num_classes: 0,
            include_background: true,
            average: Some(Average::Macro),
            aggregation_level: AggregationLevel::Samplewise,
            input_format: InputFormat::OneHot,
        }
    }
}

impl DiceScore {
    const PEER: &str = "DiceScore";

    fn check(&self, classes: usize) -> Result<(), Error> {
        check_classes(Self::PEER, Some(self.num_classes))?;
        match self.input_format {
            InputFormat::OneHot => Ok(()),
            InputFormat::Index | InputFormat::Mixed => same_classes(Self::PEER, self.num_classes, classes),
        }
    }

    /// The score of a sample's classes, by an average that makes them one.
    fn score(average: Average, classes: &[Counts]) -> f64 {
        match average {
            Average::Micro => classes.iter().copied().fold(Counts::default(), Counts::combine).dice(),
            Average::Weighted => weighted(classes),
            Average::Macro | Average::None => mean_of_present(classes.iter().map(Counts::dice)),
        }
    }
}

impl Metric for DiceScore {
    fn counting(&self, problem: &Problem) -> Result<Loss, Error> {
        self.check(problem.shape.classes())?;
        needs_space(Self::PEER, problem)?;
        Ok(counting_loss())
    }

    fn compute(&self, counts: &CountTable) -> Result<Values, Error> {
        self.check(counts.classes())?;
        let scored = if self.include_background { counts.clone() } else { counts.without_background() };
        let (pooled, all) = (scored.per_class(), scored.by_sample());
        let samples: Vec<&[Counts]> = match self.aggregation_level {
            AggregationLevel::Samplewise => all.collect(),
            AggregationLevel::Global => vec![&pooled],
        };
        Ok(match self.average.unwrap_or(Average::None) {
            Average::None => per_class(class_means(scored.classes(), &samples, Counts::dice)),
            average => Values::scalar(mean_of_present(samples.iter().map(|classes| Self::score(average, classes)))),
        })
    }
}

/// The mean of the classes' scores by T. A weight of 0/0 takes no part, which leaves 0 where nothing is true.
fn weighted(classes: &[Counts]) -> f64 {
    let support = classes.iter().map(|counts| counts.actual() as f64).sum::<f64>();
    let (sum, scored) = sum_of_present(classes.iter().map(|counts| counts.dice() * counts.actual() as f64));
    match (scored, support > 0.0) {
        (0, _) => f64::NAN,
        (_, true) => sum / support,
        (_, false) => 0.0,
    }
}

/// `MeanIoU(num_classes=None, include_background=True, per_class=False, input_format="one-hot")`: I/(P + T − I), its mean over
/// all samples and classes where either mask holds something.
///
/// With `per_class` the mean over the samples, `[C]` if C is not 1, and −1 for a class that is nowhere; without, NaN if there
/// is nothing at all. A single class is kept, whatever `include_background` says, but the original has no state left for it
/// then: the result is NaN, or empty with `per_class`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct MeanIoU {
    /// The number of classes, `None` for those there are; to be given with [`InputFormat::Index`]. As in the original, a
    /// number that is not the data's does not matter for masks without `per_class`; otherwise it is an error.
    pub num_classes: Option<usize>,
    /// Whether class 0 is scored.
    pub include_background: bool,
    /// Whether every class has a score of its own.
    pub per_class: bool,
    /// What the original is handed.
    pub input_format: InputFormat,
}

impl Default for MeanIoU {
    fn default() -> Self {
        Self { num_classes: None, include_background: true, per_class: false, input_format: InputFormat::OneHot }
    }
}

impl MeanIoU {
    const PEER: &str = "MeanIoU";

    fn check(&self, classes: usize) -> Result<(), Error> {
        check_classes(Self::PEER, self.num_classes)?;
        match (self.input_format, self.num_classes) {
            (InputFormat::Index, None) => {
                let reason = "input_format \"index\" needs num_classes; give it".to_owned();
                Err(Error::Peer { peer: Self::PEER, reason })
            }
            (InputFormat::Index | InputFormat::Mixed, Some(number)) => same_classes(Self::PEER, number, classes),
            _ => Ok(()),
        }
    }

    /// Label maps `[N, L]` are one image to the original: right for one sample, and none of the shapes that it mixes.
    fn needs_plane(&self, problem: &Problem) -> Result<(), Error> {
        let is_known = match self.input_format {
            InputFormat::OneHot => true,
            InputFormat::Index => problem.shape.samples() < 2,
            InputFormat::Mixed => false,
        };
        if is_known || problem.shape.dims().len() > 3 {
            return Ok(());
        }
        let reason = format!(
            "label maps of one spatial axis, as of {:?}, are a single image to it; take input_format \"one-hot\", or one sample \
             at a time as \"index\"",
            problem.shape.dims()
        );
        Err(Error::Peer { peer: Self::PEER, reason })
    }
}

impl Metric for MeanIoU {
    fn counting(&self, problem: &Problem) -> Result<Loss, Error> {
        self.check(problem.shape.classes())?;
        needs_space(Self::PEER, problem)?;
        self.needs_plane(problem)?;
        Ok(counting_loss())
    }

    fn compute(&self, counts: &CountTable) -> Result<Values, Error> {
        self.check(counts.classes())?;
        let scored = if self.include_background { counts.clone() } else { counts.without_background() };
        let background = usize::from(!self.include_background);
        let room = self.num_classes.unwrap_or(counts.classes()).saturating_sub(background);
        if !self.per_class {
            let mean = mean_of_present(scored.rows().iter().map(Counts::iou));
            return Ok(Values::scalar(if room == 0 { f64::NAN } else { mean }));
        }
        if room == 0 {
            return Ok(per_class(vec![]));
        }
        same_classes(Self::PEER, room, scored.classes())?;
        let samples: Vec<_> = scored.by_sample().collect();
        let means = class_means(scored.classes(), &samples, Counts::iou).into_iter();
        Ok(per_class(means.map(|mean| if mean.is_nan() { -1.0 } else { mean }).collect()))
    }
}

/// The values of the classes; one alone is a number, as in everything that TorchMetrics returns.
fn per_class(values: Vec<f64>) -> Values {
    match values[..] {
        [value] => Values::scalar(value),
        _ => Values::list(values),
    }
}

/// For every class, the mean over the samples that have a score.
fn class_means(classes: usize, samples: &[&[Counts]], score: fn(&Counts) -> f64) -> Vec<f64> {
    (0..classes).map(|class| mean_of_present(samples.iter().map(|sample| score(&sample[class])))).collect()
}

fn check_classes(peer: &'static str, num_classes: Option<usize>) -> Result<(), Error> {
    match num_classes {
        Some(0) => {
            Err(Error::Peer { peer, reason: "num_classes is 0 or not given; give a positive number".to_owned() })
        }
        _ => Ok(()),
    }
}

fn same_classes(peer: &'static str, num_classes: usize, found: usize) -> Result<(), Error> {
    if num_classes == found {
        return Ok(());
    }
    Err(Error::Peer {
        peer,
        reason: format!("num_classes makes {num_classes} classes, but there are {found} in the data"),
    })
}
