//! The cases: few, but every WGSL file, format, activation, statistic, map and way of lying in buffers is in one of them.

mod edges;
mod formats;
mod losses;
mod pairs;
mod places;

use segloss::{Batch, Loss};

use crate::record::Recorder;

/// More elements than one dispatch takes: the stages.
const STAGED: [usize; 3] = [3, 2, 2801];
/// One dispatch.
const SMALL: [usize; 3] = [2, 3, 63];

/// Records all of them.
pub(crate) fn record(recorder: &mut Recorder) {
    losses::record(recorder);
    formats::record(recorder);
    places::record(recorder);
    edges::record(recorder);
    pairs::record(recorder);
}

fn softmax() -> Loss {
    Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy())
}

/// With the output that the loss has: a voxel map where it is one, else a gradient.
fn with_output<'a>(loss: &Loss, batch: Batch<'a>) -> Batch<'a> {
    if loss.is_voxel_map() { batch } else { batch.with_gradient() }
}
