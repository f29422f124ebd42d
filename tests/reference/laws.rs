//! Laws that hold whatever the numbers are: of the monoid of sums, of pools, of weights and masks.

use segloss::loss::{Intersection, Modulation};
use segloss::reference::{accumulate, combine};
use segloss::{Activation, Loss, Pool, Reduction, Shape, Statistic, Sums};

use crate::data::{POOLS, Tensors, hash, losses, mixed_losses};

/// Every kind of row sums, of both activations. (Not all in one loss: a pass carries four.)
fn statistics() -> Vec<Statistic> {
    let of = |activation| {
        [
            Statistic::Overlap { activation, squared: false, intersection: Intersection::Product },
            Statistic::Overlap { activation, squared: true, intersection: Intersection::Product },
            Statistic::Overlap { activation, squared: false, intersection: Intersection::Minimum },
            Statistic::HardOverlap { activation, threshold: 0.5 },
            Statistic::BinaryCrossEntropy { activation, label_smoothing: 0.0, clip: 0.0 },
            Statistic::BinaryCrossEntropy { activation, label_smoothing: 0.25, clip: 0.125 },
            Statistic::Focal {
                activation,
                modulation: Modulation::Mixture,
                gamma: 1.5,
                threshold: 0.0,
                label_smoothing: 0.0,
                clip: 0.0,
            },
        ]
    };
    [of(Activation::None), of(Activation::Sigmoid)].concat()
}

/// Relative, with f64's ε = 2.2e-16 and some twenty additions of numbers of one sign: 20·ε = 4.4e-15.
fn close(got: f64, want: f64) -> bool {
    (got - want).abs() <= 1e-14 * want.abs()
}

/// Asserts that sums are the same: counts equal, the rest up to the order of additions.
#[track_caller]
fn assert_sums(got: &[Vec<Sums>], want: &[Vec<Sums>]) {
    assert_eq!(got.len(), want.len());
    for ((got, want), statistic) in got.iter().zip(want).zip(statistics()) {
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert_eq!(got.count, want.count, "{statistic:?}");
            let same = got.values.iter().zip(want.values).all(|(&got, want)| close(got, want));
            assert!(same, "{statistic:?}: {got:?} is not {want:?}");
            assert!(!statistic.is_count() || got == want, "{statistic:?}: {got:?} is not exactly {want:?}");
        }
    }
}

/// The sums of all rows of parts, row by row.
fn combine_rows(parts: &[Vec<Vec<Sums>>]) -> Vec<Vec<Sums>> {
    let row = |statistic: usize, row: usize| combine(parts.iter().map(|part| part[statistic][row]));
    (0..parts[0].len()).map(|s| (0..parts[0][s].len()).map(|r| row(s, r)).collect()).collect()
}

/// On multiples of 1/1024 below 2¹², whose sums of three are exact.
#[test]
fn sums_are_a_commutative_monoid() {
    let number = |seed, i| f64::from(hash(seed, i) >> 10) / 1024.0;
    let sums = |seed| Sums { values: [0, 1, 2].map(|i| number(seed, i)), count: u64::from(hash(seed, 3)) };
    for seed in (0..300).step_by(3) {
        let (a, b, c) = (sums(seed), sums(seed + 1), sums(seed + 2));
        assert_eq!(a.combine(b).combine(c), a.combine(b.combine(c)));
        assert_eq!(a.combine(b), b.combine(a));
        assert_eq!((a.combine(Sums::default()), Sums::default().combine(a)), (a, a));
        assert_eq!(combine([a, b, c]), a.combine(b).combine(c));
        assert_eq!(a.combine(b).values[2], a.values[2] + b.values[2]);
        assert_eq!(a.combine(b).count, a.count + b.count);
    }
    assert_eq!(combine([]), Sums { values: [0.0; 3], count: 0 });
}

#[test]
fn sums_of_parts_combine_to_the_sums_of_the_whole() {
    for parts in 0..4 {
        let whole = Tensors::random(&[2, 3, 19], 31, true, parts);
        let want = accumulate(&statistics(), &whole.batch());
        // Nothing and everything, one voxel and the rest, three pieces with an empty one, single voxels.
        for cuts in [vec![0], vec![1], vec![5, 5, 12], (1..19).collect()] {
            let bounds = [vec![0], cuts, vec![19]].concat();
            let piece = |b: &[usize]| whole.select(&(b[0]..b[1]).collect::<Vec<_>>());
            let pieces: Vec<_> = bounds.windows(2).map(|b| accumulate(&statistics(), &piece(b).batch())).collect();
            assert_sums(&combine_rows(&pieces), &want);
        }
    }
}

#[test]
fn the_order_of_voxels_does_not_matter() {
    for parts in 0..4 {
        let tensors = Tensors::random(&[2, 3, 19], 37, true, parts);
        let mut order: Vec<usize> = (0..19).collect();
        order.sort_by_key(|&voxel| hash(41, voxel));
        assert_ne!(order, (0..19).collect::<Vec<_>>());
        let permuted = tensors.select(&order);
        assert_ne!(permuted.logits, tensors.logits);
        assert_sums(&accumulate(&statistics(), &permuted.batch()), &accumulate(&statistics(), &tensors.batch()));
    }
}

/// A pooled score is that of the pooled rows written one after the other into one row.
#[test]
fn pooled_scores_are_those_of_concatenated_rows() {
    let (samples, classes, voxels) = (2, 3, 5);
    for parts in 0..4 {
        let tensors = Tensors::random(&[samples, classes, voxels], 43, false, parts);
        for pool in POOLS {
            let members = |group: usize| -> Vec<usize> {
                let of = |row: &usize| match pool {
                    Pool::None => *row == group,
                    Pool::Batch => row % classes == group,
                    Pool::Classes => row / classes == group,
                    Pool::All => group == 0,
                };
                (0..samples * classes).filter(of).collect()
            };
            let (pooled, _) = tensors.evaluate(&Loss::dice().squared().smooth(0.25).pool(pool));
            assert_eq!(pooled.groups[0].len(), [6, 3, 2, 1][POOLS.iter().position(|&p| p == pool).unwrap()]);
            for (group, &got) in pooled.groups[0].iter().enumerate() {
                let rows = members(group);
                let gather = |data: &[f32], row_of: fn(usize, usize) -> usize| -> Vec<f32> {
                    let row = |&row: &usize| &data[row_of(row, classes) * voxels..][..voxels];
                    rows.iter().flat_map(row).copied().collect()
                };
                let (element_row, mask_row) = (|row, _| row, |row, classes| row / classes);
                let joined = Tensors {
                    shape: Shape::new(&[1, 1, rows.len() * voxels]).unwrap(),
                    logits: gather(&tensors.logits, element_row),
                    targets: gather(&tensors.targets, element_row),
                    mask: tensors.mask.as_ref().map(|mask| gather(mask, mask_row)),
                    weights: tensors.weights.as_ref().map(|weights| gather(weights, element_row)),
                };
                let want = joined.evaluate(&Loss::dice().squared().smooth(0.25)).0.value;
                // The loss is 1 − s, so the error is relative to 1.
                assert!((got - want).abs() <= 1e-14, "{pool:?}, group {group}: {got} is not {want}");
            }
        }
    }
}

#[test]
fn a_mean_is_the_sum_over_the_number_of_values() {
    let tensors = Tensors::random(&[2, 3, 5], 47, false, 3);
    let kept = tensors.mask.as_ref().unwrap().iter().sum::<f32>() * 3.0;
    assert!(kept < 30.0);
    for (loss, values) in [(Loss::dice(), 6.0), (Loss::dice().pool(Pool::Batch), 3.0), (Loss::bce(), f64::from(kept))] {
        let of = |reduction| tensors.evaluate(&loss.clone().reduction(reduction));
        let [mean, sum, none] = [Reduction::Mean, Reduction::Sum, Reduction::None].map(of);
        assert!(close(values * mean.0.value, sum.0.value), "{} × {values} is not {}", mean.0.value, sum.0.value);
        assert!(mean.1.iter().zip(&sum.1).all(|(&mean, &sum)| close(values * mean, sum)));
        // Without a reduction the value is the sum, which is what the gradient is the derivative of.
        assert_eq!((none.0.value, none.1), (sum.0.value, sum.1));
    }
}

#[test]
fn losses_are_linear_in_the_weights_of_their_terms() {
    let tensors = Tensors::random(&[2, 3, 5], 53, true, 3);
    for (name, loss) in losses(3).into_iter().chain(mixed_losses()) {
        if loss.is_voxel_map() || loss.terms[0].reduction() == Reduction::None {
            // Their like is all that they can be added to.
            continue;
        }
        let other = Loss::dice().squared().with(1.0, Loss::bce().reduction(Reduction::Sum));
        let ((a, da), (b, db)) = (tensors.evaluate(&loss), tensors.evaluate(&other));
        for (x, y) in [(1.0, -0.5), (-3.0, 2.0), (0.0, 0.75)] {
            let weighted = Loss::of(vec![]).with(x, loss.clone()).with(y, other.clone());
            let (sum, slopes) = tensors.evaluate(&weighted);
            let magnitude: f64 = weighted.terms.iter().zip(&sum.terms).map(|(t, v)| (t.weight * v).abs()).sum();
            assert!((sum.value - (x * a.value + y * b.value)).abs() <= 1e-14 * magnitude, "{name}: {x}, {y}");
            assert_eq!(sum.terms, [a.terms.clone(), b.terms.clone()].concat(), "{name}");
            let peak = |slopes: &[f64]| slopes.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
            let scale = x.abs() * peak(&da) + y.abs() * peak(&db);
            for ((got, da), db) in slopes.iter().zip(&da).zip(&db) {
                assert!((got - (x * da + y * db)).abs() <= 1e-14 * scale, "{name}: {x}, {y}");
            }
        }
    }
}

/// By powers of two, so to the bit. Counts of voxels and hard counts do not scale, ratios without constants do not
/// change, cross-entropy scales.
#[test]
fn voxel_weights_scale_the_sums() {
    let tensors = Tensors::random(&[2, 3, 5], 59, true, 3);
    let quadrupled: Vec<f32> = tensors.weights.as_ref().unwrap().iter().map(|w| 4.0 * w).collect();
    let scaled = tensors.clone().with_weights(&quadrupled);
    let rows = |tensors: &Tensors| accumulate(&statistics(), &tensors.batch());
    for ((before, after), statistic) in rows(&tensors).iter().zip(&rows(&scaled)).zip(statistics()) {
        let factor = if statistic.is_count() { 1.0 } else { 4.0 };
        let expected = before.iter().map(|s| Sums { values: s.values.map(|v| factor * v), count: s.count });
        assert_eq!(*after, expected.collect::<Vec<_>>(), "{statistic:?}");
    }
    for loss in [Loss::dice(), Loss::tversky(0.7, 0.3).squared().pool(Pool::Classes)] {
        let ((before, slopes_before), (after, slopes_after)) = (tensors.evaluate(&loss), scaled.evaluate(&loss));
        assert_eq!((after.groups, slopes_after), (before.groups, slopes_before));
    }
    let ((before, slopes_before), (after, slopes_after)) =
        (tensors.evaluate(&Loss::bce()), scaled.evaluate(&Loss::bce()));
    assert_eq!(after.value, 4.0 * before.value);
    assert_eq!(slopes_after, slopes_before.iter().map(|g| 4.0 * g).collect::<Vec<_>>());
}

/// To the bit: a masked voxel adds zeros. A voxel of weight 0 differs in one thing, it is counted.
#[test]
fn a_masked_voxel_is_a_removed_voxel() {
    let voxels = 9;
    let full = Tensors::random(&[1, 3, voxels], 61, true, 2);
    // The first, the last, one inside, two neighbours, and all but one.
    for removed in [vec![0], vec![8], vec![4], vec![2, 3], (0..8).collect::<Vec<_>>()] {
        let kept: Vec<usize> = (0..voxels).filter(|v| !removed.contains(v)).collect();
        let keeps: Vec<f32> = (0..voxels).map(|v| f32::from(u8::from(kept.contains(&v)))).collect();
        let masked = full.clone().with_mask(&keeps);
        let weights = full.weights.as_ref().unwrap();
        let weighted: Vec<f32> = weights.iter().zip(keeps.iter().cycle()).map(|(w, k)| w * k).collect();
        let weightless = full.clone().with_weights(&weighted);
        let rest = full.select(&kept);
        let soft: Vec<Statistic> = statistics().into_iter().filter(|s| !s.is_count()).collect();
        assert_eq!(accumulate(&statistics(), &masked.batch()), accumulate(&statistics(), &rest.batch()));
        let uncounted = accumulate(&soft, &rest.batch());
        for (got, want) in accumulate(&soft, &weightless.batch()).concat().iter().zip(uncounted.concat()) {
            assert_eq!((got.values, got.count), (want.values, want.count + removed.len() as u64));
        }
        for (name, loss) in losses(3).into_iter().chain(mixed_losses()) {
            let ((got, slopes), (want, rest_slopes)) = (masked.evaluate(&loss), rest.evaluate(&loss));
            assert_eq!(got.value, want.value, "{name}");
            let on_kept = |v: usize| keeps[v % voxels] == 1.0;
            let (here, elsewhere): (Vec<usize>, Vec<usize>) = (0..slopes.len()).partition(|&i| on_kept(i));
            assert_eq!(here.iter().map(|&i| slopes[i]).collect::<Vec<_>>(), rest_slopes, "{name}");
            assert!(elsewhere.iter().all(|&i| slopes[i] == 0.0), "{name}");
        }
    }
}

/// Nothing of a batch leaks into another row: a class alone gives its own group.
#[test]
fn unpooled_rows_do_not_see_each_other() {
    let tensors = Tensors::random(&[2, 3, 5], 67, false, 0);
    let loss = Loss::jaccard().smooth(0.5).reduction(Reduction::Sum);
    let (whole, slopes) = tensors.evaluate(&loss);
    for row in 0..6 {
        let alone = Tensors::new(&[1, 1, 5], &tensors.logits[5 * row..][..5], &tensors.targets[5 * row..][..5]);
        let (evaluation, row_slopes) = alone.evaluate(&loss);
        assert_eq!(evaluation.value, whole.groups[0][row]);
        assert_eq!(evaluation.sums[0][0], whole.sums[0][row]);
        assert_eq!(row_slopes, slopes[5 * row..][..5]);
    }
}
