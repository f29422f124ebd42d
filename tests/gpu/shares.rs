//! Numbers that are divided by their sum over the classes, against the reference and by hand.

use segloss::loss::{CrossEntropy, Divisor, Measure, Term};
use segloss::{Activation, Batch, Labels, Loss, Reduction, Shape};

use crate::data::{Tensors, assert_matches, gpu, hash, reducers, turn};

/// Shapes at the edges of columns: no spatial axes, one class, the short tile (64), the octets of a workgroup (2048), several
/// tiles, many classes.
const SHAPES: [&[usize]; 8] = [
    &[300, 3],
    &[1, 1, 300],
    &[2, 4, 63],
    &[2, 3, 2049],
    &[1, 4, 4097],
    &[600, 3, 70],
    &[1, 5, 70_001],
    &[2, 105, 600],
];

fn cross_entropy(ce: CrossEntropy) -> Loss {
    Loss::of(vec![Term::new(Activation::Normalized, Measure::CrossEntropy(ce))])
}

pub(crate) fn losses() -> [(&'static str, Loss); 6] {
    let held = CrossEntropy { clip: 1e-7, divisor: Divisor::Voxels, ..Default::default() };
    let weighted = CrossEntropy { class_weights: vec![0.75], label_smoothing: 0.1, ..held.clone() };
    [
        ("held", cross_entropy(held.clone())),
        ("held within ¼ and ¾, smoothed", cross_entropy(CrossEntropy { clip: 0.25, ..weighted.clone() })),
        ("focal", cross_entropy(CrossEntropy { gamma: 2.0, ..held.clone() })),
        ("focal, γ below 1", cross_entropy(CrossEntropy { gamma: 0.5, ..held.clone() }).reduction(Reduction::Sum)),
        ("voxel map", cross_entropy(weighted).reduction(Reduction::PerVoxel)),
        ("beside dice of the same", cross_entropy(held).with(0.5, Loss::dice().smooth(1.0).probabilities())),
    ]
}

/// Numbers up to 3, one in five of them 0; every seventh voxel is 3 in one class and 0 in the others.
pub(crate) fn shares(dims: &[usize], seed: u32) -> Tensors {
    let mut tensors = Tensors::random(dims, seed, true);
    let (classes, voxels) = (tensors.shape.classes(), tensors.shape.voxels());
    for (i, x) in tensors.logits.iter_mut().enumerate() {
        let (class, voxel) = (i / voxels % classes, i / voxels / classes * voxels + i % voxels);
        *x = match hash(seed + 9, i as u32) {
            _ if voxel % 7 == 0 => {
                if voxel / 7 % classes == class {
                    3.0
                } else {
                    0.0
                }
            }
            h if h.is_multiple_of(5) => 0.0,
            _ => 3.0 * (0.05 + 0.95 * *x),
        };
    }
    tensors
}

#[test]
fn normalised_numbers_match_the_reference_at_every_edge() {
    let _turn = turn();
    for (index, (name, loss)) in losses().into_iter().enumerate() {
        for (position, dims) in SHAPES.into_iter().enumerate().filter(|(p, _)| (index + p) % 2 == 0 || index == 0) {
            let tensors = shares(dims, (10 * index + position) as u32);
            let reducers = reducers();
            let gpu = &reducers[(index + position / 2) % reducers.len()];
            let batch = tensors.batch(((index + position) % 4) as u32).with_gradient();
            let batch = if position % 3 == 0 { batch.channel_last() } else { batch };
            let output = gpu.evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("{name} {dims:?} {:?}", gpu.reducer()), &loss, &batch, &output);
        }
    }
}

/// Of x = (1, 3, 0): −ln ¾ of the label 1, whose slopes are 1/Σx − t/x also where x is 0. Where nothing is there, all classes are
/// equal. The scale of x is nothing but that of the slopes.
#[test]
fn shares_by_hand() {
    let _turn = turn();
    let shape = Shape::new(&[3, 3]).unwrap();
    let loss = cross_entropy(CrossEntropy::default()).reduction(Reduction::Sum);
    let input = [1.0, 3.0, 0.0, 1e20, 3e20, 1e-20, 0.0, 0.0, 0.0];
    let batch = Batch::new(&shape, &input, Labels::U8(&[1, 1, 2])).unwrap().with_gradient();
    let output = gpu().evaluate(&loss, &batch).unwrap();
    let expected = 2.0 * (4.0f32 / 3.0).ln() + 3.0f32.ln();
    assert!((output.value() - expected).abs() < 1e-6, "{}, not {expected}", output.value());
    let gradient = output.gradient().unwrap();
    let slopes = [0.25, 0.25 - 1.0 / 3.0, 0.25];
    for (found, (slope, scale)) in gradient.iter().zip([1.0, 1e-20].iter().flat_map(|scale| slopes.map(|s| (s, scale))))
    {
        assert!((found / scale - slope).abs() < 1e-6, "{gradient:?}");
    }
}
