//! PyTorch's three ways to say how values become one number.

use crate::peers::known;
use crate::{Error, Reduction};

/// PyTorch's rule for the deprecated pair: either one given makes it decide, the other being true.
pub(super) fn reduction(
    peer: &'static str,
    size_average: Option<bool>,
    reduce: Option<bool>,
    reduction: Reduction,
) -> Result<Reduction, Error> {
    if size_average.is_none() && reduce.is_none() {
        return known(peer, reduction);
    }
    Ok(match (size_average.unwrap_or(true), reduce.unwrap_or(true)) {
        (_, false) => Reduction::None,
        (true, true) => Reduction::Mean,
        (false, true) => Reduction::Sum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deprecated_pair_decides_as_in_pytorch() {
        use Reduction::{Mean, None as Not, Sum};
        for (size_average, reduce, given, expected) in [
            (None, None, Sum, Sum),
            (Some(false), None, Mean, Sum),
            (Some(true), None, Not, Mean),
            (None, Some(false), Mean, Not),
            (Some(false), Some(true), Not, Sum),
            (Some(true), Some(false), Sum, Not),
        ] {
            assert_eq!(reduction("BCELoss", size_average, reduce, given), Ok(expected));
        }
        let error = reduction("BCELoss", None, None, Reduction::PerVoxel).unwrap_err();
        assert!(error.to_string().contains("per_voxel"), "{error}");
    }
}
