//! Laws of the mathematics, which hold whatever the reference says: of the losses on the GPU alone.

use segloss::{Batch, Loss, Output, Reduction, Shape, Sums};

use crate::data::{Tensors, hash, reducers, turn};

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

/// Runs a law at every size with every reducer.
fn everywhere(law: impl Fn(&str, &segloss::Gpu, [usize; 3], &Tensors)) {
    let _turn = turn();
    for gpu in reducers() {
        for (seed, dims) in SIZES.into_iter().enumerate() {
            let what = format!("{dims:?}, {:?}", gpu.reducer());
            law(&what, &gpu, dims, &Tensors::random(&dims, 400 + seed as u32, true));
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
    everywhere(|what, gpu, _, tensors| {
        for (name, loss) in symmetric() {
            let there = Batch::new(&tensors.shape, &tensors.logits, &tensors.targets).unwrap();
            let back = Batch::new(&tensors.shape, &tensors.targets, &tensors.logits).unwrap();
            let (there, back) = (gpu.evaluate(&loss, &there).unwrap(), gpu.evaluate(&loss, &back).unwrap());
            assert_close(&format!("{name}, {what}"), values(&there), values(&back), 1e-6);
            assert!(values(&there).iter().all(|value| (-1e-6..=1.000_001).contains(value)), "{name}, {what}");
        }
    });
}

#[test]
fn a_mask_agrees_with_itself() {
    everywhere(|what, gpu, [samples, classes, voxels], tensors| {
        // Every row has foreground: its first voxel.
        let mask: Vec<f32> = (0..samples * classes * voxels)
            .map(|i| f32::from(u8::from(i % voxels == 0 || hash(7, i as u32).is_multiple_of(3))))
            .collect();
        for (name, loss) in symmetric() {
            let output = gpu.evaluate(&loss, &Batch::new(&tensors.shape, &mask, &mask).unwrap()).unwrap();
            assert_close(&format!("{name}, {what}"), values(&output), &vec![0.0; samples * classes], 1e-6);
        }
    });
}

#[test]
fn the_order_of_voxels_and_samples_does_not_matter() {
    everywhere(|what, gpu, dims, tensors| {
        let [samples, classes, voxels] = dims;
        let loss = Loss::dice().probabilities().reduction(Reduction::None);
        let evaluate = |from: &dyn Fn(usize, usize, usize) -> usize| {
            let [logits, targets] = [&tensors.logits, &tensors.targets].map(|values| rearranged(values, dims, from));
            let output = gpu.evaluate(&loss, &Batch::new(&tensors.shape, &logits, &targets).unwrap()).unwrap();
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
    everywhere(|what, gpu, [samples, classes, voxels], tensors| {
        let cut = voxels / 3;
        for (name, loss) in [("soft", Loss::dice().probabilities()), ("hard", Loss::dice().probabilities().hard(0.5))] {
            let part = |from: usize, to: usize| {
                let take =
                    |values: &[f32]| values.chunks(voxels).flat_map(|row| row[from..to].to_vec()).collect::<Vec<_>>();
                let (logits, targets) = (take(&tensors.logits), take(&tensors.targets));
                let shape = Shape::new(&[samples, classes, to - from]).unwrap();
                gpu.evaluate(&loss, &Batch::new(&shape, &logits, &targets).unwrap()).unwrap().sums()[0].clone()
            };
            let (first, second, whole) = (part(0, cut), part(cut, voxels), part(0, voxels));
            for (row, whole) in whole.iter().enumerate() {
                assert_eq!(first[row].count + second[row].count, whole.count, "{name}, {what}");
                for number in 0..3 {
                    let sum = |sums: &Sums| sums.values[number];
                    let (added, whole) = (sum(&first[row]) + sum(&second[row]), sum(whole));
                    let tolerance = if name == "hard" { 0.0 } else { 1e-6 * whole };
                    assert!((added - whole).abs() <= tolerance, "{name}, {what}: {added} is not {whole}");
                }
            }
        }
    });
}

#[test]
fn gradients_follow_mask_and_upstream() {
    everywhere(|what, gpu, [samples, classes, voxels], tensors| {
        let loss = Loss::dice().with(0.5, Loss::bce()).probabilities();
        let (once, fourfold) = (vec![1.0; samples * classes], vec![4.0; samples * classes]);
        let gradient = |upstream: &[f32]| {
            let batch = tensors.batch(1).with_gradient().with_row_upstream(upstream).unwrap();
            gpu.evaluate(&loss, &batch).unwrap().gradient().unwrap().to_vec()
        };
        let (plain, scaled) = (gradient(&once), gradient(&fourfold));
        for (index, (plain, scaled)) in plain.iter().zip(&scaled).enumerate() {
            // A power of two rounds nothing.
            assert_eq!(4.0 * plain, *scaled, "{what}, element {index}");
            let counts = tensors.mask[index / (classes * voxels) * voxels + index % voxels] == 1.0;
            assert!(counts || *plain == 0.0, "{what}, element {index}: {plain} outside the mask");
        }
        assert!(plain.iter().any(|g| *g != 0.0) || tensors.mask.iter().all(|m| *m == 0.0), "{what}");
    });
}

#[test]
fn a_class_that_is_absent_changes_no_other() {
    everywhere(|what, gpu, [samples, classes, voxels], tensors| {
        let loss = Loss::dice().probabilities().reduction(Reduction::None);
        let widened = |values: &[f32]| {
            values.chunks(classes * voxels).flat_map(|sample| [sample, &vec![0.0; voxels]].concat()).collect::<Vec<_>>()
        };
        let (logits, targets) = (widened(&tensors.logits), widened(&tensors.targets));
        let shape = Shape::new(&[samples, classes + 1, voxels]).unwrap();
        let wide = gpu.evaluate(&loss, &Batch::new(&shape, &logits, &targets).unwrap()).unwrap();
        let plain = gpu.evaluate(&loss, &tensors.batch(0)).unwrap();
        let others: Vec<f32> =
            values(&wide).chunks(classes + 1).flat_map(|sample| sample[..classes].to_vec()).collect();
        assert_close(what, &others, values(&plain), 1e-6);
    });
}
