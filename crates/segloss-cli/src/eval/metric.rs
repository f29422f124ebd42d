//! The metrics of a class in a case.

use segloss::metrics::Counts;

use super::case::{Case, Score};

/// A number of a class in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    Dice,
    Iou,
    Precision,
    Recall,
    Specificity,
    /// Of probabilities.
    SoftDice,
    CrossEntropy,
    /// The volumes of prediction and truth.
    PredictedVolume,
    TrueVolume,
    Hausdorff,
    Hausdorff95,
    AverageSurfaceDistance,
    SurfaceDice,
}

/// What a ratio of nothing by nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Empty {
    /// NaN where both masks are empty, as nnU-Net has it
    #[default]
    Nan,
    /// NaN where the truth is empty, whatever is predicted, as MONAI's DiceMetric(ignore_empty=True) has it
    NanWithoutTruth,
    /// 1 where both masks are empty, as MONAI's DiceMetric(ignore_empty=False) has it
    One,
    /// 0 where both masks are empty, as scikit-learn and torchmetrics have it
    Zero,
}

impl Metric {
    pub(crate) const SOFT: [Self; 2] = [Self::SoftDice, Self::CrossEntropy];
    pub(crate) const COUNTED: [Self; 7] = [
        Self::Dice,
        Self::Iou,
        Self::Precision,
        Self::Recall,
        Self::Specificity,
        Self::PredictedVolume,
        Self::TrueVolume,
    ];
    pub(crate) const SURFACE: [Self; 4] =
        [Self::Hausdorff, Self::Hausdorff95, Self::AverageSurfaceDistance, Self::SurfaceDice];

    /// As a column's head.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dice => "Dice",
            Self::Iou => "IoU",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::Specificity => "specificity",
            Self::SoftDice => "soft Dice",
            Self::CrossEntropy => "BCE",
            Self::PredictedVolume => "predicted volume",
            Self::TrueVolume => "true volume",
            Self::Hausdorff => "HD",
            Self::Hausdorff95 => "HD95",
            Self::AverageSurfaceDistance => "ASSD",
            Self::SurfaceDice => "NSD",
        }
    }

    /// As a key of JSON and a column of CSV. Dice and IoU have nnU-Net's.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::SoftDice => "soft_dice",
            Self::CrossEntropy => "bce",
            Self::PredictedVolume => "predicted_volume",
            Self::TrueVolume => "true_volume",
            _ => self.name(),
        }
    }

    /// Whether less is better: of distances.
    pub(crate) fn is_distance(self) -> bool {
        matches!(self, Self::Hausdorff | Self::Hausdorff95 | Self::AverageSurfaceDistance)
    }

    /// Of one case; NaN where it is not defined, `None` where it was not measured.
    pub(crate) fn of(self, score: &Score, case: &Case, empty: Empty) -> Option<f64> {
        let volume = |voxels: u64| case.voxel_volume.map(|volume| voxels as f64 * volume);
        match self {
            Self::SoftDice => score.soft.map(|soft| soft.dice),
            Self::CrossEntropy => score.soft.map(|soft| soft.cross_entropy),
            Self::PredictedVolume => volume(score.counts.predicted()),
            Self::TrueVolume => volume(score.counts.actual()),
            Self::Hausdorff => score.surface.map(|surface| surface.hausdorff),
            Self::Hausdorff95 => score.surface.map(|surface| surface.hausdorff_95),
            Self::AverageSurfaceDistance => score.surface.map(|surface| surface.average),
            Self::SurfaceDice => score.surface.map(|surface| surface.dice),
            _ => self.of_counts(&score.counts, empty),
        }
    }

    /// Of counts alone, which may be those of many cases.
    pub(crate) fn of_counts(self, counts: &Counts, empty: Empty) -> Option<f64> {
        let ratio = match self {
            Self::Dice => counts.dice(),
            Self::Iou => counts.iou(),
            Self::Precision => counts.precision(),
            Self::Recall => counts.recall(),
            Self::Specificity => counts.specificity(),
            _ => return None,
        };
        let is_overlap = matches!(self, Self::Dice | Self::Iou);
        Some(match empty {
            Empty::NanWithoutTruth if is_overlap && counts.actual() == 0 => f64::NAN,
            Empty::One if is_overlap && ratio.is_nan() => 1.0,
            Empty::Zero if is_overlap && ratio.is_nan() => 0.0,
            _ => ratio,
        })
    }
}
