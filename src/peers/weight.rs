//! The arguments of PyTorch's losses that are tensors there.

use crate::Error;

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
        Some(Weight::Given) => Err(Error::Peer { peer, reason: advice.to_owned() }),
    }
}

/// Reads a list of numbers, or one number in place of a list of one.
#[cfg(feature = "serde")]
pub(super) fn one_or_several<'de, D>(deserializer: D) -> Result<Option<Vec<f64>>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    #[derive(serde::Deserialize)]
    #[serde(untagged, expecting = "expected a number or a list of numbers")]
    enum Numbers {
        One(f64),
        Several(Vec<f64>),
    }
    let numbers: Option<Numbers> = serde::Deserialize::deserialize(deserializer)?;
    Ok(numbers.map(|numbers| match numbers {
        Numbers::One(number) => vec![number],
        Numbers::Several(numbers) => numbers,
    }))
}
