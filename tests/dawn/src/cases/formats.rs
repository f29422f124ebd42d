//! Every format of logits with every format of targets, and predicted labels.

use segloss::{Batch, Loss, Reduction, Shape};

use super::{STAGED, softmax};
use crate::arrangement::Arrangement;
use crate::context::Context;
use crate::data::Tensors;
use crate::formats::{Formats, LOGITS, TARGETS};
use crate::label_maps::{LabelMaps, label_maps};
use crate::record::Recorder;

/// The bits of [`Formats::without_gradient`]: mask, weights, an ignored value, classes last, weights a voxel.
const PARTS: [u32; 5] = [4, 1 + 8, 2 + 4, 4 + 8, 16];

pub(super) fn record(recorder: &mut Recorder) {
    let rows = Loss::dice().smooth(1.0).with(0.5, Loss::bce()).reduction(Reduction::Sum);
    let columns = softmax().reduction(Reduction::Sum);
    for (index, (logits, targets)) in
        LOGITS.into_iter().flat_map(|logits| (0..TARGETS).map(move |targets| (logits, targets))).enumerate()
    {
        // Words of stages whose ends belong to a tensor beside. Quads of one dispatch, and columns of either: of those each
        // format of targets with one of logits.
        let pooled = [Arrangement::pooled(1, index % 5), Arrangement::pooled(16, index % 5)];
        let cases = [
            (&rows, STAGED, pooled[0]),
            (&rows, [1, 3, 36], Arrangement::APART),
            (&columns, [2, 3, 300 + targets % 2], pooled[targets % 2]),
        ];
        let kinds = if index / TARGETS == targets % LOGITS.len() { 3 } else { 1 };
        for (position, (loss, dims, lie)) in cases.into_iter().take(kinds).enumerate() {
            let parts = if position == 1 { 4 } else { PARTS[(index + position) % PARTS.len()] };
            let formats = Formats::random(&dims, index as u32, parts & 4 != 0);
            let batch = formats.without_gradient(logits, targets, parts).with_gradient();
            let name = format!("{logits:?}, {:?}, parts {parts}", batch.problem().targets);
            recorder.whole(&name, Context::nth(index + position), loss, &batch, lie);
        }
    }
    predicted_labels(recorder);
}

fn predicted_labels(recorder: &mut Recorder) {
    let losses = [
        Loss::dice().probabilities().hard(0.5),
        Loss::bce().probabilities().reduction(Reduction::None),
        Loss::bce().probabilities().reduction(Reduction::PerVoxel),
        Loss::dice().smooth(1.0).with(0.5, Loss::bce()).probabilities(),
    ];
    for format in 0..LabelMaps::FORMATS {
        for (index, loss) in losses.iter().enumerate() {
            let shape = Shape::new(&[[1, 3, 33], STAGED][(index + format) % 2]).unwrap();
            let (prediction, target) = label_maps(&shape, 227);
            let (prediction, target) = (LabelMaps::new(&prediction), LabelMaps::new(&target));
            let other = target.labels((format + 1) % LabelMaps::FORMATS);
            let batch = Batch::new(&shape, prediction.labels(format), other).unwrap();
            let lie = Arrangement::pooled(1, format);
            recorder.whole(&format!("predicted {:?}", other.format()), Context::nth(index), loss, &batch, lie);
        }
    }
    // Soft targets, a mask and weights beside labels.
    for (index, dims) in [[1, 3, 33], STAGED].into_iter().enumerate() {
        let tensors = Tensors::random(&dims, 211, false);
        let prediction = LabelMaps::new(&label_maps(&tensors.shape, 3).0);
        let batch = Batch::new(&tensors.shape, prediction.labels(index), &tensors.targets).unwrap();
        let batch = batch.with_mask(&tensors.mask).unwrap().with_weights_per_voxel(&tensors.shared_weights).unwrap();
        recorder.whole("predicted, soft targets", Context::nth(index), &losses[3], &batch, Arrangement::APART);
    }
}
