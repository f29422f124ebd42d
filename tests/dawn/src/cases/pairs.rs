//! Pairs of files that the other cases do not link together.

use segloss::{Batch, LogitsFormat, Loss, Reduction, Targets};

use super::{SMALL, STAGED, with_output};
use crate::arrangement::Arrangement;
use crate::columns::wasserstein;
use crate::context::Context;
use crate::data::{Tensors, conventions};
use crate::formats::Formats;
use crate::label_maps::{LabelMaps, label_maps};
use crate::record::Recorder;

pub(super) fn record(recorder: &mut Recorder) {
    many_tiles(recorder);
    one_statistic(recorder);
    tanh(recorder);
    distances(recorder);
    predicted_labels(recorder);
    weights(recorder);
}

/// More tiles a row than one lane adds up.
fn many_tiles(recorder: &mut Recorder) {
    let tensors = Tensors::random(&[1, 1, 140_001], 5, false);
    for index in 0..2 {
        let batch = tensors.batch(0).with_gradient();
        recorder.whole("many tiles", Context::nth(index), &Loss::dice(), &batch, Arrangement::APART);
    }
}

/// An overlap without cross-entropy and the reverse, of halves, bytes and bits, and their maps. Bytes are the targets numbered
/// 1, bits those numbered 3; the 4 is an ignored value.
fn one_statistic(recorder: &mut Recorder) {
    let (focal, map) = (Loss::dice().smooth(1.0).with(0.5, Loss::focal(2.0)), Loss::bce().reduction(Reduction::None));
    let columns = Loss::bce().reduction(Reduction::PerVoxel);
    for (index, (logits, targets)) in [(LogitsFormat::F16, 3), (LogitsFormat::Bf16, 1)].into_iter().enumerate() {
        for (loss, dims) in
            [(&Loss::dice(), STAGED), (&Loss::bce(), SMALL), (&focal, STAGED), (&map, STAGED), (&columns, [2, 3, 301])]
        {
            let formats = Formats::random(&dims, index as u32, true);
            let batch = with_output(loss, formats.without_gradient(logits, targets, 4));
            recorder.whole("one statistic", Context::nth(index), loss, &batch, Arrangement::APART);
        }
    }
}

/// Beside a focal loss and alone, with an ignored value, with and without a gradient.
fn tanh(recorder: &mut Recorder) {
    let found = conventions().into_iter().find(|(name, _)| *name == "tanh, minimum");
    let loss = found.expect("the tests have it").1;
    let focal = loss.clone().with(0.5, Loss::focal(2.0));
    for (index, (loss, dims)) in
        [(&focal, SMALL), (&focal, STAGED), (&loss, SMALL), (&loss, STAGED)].into_iter().enumerate()
    {
        let formats = Formats::random(&dims, 7, true);
        let batch = formats.without_gradient(LogitsFormat::F32, 0, if index == 1 { 4 + 1 } else { 4 });
        let batch = if index == 2 { batch } else { batch.with_gradient() };
        recorder.whole("tanh", Context::nth([0, 3, 2, 0][index]), loss, &batch, Arrangement::APART);
    }
}

/// By lanes that work alone, without a mask.
fn distances(recorder: &mut Recorder) {
    let formats = Formats::random(&[600, 3, 7], 11, false);
    let batch = formats.without_gradient(LogitsFormat::F32, 4, 0).with_gradient();
    recorder.whole("distances", Context::nth(0), &wasserstein(3, false), &batch, Arrangement::APART);
}

/// Of bytes and bits, weighted, with a value that does not count.
fn predicted_labels(recorder: &mut Recorder) {
    let tensors = Tensors::random(&SMALL, 13, false);
    let prediction = LabelMaps::new(&label_maps(&tensors.shape, 3).0);
    let bytes: Vec<u8> = (0..tensors.shape.elements()).map(|i| (i % 3) as u8).collect();
    let bits: Vec<u32> = (0..tensors.shape.elements().div_ceil(32)).map(|i| 0x9e37_79b9 ^ i as u32).collect();
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::focal(2.0)).probabilities();
    let targets = [Targets::U8(&bytes, segloss::ByteScale::One), Targets::Bits(&bits)];
    for (index, targets) in targets.into_iter().enumerate() {
        let batch = Batch::new(&tensors.shape, prediction.labels(index), targets).unwrap();
        let batch = batch.with_voxel_weights(&tensors.weights).unwrap().with_ignore_index(2);
        recorder.whole("predicted labels", Context::nth(index), &loss, &batch, Arrangement::APART);
    }
}

/// One a voxel beside a value that does not count, and one an element beside a map of voxels.
fn weights(recorder: &mut Recorder) {
    let (both, map) =
        (Loss::dice().smooth(1.0).with(0.5, Loss::bce()), Loss::cross_entropy().reduction(Reduction::PerVoxel));
    for (index, (loss, parts)) in [(&both, 4 + 16), (&map, 2)].into_iter().enumerate() {
        let formats = Formats::random(&STAGED, 17, parts & 4 != 0);
        let batch = with_output(loss, formats.without_gradient(LogitsFormat::F32, 4, parts));
        recorder.whole("weights", Context::nth(index), loss, &batch, Arrangement::APART);
    }
}
