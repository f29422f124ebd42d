//! Label maps as predictions, against counting by definition and against one-hot copies.

use segloss::metrics::CountTable;
use segloss::peers::{Metric, monai, torchmetrics};
use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{
    Activation, BadValues, Batch, BufferRange, Buffers, Error, Gpu, Labels, Logits, Loss, Output, Reduction, Shape,
    reference,
};

use crate::buffers::{download, limited, scratch};
use crate::data::{assert_matches, gpu, hash, reducers, turn};
use crate::label_maps::{LabelMaps, bytes_of_labels, label_maps, one_hot};

/// What is not to count in the target. In the prediction it would be no class.
const IGNORED: u8 = 255;

fn counting() -> Loss {
    Loss::dice().probabilities().hard(0.5)
}

/// Two label maps in all formats, the target with voxels to ignore.
struct Pair {
    shape: Shape,
    prediction: LabelMaps,
    target: LabelMaps,
}

impl Pair {
    fn random(dims: &[usize], seed: u32) -> Self {
        let shape = Shape::new(dims).unwrap();
        let (prediction, mut target) = label_maps(&shape, seed);
        target.iter_mut().skip(3).step_by(11).for_each(|label| *label = IGNORED);
        Self { prediction: LabelMaps::new(&prediction), target: LabelMaps::new(&target), shape }
    }

    fn batch(&self, prediction: usize, target: usize) -> Batch<'_> {
        self.batch_of(self.prediction.labels(prediction).into(), target)
    }

    /// With another prediction.
    fn batch_of<'a>(&'a self, prediction: Logits<'a>, target: usize) -> Batch<'a> {
        let batch = Batch::new(&self.shape, prediction, self.target.labels(target)).unwrap();
        batch.with_ignore_index(IGNORED.into())
    }

    fn expected(&self) -> CountTable {
        let [prediction, target] = [&self.prediction, &self.target].map(|maps| Labels::U8(&maps.u8));
        reference::label_counts(prediction, target, &self.shape, Some(IGNORED.into())).unwrap()
    }
}

#[test]
fn counts_of_two_label_maps_are_exact() {
    let _turn = turn();
    let shapes: [&[usize]; 7] =
        [&[2, 3], &[1, 2, 5], &[3, 4, 257], &[2, 3, 65, 64], &[1, 2, 40_001], &[70, 5, 33], &[2, 3, 8192]];
    for (index, dims) in shapes.into_iter().enumerate() {
        let pair = Pair::random(dims, 200 + index as u32);
        let expected = pair.expected();
        for prediction in 0..LabelMaps::FORMATS {
            let batch = pair.batch(prediction, (prediction + 1) % LabelMaps::FORMATS);
            // A label map has no class axis.
            let batch = if (prediction + index) % 3 == 0 { batch.channel_last() } else { batch };
            let reducers = reducers();
            let gpu = &reducers[(prediction + index) % reducers.len()];
            let counts = gpu.counts(&counting(), &batch).unwrap();
            assert_eq!(counts.rows(), expected.rows(), "{:?}, {:?}", batch.problem(), gpu.reducer());
        }
        let by_reference = reference::counts(&counting(), &pair.batch(4, 0)).unwrap();
        assert_eq!(by_reference.rows(), expected.rows(), "{dims:?}");
    }
}

/// Whatever takes probabilities takes labels: with a mask and weights, soft targets, and as a map.
#[test]
fn labels_are_probabilities_of_0_and_1() {
    let _turn = turn();
    let losses = [
        Loss::dice().smooth(1.0).with(0.5, Loss::bce()).probabilities(),
        Loss::focal(2.0).probabilities(),
        Loss::bce().probabilities().reduction(Reduction::None),
        Loss::bce().probabilities().reduction(Reduction::PerVoxel),
    ];
    for (dims, losses) in [(&[2, 3, 333], &losses[..1]), (&[2, 3, 4000], &losses)] {
        let pair = Pair::random(dims, 211);
        let masks = one_hot(&pair.prediction.u8, &pair.shape);
        let number = |i: usize| hash(17, i as u32) % 1000;
        let soft: Vec<f32> = (0..pair.shape.elements()).map(|i| number(i) as f32 / 1000.0).collect();
        let mask: Vec<f32> = (0..pair.shape.mask_elements()).map(|i| f32::from(u8::from(number(i) > 250))).collect();
        let weights: Vec<f32> = (0..pair.shape.mask_elements()).map(|i| number(i) as f32 / 500.0).collect();
        for (index, loss) in losses.iter().enumerate() {
            for (format, last) in [(index, false), (index + 1, true)] {
                let complete = |batch: Result<Batch<'_>, Error>| -> Output {
                    let batch = batch.unwrap().with_mask(&mask).unwrap().with_weights_per_voxel(&weights).unwrap();
                    let batch = if last { batch.channel_last() } else { batch };
                    let output = gpu().evaluate(loss, &batch).unwrap();
                    assert_matches(&format!("{:?}", batch.problem()), loss, &batch, &output);
                    output
                };
                let labels = complete(Batch::new(&pair.shape, pair.prediction.labels(format), &soft));
                if !last {
                    assert_eq!(labels, complete(Batch::new(&pair.shape, &masks, &soft)));
                }
            }
        }
    }
}

/// Labels beyond the classes are counted once, whatever the classes; their voxels count in no class.
#[test]
fn predicted_labels_that_are_no_class_are_counted() {
    let _turn = turn();
    let map = Loss::bce().probabilities().reduction(Reduction::PerVoxel);
    for dims in [&[2, 3, 700][..], &[2, 3, 9000]] {
        let mut pair = Pair::random(dims, 223);
        let voxels = pair.shape.voxels();
        // Just beyond, negative, no class by more than its lower half; and what the target ignores.
        for (voxel, label) in [(0, 3), (5, -1), (voxels, 1 << 32), (2 * voxels - 1, IGNORED.into())] {
            pair.prediction.i64[voxel] = label;
        }
        (pair.prediction.i32[1], pair.prediction.i32[voxels + 9]) = (i32::MIN, -100);
        pair.target.u8[2] = 7;
        for (loss, gpu) in
            [&counting(), &map].into_iter().flat_map(|loss| reducers().into_iter().map(move |g| (loss, g)))
        {
            for (format, predicted_labels) in [(4, 4), (3, 2)] {
                let bad = BadValues { predicted_labels, labels: 1, ..BadValues::default() };
                let batch = pair.batch(format, 0);
                assert_eq!(gpu.evaluate(loss, &batch), Err(Error::BadValues(bad)));
                assert_eq!(reference::evaluate(loss, &batch), Err(Error::BadValues(bad)));
            }
        }
        let [prediction, target] = [pair.prediction.labels(4), pair.target.labels(0)];
        let counted = reference::label_counts(prediction, target, &pair.shape, Some(IGNORED.into()));
        assert_eq!(counted, gpu().counts(&counting(), &pair.batch(4, 0)));
        let message = counted.unwrap_err().to_string();
        assert!(
            message.contains("4 predicted labels that are no class (from 0 to C − 1), 1 labels that are no class"),
            "{message}"
        );
    }
}

/// Evaluates a loss on a batch whose tensors, and the voxel map if the loss is one, lie in one buffer, each behind an element
/// of something else. Nothing but the map is written.
fn in_one_buffer(gpu: &Gpu, loss: &Loss, batch: &Batch, prediction: Labels, target: Labels) -> Output {
    let mut bytes = vec![];
    let mut place = |data: &[u8], multiple: usize| {
        let begin = bytes.len().next_multiple_of(multiple) + multiple;
        bytes.resize(begin, 0xa5);
        bytes.extend_from_slice(data);
        begin..bytes.len()
    };
    let [first, second] = [prediction, target].map(|labels| (bytes_of_labels(labels), labels.format().bits() / 8));
    let poison = vec![0xa5; 4 * batch.shape().elements()];
    let places = [place(&first.0, first.1 as usize), place(&poison, 4), place(&second.0, second.1 as usize)];
    bytes.resize(bytes.len().next_multiple_of(32) + 32, 0xa5);

    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let descriptor = wgpu::BufferDescriptor { label: None, size: bytes.len() as u64, usage, mapped_at_creation: false };
    let buffer = gpu.device().create_buffer(&descriptor);
    gpu.queue().write_buffer(&buffer, 0, &bytes);
    let [prediction, map, target] = places.clone().map(|place| BufferRange {
        buffer: &buffer,
        offset: place.start as u64,
        length: place.len() as u64,
    });
    let buffers = Buffers::new(prediction, target);
    let buffers = if loss.is_voxel_map() { buffers.with_voxel_map(map) } else { buffers };
    let plan = gpu.plan(loss, batch.problem()).unwrap();
    let scratch = scratch(gpu, plan.scratch_size());
    let bound = plan.bind(&buffers, (&scratch).into()).unwrap();
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    let after: Vec<u8> = download(gpu, &buffer).into_iter().flat_map(u32::to_le_bytes).collect();
    for (i, (before, after)) in bytes.iter().zip(&after).enumerate() {
        assert!(before == after || places[1].contains(&i), "{:?}: byte {i} was overwritten", batch.problem());
    }
    let output = bound.read_blocking().unwrap();
    if !loss.is_voxel_map() {
        return output;
    }
    let numbers = after[places[1].clone()].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    output.with_voxel_map(numbers.collect())
}

#[test]
fn label_maps_share_one_buffer_at_odd_offsets() {
    let _turn = turn();
    let [map, columns] =
        [Reduction::None, Reduction::PerVoxel].map(|reduction| Loss::bce().probabilities().reduction(reduction));
    // 256 KiB a binding: the last sizes are bound in windows, which begin within words.
    let small = limited(|limits| limits.max_storage_buffer_binding_size = 1 << 18);
    let sizes = [(gpu(), [1, 3, 33]), (gpu(), [2, 3, 5001]), (&small, [5, 3, 20_001]), (&small, [1, 2, 150_003])];
    for (index, (gpu, dims)) in sizes.into_iter().enumerate() {
        let pair = Pair::random(&dims, 227);
        let batch = pair.batch(4, 3);
        assert_matches(&format!("{:?}", batch.problem()), &columns, &batch, &gpu.evaluate(&columns, &batch).unwrap());
        for format in 0..LabelMaps::FORMATS {
            let other = (format + 1) % LabelMaps::FORMATS;
            let (prediction, target) = (pair.prediction.labels(format), pair.target.labels(other));
            let batch = pair.batch(format, other);
            let name = format!("{:?}", batch.problem());
            let output = in_one_buffer(gpu, &counting(), &batch, prediction, target);
            let counts = CountTable::from_sums(&output.sums()[0], &pair.shape).unwrap();
            assert_eq!(counts.rows(), pair.expected().rows(), "{name}");
            if index % 2 == 1 {
                let output = in_one_buffer(gpu, &map, &batch, prediction, target);
                assert_matches(&name, &map, &batch, &output);
            }
        }
    }
}

/// The peers' metrics of two label maps are those of their one-hot copies, and of logits whose largest they are.
#[test]
fn metrics_take_label_maps_and_logits() {
    let _turn = turn();
    let pair = Pair::random(&[3, 4, 40, 41], 229);
    let shape = &pair.shape;
    let masks = one_hot(&pair.prediction.u8, shape);
    // The class's own logit above the others'.
    let logits: Vec<f32> =
        masks.iter().enumerate().map(|(i, m)| 20.0 * m + (hash(5, i as u32) % 1000) as f32 / 100.0).collect();
    let positive: Vec<f32> = masks.iter().map(|m| m - 0.5).collect();
    let metrics: [(&str, Box<dyn Metric>); 4] = [
        ("DiceMetric", Box::new(monai::DiceMetric { ignore_index: Some(IGNORED.into()), ..Default::default() })),
        ("MeanIoU", Box::new(monai::MeanIoU { ignore_index: Some(IGNORED.into()), ..Default::default() })),
        ("DiceScore", Box::new(torchmetrics::DiceScore { num_classes: 4, ..Default::default() })),
        ("MeanIoU of TorchMetrics", Box::new(torchmetrics::MeanIoU::default())),
    ];
    for (name, metric) in metrics {
        let values = |batch: &Batch, loss: Loss| {
            let counts = gpu().counts(&loss, batch).unwrap();
            assert_eq!(counts.rows(), pair.expected().rows(), "{name}");
            metric.compute(&counts).unwrap()
        };
        let labels = pair.batch(1, 0);
        let expected = values(&labels, metric.counting(labels.problem()).unwrap());
        let dense = pair.batch_of((&masks).into(), 0);
        assert_eq!(values(&dense, metric.counting(dense.problem()).unwrap()), expected, "{name}");
        for (logits, activation) in [(&logits, Activation::Argmax), (&positive, Activation::Sigmoid)] {
            let batch = pair.batch_of(logits.into(), 0);
            let loss = metric.counting_of(batch.problem(), activation, 0.5).unwrap();
            assert_eq!(values(&batch, loss), expected, "{name}, {activation:?}");
        }
    }
}
