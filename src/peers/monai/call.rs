//! What MONAI's losses do with prediction and target before they measure anything.

use crate::loss::Classes;
use crate::{Activation, Error, Problem, TargetFormat};

/// A function for `other_act`, which is a callable in the original, by its name there: `"tanh"` or `"torch.tanh"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum OtherAct {
    /// tanh z.
    #[cfg_attr(feature = "serde", serde(alias = "torch.tanh"))]
    Tanh,
    /// σ(z), as with `sigmoid`.
    #[cfg_attr(feature = "serde", serde(alias = "torch.sigmoid"))]
    Sigmoid,
    /// The softmax over the channels, as with `softmax`; of one channel it is 1.
    #[cfg_attr(feature = "serde", serde(alias = "torch.softmax"))]
    Softmax,
    /// The logarithm of the softmax over the channels.
    #[cfg_attr(feature = "serde", serde(alias = "torch.log_softmax"))]
    LogSoftmax,
}

impl From<OtherAct> for Activation {
    fn from(function: OtherAct) -> Self {
        match function {
            OtherAct::Tanh => Self::Tanh,
            OtherAct::Sigmoid => Self::Sigmoid,
            OtherAct::Softmax => Self::Softmax,
            OtherAct::LogSoftmax => Self::LogSoftmax,
        }
    }
}

/// The arguments that say how a prediction becomes p.
#[derive(Clone, Copy)]
pub(super) struct Activations {
    pub(super) sigmoid: bool,
    pub(super) softmax: bool,
    pub(super) other_act: Option<OtherAct>,
}

/// A loss asked for a problem: whom errors name, and what there is.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) peer: &'static str,
    pub(super) problem: &'a Problem,
}

impl Call<'_> {
    pub(super) fn refuse<T>(&self, reason: impl Into<String>) -> Result<T, Error> {
        Err(Error::Peer { peer: self.peer, reason: reason.into() })
    }

    /// C.
    pub(super) fn channels(&self) -> usize {
        self.problem.shape.classes()
    }

    /// The number of spatial axes.
    pub(super) fn spatial_axes(&self) -> usize {
        self.problem.shape.dims().len() - 2
    }

    /// The channels that are measured. One alone is no background.
    pub(super) fn classes(&self, include_background: bool) -> Classes {
        if include_background || self.channels() == 1 { Classes::All } else { Classes::Foreground }
    }

    /// How many those are.
    pub(super) fn selected(&self, include_background: bool) -> usize {
        self.classes(include_background).number(self.channels())
    }

    pub(super) fn activation(&self, of: Activations) -> Result<Activation, Error> {
        match (of.sigmoid, of.softmax, of.other_act) {
            (false, false, None) => Ok(Activation::None),
            (true, false, None) => Ok(Activation::Sigmoid),
            // One channel is left as it is, not made 1.
            (false, true, None) if self.channels() == 1 => Ok(Activation::None),
            (false, true, None) => Ok(Activation::Softmax),
            (false, false, Some(function)) => Ok(function.into()),
            _ => self.refuse("more than one of sigmoid, softmax and other_act is given; give at most one"),
        }
    }

    /// Whether targets are what `to_onehot_y` says they are.
    pub(super) fn check_targets(&self, to_onehot_y: bool) -> Result<(), Error> {
        let channels = self.channels();
        match (self.problem.targets.is_labels(), to_onehot_y) {
            // Of one channel a target is 0 or 1 itself; label 0 of one class would mean the opposite.
            (true, _) if channels == 1 => {
                self.refuse("the target of one channel is not made one-hot; give it dense, 1 where the structure is")
            }
            (true, false) => self.refuse(format!(
                "labels have one channel, the prediction has {channels}; set to_onehot_y, or give one-hot targets"
            )),
            (false, true) if channels != 1 => self.refuse(format!(
                "to_onehot_y takes labels, the targets have {channels} channels; leave it out, or give labels"
            )),
            _ => Ok(()),
        }
    }

    /// Whether what an ignore index leaves out can be told from the targets one by one.
    pub(super) fn check_ignore_index(&self, ignore_index: Option<i64>) -> Result<(), Error> {
        let Some(index) = ignore_index else { return Ok(()) };
        match self.problem.targets {
            TargetFormat::Labels(_) => Ok(()),
            // There it leaves out voxels of that class, or those of no class.
            _ if self.channels() != 1 => self.refuse(format!(
                "ignore_index {index} of targets with {} channels is not supported; give labels and to_onehot_y",
                self.channels()
            )),
            _ => Ok(()),
        }
    }

    /// A trade-off weight.
    pub(super) fn check_lambda(&self, name: &str, lambda: f64) -> Result<(), Error> {
        if lambda < 0.0 { self.refuse(format!("{name} is {lambda}, it must be no less than 0")) } else { Ok(()) }
    }

    /// A result's leading axes, and one of length 1 for every spatial axis.
    pub(super) fn broadcastable(&self, leading: &[usize]) -> Vec<usize> {
        [leading, &vec![1; self.spatial_axes()]].concat()
    }
}
