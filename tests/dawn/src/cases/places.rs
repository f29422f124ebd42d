//! Where data lies: in one buffer or several, in windows, in chunks.

use segloss::half::f16;
use segloss::{Batch, Labels, Loss, Reduction, Targets};

use super::{SMALL, STAGED, softmax, with_output};
use crate::arrangement::Arrangement;
use crate::columns::labels;
use crate::context::Context;
use crate::data::{Tensors, hash};
use crate::record::Recorder;

pub(super) fn record(recorder: &mut Recorder) {
    one_buffer(recorder);
    windows(recorder);
    chunks(recorder);
}

/// Bindings that are shared, written to by others, or both; read by words and by quads.
fn one_buffer(recorder: &mut Recorder) {
    let both = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    let losses = [both, Loss::bce().reduction(Reduction::None), softmax()];
    let mut arrangements = vec![];
    for multiple in [1, 16] {
        let pooled = Arrangement::pooled(multiple, multiple % 5);
        arrangements.extend([
            pooled,
            pooled.far(),
            pooled.only([true, false, false, false, true]),
            pooled.only([false, true, true, true, true]),
            pooled.only([true, true, true, true, false]),
            pooled.only([false, false, true, true, true]).far(),
        ]);
    }
    for (index, lie) in arrangements.into_iter().enumerate() {
        for (position, loss) in losses.iter().enumerate() {
            let dims = if (index + position) % 2 == 0 { STAGED } else { SMALL };
            // By quads where the rows allow it, too.
            let dims = if index >= 6 { [dims[0], dims[1], dims[2] + 3] } else { dims };
            let tensors = Tensors::random(&dims, 21 + index as u32, false);
            let batch = with_output(loss, tensors.batch([3, 5][position % 2]));
            recorder.whole(&format!("pooled {index}"), Context::nth(index + position), loss, &batch, lie);
        }
    }
}

/// Tensors that no binding holds.
fn windows(recorder: &mut Recorder) {
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    for (index, (dims, parts, lie)) in [
        (&[1, 1, 100_003][..], 0, Arrangement::APART),
        (&[3, 4, 9000], 3, Arrangement::APART),
        (&[40, 3, 500], 5, Arrangement::APART),
        (&[1, 1, 16_000], 3, Arrangement::pooled(1, 0)),
        (&[1, 2, 30_001], 3, Arrangement::pooled(16, 2)),
    ]
    .into_iter()
    .enumerate()
    {
        let tensors = Tensors::random(dims, 31 + index as u32, false);
        let batch = tensors.batch(parts).with_gradient();
        recorder.whole("windows", Context::nth(index).narrow(), &loss, &batch, lie);
    }
    let tensors = Tensors::random(&[2, 1, 50_000], 7, false);
    let map = Loss::bce().reduction(Reduction::None);
    recorder.whole("windows of a map", Context::nth(0).narrow(), &map, &tensors.batch(1), Arrangement::APART);
}

/// Planes that no binding holds, and tiles that no chunk holds.
fn chunks(recorder: &mut Recorder) {
    let context = |index| Context::nth(index).narrow();
    let tensors = Tensors::random(&[2, 3, 30_001], 91, false);
    let (shape, labels) = (&tensors.shape, labels(&tensors.shape, 3));
    let halves: Vec<f16> = tensors.logits.iter().map(|&z| f16::from_f32(z)).collect();
    let bits: Vec<u32> = (0..shape.elements().div_ceil(32)).map(|i| hash(5, i as u32)).collect();
    let batches = [
        Batch::new(shape, &tensors.logits, &tensors.targets).unwrap().with_voxel_weights(&tensors.weights).unwrap(),
        Batch::new(shape, &tensors.logits, Labels::I32(&labels)).unwrap().with_mask(&tensors.mask).unwrap(),
        Batch::new(shape, &halves, Targets::Bits(&bits)).unwrap(),
    ];
    for (index, batch) in batches.into_iter().enumerate() {
        let (batch, lie) = (batch.with_gradient().with_ignore_index(255), Arrangement::APART);
        recorder.whole(&format!("chunks {index}"), context(index), &softmax(), &batch, lie);
    }
    for (index, reduction) in [Reduction::None, Reduction::PerVoxel].into_iter().enumerate() {
        let loss = Loss::cross_entropy().reduction(reduction);
        recorder.whole("chunks of a map", context(index), &loss, &tensors.batch(1), Arrangement::pooled(1, 0));
    }
    let tensors = Tensors::random(&[1, 40, 2501], 31, false);
    let batch = tensors.batch(0).with_gradient();
    recorder.whole("parts of tiles", context(2), &softmax(), &batch, Arrangement::APART);
}
