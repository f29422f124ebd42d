//! Arguments that are a number, or a list of one for each class.

use super::call::Call;
use crate::Error;
use crate::loss::Classes;

/// A number for all classes, or one for each: `0.5` or `[0.5, 1.0]`.
///
/// Where the background is left out, a list has no entry for it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(untagged, expecting = "expected a number or a list of numbers")
)]
pub enum OneOrEach {
    /// A number for all classes.
    One(f64),
    /// One for each.
    Each(Vec<f64>),
}

impl OneOrEach {
    pub(super) fn numbers(&self) -> &[f64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Each(list) => list,
        }
    }
}

impl Call<'_> {
    /// The numbers as a list for all classes of the problem, or one number for them.
    pub(super) fn per_class(&self, name: &str, given: &OneOrEach, classes: &Classes) -> Result<Vec<f64>, Error> {
        let number = classes.number(self.channels());
        match given {
            OneOrEach::One(_) => Ok(given.numbers().to_vec()),
            OneOrEach::Each(list) if list.len() != number => self.refuse(format!(
                "{name} has {} entries, {number} classes are measured; give one for each of those, or a number",
                list.len()
            )),
            OneOrEach::Each(list) if *classes == Classes::Foreground => Ok([&[0.0], &list[..]].concat()),
            OneOrEach::Each(list) => Ok(list.clone()),
        }
    }

    pub(super) fn check_weights(&self, given: &OneOrEach) -> Result<(), Error> {
        match given.numbers().iter().find(|&&weight| weight < 0.0) {
            Some(weight) => self.refuse(format!("weight holds {weight}, it must be no less than 0")),
            None => Ok(()),
        }
    }
}
