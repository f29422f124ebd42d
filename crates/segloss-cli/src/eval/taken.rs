//! What the numbers of two files are taken for, decided once for the pair: one file says what the other means.

use segloss_files::{Contents, Grey, Values};

use super::labels::{MAX_CHANNELS, SUM_ROUNDING};
use super::volume::{Channels, Kind, Reading, channel_axis};

/// Labels of an image are at most this, unless something else says that it is one.
const LABEL_SHADES: i32 = 15;

/// What the numbers of a file without channels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Class ids.
    Labels,
    /// All but 0 is foreground.
    Mask,
    /// In [0, 1], or logits: foreground above the threshold.
    Probabilities,
}

/// What a prediction and a truth are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) taken: [Taken; 2],
    /// Where the channels are, of files with more than one.
    pub(super) channels: Channels,
    /// What 1 was in a file that was taken for a mask because it holds nothing but 0 and this.
    pub(super) white: Option<i32>,
    /// Whether shades of grey that could be labels are taken for probabilities.
    pub(super) has_shades: bool,
    /// The label of what lies above the threshold.
    pub(super) foreground: i32,
    /// Whether the prediction has probabilities of one class, for every voxel of the truth.
    pub(super) is_soft: bool,
    /// What would mean 1, if such predictions of other cases made probabilities of this one, which alone looks like labels.
    pub(super) would_be_1: Option<f32>,
}

impl Decision {
    pub(super) fn of(contents: &[Contents; 2], reading: &Reading) -> Self {
        let ranks = [contents[0].dims.len(), contents[1].dims.len()];
        let is_one_hot = reading.channels == Channels::Auto && !reading.logits && are_one_hot(contents);
        let where_asked = if is_one_hot { Channels::First } else { reading.channels };
        let channels = [0, 1].map(|file| {
            let axis = channel_axis(&contents[file], where_asked.of(ranks[file], ranks[1 - file]), ranks[1 - file]);
            axis.map_or(1, |axis| contents[file].dims[axis])
        });
        let alone = [0, 1].map(|file| alone(contents, file, reading));
        let is_white = [0, 1].map(|file| {
            let white = white(&contents[file]);
            alone[file].is_none()
                && channels[file] == 1
                && !reading.named.contains(&white)
                && are_0_or(&contents[file], white)
        });
        let whole = |file: usize| {
            let other = 1 - file;
            // Looked at last: it reads the whole file.
            let is_beside_a_mask = || match alone[other] {
                _ if channels[other] > 1 => channels[other] == 2,
                Some(taken) => taken != Taken::Labels,
                None => is_white[other] || are_0_or(&contents[other], 1),
            };
            if is_white[file] && is_beside_a_mask() { Taken::Mask } else { Taken::Labels }
        };
        let taken = [0, 1].map(|file| alone[file].unwrap_or_else(|| whole(file)));
        let is_one_class = channels == [1, 1] && contents[0].dims == contents[1].dims;
        let foreground = foreground(&contents[1], reading);
        let may_be_soft = is_one_class && alone[0].is_none() && foreground == 1;
        let by_white = (0..2).find(|&file| alone[file].is_none() && taken[file] == Taken::Mask);
        Self {
            taken,
            channels: where_asked,
            white: by_white.map(|file| white(&contents[file])),
            has_shades: reading.kind == Kind::Auto
                && taken[0] == Taken::Probabilities
                && !reading.logits
                && reading.png_white.is_none()
                && contents[0].grey.is_some(),
            foreground,
            is_soft: is_one_class && taken[0] == Taken::Probabilities,
            would_be_1: may_be_soft.then(|| would_be_1(contents, taken[0])).flatten(),
        }
    }
}

/// What a file is whatever stands beside it; `None` of whole numbers, which may be labels or a mask.
fn alone(contents: &[Contents; 2], file: usize, reading: &Reading) -> Option<Taken> {
    let this = &contents[file];
    let white = reading.png_white.filter(|_| matches!(this.grey, Some(Grey::Shades(_))));
    let by_white = white.map(|white| if are_0_or(this, white.into()) { Taken::Mask } else { Taken::Probabilities });
    match (reading.kind, &this.values) {
        _ if file == 0 && reading.logits => Some(Taken::Probabilities),
        (Kind::Labels, _) => Some(Taken::Labels),
        (Kind::Mask, _) => Some(Taken::Mask),
        _ if by_white.is_some() => by_white,
        (Kind::Probabilities, _) => {
            let is_mask = this.grey.is_none() && are_0_or(this, 255) && !are_0_or(this, 0);
            Some(if is_mask { Taken::Mask } else { Taken::Probabilities })
        }
        (Kind::Auto, Values::F32(values)) if values.iter().any(|value| value.fract() != 0.0) => {
            Some(Taken::Probabilities)
        }
        (Kind::Auto, _) => (file == 0 && is_shaded(contents)).then_some(Taken::Probabilities),
    }
}

/// What 1 is stored as in a mask of two values: white in an image, else 255, which an image of 16 bits may have, too.
fn white(contents: &Contents) -> i32 {
    match contents.grey {
        Some(Grey::Shades(full)) if full <= 255 || !are_0_or(contents, 255) || are_0_or(contents, 0) => full.into(),
        _ => 255,
    }
}

/// Whether both are arrays whose first of three axes is one of channels, which add up to 1 everywhere.
fn are_one_hot(contents: &[Contents; 2]) -> bool {
    let is_alike = contents[0].dims == contents[1].dims;
    let may_be = |contents: &Contents| {
        let is_array = !contents.first_axis_fastest && contents.space.is_none() && contents.grey.is_none();
        is_array && contents.dims.len() == 3 && (2..=MAX_CHANNELS).contains(&contents.dims[0])
    };
    is_alike && contents.iter().all(|contents| may_be(contents) && adds_up_to_1(contents))
}

/// Whether the numbers along the first axis do, everywhere, each in [0, 1].
fn adds_up_to_1(contents: &Contents) -> bool {
    let (channels, voxels) = (contents.dims[0], contents.values.len() / contents.dims[0].max(1));
    let are = |value: &dyn Fn(usize) -> f32| {
        (0..voxels).all(|voxel| {
            let mut values = (0..channels).map(|channel| value(channel * voxels + voxel));
            let sum = values.try_fold(0.0, |sum, value| (0.0..=1.0).contains(&value).then_some(sum + value));
            sum.is_some_and(|sum| (sum - 1.0).abs() <= SUM_ROUNDING)
        })
    };
    match &contents.values {
        Values::U8(values) => are(&|index| values[index].into()),
        Values::I32(values) => are(&|index| values[index] as f32),
        Values::F32(values) => are(&|index| values[index]),
    }
}

/// Whether there is nothing else, in whatever type.
fn are_0_or(contents: &Contents, white: i32) -> bool {
    let is_other = |label: i32| label != 0 && label != white;
    match &contents.values {
        // In blocks that a vector may take, which end where another number is seen.
        Values::U8(values) => {
            values.chunks(1024).all(|block| !block.iter().fold(false, |others, &value| others | is_other(value.into())))
        }
        Values::I32(values) => !values.iter().any(|&value| is_other(value)),
        Values::F32(values) => values.iter().all(|&value| value == 0.0 || value == white as f32),
    }
}

/// Whether a grey prediction holds probabilities of a mask: shades beside a truth that is black and white, or that are no small
/// labels and partly light.
fn is_shaded([prediction, truth]: &[Contents; 2]) -> bool {
    let Some(Grey::Shades(full)) = prediction.grey else { return false };
    let is_binary = |contents: &Contents| are_0_or(contents, 1) || are_0_or(contents, white(contents));
    if is_binary(prediction) || !is_binary(truth) {
        return false;
    }
    let largest = prediction.values.largest().unwrap_or(0);
    // White of a single bit is 1, which may be a label.
    let is_of_bits = white(truth) == 1 && !are_0_or(truth, 0);
    !are_0_or(truth, 1) || (largest > LABEL_SHADES && (is_of_bits || largest >= i32::from(full) / 2))
}

/// A mask's label, where it is named and 1 is not: then the class above the threshold is that one.
fn foreground(truth: &Contents, reading: &Reading) -> i32 {
    let white = white(truth);
    let is_class = reading.named.contains(&white) && reading.ignored != Some(white);
    if is_class && !reading.named.contains(&1) { white } else { 1 }
}

/// Of 0 and 1 as floats, of a mask in shades, and of dark shades beside a truth that has none but white.
fn would_be_1([prediction, truth]: &[Contents; 2], taken: Taken) -> Option<f32> {
    match prediction.grey {
        None => (prediction.is_float && are_0_or(prediction, 1)).then_some(1.0),
        Some(Grey::Shades(_)) if taken == Taken::Mask => Some(1.0),
        Some(Grey::Shades(full)) => are_0_or(truth, white(truth)).then_some(f32::from(full)),
        Some(Grey::Indices) => None,
    }
}

#[cfg(test)]
mod tests {
    use Taken::{Labels, Mask, Probabilities};

    use super::*;

    fn of(values: Values) -> Contents {
        let dims = vec![values.len()];
        Contents { dims, values, is_float: false, first_axis_fastest: false, space: None, grey: None, array: None }
    }

    fn bytes(values: [u8; 4]) -> Contents {
        of(Values::U8(values.to_vec().into()))
    }

    fn grey(values: [u8; 4]) -> Contents {
        Contents { grey: Some(Grey::Shades(255)), ..bytes(values) }
    }

    fn taken(prediction: Contents, truth: Contents) -> [Taken; 2] {
        Decision::of(&[prediction, truth], &Reading::default()).taken
    }

    #[test]
    fn white_is_white_in_every_type() {
        let ints = || of(Values::I32(vec![0, 255, 255, 0]));
        let floats = || of(Values::F32(vec![0.0, 255.0, 255.0, 0.0]));
        for white in [bytes([0, 255, 255, 0]), ints(), floats(), grey([0, 255, 255, 0])] {
            assert_eq!(taken(white.clone(), bytes([0, 255, 0, 0])), [Mask, Mask]);
            assert_eq!(taken(bytes([0, 1, 0, 0]), white.clone()), [Labels, Mask]);
            assert_eq!(taken(bytes([0; 4]), white.clone()), [Mask, Mask]);
            // Another label anywhere makes label maps of both.
            assert_eq!(taken(bytes([0, 1, 255, 0]), white.clone()), [Labels, Labels]);
            assert_eq!(taken(white.clone(), bytes([0, 2, 0, 0])), [Labels, Labels]);
            assert_eq!(taken(of(Values::F32(vec![0.5; 4])), white), [Probabilities, Mask]);
        }
    }

    #[test]
    fn dark_shades_beside_black_and_white_are_probabilities() {
        assert_eq!(taken(grey([0, 3, 12, 0]), grey([0, 255, 0, 0])), [Probabilities, Mask]);
        assert_eq!(taken(grey([0, 3, 12, 0]), bytes([0, 255, 0, 0])), [Probabilities, Mask]);
        assert_eq!(taken(grey([0, 1, 2, 0]), grey([0, 1, 1, 0])), [Labels, Labels]);
        assert_eq!(taken(grey([0, 200, 2, 0]), grey([0, 1, 1, 0])), [Probabilities, Labels]);
        // Beside nothing they may be either.
        let dark = Decision::of(&[grey([0, 3, 12, 0]), grey([0; 4])], &Reading::default());
        assert_eq!((dark.taken[0], dark.would_be_1), (Labels, Some(255.0)));
        let labels = Reading { kind: Kind::Labels, ..Reading::default() };
        assert_eq!(Decision::of(&[grey([0, 200, 2, 0]), grey([0, 255, 1, 0])], &labels).taken, [Labels, Labels]);
    }

    #[test]
    fn white_of_16_bits_may_be_that_of_8() {
        let deep = |values: [i32; 4]| {
            let values = if values.iter().all(|value| *value < 256) {
                Values::U8(values.map(|value| value as u8).to_vec().into())
            } else {
                Values::I32(values.to_vec())
            };
            Contents { grey: Some(Grey::Shades(65_535)), ..of(values) }
        };
        for white in [255, 65_535] {
            let mask = || deep([0, white, 0, white]);
            assert_eq!(taken(mask(), grey([0, 255, 0, 0])), [Mask, Mask]);
            assert_eq!(taken(grey([0, 255, 0, 0]), mask()), [Mask, Mask]);
            assert_eq!(Decision::of(&[mask(), bytes([0, 1, 0, 0])], &Reading::default()).white, Some(white));
        }
        assert_eq!(white(&deep([0; 4])), 65_535);
    }

    #[test]
    fn three_axes_that_add_up_to_1_are_channels() {
        let stack = |dims: [usize; 3], values: Values| Contents { dims: dims.to_vec(), ..of(values) };
        let one_hot = |values: [u8; 4]| stack([2, 1, 2], Values::U8(values.to_vec().into()));
        let soft = |values: [f32; 4]| stack([2, 1, 2], Values::F32(values.to_vec()));
        let channels = |pair: [Contents; 2]| Decision::of(&pair, &Reading::default()).channels;
        assert_eq!(channels([one_hot([0, 1, 1, 0]), one_hot([1, 1, 0, 0])]), Channels::First);
        assert_eq!(channels([soft([0.25, 1.0, 0.75, 0.0]), one_hot([1, 1, 0, 0])]), Channels::First);
        for other in [one_hot([0, 1, 0, 0]), soft([0.5; 4]), soft([1.5, 1.0, -0.5, 0.0]), one_hot([0, 2, 1, 0])] {
            let expected = if adds_up_to_1(&other) { Channels::First } else { Channels::Auto };
            assert_eq!(channels([one_hot([0, 1, 1, 0]), other.clone()]), expected, "{other:?}");
        }
        let last = Reading { channels: Channels::Last, ..Reading::default() };
        assert_eq!(Decision::of(&[one_hot([0, 1, 1, 0]), one_hot([1, 1, 0, 0])], &last).channels, Channels::Last);
    }

    #[test]
    fn a_label_that_is_named_is_no_white() {
        let named = |named: &[i32], ignored| Reading { named: named.to_vec(), ignored, ..Reading::default() };
        let of = |reading: &Reading| {
            let pair = [of(Values::F32(vec![0.5; 4])), bytes([0, 255, 0, 0])];
            let decision = Decision::of(&pair, reading);
            (decision.taken[1], decision.foreground)
        };
        assert_eq!(of(&named(&[255], None)), (Labels, 255));
        assert_eq!(of(&named(&[1, 255], None)), (Labels, 1));
        assert_eq!(of(&named(&[255], Some(255))), (Labels, 1));
    }
}
