//! An array of numbers from a file.

use std::path::{Path, PathBuf};

use segloss_files::{Contents, Error, Format, Grey, Options, number, position};

use crate::failure::Failure;

/// How far a probability may lie outside [0, 1]: what scaling integers in f32 leaves.
const ROUNDING: f32 = 1e-6;

/// Numbers in C order, and where they came from.
pub(crate) struct Array {
    pub(crate) path: PathBuf,
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Array {
    /// Reads a file whose format its name tells. The array is neither empty nor does it hold a number that is not
    /// finite.
    pub(crate) fn read(path: &Path, png_white: Option<u16>) -> Result<Self, Failure> {
        let contents = read(path, None)?;
        let dims = contents.dims.clone();
        let values = fractions(contents, png_white).map_err(|reason| Failure::file(path, reason))?;
        Self::new(path, dims, values)
    }

    /// The numbers of a file in C order.
    pub(crate) fn new(path: &Path, dims: Vec<usize>, values: Vec<f32>) -> Result<Self, Failure> {
        let array = Self { path: path.to_owned(), dims, values };
        array.check()?;
        Ok(array)
    }

    fn check(&self) -> Result<(), Failure> {
        if self.values.is_empty() {
            return Err(self.failure(format!("the array is empty (shape {}); expected voxels", self.shape())));
        }
        let unusable = self.values.iter().filter(|v| !v.is_finite()).count();
        if let Some(first) = self.values.iter().position(|v| !v.is_finite()) {
            return Err(self.failure(format!(
                "{unusable} of {} values are not finite numbers, the first ({}) at {:?}; expected finite numbers only",
                self.values.len(),
                self.values[first],
                self.position(first),
            )));
        }
        Ok(())
    }

    /// Refuses values outside [0, 1] where they count; those that only rounding put there are moved to its ends.
    pub(crate) fn confine_to_unit_interval(
        &mut self,
        counts: impl Fn(usize) -> bool,
        expected: &str,
    ) -> Result<(), Failure> {
        let outside = |(index, value): (usize, &f32)| !(-ROUNDING..=1.0 + ROUNDING).contains(value) && counts(index);
        if let Some(index) = self.values.iter().enumerate().position(outside) {
            let (value, position) = (number(self.values[index]), self.position(index));
            return Err(self.failure(format!("the value {value} at {position:?} lies outside [0, 1]; {expected}")));
        }
        self.values.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        Ok(())
    }

    /// A failure of this file.
    pub(crate) fn failure(&self, reason: impl std::fmt::Display) -> Failure {
        Failure::file(&self.path, reason)
    }

    /// The shape as people write it: 98×116×94.
    pub(crate) fn shape(&self) -> String {
        let dims: Vec<_> = self.dims.iter().map(usize::to_string).collect();
        if dims.is_empty() { "of a single number".to_owned() } else { dims.join("×") }
    }

    /// The index of an element along every axis.
    pub(crate) fn position(&self, index: usize) -> Vec<usize> {
        position(&self.dims, false, index)
    }
}

/// The contents of a file whose format its name tells; of an archive, the array of this name.
pub(crate) fn read(path: &Path, npz_key: Option<&str>) -> Result<Contents, Failure> {
    if Format::of(path).is_some() && is_empty(path) {
        return Err(Failure::file(path, "the file is empty; expected an array of numbers"));
    }
    let options = Options { array: npz_key, ..Options::default() };
    segloss_files::read(path, &options).map_err(|error| match error {
        Error::SeveralArrays { .. } => Failure::file(path, format!("{error} (--npz-key)")),
        other => Failure::file(path, other),
    })
}

/// All values in C order; shades of grey as shares of `white`, or else of the image's own white.
pub(crate) fn fractions(contents: Contents, white: Option<u16>) -> Result<Vec<f32>, String> {
    let scale = match contents.grey {
        None => 1.0,
        Some(Grey::Indices) => return Err("its colours are Indexed; expected a grey image".to_owned()),
        Some(Grey::Shades(full)) => {
            if white.is_none() && is_all_but_black(&contents) {
                return Err(format!(
                    "its grey values are 0 and 1 of {full}, which is all but black; give --png-white 1 if 1 means \
                     foreground"
                ));
            }
            f32::from(white.unwrap_or(full))
        }
    };
    contents.into_scaled(scale).map_err(|error| error.to_string())
}

/// Whether they are an image of nothing but the two darkest shades, which may be a mask, or a mistake.
pub(crate) fn is_all_but_black(contents: &Contents) -> bool {
    matches!(contents.grey, Some(Grey::Shades(full)) if full > 1) && contents.values.largest() == Some(1)
}

pub(crate) fn lower_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Whether a file is there and holds nothing.
fn is_empty(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}
