//! Rates of the confusion matrix of every sample and class.

use super::ignore::{self, Ignored};
use super::rate::Rate;
use super::reduction::{Grid, MetricReduction, Reduced};
use crate::metrics::{CountTable, Counts, Values};
use crate::peers::Metric;
use crate::{Batch, Error, Loss, Problem};

const PEER: &str = "ConfusionMatrixMetric";

/// `ConfusionMatrixMetric(include_background=True, metric_name="hit_rate", compute_sample=False, reduction="mean",
/// get_not_nans=False, ignore_index=None)`: rates of TP, FP, TN and FN.
///
/// Where a rate's denominator is 0 it is NaN. A single class is kept, whatever `include_background` says.
///
/// MONAI returns a list, a result for every name. Here the results stand one after the other, along a first axis if there is
/// more than one name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct ConfusionMatrixMetric {
    /// Whether class 0 is scored.
    pub include_background: bool,
    /// The rates' names, one or several, in capitals or not and with spaces or underscores:
    ///
    /// | Names | Rate |
    /// |---|---|
    /// | `sensitivity` `recall` `hit_rate` `true_positive_rate` `tpr` | TP/(TP + FN) |
    /// | `specificity` `selectivity` `true_negative_rate` `tnr` | TN/(TN + FP) |
    /// | `precision` `positive_predictive_value` `ppv` | TP/(TP + FP) |
    /// | `negative_predictive_value` `npv` | TN/(TN + FN) |
    /// | `miss_rate` `false_negative_rate` `fnr` | FN/(FN + TP) |
    /// | `fall_out` `false_positive_rate` `fpr` | FP/(FP + TN) |
    /// | `false_discovery_rate` `fdr` | FP/(FP + TP) |
    /// | `false_omission_rate` `for` | FN/(FN + TN) |
    /// | `prevalence_threshold` `pt` | (√(TPR·FPR) − FPR)/(TPR − FPR) |
    /// | `threat_score` `critical_success_index` `ts` `csi` | TP/(TP + FN + FP) |
    /// | `accuracy` `acc` | (TP + TN)/(TP + FP + TN + FN) |
    /// | `balanced_accuracy` `ba` | (TPR + TNR)/2 |
    /// | `f1_score` `f1` | 2·TP/(2·TP + FP + FN) |
    /// | `matthews_correlation_coefficient` `mcc` | (TP·TN − FP·FN)/√((TP+FP)(TP+FN)(TN+FP)(TN+FN)) |
    /// | `fowlkes_mallows_index` `fm` | √(PPV·TPR) |
    /// | `informedness` `bookmaker_informedness` `bm` `youden_index` `youden` | TPR + TNR − 1 |
    /// | `markedness` `deltap` `mk` | PPV + NPV − 1 |
    #[cfg_attr(feature = "serde", serde(deserialize_with = "one_or_several"))]
    pub metric_name: Vec<String>,
    /// Whether rates are taken first and reduced, rather than taken of reduced counts. Of [single
    /// items](CountTable::is_classification) MONAI ignores it.
    pub compute_sample: bool,
    /// How rates, or counts, are reduced.
    pub reduction: MetricReduction,
    /// Whether [`not_nans`](Metric::not_nans) gives the number of rates, or of each of the four counts along a last axis.
    pub get_not_nans: bool,
    /// The class to empty, or the index of voxels that do not count: see the [module](super).
    pub ignore_index: Option<i64>,
}

impl Default for ConfusionMatrixMetric {
    fn default() -> Self {
        Self {
            include_background: true,
            metric_name: vec!["hit_rate".to_owned()],
            compute_sample: false,
            reduction: MetricReduction::Mean,
            get_not_nans: false,
            ignore_index: None,
        }
    }
}

impl ConfusionMatrixMetric {
    fn rates(&self) -> Result<Vec<Rate>, Error> {
        let rate = |name: &String| {
            let reason = || format!("there is no metric named {name:?}; give one of those in the documentation");
            Rate::named(name).ok_or_else(|| Error::Peer { peer: PEER, reason: reason() })
        };
        if self.metric_name.is_empty() {
            return Err(Error::Peer { peer: PEER, reason: "metric_name is empty; give at least one name".to_owned() });
        }
        self.metric_name.iter().map(rate).collect()
    }

    fn ignored(&self, classes: usize) -> Ignored {
        Ignored::new(self.ignore_index, classes, self.include_background)
    }

    fn reduced(&self, counts: &CountTable) -> Result<Vec<Reduced>, Error> {
        let all = self.ignored(counts.classes()).empty(counts);
        let scored = if self.include_background { all } else { all.without_background() };
        let of_rate = |rate: Rate| match self.compute_sample && !counts.is_classification() {
            true => Grid::of(&scored, |counts| rate.of(cells(counts).map(|cell| cell as f64))).reduce(self.reduction),
            false => self.of_reduced_counts(rate, &scored),
        };
        Ok(self.rates()?.into_iter().map(of_rate).collect())
    }

    fn of_reduced_counts(&self, rate: Rate, table: &CountTable) -> Reduced {
        let cell = |index: usize| Grid::of(table, |counts| cells(counts)[index] as f64).reduce(self.reduction);
        let cells: [Reduced; 4] = std::array::from_fn(cell);
        let of_group = |group: usize| rate.of(std::array::from_fn(|index| cells[index].values.values[group]));
        let [first, ..] = &cells;
        let values = (0..first.values.values.len()).map(of_group).collect();
        // A single matrix is a list of one.
        let shape = if first.values.shape.is_empty() { vec![1] } else { first.values.shape.clone() };
        let not_nans = Values {
            shape: [&first.not_nans.shape[..], &[4]].concat(),
            values: first.not_nans.values.iter().flat_map(|&number| [number; 4]).collect(),
        };
        Reduced { values: Values { shape, values }, not_nans }
    }
}

impl Metric for ConfusionMatrixMetric {
    fn counting(&self, problem: &Problem) -> Result<Loss, Error> {
        self.rates()?;
        ignore::counting(PEER, self.ignored(problem.shape.classes()).voxels(), problem)
    }

    fn mask(&self, batch: &Batch) -> Option<Vec<f32>> {
        ignore::mask(self.ignored(batch.shape().classes()).voxels(), batch)
    }

    fn compute(&self, counts: &CountTable) -> Result<Values, Error> {
        Ok(stacked(self.reduced(counts)?.into_iter().map(|reduced| reduced.values).collect()))
    }

    fn not_nans(&self, counts: &CountTable) -> Result<Option<Values>, Error> {
        let not_nans = self.reduced(counts)?.into_iter().map(|reduced| reduced.not_nans).collect();
        Ok(self.get_not_nans.then(|| stacked(not_nans)))
    }
}

/// TP, FP, TN, FN: MONAI's order.
fn cells(counts: &Counts) -> [u64; 4] {
    [counts.true_positives, counts.false_positives, counts.true_negatives, counts.false_negatives]
}

/// The results of the names along a first axis; that of one name as it is.
fn stacked(mut results: Vec<Values>) -> Values {
    if results.len() == 1 {
        return results.remove(0);
    }
    let inner = results.first().map(|result| result.shape.clone()).unwrap_or_default();
    let shape = [&[results.len()], &inner[..]].concat();
    Values { shape, values: results.into_iter().flat_map(|result| result.values).collect() }
}

/// Reads a list of names, or one name in place of a list of one.
#[cfg(feature = "serde")]
fn one_or_several<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged, expecting = "expected a name or a list of names")]
    enum Names {
        One(String),
        Several(Vec<String>),
    }
    Ok(match serde::Deserialize::deserialize(deserializer)? {
        Names::One(name) => vec![name],
        Names::Several(names) => names,
    })
}
