//! Losses that see the classes of a voxel together, against the reference.

use segloss::half::f16;
use segloss::loss::{Classes, CrossEntropy, Distances, Divisor, Measure, RowWeights, Term, Wasserstein};
use segloss::{Activation, Batch, Labels, LogitsFormat, Loss, Overlap, Pool, Reduction, Shape, Targets, reference};

use crate::buffers::limited;
use crate::data::{Tensors, assert_gradient, assert_matches, gpu, hash, reducers, turn};
use crate::formats::{Formats, assert_same, in_one_buffer};

/// Shapes at the edges: no spatial axes, one voxel, the short tile (64), the octets of a workgroup (2048), tiles that do not
/// divide, several blocks; one class, two, and more than 32 and 256.
const SHAPES: [&[usize]; 19] = [
    &[1, 2],
    &[300, 3],
    &[2, 3, 1],
    &[2, 4, 63],
    &[3, 4, 8, 8],
    &[2, 4, 65],
    &[1, 3, 2047],
    &[1, 3, 2048],
    &[2, 3, 2049],
    &[1, 4, 4097],
    &[1, 1, 3000],
    &[2, 4, 3, 50, 57],
    &[1, 5, 70_001],
    &[600, 3, 70],
    &[5000, 2, 1, 2],
    &[1, 33, 2500],
    &[2, 105, 600],
    &[1, 256, 257],
    &[1, 300, 65],
];

fn cross_entropy(activation: Activation, ce: CrossEntropy) -> Loss {
    Loss::of(vec![Term::new(activation, Measure::CrossEntropy(ce))])
}

/// Losses of every activation that couples classes, and of what may stand beside them.
pub(crate) fn losses() -> Vec<(&'static str, Loss)> {
    let weighted = || CrossEntropy { class_weights: vec![0.75], label_smoothing: 0.1, ..Default::default() };
    let focal = |gamma| CrossEntropy { gamma, divisor: Divisor::Voxels, ..Default::default() };
    let generalized = Overlap {
        row_weights: RowWeights::InverseSquaredVolume,
        smooth_numerator: 1.0,
        smooth_denominator: 1.0,
        pool: Pool::Classes,
        ..Overlap::dice()
    };
    let of = |overlap| Loss::of(vec![Term::new(Activation::Softmax, Measure::Overlap(overlap))]);
    let dice = || Loss::dice().smooth(1.0).softmax();
    vec![
        ("dice", dice()),
        ("dice + cross-entropy", dice().with(0.5, Loss::cross_entropy())),
        ("dice, squared, batch", dice().squared().pool(Pool::Batch)),
        ("generalised", of(generalized)),
        ("logarithms", Loss::dice().squared().smooth(1.0).activation(Activation::LogSoftmax)),
        ("cross-entropy, weighted", cross_entropy(Activation::Softmax, weighted())),
        (
            "cross-entropy, all elements",
            cross_entropy(Activation::Softmax, CrossEntropy { divisor: Divisor::AllElements, ..weighted() }),
        ),
        ("focal", cross_entropy(Activation::Softmax, focal(2.0))),
        ("focal, γ below 1", cross_entropy(Activation::Softmax, focal(0.5)).reduction(Reduction::Sum)),
        ("cross-entropy, map", Loss::cross_entropy().reduction(Reduction::None)),
        ("cross-entropy, voxel map", cross_entropy(Activation::Softmax, weighted()).reduction(Reduction::PerVoxel)),
        ("bce, voxel map", Loss::bce().reduction(Reduction::PerVoxel)),
        ("dice + bce", dice().with(0.5, Loss::bce()).with(0.25, Loss::dice().squared().smooth(1.0))),
    ]
}

/// Of more than one class.
pub(crate) fn foreground() -> Loss {
    let ce = CrossEntropy { gamma: 1.5, divisor: Divisor::Voxels, ..Default::default() };
    cross_entropy(Activation::ForegroundSoftmax, ce)
        .with(0.5, Loss::dice().smooth(1.0).activation(Activation::ForegroundSoftmax))
        .classes(Classes::Foreground)
}

/// A label for every voxel, one in eight of them 255.
pub(crate) fn labels(shape: &Shape, seed: u32) -> Vec<i32> {
    let label = |h: u32| if h.is_multiple_of(8) { 255 } else { (h >> 8) as i32 % shape.classes() as i32 };
    (0..shape.mask_elements()).map(|i| label(hash(seed, i as u32))).collect()
}

/// Two losses at every edge, the others at a quarter of them each, in turn: compiling takes longer than running.
#[test]
fn coupled_losses_match_the_reference_at_every_edge() {
    let _turn = turn();
    for (index, (name, loss)) in losses().into_iter().enumerate() {
        let everywhere = index < 2;
        for (position, dims) in SHAPES.into_iter().enumerate().filter(|(p, _)| everywhere || (index + p) % 4 == 0) {
            let seed = (100 * index + position) as u32;
            let tensors = Tensors::random(dims, seed, false);
            let reducers = reducers();
            let gpu = &reducers[(index + position / 2) % reducers.len()];
            let batch = tensors.batch(index as u32 % 4).with_gradient();
            let output = gpu.evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("{name} {dims:?} {:?}", gpu.reducer()), &loss, &batch, &output);
        }
    }
}

#[test]
fn labels_and_the_foreground_match_the_reference() {
    let _turn = turn();
    let losses = [
        Loss::dice().smooth(1.0).softmax().with(1.0, Loss::cross_entropy()).ignore_index(255),
        foreground().ignore_index(255),
    ];
    for (index, loss) in losses.iter().enumerate() {
        for (position, dims) in SHAPES.into_iter().enumerate().filter(|(_, dims)| dims[1] > 1) {
            let tensors = Tensors::random(dims, (50 + position) as u32, false);
            let labels = labels(&tensors.shape, position as u32);
            let reducers = reducers();
            let gpu = &reducers[(index + position) % reducers.len()];
            let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::I32(&labels)).unwrap().with_gradient();
            let last = batch.clone().channel_last();
            for batch in if position % 3 == 0 {
                vec![batch, last]
            } else if position % 2 == 0 {
                vec![batch]
            } else {
                vec![last]
            } {
                let output = gpu.evaluate(loss, &batch).unwrap();
                let name = format!("{index} {dims:?} {:?} {:?}", gpu.reducer(), batch.problem().axes);
                assert_matches(&name, loss, &batch, &output);
            }
        }
    }
}

#[test]
fn distances_match_the_reference() {
    let _turn = turn();
    for (position, dims) in [&[300, 3][..], &[2, 3, 63], &[2, 5, 2049], &[1, 4, 70_001]].into_iter().enumerate() {
        let tensors = Tensors::random(dims, (70 + position) as u32, false);
        let labels = labels(&tensors.shape, position as u32);
        let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::I32(&labels)).unwrap();
        let batch = batch.with_mask(&tensors.mask).unwrap().with_gradient();
        let batch = if position % 2 == 0 { batch } else { batch.channel_last() };
        for by_volume in [false, true] {
            let loss = wasserstein(dims[1], by_volume).with(0.5, Loss::cross_entropy()).ignore_index(255);
            for gpu in reducers() {
                let output = gpu.evaluate(&loss, &batch).unwrap();
                assert_matches(&format!("{dims:?} {by_volume} {:?}", gpu.reducer()), &loss, &batch, &output);
            }
        }
    }
}

/// Distances that are no metric: not symmetric, and not 0 from a class to itself.
pub(crate) fn wasserstein(classes: usize, by_volume: bool) -> Loss {
    let distance = |label: usize, class: usize| f64::from(hash(label as u32, class as u32) % 9) / 8.0;
    let rows = (0..classes).map(|label| (0..classes).map(|class| distance(label, class)).collect());
    let wasserstein = Wasserstein {
        distances: Distances::new(rows.collect()).unwrap(),
        label_weights: (0..classes).map(|class| class as f64).collect(),
        by_volume,
        smooth_numerator: 0.5,
        smooth_denominator: 1.0,
        reduction: Reduction::Mean,
    };
    Loss::of(vec![Term::new(Activation::Softmax, Measure::Wasserstein(wasserstein))])
}

/// Planes that no binding holds are copied in chunks, whatever their format, also where words belong to two of them.
#[test]
fn planes_beyond_the_binding_limit_are_copied_in_chunks() {
    let _turn = turn();
    // 256 KiB a binding: less than a sample's planes, more than a tile of them.
    let gpu = limited(|limits| limits.max_storage_buffer_binding_size = 1 << 18);
    let loss = Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy());
    let dims = [2, 3, 40_001];
    let tensors = Tensors::random(&dims, 91, false);
    let labels = labels(&tensors.shape, 3);
    let halves: Vec<f16> = tensors.logits.iter().map(|&z| f16::from_f32(z)).collect();
    let bits: Vec<u32> = (0..tensors.shape.elements().div_ceil(32)).map(|i| hash(5, i as u32)).collect();
    let shape = &tensors.shape;
    let batches = [
        Batch::new(shape, &tensors.logits, &tensors.targets).unwrap().with_voxel_weights(&tensors.weights).unwrap(),
        Batch::new(shape, &tensors.logits, Labels::I32(&labels)).unwrap().with_mask(&tensors.mask).unwrap(),
        Batch::new(shape, &halves, Targets::Bits(&bits)).unwrap(),
    ];
    for (index, batch) in batches.into_iter().enumerate() {
        let batch = batch.with_gradient().with_ignore_index(255);
        let output = gpu.evaluate(&loss, &batch).unwrap();
        assert_same(&format!("chunks {index}"), &loss, &batch, &output);
    }
    for reduction in [Reduction::None, Reduction::PerVoxel] {
        let (loss, batch) = (Loss::cross_entropy().reduction(reduction), tensors.batch(1).with_gradient());
        let output = gpu.evaluate(&loss, &batch).unwrap();
        assert_matches(&format!("chunks, {reduction:?}"), &loss, &batch, &output);
    }
}

/// A chunk that holds less than a tile: its parts add to the same sums.
#[test]
fn tiles_larger_than_a_chunk_are_visited_in_parts() {
    let _turn = turn();
    let gpu = limited(|limits| limits.max_storage_buffer_binding_size = 1 << 18);
    let loss = Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy());
    for dims in [&[2, 40, 5001][..], &[1, 105, 4096]] {
        let tensors = Tensors::random(dims, 31, false);
        let labels = labels(&tensors.shape, 9);
        let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::I32(&labels)).unwrap();
        let batch = batch.with_ignore_index(255).with_gradient();
        let output = gpu.evaluate(&loss, &batch).unwrap();
        assert_matches(&format!("parts {dims:?}"), &loss, &batch, &output);
    }
}

/// Whole planes in one chunk, whose words at the edges belong to two classes.
#[test]
fn chunks_of_whole_planes_keep_the_halves_of_their_neighbours() {
    let _turn = turn();
    let gpu = limited(|limits| limits.max_storage_buffer_binding_size = 1 << 18);
    let loss = Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy()).reduction(Reduction::Sum);
    for dims in [&[1, 3, 16_001][..], &[2, 3, 16_001], &[1, 3, 40_001]] {
        let formats = Formats::random(dims, 17, false);
        let batch = formats.without_gradient(LogitsFormat::F16, 4, 0).with_gradient();
        let output = in_one_buffer(&gpu, &format!("{dims:?}"), &loss, &batch, &formats);
        assert_same(&format!("{dims:?}"), &loss, &batch, &output);
    }
}

/// What arrives from outside for every row, of losses without a reduction: on rows, in one dispatch, and on columns.
#[test]
fn rows_have_upstream_gradients_of_their_own() {
    let _turn = turn();
    let dice = || Loss::dice().smooth(1.0).reduction(Reduction::None);
    let losses = [dice(), dice().softmax(), dice().pool(Pool::Batch), Loss::cross_entropy().reduction(Reduction::Sum)];
    for (index, loss) in losses.iter().enumerate() {
        for dims in [&[2, 3, 40][..], &[3, 5, 5001]] {
            let tensors = Tensors::random(dims, 97, false);
            let upstream: Vec<f32> = (0..tensors.shape.rows()).map(|row| row as f32 - 2.5).collect();
            let batch = tensors.batch(3).with_row_upstream(&upstream).unwrap();
            let output = gpu().evaluate(loss, &batch).unwrap();
            assert_matches(&format!("upstream {index} {dims:?}"), loss, &batch, &output);
            // Half of it makes half the gradient: it is no part of what is kept.
            let half: Vec<f32> = upstream.iter().map(|u| 0.5 * u).collect();
            let halved = gpu().evaluate(loss, &tensors.batch(3).with_row_upstream(&half).unwrap()).unwrap();
            let want: Vec<f32> = output.gradient().unwrap().iter().map(|g| 0.5 * g).collect();
            assert_eq!(halved.gradient().unwrap(), want);
        }
    }
}

/// Ties go to the first class, and there are many of them.
#[test]
fn the_largest_logit_is_counted_once() {
    let _turn = turn();
    let shape = Shape::new(&[2, 5, 3001]).unwrap();
    let logits: Vec<f32> = (0..shape.elements()).map(|i| (hash(3, i as u32) % 4) as f32).collect();
    let labels = labels(&shape, 5);
    let loss = Loss::dice().smooth(1.0).hard(0.5).activation(Activation::Argmax).ignore_index(255);
    let batch = Batch::new(&shape, &logits, Labels::I32(&labels)).unwrap();
    for gpu in reducers() {
        let output = gpu.evaluate(&loss, &batch).unwrap();
        assert_eq!(output.sums(), reference::evaluate(&loss, &batch).unwrap().sums);
        let predicted: f64 = output.sums()[0].iter().map(|sums| sums.prediction()).sum();
        let counted: u64 = output.sums()[0].iter().step_by(5).map(|sums| sums.count).sum();
        assert_eq!(predicted, counted as f64);
    }
}

/// Equal inputs make every block round alike, so that errors add up instead of cancelling.
#[test]
fn constant_columns_do_not_drift() {
    let _turn = turn();
    let loss = Loss::dice().softmax().with(1.0, Loss::cross_entropy());
    let shape = Shape::new(&[1, 2, 5_000_011]).unwrap();
    let labels = vec![1_u8; shape.voxels()];
    for (gpu, z) in reducers().into_iter().flat_map(|gpu| [0.1_f32, -19.9, 3.9].map(|z| (gpu.clone(), z))) {
        let logits: Vec<f32> = (0..shape.elements()).map(|i| if i < shape.voxels() { 0.0 } else { z }).collect();
        let output = gpu.evaluate(&loss, &Batch::new(&shape, &logits, Labels::U8(&labels)).unwrap()).unwrap();
        let (n, z) = (shape.voxels() as f64, f64::from(z));
        let p = 1.0 / (1.0 + (-z).exp());
        let want = [
            [0.0, n * (1.0 - p), 0.0],
            [n * p, n * p, n],
            [0.0, n * z.exp().ln_1p(), 0.0],
            [n * (-z).exp().ln_1p(), n * (-z).exp().ln_1p(), n],
        ];
        for (got, want) in output.sums().iter().flatten().zip(want) {
            for (got, want) in got.values.into_iter().zip(want) {
                assert!((got - want).abs() <= 1e-6 * want, "{:?}, z = {z}: {got}, not {want}", gpu.reducer());
            }
        }
    }
}

/// The same of more pairs of class and statistic than a small workgroup has lanes.
#[test]
fn constant_columns_of_many_classes_do_not_drift() {
    let _turn = turn();
    let loss = Loss::dice().softmax().with(1.0, Loss::cross_entropy());
    let shape = Shape::new(&[1, 6, 300_000]).unwrap();
    let level = |class: usize| [0.1_f32, -3.9, 2.0, 0.7, -1.3, 1.1][class];
    let logits: Vec<f32> = (0..shape.elements()).map(|i| level(i / shape.voxels())).collect();
    let labels = vec![2_u8; shape.voxels()];
    let sum: f64 = (0..6).map(|class| f64::from(level(class)).exp()).sum();
    for gpu in reducers() {
        let output = gpu.evaluate(&loss, &Batch::new(&shape, &logits, Labels::U8(&labels)).unwrap()).unwrap();
        for class in 0..6 {
            let want = shape.voxels() as f64 * f64::from(level(class)).exp() / sum;
            let got = output.sums()[0][class].prediction();
            assert!((got - want).abs() <= 1e-6 * want, "{:?}, class {class}: {got}, not {want}", gpu.reducer());
        }
    }
}

/// Of many classes a tile's blocks are several dispatches where loops may not run long, and a team's own loops count, too;
/// what is wrong at the very end is seen.
#[test]
fn many_classes_lose_no_block() {
    let _turn = turn();
    let loss = Loss::dice().smooth(1.0).softmax().with(1.0, Loss::cross_entropy());
    for (dims, loss) in [
        (&[1, 256, 64, 64][..], loss.clone()),
        (&[1, 300, 5000], loss),
        (&[1, 256, 4099], Loss::cross_entropy().reduction(Reduction::None)),
    ] {
        let mut tensors = Tensors::random(dims, 5, false);
        let labels = labels(&tensors.shape, 7);
        for gpu in reducers() {
            let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::I32(&labels)).unwrap();
            let batch = batch.with_ignore_index(255).with_gradient();
            let output = gpu.evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("{dims:?} {:?}", gpu.reducer()), &loss, &batch, &output);
        }
        *tensors.logits.last_mut().unwrap() = f32::NAN;
        let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::I32(&labels)).unwrap().with_ignore_index(255);
        for gpu in reducers() {
            let found = gpu.evaluate(&loss, &batch);
            assert!(matches!(found, Err(segloss::Error::BadValues(bad)) if bad.logits == 1), "{found:?}");
        }
    }
}

/// One class far above equal others, whose Σ e^(z−m) would drift if it were one sequence.
#[test]
fn many_equal_classes_keep_their_digits() {
    let _turn = turn();
    for classes in [105, 256] {
        let shape = Shape::new(&[1, classes, 70]).unwrap();
        let logits: Vec<f32> = (0..shape.elements()).map(|i| if i < 70 { 0.0 } else { -15.94 }).collect();
        let loss = Loss::cross_entropy().with(1.0, Loss::dice().smooth(1.0).softmax());
        let batch = Batch::new(&shape, &logits, Labels::U8(&[0; 70])).unwrap().with_gradient();
        let output = gpu().evaluate(&loss, &batch).unwrap();
        assert_matches(&format!("{classes} classes"), &loss, &batch, &output);
    }
}

/// Far apart, equal, huge: nothing overflows, and a p near 1 has a gradient with digits.
#[test]
fn extreme_columns_stay_finite() {
    let _turn = turn();
    let shape = Shape::new(&[1, 3, 4]).unwrap();
    let logits = [3e38_f32, 20.0, -88.0, 0.0, -3e38, 0.0, 88.0, 0.0, 0.0, -20.0, 1e4, 0.0];
    let labels = [0_u8, 0, 1, 2];
    let loss = Loss::dice().smooth(1.0).softmax().with(1.0, Loss::cross_entropy());
    let batch = Batch::new(&shape, &logits, Labels::U8(&labels)).unwrap().with_gradient();
    let output = gpu().evaluate(&loss, &batch).unwrap();
    let expected = reference::evaluate(&loss, &batch).unwrap();
    let error = (f64::from(output.value()) - expected.value).abs();
    assert!(error <= 1e-6 * expected.value, "{} instead of {}", output.value(), expected.value);
    assert_gradient("extreme", output.gradient().unwrap(), &expected.gradient.unwrap(), 0.0);
    // dL/dz of a certain voxel is q·(…): 1e-9, not the rounding of 1 − p.
    let certain =
        Batch::new(&shape, &[20.0, 20.0, 20.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], Labels::U8(&[0; 4]));
    let batch = certain.unwrap().with_gradient();
    let output = gpu().evaluate(&Loss::cross_entropy(), &batch).unwrap();
    let q = 2.0 * (-20.0_f64).exp() / (1.0 + 2.0 * (-20.0_f64).exp());
    let want: Vec<f64> = [-q, 0.5 * q, 0.5 * q].into_iter().flat_map(|g| [g / 4.0; 4]).collect();
    assert_gradient("certain", output.gradient().unwrap(), &want, 0.0);
}

/// What is unusable in one class leaves out its voxel, and is counted once.
#[test]
fn unusable_values_leave_out_whole_voxels() {
    let _turn = turn();
    for dims in [&[2, 3, 40][..], &[2, 3, 5000]] {
        let mut tensors = Tensors::random(dims, 77, false);
        let voxels = tensors.shape.voxels();
        (tensors.logits[3], tensors.logits[voxels + 3], tensors.targets[2 * voxels + 9]) =
            (f32::NAN, f32::INFINITY, f32::NAN);
        let loss = Loss::dice().smooth(1.0).softmax().with(1.0, Loss::cross_entropy());
        for gpu in reducers() {
            let bad = gpu.evaluate(&loss, &tensors.batch(0)).unwrap_err();
            let segloss::Error::BadValues(bad) = bad else { panic!("{bad}") };
            assert_eq!((bad.logits, bad.targets, bad.labels), (2, 1, 0));
            assert_eq!(bad, reference::bad_values(&tensors.batch(0)));
        }
    }
}
