//! Every loss at every size that is an edge of something, against the reference.

use segloss::loss::{Formula, Measure, Overlap, Term};
use segloss::{Activation, Batch, Loss, Map, Pool, Reduction, Shape, reference};

use crate::data::{
    Tensors, assert_gradient, assert_matches, conventions, gpu, losses, reducers, takes_probabilities, turn,
};

/// Shapes at the edges: one voxel, the short-tile limit (64), the workgroup (256), the tile (4096, and 32,768 on software
/// adapters), tiles that do not divide, no spatial axes, several rows; all that on either side of what is small (16,384 elements, 32 rows) and takes one
/// dispatch.
const SHAPES: [&[usize]; 35] = [
    &[1, 1, 1],
    &[1, 1],
    &[5, 3],
    &[2, 3, 63],
    &[2, 2, 8, 8],
    &[1, 2, 5, 13],
    &[1, 1, 255],
    &[1, 1, 256],
    &[3, 1, 257],
    &[1, 1, 4095],
    &[1, 1, 4096],
    &[1, 2, 4097],
    &[2, 1, 3, 50, 57],
    &[1, 1, 33 * 4096 + 1],
    &[300, 1, 7],
    &[2, 300, 3],
    &[70, 8, 70],
    &[600, 2, 1, 1, 1],
    &[33, 3, 63],
    &[33, 1, 65],
    &[70, 1, 255],
    &[70, 1, 256],
    &[70, 1, 257],
    &[5, 1, 4095],
    &[5, 1, 4096],
    &[5, 1, 4097],
    &[1, 1, 16_383],
    &[1, 1, 16_384],
    &[1, 1, 16_385],
    &[2, 1, 16_383],
    &[2, 1, 16_384],
    &[2, 1, 16_385],
    &[1, 1, 32_767],
    &[1, 1, 32_768],
    &[1, 1, 32_769],
];

#[test]
fn every_loss_matches_the_reference_at_every_edge() {
    let _turn = turn();
    let reducers = reducers();
    for (index, (name, loss)) in losses().into_iter().enumerate() {
        // A few by every reducer, each of the others by one: compiling takes longer than running.
        let turn = index % reducers.len();
        let own = if index % 4 == 0 { &reducers[..] } else { &reducers[turn..=turn] };
        for gpu in own {
            for (position, dims) in SHAPES.into_iter().enumerate() {
                let seed = (100 * index + position) as u32;
                let tensors = Tensors::random(dims, seed, takes_probabilities(name));
                // The same parts at all sizes, for the same reason; other losses have the others.
                let batch = tensors.batch(index as u32 % 4).with_gradient();
                let output = gpu.evaluate(&loss, &batch).unwrap();
                assert_matches(&format!("{name} {dims:?} {:?}", gpu.reducer()), &loss, &batch, &output);
            }
        }
    }
}

/// What is made of the sums, and of an element, at a few sizes: of one dispatch and of several, of lanes and of workgroups.
#[test]
fn every_convention_matches_the_reference() {
    let _turn = turn();
    for (index, (name, loss)) in conventions().into_iter().enumerate() {
        // Half of the sizes each, in turn.
        let sizes = [&[5, 3][..], &[3, 2, 5001], &[1, 2, 63], &[40, 3, 50]];
        for (position, dims) in sizes.into_iter().enumerate().filter(|(position, _)| (position / 2 + index) % 2 == 0) {
            let reducers = reducers();
            let gpu = &reducers[(index + position) % reducers.len()];
            // Matthews' counts take no voxel weights.
            let parts = if name.contains("matthews") { index % 2 } else { index % 4 } as u32;
            let tensors = Tensors::random(dims, (1000 + 100 * index + position) as u32, takes_probabilities(name));
            let batch = tensors.batch(parts).with_gradient();
            let output = gpu.evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("{name} {dims:?} {:?}", gpu.reducer()), &loss, &batch, &output);
        }
    }
}

/// The Matthews correlation of classes that are everywhere, nowhere and perfectly predicted: what is left of the voxels is 0 then, not
/// rounding.
#[test]
fn the_matthews_correlation_of_whole_and_empty_classes() {
    let _turn = turn();
    let correlation = |eps, smooth_denominator| {
        let formula = Formula::Matthews { eps };
        let overlap = Overlap { formula, smooth_denominator, reduction: Reduction::None, ..Overlap::dice() };
        Loss::of(vec![Term::new(Activation::None, Measure::Overlap(overlap))])
    };
    // Of these seeds the sums of some sizes are rounded to another number than that of the voxels.
    let cases = [1, 63, 5001, 70_000].into_iter().flat_map(|voxels| [2, 7].map(|seed| (voxels, seed)));
    let losses = [correlation(0.0, 1e-5), correlation(1e-5, 0.0)];
    for ((voxels, seed), loss) in cases.flat_map(|case| losses.iter().map(move |loss| (case, loss))) {
        let soft = Tensors::random(&[1, 1, voxels], seed, true);
        let hard: Vec<f32> = (0..voxels).map(|i| f32::from(u8::from(i % 3 == 0))).collect();
        let (ones, zeros) = (vec![1.0; voxels], vec![0.0; voxels]);
        let logits = [&soft.logits[..], &soft.logits, &hard, &ones, &zeros].concat();
        let targets = [&ones[..], &zeros, &hard, &ones, &zeros].concat();
        let shape = Shape::new(&[1, 5, voxels]).unwrap();
        for gpu in reducers() {
            let batch = Batch::new(&shape, &logits, &targets).unwrap().with_gradient();
            let output = gpu.evaluate(loss, &batch).unwrap();
            assert_matches(&format!("matthews {voxels} {:?}", gpu.reducer()), loss, &batch, &output);
        }
    }
}

#[test]
fn hard_counts_are_exact() {
    let _turn = turn();
    for gpu in reducers() {
        for dims in SHAPES {
            for (loss, probabilities) in [
                (Loss::dice().hard(0.5).probabilities(), true),
                (Loss::jaccard().smooth(1.0).hard(0.3).pool(Pool::Classes), false),
            ] {
                let tensors = Tensors::random(dims, 9, probabilities);
                let batch = tensors.batch(3);
                let output = gpu.evaluate(&loss, &batch).unwrap();
                let expected = reference::evaluate(&loss, &batch).unwrap();
                assert_eq!(output.sums()[0], expected.sums[0], "{dims:?}");
                assert_matches("hard", &loss, &batch, &output);
            }
        }
    }
}

#[test]
fn positive_weights_apply_per_class() {
    let _turn = turn();
    for weights in [vec![2.5], vec![0.5, 1.25, 3.0]] {
        for reduction in [Reduction::Mean, Reduction::None] {
            let mut loss = Loss::bce().with(0.5, Loss::bce()).reduction(reduction);
            if let Measure::BinaryCrossEntropy(bce) = &mut loss.terms[0].measure {
                bce.positive_weights.clone_from(&weights);
            }
            for (gpu, dims) in
                reducers().iter().flat_map(|gpu| [&[2, 3, 41][..], &[1, 3, 5000], &[40, 3, 2]].map(|dims| (gpu, dims)))
            {
                let tensors = Tensors::random(dims, 5, false);
                let batch = tensors.batch(3).with_gradient();
                let output = gpu.evaluate(&loss, &batch).unwrap();
                assert_matches(&format!("positive weights {dims:?}"), &loss, &batch, &output);
            }
        }
    }
}

#[test]
fn more_than_65535_workgroups_and_a_million_rows() {
    let _turn = turn();
    for dims in [&[66_000, 1, 65][..], &[1, 70_000, 3], &[1_000_000, 1], &[1000, 1000]] {
        let tensors = Tensors::random(dims, 11, false);
        for loss in [Loss::dice().smooth(1.0), Loss::dice().smooth(1.0).pool(Pool::Batch).with(0.5, Loss::bce())] {
            let batch = tensors.batch(0).with_gradient();
            let output = gpu().evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("{dims:?}"), &loss, &batch, &output);
        }
    }
}

#[test]
fn confident_cross_entropy_keeps_its_digits() {
    let _turn = turn();
    for magnitude in [8.0_f32, 20.0] {
        let shape = Shape::new(&[1, 1, 100_003]).unwrap();
        let targets: Vec<f32> = (0..shape.elements()).map(|i| (i % 3 == 0).into()).collect();
        let logits: Vec<f32> = targets.iter().map(|t| magnitude * (2.0 * t - 1.0)).collect();
        let batch = segloss::Batch::new(&shape, &logits, &targets).unwrap();
        let got = f64::from(gpu().evaluate(&Loss::bce(), &batch).unwrap().value());
        let want = (-f64::from(magnitude)).exp().ln_1p();
        assert!((got - want).abs() <= 1e-5 * want, "at ±{magnitude}: {got} instead of {want}");
    }
}

/// Equal inputs make every lane round alike, so that errors add up instead of cancelling.
#[test]
fn constant_inputs_do_not_drift() {
    let _turn = turn();
    let loss = Loss::dice().with(1.0, Loss::dice().squared()).with(1.0, Loss::bce());
    for (gpu, (z, t)) in reducers().into_iter().flat_map(|gpu| CONSTANTS.map(|constant| (gpu.clone(), constant))) {
        let shape = Shape::new(&[1, 1, 5_000_011]).unwrap();
        let (logits, targets) = (vec![z; shape.elements()], vec![t; shape.elements()]);
        let batch = segloss::Batch::new(&shape, &logits, &targets).unwrap();
        let output = gpu.evaluate(&loss, &batch).unwrap();
        let (z, t, n) = (f64::from(z), f64::from(t), shape.elements() as f64);
        let p = 1.0 / (1.0 + (-z).exp());
        let expected =
            [[p * t, p, t], [p * t, p * p, t * t], [t * (-z).exp().ln_1p(), (1.0 - t) * z.exp().ln_1p(), 0.0]];
        for (statistic, values) in expected.into_iter().enumerate() {
            for (got, want) in output.sums()[statistic][0].values.into_iter().zip(values) {
                let want = n * want;
                assert!((got - want).abs() <= 1e-6 * want, "{:?}, z = {z}: {got}, not {want}", gpu.reducer());
            }
        }
    }
}

/// The same over rows instead of voxels: a million equal scores, whose mean is one of them.
#[test]
fn a_million_equal_rows_do_not_drift() {
    let _turn = turn();
    let (per_row, over_rows) = (Loss::jaccard(), Loss::jaccard().pool(Pool::Batch));
    for (gpu, (z, t)) in reducers().into_iter().flat_map(|gpu| CONSTANTS.map(|constant| (gpu.clone(), constant))) {
        let shape = Shape::new(&[1_000_003, 1]).unwrap();
        let (logits, targets) = (vec![z; shape.elements()], vec![t; shape.elements()]);
        let batch = segloss::Batch::new(&shape, &logits, &targets).unwrap();
        let (t, p) = (f64::from(t), 1.0 / (1.0 + f64::from(-z).exp()));
        let want = 1.0 - p * t / (p + t - p * t);
        for loss in [&per_row, &over_rows] {
            let got = f64::from(gpu.evaluate(loss, &batch).unwrap().value());
            assert!((got - want).abs() <= 1e-6, "{:?}, z = {z}: {got}, not {want}", gpu.reducer());
        }
    }
}

const CONSTANTS: [(f32, f32); 5] = [(0.1, 0.3), (-19.9, 1.0), (-3.9, 0.1), (17.0, 0.9), (-0.5, 0.05)];

#[test]
fn extreme_logits_stay_finite() {
    let _turn = turn();
    let shape = Shape::new(&[1, 1, 8]).unwrap();
    let logits = [1e4_f32, -1e4, 3e38, -3e38, 88.0, -88.0, 0.0, -0.0];
    let targets = [1.0_f32, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    let loss = Loss::dice().smooth(1.0).with(1.0, Loss::bce());
    let batch = segloss::Batch::new(&shape, &logits, &targets).unwrap().with_gradient();
    let output = gpu().evaluate(&loss, &batch).unwrap();
    assert_matches("extreme", &loss, &batch, &output);
    assert!(output.gradient().unwrap().iter().all(|g| g.is_finite()));
}

/// Near a perfect score 1 − s is small against 1, and a power below 1 has a slope there that grows without bound.
#[test]
fn nearly_perfect_predictions_keep_their_digits() {
    let _turn = turn();
    let shape = Shape::new(&[1, 1, 5000]).unwrap();
    let targets: Vec<f32> = (0..shape.elements()).map(|i| f32::from(u8::from(i % 3 == 0))).collect();
    let positives = targets.iter().map(|&t| f64::from(t)).sum::<f64>();
    let negatives = targets.len() as f64 - positives;
    for magnitude in [8.0_f32, 12.0, 16.0, 20.0] {
        let logits: Vec<f32> = targets.iter().map(|t| magnitude * (2.0 * t - 1.0)).collect();
        let batch = segloss::Batch::new(&shape, &logits, &targets).unwrap().with_gradient();
        // Every voxel misses its target by q = σ(−|z|), so FP = n₀q, FN = n₁q, I = n₁(1 − q), and
        // 1 − s = (αFP + βFN) / (I + αFP + βFN).
        let miss = (-f64::from(magnitude)).exp() / (1.0 + (-f64::from(magnitude)).exp());
        let distance = |alpha: f64, beta: f64| {
            let wrong = (alpha * negatives + beta * positives) * miss;
            wrong / (positives * (1.0 - miss) + wrong)
        };
        let tversky = Loss::tversky(0.7, 0.3);
        let losses = [(Loss::dice(), distance(0.5, 0.5)), (Loss::jaccard(), distance(1.0, 1.0))].into_iter().chain(
            [0.5, 0.75, 4.0 / 3.0, 2.0]
                .map(|gamma| (tversky.clone().map(Map::Power { gamma }), distance(0.7, 0.3).powf(gamma))),
        );
        for (loss, want) in losses {
            let output = gpu().evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("{loss:?} at ±{magnitude}"), &loss, &batch, &output);
            let error = (f64::from(output.value()) - want).abs();
            assert!(error <= 2e-6 * want, "{loss:?} at ±{magnitude}: {}, not {want}", output.value());
        }
    }
}

/// Of either sign, so that sums cancel: measured by the sum of their sizes.
#[test]
fn tanh_matches_the_reference() {
    let _turn = turn();
    let mut loss = Loss::tversky(0.3, 0.7).with(0.5, Loss::dice().squared()).smooth(1.0);
    loss.terms.iter_mut().for_each(|term| term.activation = Activation::Tanh);
    for (gpu, dims) in
        reducers().iter().flat_map(|gpu| [&[1, 1, 1][..], &[2, 3, 700], &[1, 1, 40_001]].map(|d| (gpu, d)))
    {
        let mut tensors = Tensors::random(dims, 5, false);
        // Mostly positive, lest the denominator be a difference of nothing.
        tensors.logits.iter_mut().for_each(|z| *z = 0.1 * *z + 1.0);
        let batch = tensors.batch(3).with_gradient();
        let output = gpu.evaluate(&loss, &batch).unwrap();
        let expected = reference::evaluate(&loss, &batch).unwrap();
        for (got, want) in output.sums().iter().flatten().zip(expected.sums.iter().flatten()) {
            let within = |k: usize| (got.values[k] - want.values[k]).abs() <= 1e-6 * tensors.shape.voxels() as f64;
            assert!(got.count == want.count && (0..3).all(within), "{dims:?}: {got:?}, not {want:?}");
        }
        assert!((f64::from(output.value()) - expected.value).abs() <= 1e-6, "{} {}", output.value(), expected.value);
        assert_gradient("tanh", output.gradient().unwrap(), &expected.gradient.unwrap(), 0.0);
    }
}

/// Sizes around a lane's stride, the few parts one lane adds up, and rows of one tile each.
#[test]
fn further_edges() {
    let _turn = turn();
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce()).with(0.25, Loss::jaccard().squared());
    let (tiles, large_tiles) = (32 * 4096, 32 * 32_768);
    for dims in [
        &[1, 1, 2047][..],
        &[1, 1, 2048],
        &[1, 1, 2049],
        &[1, 1, tiles - 1],
        &[1, 1, tiles],
        &[1, 1, large_tiles - 1],
        &[1, 1, large_tiles],
        &[1, 1, large_tiles + 1],
        &[32, 1, 65],
        &[33, 1, 65],
        &[1, 32, 70],
        &[1, 33, 70],
        &[9000, 1, 65],
    ] {
        let tensors = Tensors::random(dims, 17, false);
        let batch = tensors.batch(3).with_gradient();
        for (gpu, pool) in reducers().iter().flat_map(|gpu| [Pool::None, Pool::Batch, Pool::All].map(|p| (gpu, p))) {
            let loss = loss.clone().pool(pool);
            assert_matches(&format!("{dims:?} {pool:?}"), &loss, &batch, &gpu.evaluate(&loss, &batch).unwrap());
        }
    }
}

#[test]
fn nothing_to_sum() {
    let _turn = turn();
    let smooth = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    for dims in [&[0, 3, 5][..], &[2, 0, 5], &[2, 3, 0], &[2, 3, 4, 0, 4]] {
        let tensors = Tensors::random(dims, 1, false);
        let batch = tensors.batch(3).with_gradient();
        let output = gpu().evaluate(&smooth, &batch).unwrap();
        assert_matches(&format!("{dims:?}"), &smooth, &batch, &output);
    }
    let mut masked = Tensors::random(&[2, 3, 300], 1, false);
    masked.mask.fill(0.0);
    for loss in [smooth, Loss::dice(), Loss::bce()] {
        let batch = masked.batch(1).with_gradient();
        let output = gpu().evaluate(&loss, &batch).unwrap();
        assert_matches("all masked", &loss, &batch, &output);
        assert!(output.gradient().unwrap().iter().all(|g| g.to_bits() == 0));
    }
    let empty = gpu().evaluate(&Loss::dice(), &masked.batch(1)).unwrap();
    assert!(empty.value().is_nan(), "0/0 is {}", empty.value());
}

/// Class 0 has nothing in either mask and weighs nothing: it is left out, or makes the value NaN where the loss says so.
#[test]
fn a_weight_of_zero_may_keep_nan() {
    let _turn = turn();
    let shape = Shape::new(&[1, 2, 2]).unwrap();
    let batch = Batch::new(&shape, &[0.0, 0.0, 0.5, 0.5], &[0.0, 0.0, 1.0, 0.0]).unwrap().with_gradient();
    for zero_keeps_nan in [false, true] {
        let overlap = Overlap { class_weights: vec![0.0, 1.0], zero_keeps_nan, ..Overlap::dice() };
        let loss = Loss::of(vec![Term::new(Activation::None, Measure::Overlap(overlap))]);
        let (output, expected) = (gpu().evaluate(&loss, &batch).unwrap(), reference::evaluate(&loss, &batch).unwrap());
        // ½·(1 − 2·½/2).
        assert!((if zero_keeps_nan { output.value().is_nan() } else { output.value() == 0.25 }), "{}", output.value());
        assert_eq!(expected.value.is_nan(), zero_keeps_nan);
        let gradients = (output.gradient().unwrap(), expected.gradient.unwrap());
        assert_eq!(gradients.0, gradients.1.iter().map(|&g| g as f32).collect::<Vec<_>>());
        assert_eq!(gradients.0, [0.0, 0.0, -0.375, 0.125]);
    }
}
