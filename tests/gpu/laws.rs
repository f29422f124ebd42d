//! Laws of the mathematics, which hold whatever the reference says: of the losses on the GPU alone.

use segloss::{Activation, Batch, ByteScale, Gpu, Loss, Output, Pool, Reduction, Shape, Sums, Targets};

use crate::data::{Tensors, gpu, hash, reducers, turn};
use crate::label_maps::{LabelMaps, one_hot};

/// Sizes on both sides of the short tile, the workgroup, and the problem of one dispatch.
const SIZES: [[usize; 3]; 6] = [[1, 1, 1], [2, 3, 63], [3, 2, 257], [1, 4, 4097], [40, 3, 65], [2, 2, 20_001]];

/// The forms of Dice whose two masks play the same part, on probabilities.
fn symmetric() -> [(&'static str, Loss); 4] {
    [
        ("dice", Loss::dice()),
        ("dice, squared", Loss::dice().squared()),
        ("jaccard", Loss::jaccard()),
        ("tversky, equal weights", Loss::tversky(0.4, 0.4)),
    ]
    .map(|(name, loss)| (name, loss.probabilities().reduction(Reduction::None)))
}

/// Dice of probabilities, of logits, and of classes that share a voxel, which other kernels sum.
fn activated() -> [(&'static str, Loss); 3] {
    [("probabilities", Loss::dice().probabilities()), ("sigmoid", Loss::dice()), ("softmax", Loss::dice().softmax())]
        .map(|(name, loss)| (name, loss.reduction(Reduction::None)))
}

/// Runs a law of each of these losses at every size with every reducer.
fn everywhere<const N: usize>(losses: [(&str, Loss); N], law: impl Fn(&str, &Gpu, [usize; 3], &Tensors, &Loss)) {
    let _turn = turn();
    for gpu in reducers() {
        for (seed, dims) in SIZES.into_iter().enumerate() {
            for (name, loss) in &losses {
                let what = format!("{name}, {dims:?}, {:?}", gpu.reducer());
                let probabilities = loss.terms[0].activation == Activation::None;
                law(&what, &gpu, dims, &Tensors::random(&dims, 400 + seed as u32, probabilities), loss);
            }
        }
    }
}

/// The same with one reducer, in one dispatch and in stages, for laws of what is read rather than of how it is added up: kernels compile
/// longer than they run.
fn everywhere_once<const N: usize>(losses: [(&str, Loss); N], law: impl Fn(&str, &Gpu, [usize; 3], &Tensors, &Loss)) {
    let _turn = turn();
    for (seed, dims) in [[1, 1, 1], [2, 3, 63], [2, 3, 2801]].into_iter().enumerate() {
        for (name, loss) in &losses {
            let what = format!("{name}, {dims:?}");
            law(&what, gpu(), dims, &Tensors::random(&dims, 500 + seed as u32, false), loss);
        }
    }
}

/// The values of the groups of the only term.
fn values(output: &Output) -> &[f32] {
    &output.groups()[0]
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
    }
}

/// Rows of a tensor in another order: sample and class of each, then its voxels.
fn rearranged(
    values: &[f32],
    [samples, classes, voxels]: [usize; 3],
    from: impl Fn(usize, usize, usize) -> usize,
) -> Vec<f32> {
    let places = (0..samples).flat_map(|n| (0..classes).flat_map(move |c| (0..voxels).map(move |v| (n, c, v))));
    places.map(|(n, c, v)| values[from(n, c, v)]).collect()
}

#[test]
fn symmetric_scores_lie_between_0_and_1() {
    everywhere(symmetric(), |what, gpu, _, tensors, loss| {
        let there = Batch::new(&tensors.shape, &tensors.logits, &tensors.targets).unwrap();
        let back = Batch::new(&tensors.shape, &tensors.targets, &tensors.logits).unwrap();
        let (there, back) = (gpu.evaluate(loss, &there).unwrap(), gpu.evaluate(loss, &back).unwrap());
        assert_close(what, values(&there), values(&back), 1e-6);
        assert!(values(&there).iter().all(|value| (-1e-6..=1.000_001).contains(value)), "{what}");
    });
}

#[test]
fn a_mask_agrees_with_itself() {
    everywhere(symmetric(), |what, gpu, [samples, classes, voxels], tensors, loss| {
        // Every row has foreground: its first voxel.
        let mask: Vec<f32> = (0..samples * classes * voxels)
            .map(|i| f32::from(u8::from(i % voxels == 0 || hash(7, i as u32).is_multiple_of(3))))
            .collect();
        let output = gpu.evaluate(loss, &Batch::new(&tensors.shape, &mask, &mask).unwrap()).unwrap();
        assert_close(what, values(&output), &vec![0.0; samples * classes], 1e-6);
    });
}

/// Labels against labels of another format, and against the logits of a network that is certain.
#[test]
fn a_label_map_agrees_with_itself() {
    everywhere(activated(), |what, gpu, [samples, classes, voxels], tensors, loss| {
        // Of one class a label map is no mask.
        if classes == 1 {
            return;
        }
        // Every class has a voxel.
        let label = |v: usize| if v < classes { v } else { hash(8, v as u32) as usize % classes };
        let labels: Vec<u8> = (0..samples * voxels).map(|i| label(i % voxels) as u8).collect();
        let certain: Vec<f32> = one_hot(&labels, &tensors.shape).iter().map(|t| 200.0 * t - 100.0).collect();
        let maps = LabelMaps::new(&labels);
        let targets = maps.labels(voxels % LabelMaps::FORMATS);
        let batch = match loss.terms[0].activation {
            Activation::None => Batch::new(&tensors.shape, maps.labels((voxels + 1) % LabelMaps::FORMATS), targets),
            _ => Batch::new(&tensors.shape, &certain, targets),
        };
        let output = gpu.evaluate(loss, &batch.unwrap()).unwrap();
        assert_close(what, values(&output), &vec![0.0; samples * classes], 1e-6);
    });
}

#[test]
fn the_order_of_voxels_and_samples_does_not_matter() {
    everywhere(activated(), |what, gpu, dims, tensors, loss| {
        let [samples, classes, voxels] = dims;
        let evaluate = |from: &dyn Fn(usize, usize, usize) -> usize| {
            let [logits, targets] = [&tensors.logits, &tensors.targets].map(|values| rearranged(values, dims, from));
            let output = gpu.evaluate(loss, &Batch::new(&tensors.shape, &logits, &targets).unwrap()).unwrap();
            values(&output).to_vec()
        };
        let place = |n: usize, c: usize, v: usize| (n * classes + c) * voxels + v;
        let plain = evaluate(&place);
        // A rotation and a reversal together move every tile's content.
        let turned = evaluate(&|n, c, v| place(n, c, (2 * voxels - 1 - v + voxels / 3) % voxels));
        assert_close(&format!("voxels, {what}"), &turned, &plain, 1e-6);
        let reversed = evaluate(&|n, c, v| place(samples - 1 - n, c, v));
        let expected: Vec<f32> = plain.chunks(classes).rev().flatten().copied().collect();
        // A row's additions do not depend on where it stands.
        assert_eq!(reversed, expected, "samples, {what}");
    });
}

#[test]
fn sums_of_two_halves_add_up() {
    let [soft, sigmoid, softmax] = activated();
    let hard = ("hard", Loss::dice().probabilities().hard(0.5));
    everywhere([soft, sigmoid, softmax, hard], |what, gpu, [samples, classes, voxels], tensors, loss| {
        let cut = voxels / 3;
        let part = |from: usize, to: usize| {
            let take =
                |values: &[f32]| values.chunks(voxels).flat_map(|row| row[from..to].to_vec()).collect::<Vec<_>>();
            let (logits, targets) = (take(&tensors.logits), take(&tensors.targets));
            let shape = Shape::new(&[samples, classes, to - from]).unwrap();
            gpu.evaluate(loss, &Batch::new(&shape, &logits, &targets).unwrap()).unwrap().sums()[0].clone()
        };
        let (first, second, whole) = (part(0, cut), part(cut, voxels), part(0, voxels));
        for (row, whole) in whole.iter().enumerate() {
            assert_eq!(first[row].count + second[row].count, whole.count, "{what}");
            for number in 0..3 {
                let sum = |sums: &Sums| sums.values[number];
                let (added, whole) = (sum(&first[row]) + sum(&second[row]), sum(whole));
                let tolerance = if what.starts_with("hard") { 0.0 } else { 1e-6 * whole };
                assert!((added - whole).abs() <= tolerance, "{what}: {added} is not {whole}");
            }
        }
    });
}

/// An upstream gradient of another power of two for every row: it scales the elements of that row exactly, and no others. (The one
/// number for all of them, `Bound::set_upstream`, is held to that in `threads.rs`, and to the reference in `buffers.rs`.)
#[test]
fn gradients_follow_mask_and_upstream() {
    let losses = [
        ("probabilities", Loss::dice().with(0.5, Loss::bce()).probabilities()),
        ("sigmoid", Loss::dice().with(0.5, Loss::bce())),
        ("softmax", Loss::dice().softmax().with(0.5, Loss::bce())),
    ];
    everywhere(losses, |what, gpu, [samples, classes, voxels], tensors, loss| {
        // The classes that share a softmax share what reaches its logits.
        let shared = if loss.couples_classes() { classes } else { 1 };
        let rows = samples * classes;
        let once = vec![1.0; rows];
        let upstream: Vec<f32> = (0..rows).map(|row| 2_f32.powi((row / shared) as i32 - (rows / 2) as i32)).collect();
        let gradient = |upstream: &[f32]| {
            let batch = tensors.batch(1).with_gradient().with_row_upstream(upstream).unwrap();
            gpu.evaluate(loss, &batch).unwrap().gradient().unwrap().to_vec()
        };
        let (plain, scaled) = (gradient(&once), gradient(&upstream));
        for (index, (plain, scaled)) in plain.iter().zip(&scaled).enumerate() {
            // A power of two rounds nothing.
            assert_eq!(upstream[index / voxels] * plain, *scaled, "{what}, element {index}");
            let counts = tensors.mask[index / (classes * voxels) * voxels + index % voxels] == 1.0;
            assert!(counts || *plain == 0.0, "{what}, element {index}: {plain} outside the mask");
        }
        assert!(plain.iter().any(|g| *g != 0.0) || tensors.mask.iter().all(|m| *m == 0.0), "{what}");
    });
}

/// Where in memory a tensor's axes lie changes nothing but the order of additions.
#[test]
fn channels_last_give_what_channels_first_give() {
    let losses = [("sigmoid", Loss::dice()), ("softmax", Loss::dice().softmax().with(0.5, Loss::cross_entropy()))];
    everywhere_once(losses, |what, gpu, dims, tensors, loss| {
        let [_, classes, voxels] = dims;
        // Where the element lies among those that are read in the other order.
        let first = |n: usize, c: usize, v: usize| (n * classes + c) * voxels + v;
        let places =
            (0..dims[0]).flat_map(|n| (0..voxels).flat_map(move |v| (0..classes).map(move |c| first(n, c, v))));
        let places: Vec<usize> = places.collect();
        let last = |values: &[f32]| places.iter().map(|&place| values[place]).collect::<Vec<_>>();
        let (logits, targets) = (last(&tensors.logits), last(&tensors.targets));
        let batch = Batch::new(&tensors.shape, &logits, &targets).unwrap().channel_last().with_gradient();
        let turned = gpu.evaluate(loss, &batch).unwrap();
        let plain = gpu.evaluate(loss, &tensors.batch(0).with_gradient()).unwrap();
        assert_close(what, &[turned.value()], &[plain.value()], 1e-6 * plain.value().max(1.0));
        assert_close(what, values(&turned), values(&plain), 1e-6);
        let peak = plain.gradient_peak().unwrap();
        assert_close(what, turned.gradient().unwrap(), &last(plain.gradient().unwrap()), 1e-5 * peak);
    });
}

/// What is pooled is one sum: it does not matter which voxel, sample or, of all rows, class an element comes from.
#[test]
fn the_order_within_a_pool_does_not_matter() {
    let squared = Loss::dice().squared().smooth(1.0);
    let generalized = Loss::generalized_dice();
    let losses = [
        ("squared, batch", squared.clone().pool(Pool::Batch)),
        ("squared, all", squared.pool(Pool::All)),
        ("generalised, batch", generalized.clone().pool(Pool::Batch)),
        ("generalised, all", generalized.pool(Pool::All)),
        ("focal", Loss::focal(2.0)),
    ];
    everywhere_once(losses, |what, gpu, dims, tensors, loss| {
        let [samples, classes, voxels] = dims;
        let evaluate = |from: &dyn Fn(usize, usize, usize) -> usize| {
            let [logits, targets] = [&tensors.logits, &tensors.targets].map(|values| rearranged(values, dims, from));
            gpu.evaluate(loss, &Batch::new(&tensors.shape, &logits, &targets).unwrap()).unwrap().value()
        };
        let place = |n: usize, c: usize, v: usize| (n * classes + c) * voxels + v;
        let elements = samples * classes * voxels;
        let plain = evaluate(&place);
        // Generalised Dice weighs rows by what is in them: they stay together.
        let turned = match what {
            _ if what.starts_with("generalised") => {
                evaluate(&|n, c, v| place(samples - 1 - n, c, (2 * voxels - 1 - v + voxels / 3) % voxels))
            }
            _ if what.starts_with("squared, batch") => evaluate(&|n, c, v| {
                let turned = (n * voxels + v + samples * voxels / 3) % (samples * voxels);
                place(turned / voxels, c, voxels - 1 - turned % voxels)
            }),
            _ => evaluate(&|n, c, v| elements - 1 - (place(n, c, v) + elements / 3) % elements),
        };
        assert_close(what, &[turned], &[plain], 1e-6 * plain.abs().max(1.0));
        // It would show: what is not pooled alike gives another number.
        let mixed = (samples > 1 || voxels > 1).then(|| {
            let from = |n: usize, c: usize, v: usize| place(n, c, v / 2);
            evaluate(&from)
        });
        assert!(mixed.is_none_or(|mixed| (mixed - plain).abs() > 1e-5), "{what}: {plain}");
    });
}

/// How a mask is stored changes the width of accesses, and so the order of additions; not what is added.
#[test]
fn bytes_and_bits_give_what_floats_give() {
    everywhere_once(
        [("sigmoid", Loss::dice()), ("softmax", Loss::dice().softmax())],
        |what, gpu, dims, tensors, loss| {
            // Stages of columns load by the same functions.
            if loss.couples_classes() && dims[2] > 63 {
                return;
            }
            let ones: Vec<u8> = tensors.targets.iter().map(|&target| u8::from(target > 0.5)).collect();
            let floats: Vec<f32> = ones.iter().map(|&one| one.into()).collect();
            let full: Vec<u8> = ones.iter().map(|&one| 255 * one).collect();
            let word = |ones: &[u8]| ones.iter().rev().fold(0, |word, &one| word << 1 | u32::from(one));
            let bits: Vec<u32> = ones.chunks(32).map(word).collect();
            let evaluate = |targets: Targets| {
                gpu.evaluate(loss, &Batch::new(&tensors.shape, &tensors.logits, targets).unwrap()).unwrap()
            };
            let expected = evaluate(Targets::F32(&floats));
            for targets in
                [Targets::U8(&ones, ByteScale::One), Targets::U8(&full, ByteScale::Inverse255), Targets::Bits(&bits)]
            {
                let (what, found) = (format!("{what}, {:?}", targets.format()), evaluate(targets));
                assert_close(&what, &[found.value()], &[expected.value()], 1e-6 * expected.value().max(1.0));
                assert_close(&what, values(&found), values(&expected), 1e-6);
                // T, which is summed as I and T − I.
                for (found, expected) in found.sums()[0].iter().zip(&expected.sums()[0]) {
                    assert!((found.values[2] - expected.values[2]).abs() <= 1e-6 * expected.values[2], "{what}");
                }
            }
        },
    );
}

#[test]
fn a_class_that_is_absent_changes_no_other() {
    everywhere(activated(), |what, gpu, [samples, classes, voxels], tensors, loss| {
        let widened = |values: &[f32], absent: f32| {
            let class = vec![absent; voxels];
            values.chunks(classes * voxels).flat_map(|sample| [sample, &class].concat()).collect::<Vec<_>>()
        };
        // Its probability is 0.
        let absent = if loss.terms[0].activation == Activation::None { 0.0 } else { -200.0 };
        let (logits, targets) = (widened(&tensors.logits, absent), widened(&tensors.targets, 0.0));
        let shape = Shape::new(&[samples, classes + 1, voxels]).unwrap();
        let wide = gpu.evaluate(loss, &Batch::new(&shape, &logits, &targets).unwrap()).unwrap();
        let plain = gpu.evaluate(loss, &tensors.batch(0)).unwrap();
        let others: Vec<f32> =
            values(&wide).chunks(classes + 1).flat_map(|sample| sample[..classes].to_vec()).collect();
        assert_close(what, &others, values(&plain), 1e-6);
    });
}
