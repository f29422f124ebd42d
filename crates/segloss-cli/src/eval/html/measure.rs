//! A metric as the report shows it.

use crate::eval::case::Case;
use crate::eval::metric::{Empty, Metric};
use crate::eval::summary::{Evaluation, Mean};
use crate::report::thousands;

pub(super) const INFINITE: &str = "infinite: one of the two masks is empty, the other is not";

/// A metric with its unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub(super) metric: Metric,
    /// Empty of what has none.
    pub(super) unit: &'static str,
    /// After the decimal point.
    pub(super) digits: usize,
    /// Whether volumes are counts of voxels.
    in_voxels: bool,
}

/// Of how many cases the size of a voxel is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spacing {
    All,
    Some,
    None,
}

impl Spacing {
    pub(super) fn of(evaluation: &Evaluation) -> Self {
        match evaluation.cases.iter().filter(|case| case.voxel_volume.is_some()).count() {
            0 => Self::None,
            count if count == evaluation.cases.len() => Self::All,
            _ => Self::Some,
        }
    }
}

impl Measure {
    /// All that were measured; volumes are counts of voxels where no voxel's size is known.
    pub(super) fn all(evaluation: &Evaluation) -> Vec<Self> {
        let spacing = Spacing::of(evaluation);
        let measured = evaluation.metrics();
        let is_shown = |metric: &Metric| is_volume(*metric) || measured.contains(metric);
        let metrics = Metric::SOFT.into_iter().chain(Metric::COUNTED).chain(Metric::SURFACE).filter(is_shown);
        metrics.map(|metric| Self::new(metric, spacing)).collect()
    }

    pub(super) fn new(metric: Metric, spacing: Spacing) -> Self {
        let in_voxels = spacing == Spacing::None;
        let (unit, digits) = match (metric, spacing) {
            (_, Spacing::None) if is_volume(metric) => ("voxels", 0),
            // Of volumes mm³, of images mm², as the head of the page says.
            (..) if is_volume(metric) => ("", 1),
            (_, Spacing::All) if metric.is_distance() => ("mm", 2),
            (_, Spacing::Some) if metric.is_distance() => ("mm or voxels", 2),
            (_, Spacing::None) if metric.is_distance() => ("voxels", 2),
            _ => ("", 4),
        };
        Self { metric, unit, digits, in_voxels }
    }

    /// Of a class in a case; NaN where it is not defined or was not measured.
    pub(super) fn of(&self, evaluation: &Evaluation, case: &Case, class: usize) -> f64 {
        let counts = &case.scores[class].counts;
        match self.metric {
            Metric::PredictedVolume if self.in_voxels => counts.predicted() as f64,
            Metric::TrueVolume if self.in_voxels => counts.actual() as f64,
            metric => evaluation.value(metric, case, class),
        }
    }

    /// Of a class in every case.
    pub(super) fn of_class(&self, evaluation: &Evaluation, class: usize) -> Vec<f64> {
        evaluation.cases.iter().map(|case| self.of(evaluation, case, class)).collect()
    }

    /// Of a case: the mean over the classes for which it is defined.
    pub(super) fn over_classes(&self, evaluation: &Evaluation, case: &Case) -> f64 {
        Mean::of((0..evaluation.classes.len()).map(|class| self.of(evaluation, case, class))).value
    }

    /// As people read it.
    pub(super) fn text(&self, value: f64) -> String {
        if value.is_nan() {
            return "NaN".to_owned();
        }
        if value.is_infinite() {
            return "∞".to_owned();
        }
        let text = format!("{value:.*}", self.digits);
        let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
        whole.parse().map_or(text.clone(), |whole| thousands(whole) + fraction)
    }

    /// As a cell of a table, with the reason where it is not a finite number.
    pub(super) fn cell(&self, value: f64, empty: Empty) -> String {
        let text = self.text(value);
        if value.is_nan() {
            format!("<td class=\"none\" title=\"{}\">{text}</td>", self.undefined(empty))
        } else if value.is_infinite() {
            format!("<td title=\"{INFINITE}\">{text}</td>")
        } else {
            format!("<td>{text}</td>")
        }
    }

    /// The head of its column.
    pub(super) fn head(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!("<small>{}</small>", self.unit) };
        format!("<abbr title=\"{}\">{}</abbr>{unit}", self.meaning(), self.metric.name())
    }

    /// In words.
    pub(super) fn meaning(&self) -> &'static str {
        match self.metric {
            Metric::Dice => "twice what both have in common over the sum of both: 2·TP / (2·TP + FP + FN)",
            Metric::Iou => "intersection over union, the Jaccard index: TP / (TP + FP + FN)",
            Metric::Precision => "share of the prediction that is true, the positive predictive value: TP / (TP + FP)",
            Metric::Recall => "share of the truth that is found, the sensitivity: TP / (TP + FN)",
            Metric::Specificity => "share of the rest that is left out: TN / (TN + FP)",
            Metric::SoftDice => "Dice of the probabilities, before the threshold: 2·Σpt / (Σp + Σt)",
            Metric::CrossEntropy => "binary cross-entropy of the probabilities, the mean of a voxel",
            Metric::PredictedVolume => "volume of the prediction",
            Metric::TrueVolume => "volume of the truth",
            Metric::Hausdorff => "Hausdorff distance, the largest distance of a surface from the other",
            Metric::Hausdorff95 => "95th percentile of the distances of the surfaces from each other",
            Metric::AverageSurfaceDistance => "average symmetric surface distance",
            Metric::SurfaceDice => "normalised surface Dice, the share of both surfaces within the tolerance",
        }
    }

    /// Why it is NaN, where it is.
    pub(super) fn undefined(&self, empty: Empty) -> &'static str {
        match self.metric {
            Metric::Dice | Metric::Iou if empty == Empty::NanWithoutTruth => {
                "undefined: the class has no voxels in the truth"
            }
            Metric::Dice | Metric::Iou => "undefined: nothing by nothing, the class is in neither mask",
            Metric::SoftDice => "undefined: nothing by nothing, or no probabilities of this class",
            Metric::CrossEntropy => "not measured: there are no probabilities of this class",
            Metric::Precision => "undefined: nothing by nothing, none of the class is predicted",
            Metric::Recall => "undefined: nothing by nothing, the class has no voxels in the truth",
            Metric::Specificity => "undefined: nothing by nothing, the truth leaves nothing out",
            Metric::PredictedVolume | Metric::TrueVolume => "not measured: the size of a voxel is not known",
            _ => "undefined: the class has no surface in either mask, or was not measured",
        }
    }
}

fn is_volume(metric: Metric) -> bool {
    matches!(metric, Metric::PredictedVolume | Metric::TrueVolume)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn measure(metric: Metric) -> Measure {
        Measure::new(metric, Spacing::All)
    }

    #[test]
    fn numbers_are_rounded_and_grouped() {
        assert_eq!(measure(Metric::Dice).text(0.912_36), "0.9124");
        assert_eq!(measure(Metric::Hausdorff).text(1234.5), "1,234.50");
        assert_eq!(measure(Metric::TrueVolume).text(1_234_567.89), "1,234,567.9");
        assert_eq!(Measure::new(Metric::TrueVolume, Spacing::None).text(1e30).len(), 31);
    }

    #[test]
    fn what_is_no_number_says_why() {
        let cell = measure(Metric::Dice).cell(f64::NAN, Empty::Nan);
        assert!(cell.contains(">NaN<") && cell.contains("title=\"undefined: nothing by nothing"), "{cell}");
        let cell = measure(Metric::Hausdorff).cell(f64::INFINITY, Empty::Nan);
        assert!(cell.contains(">∞<") && cell.contains("title=\"infinite"), "{cell}");
    }

    #[test]
    fn units_follow_the_spacing() {
        let mut evaluation = sample::evaluation(4);
        let unit = |evaluation: &Evaluation| {
            let measures = Measure::all(evaluation);
            [Metric::TrueVolume, Metric::Hausdorff]
                .map(|metric| measures.iter().find(|measure| measure.metric == metric).unwrap().unit)
        };
        assert_eq!(unit(&evaluation), ["", "mm"]);
        evaluation.cases[1].voxel_volume = None;
        assert_eq!(unit(&evaluation), ["", "mm or voxels"]);
        evaluation.cases.iter_mut().for_each(|case| case.voxel_volume = None);
        assert_eq!(unit(&evaluation), ["voxels", "voxels"]);
        let volume = Measure::new(Metric::TrueVolume, Spacing::None);
        let case = &evaluation.cases[0];
        assert_eq!(volume.of(&evaluation, case, 0), case.scores[0].counts.actual() as f64);
    }
}
