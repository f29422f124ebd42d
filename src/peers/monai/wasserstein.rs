//! `GeneralizedWassersteinDiceLoss`.

use super::LossReduction;
use super::call::Call;
use crate::loss::{Distances, Measure, Term, Wasserstein};
use crate::peers::Peer;
use crate::{Activation, Error, Loss, Problem};

/// `weighting_mode`: what a label weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WeightingMode {
    /// 1, but the background 0; errors count 1 (Fidon et al. 2017).
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = "default"))]
    Default,
    /// 1/(T + 1) of its volume in the sample, as do its errors (Tilborghs et al. 2020).
    #[cfg_attr(feature = "serde", serde(rename = "GDL"))]
    Gdl,
}

/// `GeneralizedWassersteinDiceLoss(dist_matrix, weighting_mode="default", reduction="mean", smooth_nr=1e-5,
/// smooth_dr=1e-5)`: the mean over samples of
///
/// ```text
/// 1 − (2Σα(1−δ) + nr) / (2Σα(1−δ) + Σδ + dr),   δ = Σ_c M[label, c]·p_c by softmax
/// ```
///
/// over the voxels, α that of the voxel's label; with `"GDL"` the errors are Σα·δ. The matrix is divided by its largest entry.
/// Targets are labels; without a reduction the result is `[N]`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct GeneralizedWassersteinDiceLoss {
    /// M, by label: a row for each class, of C numbers.
    pub dist_matrix: Vec<Vec<f64>>,
    /// What a label weighs.
    #[cfg_attr(feature = "serde", serde(default))]
    pub weighting_mode: WeightingMode,
    /// How the samples' values become one number.
    #[cfg_attr(feature = "serde", serde(default))]
    pub reduction: LossReduction,
    /// nr.
    #[cfg_attr(feature = "serde", serde(default = "smooth"))]
    pub smooth_nr: f64,
    /// dr.
    #[cfg_attr(feature = "serde", serde(default = "smooth"))]
    pub smooth_dr: f64,
}

fn smooth() -> f64 {
    1e-5
}

impl GeneralizedWassersteinDiceLoss {
    /// With these distances and MONAI's defaults.
    #[must_use]
    pub fn new(dist_matrix: Vec<Vec<f64>>) -> Self {
        let (weighting_mode, reduction) = (WeightingMode::default(), LossReduction::default());
        Self { dist_matrix, weighting_mode, reduction, smooth_nr: smooth(), smooth_dr: smooth() }
    }

    /// The matrix, its largest entry 1.
    fn distances(&self, call: &Call) -> Result<Distances, Error> {
        let largest = self.dist_matrix.iter().flatten().fold(0.0, |a: f64, &b| a.max(b));
        if largest == 0.0 {
            return call.refuse("dist_matrix has no entry above 0, by the largest of which it is divided");
        }
        let scaled = |row: &Vec<f64>| row.iter().map(|distance| distance / largest).collect();
        let distances = Distances::new(self.dist_matrix.iter().map(scaled).collect());
        let distances = distances.or_else(|reason| call.refuse(format!("dist_matrix: {reason}")))?;
        if distances.classes() != call.channels() {
            let (rows, classes) = (distances.classes(), call.channels());
            return call
                .refuse(format!("dist_matrix is {rows}×{rows}, the input has {classes} classes; give one row each"));
        }
        Ok(distances)
    }
}

impl Peer for GeneralizedWassersteinDiceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let call = Call { peer: "GeneralizedWassersteinDiceLoss", problem };
        if !problem.targets.is_labels() {
            return call.refuse("its targets are labels, one a voxel; give a label map");
        }
        let by_volume = self.weighting_mode == WeightingMode::Gdl;
        let found = |class: usize| if class == 0 { 0.0 } else { 1.0 };
        let wasserstein = Wasserstein {
            distances: self.distances(&call)?,
            label_weights: if by_volume { vec![] } else { (0..call.channels()).map(found).collect() },
            by_volume,
            smooth_numerator: self.smooth_nr,
            smooth_denominator: self.smooth_dr,
            reduction: self.reduction.into(),
        };
        Ok(Loss::of(vec![Term::new(Activation::Softmax, Measure::Wasserstein(wasserstein))]))
    }
}
