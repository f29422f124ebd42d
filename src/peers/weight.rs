//! The arguments of PyTorch's losses that are tensors there.

use super::refuse;
use crate::{Error, Problem};

/// That the argument `weight` of an original was given.
///
/// There it is a tensor; here tensors are data, [voxel weights](crate::Problem::voxel_weights). So a struct holds its
/// default, `None` (`null` in JSON); anything else is read as this, and refused when the loss is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Weight {
    /// Whatever was given.
    Given,
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Weight {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self::Given)
    }
}

/// Refuses a weight.
pub(super) fn check(weight: Option<Weight>, peer: &'static str) -> Result<(), Error> {
    let advice = "weight is not an argument here but data; leave it out and give its numbers as voxel weights";
    match weight {
        None => Ok(()),
        Some(Weight::Given) => refuse(peer, advice),
    }
}

/// A list of one number per class, or an empty one where none is given.
pub(super) fn per_class(
    peer: &'static str,
    what: &str,
    list: Option<&[f64]>,
    problem: &Problem,
) -> Result<Vec<f64>, Error> {
    let classes = problem.shape.classes();
    match list {
        Some(list) if list.len() != classes => {
            refuse(peer, format!("{what} has {} entries, give one per class ({classes})", list.len()))
        }
        list => Ok(list.unwrap_or_default().to_vec()),
    }
}

/// The same, where one number may stand for all.
pub(super) fn one_or_per_class(
    peer: &'static str,
    what: &str,
    list: Option<&[f64]>,
    problem: &Problem,
) -> Result<Vec<f64>, Error> {
    let classes = problem.shape.classes();
    match list {
        Some(list) if list.len() != 1 && list.len() != classes => {
            refuse(peer, format!("{what} has {} entries, give one or one per class ({classes})", list.len()))
        }
        list => Ok(list.unwrap_or_default().to_vec()),
    }
}

/// Reads a list of numbers, or one number in place of a list of one.
#[cfg(feature = "serde")]
pub(super) fn numbers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Numbers::into_list)
}

/// The same, or none at all.
#[cfg(feature = "serde")]
pub(super) fn one_or_several<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<f64>>, D::Error> {
    let numbers: Option<Numbers> = serde::Deserialize::deserialize(deserializer)?;
    Ok(numbers.map(Numbers::into_list))
}

#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "expected a number or a list of numbers")]
enum Numbers {
    One(f64),
    Several(Vec<f64>),
}

#[cfg(feature = "serde")]
impl Numbers {
    fn into_list(self) -> Vec<f64> {
        match self {
            Self::One(number) => vec![number],
            Self::Several(numbers) => numbers,
        }
    }
}
