//! What is known of a pair of files once it is scored.

use std::path::PathBuf;

use segloss::metrics::Counts;

use super::volume::Meaning;

/// A class that is scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// As people read it: `1`, or `white matter`.
    pub(crate) name: String,
    /// The labels that belong to it; of overlapping channels, the channel.
    pub(crate) labels: Vec<i32>,
    /// Whether it was given as a list of labels.
    pub(crate) is_region: bool,
}

impl Class {
    /// A class of one label.
    pub(crate) fn of_label(name: impl Into<String>, label: i32) -> Self {
        Self { name: name.into(), labels: vec![label], is_region: false }
    }

    /// How nnU-Net writes it as a key, Python's way: `1`, of a region `(1, 2)` or `(1,)`.
    pub(crate) fn key(&self) -> String {
        let labels: Vec<_> = self.labels.iter().map(i32::to_string).collect();
        match &labels[..] {
            [label] if self.is_region => format!("({label},)"),
            [label] => label.clone(),
            labels => format!("({})", labels.join(", ")),
        }
    }

    /// Whether it is what is left of all others.
    pub(crate) fn is_background(&self, meaning: Meaning) -> bool {
        self.name.eq_ignore_ascii_case("background") || (meaning == Meaning::Labels && self.labels[..] == [0])
    }
}

/// A scored pair.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What the names of both files have in common.
    pub(crate) name: String,
    pub(crate) prediction: PathBuf,
    pub(crate) truth: PathBuf,
    pub(crate) voxels: u64,
    /// The number of spatial axes.
    pub(crate) rank: usize,
    /// What a voxel takes, in mm³ (of an image mm²), if the files or `--spacing` say.
    pub(crate) voxel_volume: Option<f64>,
    /// One for every class.
    pub(crate) scores: Vec<Score>,
    /// By the weights 1/T² over the classes, NaN of a case without any.
    pub(crate) generalized_dice: f64,
    /// The slice with most voxels in one mask only, where there are any.
    pub(crate) slice: Option<Slice>,
}

/// How well a class was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score {
    pub(crate) counts: Counts,
    /// Where surfaces were asked for.
    pub(crate) surface: Option<Surface>,
    /// Where probabilities of this class were predicted; NaN of another class than theirs.
    pub(crate) soft: Option<Soft>,
}

/// How well probabilities fit, before a threshold makes them a mask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Soft {
    /// NaN of nothing by nothing.
    pub(crate) dice: f64,
    /// The mean binary cross-entropy of a voxel.
    pub(crate) cross_entropy: f64,
}

/// Distances between the surfaces of two masks, in mm where the spacing is known, else in voxels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surface {
    pub(crate) hausdorff: f64,
    pub(crate) hausdorff_95: f64,
    pub(crate) average: f64,
    /// The share of both surfaces that lies within the tolerance of the other.
    pub(crate) dice: f64,
}

/// A slice through both masks.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    /// The axis that it is across, and where.
    pub(crate) axis: usize,
    pub(crate) index: usize,
    /// Of a series of volumes, which.
    pub(crate) volume: Option<usize>,
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Height of a pixel over its width, by the spacing.
    pub(crate) aspect: f64,
    /// One for every pixel, row by row.
    pub(crate) pixels: Vec<Agreement>,
}

/// What prediction and truth say of a voxel, of all classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// Background in both.
    Neither,
    /// Both say the same class.
    Both,
    /// Foreground in the prediction only.
    Prediction,
    /// Foreground in the truth only.
    Truth,
    /// Another class.
    Confused,
}
