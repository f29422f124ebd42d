//! Short rows, many classes, halves of an evaluation, and what is no number.

use segloss::{Batch, Labels, Loss, Reduction};

use super::{SMALL, STAGED, softmax};
use crate::arrangement::Arrangement;
use crate::columns::labels;
use crate::context::Context;
use crate::data::Tensors;
use crate::record::Recorder;

pub(super) fn record(recorder: &mut Recorder) {
    shapes(recorder);
    halves(recorder);
    nothing(recorder);
    bad_values(recorder);
}

/// Lanes that work alone beside workgroups that do not, and more classes than are read once.
fn shapes(recorder: &mut Recorder) {
    let both = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    for (index, dims) in
        [&[40, 3, 50][..], &[300, 1, 7], &[5, 3], &[1, 1, 1], &[2, 300, 3], &[33, 1, 65]].into_iter().enumerate()
    {
        let tensors = Tensors::random(dims, index as u32, false);
        let batch = tensors.batch(3).with_gradient();
        recorder.whole("rows", Context::nth(index), &both, &batch, Arrangement::APART);
        recorder.whole("rows, classes last", Context::nth(index), &both, &batch.channel_last(), Arrangement::APART);
    }
    for (index, dims) in
        [&[600, 3, 7][..], &[1, 33, 301], &[1, 300, 65], &[2, 4, 1, 1], &[1, 105, 130]].into_iter().enumerate()
    {
        let tensors = Tensors::random(dims, index as u32, false);
        let batch = tensors.batch(5).with_gradient();
        recorder.whole("columns", Context::nth(index), &softmax(), &batch, Arrangement::APART);
        let last = batch.channel_last();
        recorder.whole("columns, classes last", Context::nth(index + 1), &softmax(), &last, Arrangement::APART);
    }
    for (index, loss) in [Loss::cross_entropy().reduction(Reduction::None), Loss::bce().reduction(Reduction::PerVoxel)]
        .into_iter()
        .enumerate()
    {
        let tensors = Tensors::random(&[600, 3, 7], 9, false);
        recorder.whole("maps of lanes", Context::nth(index), &loss, &tensors.batch(4), Arrangement::APART);
    }
}

/// The sums, and what is made of them.
fn halves(recorder: &mut Recorder) {
    let both = Loss::dice().with(0.5, Loss::bce());
    for (index, (loss, dims)) in
        [(&both, SMALL), (&both, STAGED), (&softmax(), SMALL), (&softmax(), [3, 2, 5001])].into_iter().enumerate()
    {
        let tensors = Tensors::random(&dims, 43, false);
        let batch = tensors.batch(1).with_gradient();
        recorder.halves("halves", Context::nth(index), loss, &batch, Arrangement::APART);
    }
}

/// No voxels, none that counts, and logits at the ends of f32.
fn nothing(recorder: &mut Recorder) {
    let smooth = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    let empty = Tensors::random(&[2, 3, 0], 1, false);
    recorder.whole("no voxels", Context::nth(0), &smooth, &empty.batch(0).with_gradient(), Arrangement::APART);
    for (index, dims) in [SMALL, STAGED].into_iter().enumerate() {
        let mut tensors = Tensors::random(&dims, 1, false);
        tensors.mask.fill(0.0);
        for (position, loss) in [&smooth, &Loss::dice(), &softmax()].into_iter().enumerate() {
            let batch = tensors.batch(1).with_gradient();
            let name = if position == 1 { "all masked, not smoothed" } else { "all masked" };
            recorder.whole(name, Context::nth(index + position), loss, &batch, Arrangement::APART);
        }
        let mut tensors = Tensors::random(&dims, 2, false);
        tensors.logits[..8].copy_from_slice(&[1e4, -1e4, 3e38, -3e38, 88.0, -88.0, 0.0, -0.0]);
        let batch = tensors.batch(0).with_gradient();
        recorder.whole("extreme logits", Context::nth(index), &smooth, &batch, Arrangement::APART);
    }
}

/// What is counted and left out.
fn bad_values(recorder: &mut Recorder) {
    let smooth = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    for (index, dims) in [SMALL, STAGED].into_iter().enumerate() {
        let mut tensors = Tensors::random(&dims, 3, false);
        tensors.logits[..3].copy_from_slice(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        (tensors.targets[0], tensors.targets[120]) = (f32::NAN, f32::INFINITY);
        (tensors.mask[3], tensors.mask[99]) = (f32::NAN, 0.5);
        tensors.weights[5] = f32::NAN;
        for loss in [&smooth, &softmax()] {
            let batch = tensors.batch(3).with_gradient();
            recorder.whole("bad values", Context::nth(index), loss, &batch, Arrangement::APART);
            let mut labels = labels(&tensors.shape, 5);
            labels[7] = -1;
            let batch = Batch::new(&tensors.shape, &tensors.weights, Labels::I32(&labels)).unwrap();
            let batch = batch.with_ignore_index(255);
            recorder.whole("labels that are no class", Context::nth(index), loss, &batch, Arrangement::APART);
        }
    }
}
