//! What can go wrong, as values.

use thiserror::Error;

use crate::{Activation, LabelFormat};

/// How many elements of each input were not usable numbers.
///
/// A voxel counted here had weight 0 in the sums and received a gradient of exactly 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BadValues {
    /// Logits (or probabilities) that are NaN or infinite.
    pub logits: u32,
    /// Predicted labels that are no class.
    pub predicted_labels: u32,
    /// Targets that are NaN or infinite.
    pub targets: u32,
    /// Labels that are neither a class nor the ignore index.
    pub labels: u32,
    /// Mask entries that are neither 0 nor 1.
    pub mask: u32,
    /// Voxel weights that are NaN or infinite.
    pub voxel_weights: u32,
}

impl BadValues {
    /// Whether every element was usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Display for BadValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            (self.logits, "non-finite logits"),
            (self.predicted_labels, "predicted labels that are no class (from 0 to C − 1)"),
            (self.targets, "non-finite targets"),
            (self.labels, "labels that are no class (from 0 to C − 1) nor the ignore index"),
            (self.mask, "mask entries other than 0 and 1"),
            (self.voxel_weights, "non-finite voxel weights"),
        ];
        let mut separator = "";
        for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {what}")?;
            separator = ", ";
        }
        Ok(())
    }
}

/// A further sentence, where there is one.
fn sentence(text: Option<&str>) -> String {
    text.map_or(String::new(), |text| format!(". {text}"))
}

/// Every error of this crate. Each carries the values it speaks of.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// No adapter at all, or none that fits the request.
    #[error("no GPU adapter {wanted}; found: {found}{}", sentence(*advice))]
    NoAdapter {
        /// What was asked for, by the caller and by the environment.
        wanted: String,
        /// What there is.
        found: String,
        /// What to do where there is none at all.
        advice: Option<&'static str>,
    },
    /// A name in `WGPU_BACKEND` that is no backend.
    #[error(
        "WGPU_BACKEND names the unknown backend {name:?}; give vulkan, metal, dx12 or gl, or several with commas between \
         them"
    )]
    UnknownBackend {
        /// The name.
        name: String,
    },
    /// The adapter refused to make a device.
    #[error("the adapter {adapter} gave no device: {reason}")]
    NoDevice {
        /// The adapter's name.
        adapter: String,
        /// Its reason.
        reason: String,
    },
    /// The device lacks something the kernels need.
    #[error("the device's limit {limit} is {found}, the kernels need at least {needed}")]
    Limit {
        /// The limit's name in wgpu.
        limit: &'static str,
        /// The device's value.
        found: u64,
        /// The least value that works.
        needed: u64,
    },
    /// A shape that is not `[N, C, spatial…]` or does not fit in memory.
    #[error("the shape {dims:?} is not usable: {reason}")]
    Shape {
        /// The dimensions given.
        dims: Vec<usize>,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// An array or buffer of the wrong length.
    #[error("{what} has {found} elements, the problem needs {expected}")]
    Length {
        /// Which array.
        what: &'static str,
        /// Its number of elements.
        found: u64,
        /// The number the shape asks for.
        expected: u64,
    },
    /// A gradient from outside that is no number, or infinite: so would be what it is multiplied by.
    #[error("the upstream gradient{} is {found}; give finite numbers", row.map_or(String::new(), |row| format!(" of row {row}")))]
    Upstream {
        /// Of which row, if it is not that of the loss.
        row: Option<usize>,
        /// What.
        found: String,
    },
    /// An array that the problem needs was not given, or one was given that it does not know.
    #[error(
        "{what} is {found} but the problem was planned {planned} it; give the same parts to the problem and to the buffers"
    )]
    Part {
        /// Which array.
        what: &'static str,
        /// "given" or "missing".
        found: &'static str,
        /// "with" or "without".
        planned: &'static str,
    },
    /// A loss description that means nothing.
    #[error("the loss is not usable: {0}")]
    Loss(String),
    /// A peer's argument that the peer, or this crate, does not take.
    #[error("{peer}: {reason}")]
    Peer {
        /// The peer's class or function.
        peer: &'static str,
        /// What is wrong, with the value.
        reason: String,
    },
    /// Sums that were to be taken as counts and are those of something else.
    #[error(
        "the sums {:?} over {} voxels are not counts of hard masks; give the loss a threshold with Loss::hard, and take that \
         term's sums", sums.values, sums.count
    )]
    NotCounts {
        /// The sums.
        sums: crate::Sums,
    },
    /// A gradient of something that has none.
    #[error(
        "term {term} thresholds the prediction, so its gradient is zero almost everywhere; evaluate it without a gradient"
    )]
    NotDifferentiable {
        /// The index of the term.
        term: usize,
    },
    /// A gradient with respect to a label map.
    #[error(
        "the prediction is a label map of {format:?}, which has no gradient; evaluate it without one, or give logits or \
         probabilities"
    )]
    NoGradientOfLabels {
        /// How the labels are stored.
        format: LabelFormat,
    },
    /// A term that takes logits, of a label map.
    #[error(
        "term {term} takes the {activation:?} of its input, which is a label map of {format:?}; make it one of probabilities \
         (Loss::probabilities), or give logits"
    )]
    ActivationOfLabels {
        /// The index of the term.
        term: usize,
        /// What it takes.
        activation: Activation,
        /// How the labels are stored.
        format: LabelFormat,
    },
    /// A problem beyond what the device can address.
    #[error("{what} needs {needed} {unit}, the device allows {limit}; {advice}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        needed: u64,
        /// The device's limit.
        limit: u64,
        /// What is counted: bytes, workgroups.
        unit: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A buffer range that is out of bounds, misaligned or overlaps another.
    #[error("the {what} range (offset {offset}, length {length}) {reason}")]
    Range {
        /// Which buffer.
        what: &'static str,
        /// Byte offset.
        offset: u64,
        /// Byte length.
        length: u64,
        /// What is wrong.
        reason: String,
    },
    /// A buffer that was created without a usage the kernels need.
    #[error("the {what} buffer was created without {missing:?}; add it to the buffer's usages")]
    Usage {
        /// Which buffer.
        what: &'static str,
        /// The missing usages.
        missing: wgpu::BufferUsages,
    },
    /// Inputs that hold values which are not usable numbers. The rest of the data was evaluated
    /// without them.
    #[error("the input holds {0}; they were left out of the sums and have gradient 0")]
    BadValues(BadValues),
    /// A result was read before any evaluation of it was submitted.
    #[error("there is no result yet; encode the evaluation and submit it, then read")]
    NotEvaluated,
    /// A result was read while another reading of it was under way.
    #[error("this result is being read already; read it by one thread at a time")]
    BeingRead,
    /// The device has no memory left for a buffer.
    #[error("the device is out of memory: {0}; split the batch, or free buffers")]
    OutOfMemory(String),
    /// The device is gone: it was destroyed, unplugged, reset by its driver. Nothing of its context works any more.
    #[error("the device is lost: {reason}; make a new context")]
    DeviceLost {
        /// What the driver or wgpu said of it.
        reason: String,
    },
    /// wgpu reported an error. Of a [caller's device](crate::Gpu::from_wgpu) that is lost, too: its owner has its callback.
    #[error("the GPU reported: {0}")]
    Device(String),
}
