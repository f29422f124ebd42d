//! From the numbers of a file to one label for every voxel.

use segloss_files::{Bytes, Error, Values, collected, in_c_order, number};

use super::volume::{Kind, Meaning, Reading};

/// How far probabilities over all classes may be from adding up to 1.
pub(super) const SUM_ROUNDING: f32 = 1e-2;

/// How far a probability may lie outside [0, 1]: what scaling integers in f32 leaves.
const ROUNDING: f32 = 1e-6;

/// The most overlapping channels: one a bit of a label.
pub(crate) const MAX_CHANNELS: usize = 31;

/// Where an element lies along every axis.
pub(super) type Position<'a> = dyn Fn(usize) -> Vec<usize> + 'a;

/// One label for every voxel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    Narrow(Bytes),
    Wide(Vec<i32>),
}

impl Labels {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Narrow(labels) => labels.len(),
            Self::Wide(labels) => labels.len(),
        }
    }

    pub(crate) fn at(&self, index: usize) -> i32 {
        match self {
            Self::Narrow(labels) => labels[index].into(),
            Self::Wide(labels) => labels[index],
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = i32> + '_ {
        (0..self.len()).map(|index| self.at(index))
    }

    /// From the first axis fastest to the last.
    pub(crate) fn in_c_order(&self, dims: &[usize]) -> Result<Self, Error> {
        Ok(match self {
            Self::Narrow(labels) => Self::Narrow(in_c_order(dims, labels)?.into()),
            Self::Wide(labels) => Self::Wide(in_c_order(dims, labels)?),
        })
    }

    fn narrow(labels: impl ExactSizeIterator<Item = u8>) -> Result<Self, String> {
        collected(labels).map(|labels| Self::Narrow(labels.into())).map_err(|error| error.to_string())
    }

    pub(super) fn wide(labels: impl ExactSizeIterator<Item = i32>) -> Result<Self, String> {
        collected(labels).map(Self::Wide).map_err(|error| error.to_string())
    }

    /// 1 where there is anything.
    fn mask(self) -> Result<Self, String> {
        Self::narrow(self.iter().map(|label| u8::from(label != 0)))
    }

    /// Of whole numbers without channels: class ids, or a mask that is 1 where there is anything.
    pub(super) fn of(values: Values, is_mask: bool, position: &Position) -> Result<Self, String> {
        let labels = Self::of_whole_numbers(values, position)?;
        if is_mask { labels.mask() } else { Ok(labels) }
    }

    fn of_whole_numbers(values: Values, position: &Position) -> Result<Self, String> {
        match values {
            Values::U8(labels) => Ok(Self::Narrow(labels)),
            Values::I32(labels) => Self::Wide(labels).narrowed(),
            Values::F32(values) => {
                // Beyond 2^24 f32 has no longer every whole number.
                let is_label = |value: &f32| value.fract() == 0.0 && value.abs() <= 16_777_216.0;
                match values.iter().position(|value| !is_label(value)) {
                    Some(index) => Err(format!(
                        "the value {} at {:?} is no label; expected whole numbers up to 2^31, in files of floats up to 2^24",
                        number(values[index]),
                        position(index)
                    )),
                    None => Self::wide(values.into_iter().map(|value| value as i32))?.narrowed(),
                }
            }
        }
    }

    fn narrowed(self) -> Result<Self, String> {
        let is_narrow = self.iter().all(|label| u8::try_from(label).is_ok());
        if is_narrow { Self::narrow(self.iter().map(|label| label as u8)) } else { Ok(self) }
    }

    /// The foreground's label where the probability, or that of the logit, is above the threshold.
    pub(super) fn of_probabilities(
        values: &[f32],
        foreground: i32,
        reading: &Reading,
        position: &Position,
    ) -> Result<Self, String> {
        if !reading.logits {
            expect_unit_interval(values, reading, position)?;
        }
        let bound = reading.bound();
        match u8::try_from(foreground) {
            Ok(foreground) => Self::narrow(values.iter().map(|&value| if value > bound { foreground } else { 0 })),
            Err(_) => Self::wide(values.iter().map(|&value| if value > bound { foreground } else { 0 })),
        }
    }

    /// Of one number for each of several channels: the largest one's index where they are a distribution over classes (one-hot,
    /// probabilities that add up to 1, or logits), else one bit for each that is above the threshold.
    ///
    /// `steps` are those in memory from one channel to the next, and from one voxel to the next.
    pub(super) fn of_channels(
        values: &[f32],
        channels: usize,
        steps: [usize; 2],
        reading: &Reading,
        position: &Position,
    ) -> Result<(Self, Meaning), String> {
        let at = |channel: usize, voxel: usize| values[channel * steps[0] + voxel * steps[1]];
        let voxels = values.len() / channels;
        if !reading.logits {
            expect_unit_interval(values, reading, position).map_err(|reason| {
                format!("of its {channels} channels {reason}; --channels none takes them for an axis of space")
            })?;
        }
        let sums_to_1 = |voxel: usize| {
            let sum: f32 = (0..channels).map(|channel| at(channel, voxel)).sum();
            (sum - 1.0).abs() <= SUM_ROUNDING
        };
        if reading.logits || (0..voxels).all(sums_to_1) {
            let largest = |voxel: usize| {
                // The first of equals.
                let above = |best, channel| if at(channel, voxel) > at(best, voxel) { channel } else { best };
                (1..channels).fold(0, above) as i32
            };
            return Ok((Self::wide((0..voxels).map(largest))?.narrowed()?, Meaning::Labels));
        }
        if channels > MAX_CHANNELS {
            return Err(format!("it has {channels} channels that overlap; at most {MAX_CHANNELS} are read"));
        }
        let bound = reading.bound();
        let bits = |voxel: usize| {
            (0..channels).fold(0, |bits, channel| bits | i32::from(at(channel, voxel) > bound) << channel)
        };
        Ok((Self::wide((0..voxels).map(bits))?.narrowed()?, Meaning::Channels))
    }
}

fn expect_unit_interval(values: &[f32], reading: &Reading, position: &Position) -> Result<(), String> {
    let is_outside = |value: &f32| !(-ROUNDING..=1.0 + ROUNDING).contains(value);
    // Of what is neither, rather than of what would be a label.
    let neither = values.iter().position(|value| is_outside(value) && value.fract() != 0.0);
    let Some(index) = neither.or_else(|| values.iter().position(is_outside)) else { return Ok(()) };
    let (value, position) = (number(values[index]), position(index));
    Err(match reading.kind {
        Kind::Probabilities => format!(
            "the value {value} at {position:?} lies outside [0, 1]; expected probabilities (if these are logits, give \
             --logits)"
        ),
        _ => format!(
            "the value {value} at {position:?} is neither a label nor a probability; expected whole numbers, or numbers in \
             [0, 1] (if these are logits, give --logits)"
        ),
    })
}
