//! One module a file format: from a path to its contents, or a reason why not.

mod bytes;
mod gzip;
pub(crate) mod nifti;
pub(crate) mod npy;
pub(crate) mod npz;
pub(crate) mod png;
pub(crate) mod tiff;

use ndarray::ArrayView;

pub(crate) use self::bytes::Bytes;
use crate::space::Space;

/// The ends of names of files that are read; where a folder has several of one name, the first counts.
pub(crate) const ENDINGS: [&str; 7] = [".nii.gz", ".nii", ".png", ".tif", ".tiff", ".npy", ".npz"];

/// What a file holds.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    pub(crate) dims: Vec<usize>,
    /// In the order of the file: C's, or with the first axis fastest.
    pub(crate) values: Values,
    pub(crate) first_axis_fastest: bool,
    /// Where the voxels lie, if the format says.
    pub(crate) space: Option<Space>,
    /// Of an image.
    pub(crate) grey: Option<Grey>,
}

/// Numbers as they are stored, in the narrowest of these types that holds them.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    U8(Bytes),
    I32(Vec<i32>),
    F32(Vec<f32>),
}

/// What the numbers of an image mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grey {
    /// Shades from 0, black, to this, white.
    Shades(u16),
    /// Indices of a palette.
    Indices,
}

/// The contents, or what is wrong with the file and what was expected.
pub(crate) type Read = Result<Contents, String>;

/// A shape as people write it: 98×116×94.
pub(crate) fn shape(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

impl Contents {
    /// Of a format that is in C order and says nothing else.
    pub(crate) fn in_c_order(dims: Vec<usize>, values: Values) -> Self {
        Self { dims, values, first_axis_fastest: false, space: None, grey: None }
    }

    /// Whether it is an image of nothing but the two darkest shades, which may be a mask, or a mistake.
    pub(crate) fn is_all_but_black(&self) -> bool {
        matches!(self.grey, Some(Grey::Shades(full)) if full > 1) && self.values.largest() == Some(1)
    }

    /// The index of an element along every axis.
    pub(crate) fn position(&self, index: usize) -> Vec<usize> {
        position(&self.dims, self.first_axis_fastest, index)
    }

    /// All values as f32 in C order; shades as shares of `white`, or else of the image's own white.
    pub(crate) fn into_fractions(self, white: Option<u16>) -> Result<Vec<f32>, String> {
        let scale = match self.grey {
            None => 1.0,
            Some(Grey::Indices) => return Err("its colours are Indexed; expected a grey image".to_owned()),
            Some(Grey::Shades(full)) => {
                if white.is_none() && self.is_all_but_black() {
                    return Err(format!(
                        "its grey values are 0 and 1 of {full}, which is all but black; give --png-white 1 if 1 means \
                         foreground"
                    ));
                }
                f32::from(white.unwrap_or(full))
            }
        };
        let values = match self.values {
            Values::U8(values) => values.iter().map(|&v| f32::from(v) / scale).collect(),
            Values::I32(values) => values.into_iter().map(|v| v as f32 / scale).collect(),
            Values::F32(values) => values,
        };
        Ok(if self.first_axis_fastest { in_c_order(&self.dims, &values) } else { values })
    }
}

/// The index along every axis of an element in memory.
pub(crate) fn position(dims: &[usize], first_axis_fastest: bool, index: usize) -> Vec<usize> {
    let mut rest = index;
    let along = |&dim: &usize| {
        let along = rest % dim;
        rest /= dim;
        along
    };
    if first_axis_fastest {
        return dims.iter().map(along).collect();
    }
    let mut position: Vec<_> = dims.iter().rev().map(along).collect();
    position.reverse();
    position
}

/// From the first axis fastest to the last.
pub(crate) fn in_c_order<T: Copy>(dims: &[usize], values: &[T]) -> Vec<T> {
    let reversed: Vec<usize> = dims.iter().rev().copied().collect();
    match ArrayView::from_shape(reversed, values) {
        Ok(view) => view.reversed_axes().iter().copied().collect(),
        // Not as many values as the dimensions say, which readers refuse.
        Err(_) => values.to_vec(),
    }
}

impl Values {
    /// Whole numbers in a type that holds them all, else as f32.
    pub(crate) fn of_integers(values: impl Iterator<Item = i64> + Clone) -> Self {
        match values.clone().map(|v| i32::try_from(v).ok()).collect() {
            Some(narrow) => Self::I32(narrow),
            None => Self::F32(values.map(|v| v as f32).collect()),
        }
    }

    /// Takes in others, if they are of the same type.
    fn append(&mut self, more: Self) -> bool {
        match (self, more) {
            (Self::U8(all), Self::U8(more)) => all.append(&more),
            (Self::I32(all), Self::I32(more)) => all.extend(more),
            (Self::F32(all), Self::F32(more)) => all.extend(more),
            _ => return false,
        }
        true
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    pub(crate) fn largest(&self) -> Option<i32> {
        match self {
            Self::U8(values) => values.iter().max().map(|&v| v.into()),
            Self::I32(values) => values.iter().max().copied(),
            Self::F32(_) => None,
        }
    }
}
