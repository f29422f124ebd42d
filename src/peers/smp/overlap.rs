//! Ratios of overlap sums.

use super::Mode;
use crate::loss::{Classes, Empty, Formula, Intersection, Measure, Outer, Overlap};
use crate::peers::{Peer, refuse, single, targets};
use crate::{Activation, Error, Loss, Map, Pool, Problem};

/// `DiceLoss(mode, classes=None, log_loss=False, from_logits=True, smooth=0.0, ignore_index=None, eps=1e-7,
/// class_weights=None)`: [`TverskyLoss`] with α = β = ½.
///
/// The smoothing is that of the ratio without the factor 2: (I + s)/max((P + T)/2 + s, ε).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DiceLoss {
    /// `binary`, `multiclass` or `multilabel`.
    pub mode: Mode,
    /// As [`TverskyLoss::classes`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub classes: Option<Vec<i64>>,
    /// As [`TverskyLoss::log_loss`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub log_loss: bool,
    /// Whether the input is logits.
    #[cfg_attr(feature = "serde", serde(default = "super::yes"))]
    pub from_logits: bool,
    /// s.
    #[cfg_attr(feature = "serde", serde(default))]
    pub smooth: f64,
    /// As [`TverskyLoss::ignore_index`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub ignore_index: Option<i64>,
    /// ε.
    #[cfg_attr(feature = "serde", serde(default = "eps"))]
    pub eps: f64,
    /// As [`TverskyLoss::class_weights`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub class_weights: Option<Vec<f64>>,
}

impl DiceLoss {
    /// With the argument that the original has no default for.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        let TverskyLoss { classes, log_loss, from_logits, smooth, ignore_index, eps, class_weights, .. } =
            TverskyLoss::new(mode);
        Self { mode, classes, log_loss, from_logits, smooth, ignore_index, eps, class_weights }
    }
}

impl Peer for DiceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let Self { mode, classes, log_loss, from_logits, smooth, ignore_index, eps, class_weights } = self.clone();
        let (alpha, beta, gamma) = (0.5, 0.5, 1.0);
        TverskyLoss {
            mode,
            classes,
            log_loss,
            from_logits,
            smooth,
            ignore_index,
            eps,
            alpha,
            beta,
            gamma,
            class_weights,
        }
        .named("DiceLoss", problem)
    }
}

/// `JaccardLoss(mode, classes=None, log_loss=False, from_logits=True, smooth=0.0, ignore_index=None, eps=1e-7,
/// class_weights=None)`: [`TverskyLoss`] with α = β = 1, (I + s)/max(P + T − I + s, ε).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct JaccardLoss {
    /// `binary`, `multiclass` or `multilabel`.
    pub mode: Mode,
    /// As [`TverskyLoss::classes`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub classes: Option<Vec<i64>>,
    /// As [`TverskyLoss::log_loss`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub log_loss: bool,
    /// Whether the input is logits.
    #[cfg_attr(feature = "serde", serde(default = "super::yes"))]
    pub from_logits: bool,
    /// s.
    #[cfg_attr(feature = "serde", serde(default))]
    pub smooth: f64,
    /// As [`TverskyLoss::ignore_index`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub ignore_index: Option<i64>,
    /// ε.
    #[cfg_attr(feature = "serde", serde(default = "eps"))]
    pub eps: f64,
    /// As [`TverskyLoss::class_weights`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub class_weights: Option<Vec<f64>>,
}

impl JaccardLoss {
    /// With the argument that the original has no default for.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        let TverskyLoss { classes, log_loss, from_logits, smooth, ignore_index, eps, class_weights, .. } =
            TverskyLoss::new(mode);
        Self { mode, classes, log_loss, from_logits, smooth, ignore_index, eps, class_weights }
    }
}

impl Peer for JaccardLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let Self { mode, classes, log_loss, from_logits, smooth, ignore_index, eps, class_weights } = self.clone();
        let (alpha, beta, gamma) = (1.0, 1.0, 1.0);
        TverskyLoss {
            mode,
            classes,
            log_loss,
            from_logits,
            smooth,
            ignore_index,
            eps,
            alpha,
            beta,
            gamma,
            class_weights,
        }
        .named("JaccardLoss", problem)
    }
}

/// `TverskyLoss(mode, classes=None, log_loss=False, from_logits=True, smooth=0.0, ignore_index=None, eps=1e-7, alpha=0.5,
/// beta=0.5, gamma=1.0, class_weights=None)`: (mean over the classes of 1 − s)^γ with
/// s = (I + s₀)/max(I + α·FP + β·FN + s₀, ε) of each class in the **whole batch**.
///
/// I is Σ min(p, t). A class without a target voxel in the batch has the loss 0 and takes part in the mean. (With s₀ and ε of 0 the
/// original has NaN for it where nothing is predicted, either.)
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct TverskyLoss {
    /// `binary`, `multiclass` or `multilabel`.
    pub mode: Mode,
    /// The classes that take part, all unless given; negative ones count from the last. Not in mode `binary`. (The original
    /// counts a class twice that is listed twice, which is refused.)
    #[cfg_attr(feature = "serde", serde(default))]
    pub classes: Option<Vec<i64>>,
    /// Whether it is −ln max(s, ε) of a class rather than 1 − s.
    #[cfg_attr(feature = "serde", serde(default))]
    pub log_loss: bool,
    /// Whether the input is logits.
    #[cfg_attr(feature = "serde", serde(default = "super::yes"))]
    pub from_logits: bool,
    /// s₀.
    #[cfg_attr(feature = "serde", serde(default))]
    pub smooth: f64,
    /// The target value that does not count: a label in mode `multiclass`, else that of an element.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ignore_index: Option<i64>,
    /// ε.
    #[cfg_attr(feature = "serde", serde(default = "eps"))]
    pub eps: f64,
    /// α, the weight of false positives.
    #[cfg_attr(feature = "serde", serde(default = "half"))]
    pub alpha: f64,
    /// β, the weight of false negatives.
    #[cfg_attr(feature = "serde", serde(default = "half"))]
    pub beta: f64,
    /// γ, the power of the mean.
    #[cfg_attr(feature = "serde", serde(default = "one"))]
    pub gamma: f64,
    /// A weight for every class; the mean then divides by the sum of those that take part, which must not be 0 (the original
    /// gives NaN). Not in mode `binary`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub class_weights: Option<Vec<f64>>,
}

#[cfg(feature = "serde")]
fn eps() -> f64 {
    1e-7
}

#[cfg(feature = "serde")]
fn half() -> f64 {
    0.5
}

#[cfg(feature = "serde")]
fn one() -> f64 {
    1.0
}

impl TverskyLoss {
    /// With the argument that the original has no default for.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            classes: None,
            log_loss: false,
            from_logits: true,
            smooth: 0.0,
            ignore_index: None,
            eps: 1e-7,
            alpha: 0.5,
            beta: 0.5,
            gamma: 1.0,
            class_weights: None,
        }
    }

    fn named(&self, peer: &'static str, problem: &Problem) -> Result<Loss, Error> {
        self.mode.check_targets(peer, problem)?;
        let classes = self.selection(peer, problem)?;
        let overlap = Overlap {
            smooth_numerator: self.smooth,
            smooth_denominator: self.smooth,
            floor: self.eps,
            pool: if self.mode == Mode::Binary { Pool::All } else { Pool::Batch },
            map: if self.log_loss { Map::NegLog { eps: self.eps } } else { Map::Complement },
            intersection: Intersection::MinimumOfPositive,
            empty: Empty::Zero,
            class_weights: self.mode.class_weights(peer, self.class_weights.as_deref(), &classes, problem)?,
            normalized: true,
            zero_keeps_nan: true,
            outer: if self.gamma == 1.0 { Outer::Identity } else { Outer::Power { gamma: self.gamma } },
            ..Overlap::tversky(self.alpha, self.beta)
        };
        let loss = single(self.activation(), Measure::Overlap(overlap)).classes(classes);
        Ok(Loss { ignore_index: self.ignore_index, ..loss })
    }

    fn activation(&self) -> Activation {
        match self.mode {
            _ if !self.from_logits => Activation::None,
            Mode::Multiclass => Activation::Softmax,
            Mode::Binary | Mode::Multilabel => Activation::Sigmoid,
        }
    }

    fn selection(&self, peer: &'static str, problem: &Problem) -> Result<Classes, Error> {
        let Some(list) = &self.classes else { return Ok(Classes::All) };
        if self.mode == Mode::Binary {
            return refuse(peer, "mode binary takes no classes; leave them out");
        }
        let classes = problem.shape.classes();
        let positive = |&class: &i64| {
            let counted = if class < 0 { class.saturating_add(classes as i64) } else { class };
            match usize::try_from(counted) {
                Ok(index) if index < classes => Ok(index),
                _ => refuse(peer, format!("class {class} does not exist among {classes} classes")),
            }
        };
        list.iter().map(positive).collect::<Result<_, _>>().map(Classes::Only)
    }
}

impl Peer for TverskyLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        self.named("TverskyLoss", problem)
    }
}

/// `MCCLoss(eps=1e-5)` of probabilities: 1 − the Matthews correlation of TP, TN, FP and FN over everything, ε added to each.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct MCCLoss {
    /// ε, above 0.
    pub eps: f64,
}

impl Default for MCCLoss {
    fn default() -> Self {
        Self { eps: 1e-5 }
    }
}

impl Peer for MCCLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        targets::dense("MCCLoss", problem)?;
        let formula = Formula::Matthews { eps: self.eps };
        let overlap = Overlap { formula, pool: Pool::All, ..Overlap::dice() };
        Ok(single(Activation::None, Measure::Overlap(overlap)))
    }
}
