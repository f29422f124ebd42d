//! Which targets a peer takes, and what of them does not count.

use super::refuse;
use crate::{Error, Problem};

/// Refuses targets that hold a number for every class.
pub(super) fn labels(peer: &'static str, problem: &Problem) -> Result<(), Error> {
    if problem.targets.is_labels() {
        return Ok(());
    }
    refuse(
        peer,
        format!(
            "the original takes a label map, not {:?} for every class; give the targets as labels",
            problem.targets
        ),
    )
}

/// Refuses label maps.
pub(super) fn dense(peer: &'static str, problem: &Problem) -> Result<(), Error> {
    if !problem.targets.is_labels() {
        return Ok(());
    }
    let advice = "the original takes a target of the prediction's shape, not a label map; give a number (f32, a byte or a bit) \
                  for every voxel and class";
    refuse(peer, advice)
}

/// What does not count: a peer's own argument, or the problem's, which means the same.
pub(super) fn ignore_index(own: Option<i64>, problem: &Problem) -> Option<i64> {
    own.or(problem.ignore_index)
}
