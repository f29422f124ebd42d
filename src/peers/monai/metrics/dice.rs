//! The Dice score of every sample and class.

use super::ignore;
use super::reduction::{Grid, MetricReduction, Reduced};
use crate::metrics::{CountTable, Counts, Values};
use crate::peers::Metric;
use crate::peers::metric::needs_space;
use crate::{Batch, Error, Loss, Problem};

const PEER: &str = "DiceMetric";

/// Whether, and by which names, MONAI returns scores with their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(untagged, expecting = "expected true, false or a list of names")
)]
pub enum ReturnWithLabel {
    /// `label_0`, `label_1`, …, or not at all.
    Flag(bool),
    /// These.
    Names(Vec<String>),
}

impl Default for ReturnWithLabel {
    fn default() -> Self {
        Self::Flag(false)
    }
}

/// `DiceMetric(include_background=True, reduction="mean", get_not_nans=False, ignore_empty=True, num_classes=None,
/// return_with_label=False, per_component=False, ignore_index=None)`: 2I/(P + T).
///
/// Where the target is empty: NaN, or with `ignore_empty` off 1 if the prediction is empty, too, and else 0.
///
/// With one class it is that one's score, whatever `include_background` says.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceMetric {
    /// Whether class 0 is scored.
    pub include_background: bool,
    /// How the scores are reduced.
    pub reduction: MetricReduction,
    /// Whether [`not_nans`](Metric::not_nans) gives the number of scores.
    pub get_not_nans: bool,
    /// Whether an empty target has no score.
    pub ignore_empty: bool,
    /// The number of classes, the background counted; `None` for those there are. Classes from there on are not scored, and
    /// more of them than there are is an error. Of several channels, 1 scores class 1 alone. With 2, a single channel is read
    /// as a label map, whose class 0 is what the mask leaves.
    pub num_classes: Option<usize>,
    /// Whether the result of `mean_batch` has [labels](Self::labels). Its values are then rounded to 4 decimals, and a list
    /// of names that is too short drops the last. Other reductions ignore this.
    pub return_with_label: ReturnWithLabel,
    /// The score of each connected component of the target. Not supported: it is no function of counts.
    pub per_component: bool,
    /// The index of voxels that do not count: see the [module](super).
    pub ignore_index: Option<i64>,
}

impl Default for DiceMetric {
    fn default() -> Self {
        Self {
            include_background: true,
            reduction: MetricReduction::Mean,
            get_not_nans: false,
            ignore_empty: true,
            num_classes: None,
            return_with_label: ReturnWithLabel::default(),
            per_component: false,
            ignore_index: None,
        }
    }
}

impl DiceMetric {
    /// The labels of a result of so many values; `None` where it has none.
    #[must_use]
    pub fn labels(&self, values: usize) -> Option<Vec<String>> {
        if self.reduction != MetricReduction::MeanBatch {
            return None;
        }
        let first = usize::from(!self.include_background);
        match &self.return_with_label {
            ReturnWithLabel::Flag(true) => {
                Some((first..first + values).map(|index| format!("label_{index}")).collect())
            }
            ReturnWithLabel::Names(names) if !names.is_empty() => Some(names.iter().take(values).cloned().collect()),
            _ => None,
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.per_component {
            let reason = "per_component is not supported: counts know no connected components; leave it out".to_owned();
            return Err(Error::Peer { peer: PEER, reason });
        }
        Ok(())
    }

    /// The classes that are scored.
    fn scored(&self, counts: &CountTable) -> Result<CountTable, Error> {
        let found = counts.classes();
        let classes = self.num_classes.unwrap_or(found);
        match (classes, found) {
            (0 | 1, 1) => return Ok(counts.clone()),
            (0 | 1, 2..) => return Ok(counts.select(|class| class == 1)),
            (2, 1) => return self.scored(&as_label_map(counts)?),
            _ if classes > found => {
                let reason = format!("num_classes is {classes}, but the classes counted are {found}; leave it out");
                return Err(Error::Peer { peer: PEER, reason });
            }
            _ => {}
        }
        let first = usize::from(!self.include_background);
        Ok(counts.select(|class| (first..classes).contains(&class)))
    }

    fn score(&self, counts: &Counts) -> f64 {
        match (counts.actual(), self.ignore_empty) {
            (1.., _) => counts.dice(),
            (0, true) => f64::NAN,
            (0, false) => f64::from(u8::from(counts.predicted() == 0)),
        }
    }

    fn reduced(&self, counts: &CountTable) -> Result<Reduced, Error> {
        self.check()?;
        Ok(Grid::of(&self.scored(counts)?, |counts| self.score(counts)).reduce(self.reduction))
    }
}

impl Metric for DiceMetric {
    fn counting(&self, problem: &Problem) -> Result<Loss, Error> {
        self.check()?;
        needs_space(PEER, problem)?;
        ignore::counting(PEER, self.ignore_index, problem)
    }

    fn mask(&self, batch: &Batch) -> Option<Vec<f32>> {
        ignore::mask(self.ignore_index, batch)
    }

    fn compute(&self, counts: &CountTable) -> Result<Values, Error> {
        let values = self.reduced(counts)?.values;
        Ok(match self.labels(values.values.len()) {
            Some(labels) => Values::list(values.values.into_iter().take(labels.len()).map(rounded).collect()),
            None => values,
        })
    }

    fn not_nans(&self, counts: &CountTable) -> Result<Option<Values>, Error> {
        Ok(self.get_not_nans.then_some(self.reduced(counts)?.not_nans))
    }
}

/// The two classes of a mask that is read as a label map.
fn as_label_map(counts: &CountTable) -> Result<CountTable, Error> {
    let rows = counts.rows().iter().flat_map(|mask| [complement(mask), *mask]).collect();
    CountTable::new(counts.samples(), 2, rows)
}

/// The counts of what two masks leave.
fn complement(mask: &Counts) -> Counts {
    Counts {
        true_positives: mask.true_negatives,
        false_positives: mask.false_negatives,
        false_negatives: mask.false_positives,
        true_negatives: mask.true_positives,
    }
}

/// To 4 decimals.
fn rounded(value: f64) -> f64 {
    (1e4 * value).round_ties_even() / 1e4
}
