//! What a file holds: numbers, and what its format says of them.

use std::fmt::{Display, LowerExp};

use ndarray::ArrayView;

use crate::{Bytes, Error, Space, memory};

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The length along every axis. Their product is the number of values.
    pub dims: Vec<usize>,
    /// In the order of the file: C's, or with the first axis fastest.
    pub values: Values,
    /// Whether the file has floating-point numbers, which may all be whole.
    pub is_float: bool,
    /// Whether the first axis is the fastest; in C order the last one is.
    pub first_axis_fastest: bool,
    /// Where the voxels lie, if the format says.
    pub space: Option<Space>,
    /// Of an image.
    pub grey: Option<Grey>,
    /// The name of the array, of an archive.
    pub array: Option<String>,
}

/// Numbers in the narrowest of these types that holds them all, whatever the type they are stored in.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Whole numbers up to 255, and booleans as 0 and 1.
    U8(Bytes),
    /// Other whole numbers that all fit; of 32-bit floats up to 2²⁴, beyond which they have no longer every one.
    I32(Vec<i32>),
    /// Everything else, rounded to f32, but no fraction to a whole number.
    F32(Vec<f32>),
}

/// What the numbers of an image mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grey {
    /// Shades from 0, black, to this, white.
    Shades(u16),
    /// Indices of a palette.
    Indices,
}

/// The contents, or what is wrong with the file and what was expected.
pub(crate) type Read = Result<Contents, Error>;

/// A shape as people write it: 98×116×94.
#[must_use]
pub fn shape(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

/// A number as people write it, with an exponent where it would be a row of digits: 0.25, 1e300.
#[must_use]
pub fn number<N: Copy + Into<f64> + Display + LowerExp>(number: N) -> String {
    let size = number.into().abs();
    let is_short = size == 0.0 || !size.is_finite() || (1e-5..1e7).contains(&size);
    if is_short { number.to_string() } else { format!("{number:e}") }
}

impl Contents {
    /// Of a format that is in C order and says nothing else.
    pub(crate) fn in_c_order(dims: Vec<usize>, values: Values) -> Self {
        Self { dims, values, is_float: false, first_axis_fastest: false, space: None, grey: None, array: None }
    }

    /// The index of an element along every axis.
    #[must_use]
    pub fn position(&self, index: usize) -> Vec<usize> {
        position(&self.dims, self.first_axis_fastest, index)
    }

    /// All values as f32 in C order, divided by `scale`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn into_scaled(self, scale: f32) -> Result<Vec<f32>, Error> {
        let values = match self.values {
            Values::U8(values) => memory::collected(values.iter().map(|&v| f32::from(v) / scale))?,
            Values::I32(values) => memory::collected(values.into_iter().map(|v| v as f32 / scale))?,
            Values::F32(values) if scale == 1.0 => values,
            Values::F32(mut values) => {
                values.iter_mut().for_each(|v| *v /= scale);
                values
            }
        };
        if self.first_axis_fastest { in_c_order(&self.dims, &values) } else { Ok(values) }
    }
}

/// The index along every axis of an element in memory.
#[must_use]
pub fn position(dims: &[usize], first_axis_fastest: bool, index: usize) -> Vec<usize> {
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
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn in_c_order<T: Copy>(dims: &[usize], values: &[T]) -> Result<Vec<T>, Error> {
    let reversed: Vec<usize> = dims.iter().rev().copied().collect();
    match ArrayView::from_shape(reversed, values) {
        Ok(view) => memory::collected(view.reversed_axes().iter().copied()),
        // Not as many values as the dimensions say, which readers refuse.
        Err(_) => memory::collected(values.iter().copied()),
    }
}

/// All of them as numbers of another type, with room for more.
fn of_all<T: Copy, U>(all: &[T], more: usize, number: impl Fn(T) -> U) -> Result<Vec<U>, Error> {
    let mut numbers = memory::room(all.len().saturating_add(more))?;
    numbers.extend(all.iter().map(|&value| number(value)));
    Ok(numbers)
}

impl Values {
    /// Takes in others, in a type that holds all; all together take so many bytes at most.
    pub(crate) fn append(&mut self, more: Self, most: u64) -> Result<(), Error> {
        let bytes_of_one = if matches!((&*self, &more), (Self::U8(_), Self::U8(_))) { 1 } else { 4 };
        memory::check(self.len().saturating_add(more.len()), bytes_of_one, most)?;
        // Once a type.
        match (&*self, &more) {
            (Self::U8(all), Self::I32(_)) => *self = Self::I32(of_all(all, more.len(), |v| v.into())?),
            (Self::U8(all), Self::F32(_)) => *self = Self::F32(of_all(all, more.len(), |v| v.into())?),
            (Self::I32(all), Self::F32(_)) => *self = Self::F32(of_all(all, more.len(), |v| v as f32)?),
            _ => {}
        }
        match (&mut *self, more) {
            (Self::U8(all), Self::U8(more)) => all.append(&more),
            (Self::I32(all), Self::U8(more)) => memory::extend(all, more.iter().map(|&v| v.into())),
            (Self::I32(all), Self::I32(more)) => memory::extend(all, more.into_iter()),
            (Self::F32(all), Self::U8(more)) => memory::extend(all, more.iter().map(|&v| v.into())),
            (Self::F32(all), Self::I32(more)) => memory::extend(all, more.into_iter().map(|v| v as f32)),
            (Self::F32(all), Self::F32(more)) => memory::extend(all, more.into_iter()),
            // They are of a wider type by now.
            (Self::U8(_), _) | (Self::I32(_), _) => Ok(()),
        }
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The largest, of integers.
    #[must_use]
    pub fn largest(&self) -> Option<i32> {
        match self {
            Self::U8(values) => values.iter().max().map(|&v| v.into()),
            Self::I32(values) => values.iter().max().copied(),
            Self::F32(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_a_row_of_digits() {
        assert_eq!([0.0, -0.25, 1e-5, 9_999_999.0].map(number), ["0", "-0.25", "0.00001", "9999999"]);
        assert_eq!([1e300, -1e-300, 1e7, f64::NAN].map(number), ["1e300", "-1e-300", "1e7", "NaN"]);
        assert_eq!([3e38_f32, 0.1, f32::INFINITY].map(number), ["3e38", "0.1", "inf"]);
    }

    #[test]
    fn values_of_several_types_become_one_that_holds_all() {
        let parts = [Values::U8(vec![1, 2].into()), Values::I32(vec![-3]), Values::F32(vec![0.5])];
        let all = |order: [usize; 3]| {
            let mut all = parts[order[0]].clone();
            all.append(parts[order[1]].clone(), 16).unwrap();
            let of_two = all.clone();
            all.append(parts[order[2]].clone(), 16).unwrap();
            [of_two, all]
        };
        assert_eq!(all([0, 1, 2]), [Values::I32(vec![1, 2, -3]), Values::F32(vec![1.0, 2.0, -3.0, 0.5])]);
        assert_eq!(all([1, 0, 2]), [Values::I32(vec![-3, 1, 2]), Values::F32(vec![-3.0, 1.0, 2.0, 0.5])]);
        assert_eq!(all([2, 1, 0]), [Values::F32(vec![0.5, -3.0]), Values::F32(vec![0.5, -3.0, 1.0, 2.0])]);
        assert_eq!(all([0, 0, 0])[1], Values::U8(vec![1, 2, 1, 2, 1, 2].into()));
        assert_eq!(all([1, 1, 1])[1], Values::I32(vec![-3; 3]));
        let refused = parts[0].clone().append(parts[2].clone(), 11).unwrap_err();
        assert_eq!(refused.to_string(), "its 3 numbers take 12 bytes; at most 11 are read");
    }
}
