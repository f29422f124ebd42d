//! A file as a mask.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::case::Class;
use super::labels::{Labels, MAX_CHANNELS};
use super::taken::{Decision, Taken};
use segloss_files::{Contents, Error, Space, Values, position, shape};

use crate::array::{self, fractions};
use crate::failure::Failure;

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The class.
    Labels,
    /// Which of several channels, that may overlap, the voxel is in: one a bit.
    Channels,
}

/// A mask of one or several classes.
#[derive(Debug)]
pub(crate) struct Volume {
    pub(crate) path: PathBuf,
    /// Of its spatial axes.
    pub(crate) dims: Vec<usize>,
    pub(crate) labels: Labels,
    pub(crate) meaning: Meaning,
    /// How many channels there were.
    pub(crate) channels: usize,
    pub(crate) first_axis_fastest: bool,
    pub(crate) space: Option<Space>,
}

impl Volume {
    /// With the last axis fastest.
    pub(super) fn labels_in_c_order(&self) -> Result<Cow<'_, Labels>, Failure> {
        if !self.first_axis_fastest {
            return Ok(Cow::Borrowed(&self.labels));
        }
        let labels = self.labels.in_c_order(&self.dims);
        labels.map(Cow::Owned).map_err(|error| Failure::file(&self.path, error))
    }
}

/// What the numbers of a file are taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// What they look like
    #[default]
    Auto,
    /// Class ids, whatever their values
    Labels,
    /// Masks of 0 and something else
    Mask,
    /// Numbers in [0, 1]
    Probabilities,
}

/// Where an array has its channels, one a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Channels {
    /// First of the four axes of an array, of one axis more than the other file has, and of three along which both add up to 1; last
    /// of a NIfTI file's
    #[default]
    Auto,
    /// Along the first axis
    First,
    /// Along the last axis
    Last,
    /// Nowhere: every axis is spatial
    None,
}

/// Which way round the axes of an array lie that stands beside a NIfTI file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum NpzOrder {
    /// Reversed in what nnU-Net writes, arrays called probabilities or softmax; else as stored
    #[default]
    Auto,
    /// As SimpleITK has them: [C, z, y, x]
    Reversed,
    /// As NIfTI has them: [C, x, y, z]
    Stored,
}

/// The arrays in which nnU-Net has probabilities.
const OF_NNUNET: [&str; 2] = ["probabilities", "softmax"];

/// How files are to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) kind: Kind,
    pub(crate) channels: Channels,
    pub(crate) threshold: f64,
    pub(crate) logits: bool,
    pub(crate) png_white: Option<u16>,
    pub(crate) npz_key: Option<String>,
    pub(crate) npz_order: NpzOrder,
    /// Labels that were asked for by number: they mean what they say.
    pub(crate) named: Vec<i32>,
    /// That of them which does not count.
    pub(crate) ignored: Option<i32>,
}

impl Reading {
    /// What a number has to be above to be foreground. Of a logit z: σ(z) > θ where z > ln(θ/(1-θ)). In f32, as on the GPU.
    pub(super) fn bound(&self) -> f32 {
        let bound = if self.logits { (self.threshold / (1.0 - self.threshold)).ln() } else { self.threshold };
        bound as f32
    }
}

impl Channels {
    /// Where a file with so many axes has them: those that were asked for are those of the file with more axes.
    pub(super) fn of(self, rank: usize, other_rank: usize) -> Self {
        match self {
            Self::First | Self::Last if rank < other_rank => Self::None,
            channels => channels,
        }
    }
}

/// Whether a channel of this number can be told from others.
pub(crate) fn is_channel(channel: i32) -> bool {
    (0..MAX_CHANNELS as i32).contains(&channel)
}

impl Meaning {
    /// Whether a voxel with this label belongs to a class.
    pub(crate) fn is_of(self, label: i32, class: &Class) -> bool {
        match self {
            Self::Labels => class.labels.contains(&label),
            Self::Channels => class.labels.iter().any(|&channel| is_channel(channel) && label >> channel & 1 != 0),
        }
    }
}

/// Reads both files of a pair, at the same time where there are threads for it.
pub(crate) fn read_pair(prediction: &Path, truth: &Path, reading: &Reading) -> Result<[Contents; 2], Failure> {
    let read = |path: &Path| -> Result<Contents, Failure> {
        let mut contents = array::read(path, reading.npz_key.as_deref())?;
        contents.dims = essential(contents.dims, contents.space.is_some());
        check(path, &contents)?;
        Ok(contents)
    };
    let (prediction, truth) = rayon::join(|| read(prediction), || read(truth));
    let (mut prediction, mut truth) = (prediction?, truth?);
    reverse(&mut prediction, &truth, reading);
    reverse(&mut truth, &prediction, reading);
    if !matches!(reading.channels, Channels::First | Channels::Last) {
        shorten(&mut prediction, truth.dims.len());
        shorten(&mut truth, prediction.dims.len());
    }
    Ok([prediction, truth])
}

/// Turns the axes of an array round that has them the other way than the NIfTI file beside it: the numbers stay where they are.
fn reverse(array: &mut Contents, other: &Contents, reading: &Reading) {
    let is_reversed = match (reading.npz_order, &array.array) {
        (NpzOrder::Stored, _) | (_, None) => false,
        (NpzOrder::Reversed, _) => true,
        (NpzOrder::Auto, Some(name)) => OF_NNUNET.contains(&name.as_str()),
    };
    if is_reversed && array.space.is_none() && other.space.is_some() {
        array.dims.reverse();
        array.first_axis_fastest = true;
    }
}

/// Without axes of length 1 that say nothing: NIfTI's after the third, and those in front of the channels of an array.
fn essential(mut dims: Vec<usize>, is_nifti: bool) -> Vec<usize> {
    while is_nifti && dims.len() > 3 && dims.last() == Some(&1) {
        dims.pop();
    }
    while is_nifti && dims.len() > 4 && dims[3] == 1 {
        dims.remove(3);
    }
    while !is_nifti && dims.len() > 4 && dims[0] == 1 {
        dims.remove(0);
    }
    dims
}

/// Takes away axes of length 1, at the end and in front of an array, until there are no more than in the other file.
fn shorten(contents: &mut Contents, rank: usize) {
    let dims = &mut contents.dims;
    while dims.len() > rank.max(1) && dims.last() == Some(&1) {
        dims.pop();
    }
    while !contents.first_axis_fastest && dims.len() > rank.max(1) && dims[0] == 1 {
        dims.remove(0);
    }
}

/// Refuses what holds no voxels, or numbers that are none.
fn check(path: &Path, contents: &Contents) -> Result<(), Failure> {
    if contents.values.is_empty() {
        return Err(Failure::file(
            path,
            format!("the array is empty (shape {}); expected voxels", shape(&contents.dims)),
        ));
    }
    let Values::F32(values) = &contents.values else { return Ok(()) };
    let unusable = values.iter().filter(|v| !v.is_finite()).count();
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(first) => Err(Failure::file(
            path,
            format!(
                "{unusable} of {} values are not finite numbers, the first ({}) at {:?}; expected finite numbers only",
                values.len(),
                values[first],
                contents.position(first)
            ),
        )),
    }
}

/// The masks that two files hold.
pub(super) fn masks(
    paths: [&Path; 2],
    contents: [Contents; 2],
    decision: &Decision,
    reading: &Reading,
) -> Result<[Volume; 2], Failure> {
    let ranks = [0, 1].map(|file| contents[file].dims.len());
    let [prediction, truth] = contents;
    let prediction = Stack::new(prediction, decision.channels.of(ranks[0], ranks[1]), ranks[1]);
    let truth = Stack::new(truth, decision.channels.of(ranks[1], ranks[0]), ranks[0]);
    let of_truth = Reading { logits: false, ..reading.clone() };
    let mut masks = [
        prediction.into_mask(0, decision, reading).map_err(|reason| Failure::file(paths[0], reason))?,
        truth.into_mask(1, decision, &of_truth).map_err(|reason| Failure::file(paths[1], reason))?,
    ];
    if masks[0].spatial != masks[1].spatial {
        return Err(Failure::file(
            paths[1],
            format!(
                "its shape {} differs from the prediction's, {} in {}; expected equal shapes",
                shape(&masks[1].spatial),
                shape(&masks[0].spatial),
                paths[0].display()
            ),
        ));
    }
    if masks[0].channels > 1 && masks[1].channels > 1 && masks[0].channels != masks[1].channels {
        let (found, expected) = (masks[1].channels, masks[0].channels);
        return Err(Failure::file(
            paths[1],
            format!("it has {found} channels and the prediction {expected}; expected as many, or label maps"),
        ));
    }
    if masks[0].meaning != masks[1].meaning {
        for (path, mask) in paths.into_iter().zip(&mut masks) {
            mask.overlap().map_err(|reason| Failure::file(path, reason))?;
        }
    }
    if masks[0].meaning != masks[1].meaning {
        let which =
            |mask: &Mask| if mask.meaning == Meaning::Channels { "overlapping channels" } else { "one label a voxel" };
        return Err(Failure::file(
            paths[1],
            format!("it has {} and the prediction {}; expected the same of both", which(&masks[1]), which(&masks[0])),
        ));
    }
    if masks[0].first_axis_fastest != masks[1].first_axis_fastest {
        for (path, mask) in paths.into_iter().zip(&mut masks) {
            mask.put_in_c_order().map_err(|error| Failure::file(path, error))?;
        }
    }
    let [prediction, truth] = masks;
    Ok([(paths[0], prediction), (paths[1], truth)].map(|(path, mask)| Volume {
        path: path.to_owned(),
        dims: mask.spatial,
        labels: mask.labels,
        meaning: mask.meaning,
        channels: mask.channels,
        first_axis_fastest: mask.first_axis_fastest,
        space: mask.space,
    }))
}

/// Which axis of a file has its channels, if any, beside another file with so many axes.
pub(super) fn channel_axis(contents: &Contents, channels: Channels, other_rank: usize) -> Option<usize> {
    // As in NIfTI: so are arrays that were turned round, whose first axis in the file is now the last.
    let (rank, is_like_nifti) = (contents.dims.len(), contents.first_axis_fastest);
    let was_reversed = is_like_nifti && contents.space.is_none();
    match channels {
        _ if rank < 2 => None,
        Channels::None => None,
        Channels::First => Some(if was_reversed { rank - 1 } else { 0 }),
        Channels::Last => Some(if was_reversed { 0 } else { rank - 1 }),
        Channels::Auto if is_like_nifti => (rank > 3).then_some(rank - 1),
        Channels::Auto => (rank > 3 || rank == other_rank + 1).then_some(0),
    }
}

/// The channels of a file, or its only one.
struct Stack {
    contents: Contents,
    spatial: Vec<usize>,
    channels: usize,
    /// From one channel of a voxel to the next, and from one voxel to the next.
    steps: [usize; 2],
}

impl Stack {
    fn new(contents: Contents, channels: Channels, other_rank: usize) -> Self {
        let axis = channel_axis(&contents, channels, other_rank);
        let dims = &contents.dims;
        let mut spatial = dims.clone();
        let channels = axis.map_or(1, |axis| spatial.remove(axis));
        let voxels = spatial.iter().product();
        // The axis is the slowest in memory, or the fastest.
        let is_slowest = axis.is_none_or(|axis| (axis == 0) != contents.first_axis_fastest);
        let steps = if is_slowest { [voxels, 1] } else { [1, channels] };
        Self { contents, spatial, channels, steps }
    }

    /// The mask of the prediction, file 0, or of the truth, file 1.
    fn into_mask(self, file: usize, decision: &Decision, reading: &Reading) -> Result<Mask, String> {
        let (channels, taken) = (self.channels, decision.taken[file]);
        let (first_axis_fastest, space) = (self.contents.first_axis_fastest, self.contents.space.clone());
        let (spatial, steps, dims) = (self.spatial, self.steps, self.contents.dims.clone());
        let position = |index| position(&dims, first_axis_fastest, index);
        // In the order of the file, which `steps` are in.
        let fractions = |contents| fractions(Contents { first_axis_fastest: false, ..contents }, reading.png_white);
        let (labels, meaning) = match taken {
            _ if channels > 1 => Labels::of_channels(&fractions(self.contents)?, channels, steps, reading, &position)?,
            Taken::Probabilities => {
                let values = fractions(self.contents)?;
                (Labels::of_probabilities(&values, decision.foreground, reading, &position)?, Meaning::Labels)
            }
            _ => (Labels::of(self.contents.values, taken == Taken::Mask, &position)?, Meaning::Labels),
        };
        Ok(Mask { spatial, labels, meaning, channels, first_axis_fastest, space })
    }
}

/// A mask on its way.
struct Mask {
    spatial: Vec<usize>,
    labels: Labels,
    meaning: Meaning,
    channels: usize,
    first_axis_fastest: bool,
    space: Option<Space>,
}

impl Mask {
    /// One label for each channel as one bit for each, where that is what it was.
    fn overlap(&mut self) -> Result<(), String> {
        if self.channels > 1
            && self.meaning == Meaning::Labels
            && self.labels.iter().all(|label| label < MAX_CHANNELS as i32)
        {
            self.labels = Labels::wide(self.labels.iter().map(|label| 1 << label))?;
            self.meaning = Meaning::Channels;
        }
        Ok(())
    }

    fn put_in_c_order(&mut self) -> Result<(), Error> {
        if self.first_axis_fastest {
            self.labels = self.labels.in_c_order(&self.spatial)?;
            self.first_axis_fastest = false;
        }
        Ok(())
    }
}
