//! Edges: nothing at all, everything masked, floors and bounds of maps, values that are not usable numbers.

use segloss::loss::{BinaryCrossEntropy, Measure, Term};
use segloss::reference::{accumulate, bad_values, evaluate, finalize, gradient};
use segloss::{Activation, BadValues, Error, Loss, Map, Overlap, Pool, Reduction, Sums};

use crate::data::{POOLS, Tensors, losses, mixed_losses, overlap, weighted_bce};

fn is_zero(gradient: &[f64]) -> bool {
    gradient.iter().all(|&g| g == 0.0)
}

#[test]
fn an_empty_pair_is_nan_unsmoothed_and_has_gradient_zero() {
    let empty = Tensors::new(&[1, 1, 4], &[0.0; 4], &[0.0; 4]);
    let maps = [Map::Score, Map::Complement, Map::Negated, Map::NegLog { eps: 1e-7 }, Map::Power { gamma: 0.75 }];
    for overlap_loss in [Overlap::dice(), Overlap::jaccard(), Overlap::tversky(0.3, 0.7)] {
        for map in maps {
            for squared in [false, true] {
                let loss = overlap(Overlap { map, squared, ..overlap_loss.clone() }).probabilities();
                let (evaluation, slopes) = empty.evaluate(&loss);
                assert!(evaluation.value.is_nan() && evaluation.groups[0][0].is_nan(), "{loss:?}: {evaluation:?}");
                assert!(is_zero(&slopes), "{loss:?}: {slopes:?}");
            }
        }
    }
    // A constant in the numerator does not help.
    let numerator = overlap(Overlap { smooth_numerator: 1.0, ..Overlap::dice() }).probabilities();
    let (evaluation, slopes) = empty.evaluate(&numerator);
    assert!(evaluation.value.is_nan() && is_zero(&slopes));
}

/// Constants a and b alone: s = a/b. At p = t = 0, ds/dp = −s·f·α/b = −s·1/b for Dice; squared, P is flat at p = 0.
#[test]
fn an_empty_pair_has_the_smoothed_number() {
    let empty = Tensors::new(&[1, 1, 4], &[0.0; 4], &[0.0; 4]);
    let dice = |smooth_numerator, smooth_denominator| {
        overlap(Overlap { smooth_numerator, smooth_denominator, map: Map::Score, ..Overlap::dice() }).probabilities()
    };
    for (numerator, denominator, score, slope) in
        [(0.5, 0.5, 1.0, -2.0), (1.0, 4.0, 0.25, -0.0625), (0.0, 2.0, 0.0, 0.0)]
    {
        let (evaluation, slopes) = empty.evaluate(&dice(numerator, denominator));
        assert_eq!((evaluation.value, slopes), (score, vec![slope; 4]));
        let (evaluation, slopes) = empty.evaluate(&dice(numerator, denominator).squared());
        assert_eq!((evaluation.value, slopes), (score, vec![0.0; 4]));
    }
    // The floor alone, which holds the denominator still.
    let floored = overlap(Overlap { smooth_numerator: 1.0, floor: 8.0, map: Map::Score, ..Overlap::dice() });
    let (evaluation, slopes) = empty.evaluate(&floored.probabilities());
    assert_eq!((evaluation.value, slopes), (0.125, vec![0.0; 4]));
}

/// An empty row makes the mean NaN and leaves the other row's gradient what it is, half of it alone.
#[test]
fn an_empty_row_does_not_spoil_the_gradient_of_its_neighbours() {
    let dice = Loss::dice().probabilities();
    let both = Tensors::new(&[1, 2, 2], &[0.0, 0.0, 0.5, 0.25], &[0.0, 0.0, 1.0, 0.0]);
    let alone = Tensors::new(&[1, 1, 2], &[0.5, 0.25], &[1.0, 0.0]);
    let ((whole, slopes), (row, row_slopes)) = (both.evaluate(&dice), alone.evaluate(&dice));
    assert!(whole.value.is_nan() && whole.groups[0][0].is_nan());
    assert_eq!(whole.groups[0][1], row.value);
    assert_eq!(slopes, [0.0, 0.0, row_slopes[0] / 2.0, row_slopes[1] / 2.0]);
    assert!(row_slopes.iter().all(|&g| g != 0.0));
}

#[test]
fn everything_masked_is_a_mean_over_nothing() {
    for probabilities in [false, true] {
        let masked = Tensors::random(&[2, 3, 5], 73, probabilities, 2).with_mask(&[0.0; 10]);
        let activate = |loss: Loss| if probabilities { loss.probabilities() } else { loss };
        let cases = [
            (Loss::bce(), 0.0),
            (Loss::bce().reduction(Reduction::Sum), 0.0),
            (weighted_bce(&[2.0]), 0.0),
            (Loss::dice().smooth(1.0), 0.0),
            (Loss::dice().smooth(1.0).map(Map::Score), 1.0),
            (Loss::dice().smooth(1.0).map(Map::Score).reduction(Reduction::Sum), 6.0),
            (Loss::dice(), f64::NAN),
        ];
        for (loss, want) in cases {
            let (evaluation, slopes) = masked.evaluate(&activate(loss.clone()));
            assert!(evaluation.value == want || evaluation.value.is_nan() && want.is_nan(), "{loss:?}: {evaluation:?}");
            assert!(is_zero(&slopes) && slopes.len() == 30, "{loss:?}: {slopes:?}");
            assert_eq!(evaluation.sums, [vec![Sums::default(); 6]], "{loss:?}");
        }
        let hard = evaluate(&activate(Loss::dice().hard(0.5)), &masked.batch()).unwrap();
        assert_eq!(hard.sums, [vec![Sums::default(); 6]]);
    }
}

/// One sample masked altogether does not enter the mean of cross-entropy.
#[test]
fn the_mean_of_cross_entropy_counts_the_elements_kept() {
    let tensors = Tensors::new(&[2, 1, 2], &[0.0, 0.0, 5.0, -3.0], &[1.0, 0.25, 1.0, 0.0]);
    let (evaluation, slopes) = tensors.with_mask(&[1.0, 1.0, 0.0, 0.0]).evaluate(&Loss::bce());
    assert_eq!(evaluation.value, std::f64::consts::LN_2);
    assert_eq!(slopes, [-0.25, 0.125, 0.0, 0.0]);
    assert_eq!(evaluation.sums[0].iter().map(|s| s.count).collect::<Vec<_>>(), [2, 0]);
}

#[test]
fn no_rows_give_no_gradient_and_the_loss_zero() {
    for dims in [&[0, 3, 4][..], &[2, 0, 4], &[0, 0], &[0, 1]] {
        let none = Tensors::new(dims, &[], &[]);
        for loss in [Loss::dice(), Loss::dice().smooth(1.0), Loss::dice().pool(Pool::All), Loss::bce()] {
            let (evaluation, slopes) = none.evaluate(&loss);
            assert_eq!((evaluation.value, slopes.len()), (0.0, 0), "{loss:?} of {dims:?}");
            assert_eq!((evaluation.groups, evaluation.sums), (vec![vec![]], vec![vec![]]));
        }
    }
}

/// Rows without voxels are empty pairs.
#[test]
fn rows_without_voxels_are_empty_pairs() {
    for dims in [&[2, 3, 0][..], &[2, 3, 4, 0, 5]] {
        let none = Tensors::new(dims, &[], &[]).with_mask(&[]).with_weights(&[]);
        for (pool, groups) in POOLS.into_iter().zip([6, 3, 2, 1]) {
            let (smoothed, slopes) = none.evaluate(&Loss::dice().smooth(0.5).map(Map::Score).pool(pool));
            assert_eq!((smoothed.value, slopes.len()), (1.0, 0));
            assert_eq!(smoothed.groups, [vec![1.0; groups]]);
            assert_eq!(smoothed.sums, [vec![Sums::default(); 6]]);
            assert!(none.evaluate(&Loss::dice().pool(pool)).0.value.is_nan());
        }
        assert_eq!(none.evaluate(&Loss::bce()).0.value, 0.0);
        let map = evaluate(&Loss::bce().reduction(Reduction::None), &none.batch()).unwrap();
        assert_eq!(map.voxel_map, Some(vec![]));
    }
}

/// Under the floor ds/dp = f·t/floor, whatever p is: nothing comes from the denominator. At the floor, too.
#[test]
fn a_floor_holds_the_denominator_still() {
    let tensors = Tensors::new(&[1, 1, 2], &[0.5, 0.25], &[1.0, 0.25]);
    let score = |floor| {
        let (evaluation, slopes) =
            tensors.evaluate(&overlap(Overlap { floor, map: Map::Score, ..Overlap::dice() }).probabilities());
        (evaluation.value, slopes)
    };
    // I = 9/16 and P + T = 2.
    assert_eq!(score(4.0), (0.28125, vec![0.5, 0.125]));
    assert_eq!(score(2.0), (0.5625, vec![1.0, 0.25]));
    let above = 2.0_f64.next_down();
    assert_eq!(score(above), (0.5625, vec![1.0 - 0.28125, 0.25 - 0.28125]));
    assert_eq!(score(above), score(0.0));
}

/// −ln max(s, ε): flat where s ≤ ε.
#[test]
fn a_logarithm_is_flat_up_to_eps() {
    // One voxel with p = ¼, t = 1: s = 0.4, ds/dp = 1.28.
    let tensors = Tensors::new(&[1, 1], &[0.25], &[1.0]);
    let at = |eps: f64| {
        let (evaluation, slopes) = tensors.evaluate(&Loss::dice().map(Map::NegLog { eps }).probabilities());
        (evaluation.value, slopes[0])
    };
    let (score, log) = (0.4_f64, 0.916_290_731_874_155_1);
    assert_eq!(at(0.5), (std::f64::consts::LN_2, 0.0));
    assert_eq!(at(score), (-score.ln(), 0.0));
    let (value, slope) = at(score.next_down());
    assert!((value - log).abs() < 1e-15 && (slope + 3.2).abs() < 1e-14, "({value}, {slope})");
    // No overlap at all.
    let disjoint = Tensors::new(&[1, 1, 2], &[0.0, 0.5], &[1.0, 0.0]);
    let (evaluation, slopes) = disjoint.evaluate(&Loss::dice().map(Map::NegLog { eps: 0.25 }).probabilities());
    assert_eq!((evaluation.value, slopes), (2.0 * std::f64::consts::LN_2, vec![0.0, 0.0]));
}

/// max(1 − s, 0)^γ: 0 and flat where s ≥ 1, even where γ < 1 would make the slope infinite.
#[test]
fn a_power_is_flat_from_a_score_of_one() {
    let tensors = Tensors::new(&[1, 1, 2], &[1.0, 0.0], &[1.0, 0.0]);
    for gamma in [0.75, 1.0, 2.0] {
        let power = |smooth_numerator| Overlap { smooth_numerator, map: Map::Power { gamma }, ..Overlap::dice() };
        // s = 1 and s = 3/2.
        for numerator in [0.0, 1.0] {
            let (evaluation, slopes) = tensors.evaluate(&overlap(power(numerator)).probabilities());
            assert_eq!((evaluation.value, slopes), (0.0, vec![0.0; 2]), "γ = {gamma}");
        }
    }
    // 1 − s goes below 0 without the power.
    let complement = overlap(Overlap { smooth_numerator: 1.0, ..Overlap::dice() }).probabilities();
    assert_eq!(tensors.evaluate(&complement).0.value, -0.5);
}

/// σ underflows and saturates there, and nothing becomes infinite or NaN.
#[test]
fn the_largest_logits_give_finite_numbers() {
    let logits = [f32::MAX, f32::MIN, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 0.0];
    let tensors = Tensors::new(&[1, 1, 6], &logits, &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    let (dice, slopes) = tensors.evaluate(&Loss::dice());
    // I = 1 + ½ and P = T = 3.
    assert_eq!(dice.sums[0][0].values, [1.5, 3.0, 3.0]);
    assert_eq!((dice.value, &slopes[..4]), (0.5, &[0.0; 4][..]));
    assert!(slopes[4] < 0.0 && slopes[5] > 0.0);
    let (bce, slopes) = tensors.evaluate(&Loss::bce().reduction(Reduction::Sum));
    // Wrong by f32::MAX twice, beside which 2·ln 2 rounds away.
    assert_eq!(bce.value, 2.0 * f64::from(f32::MAX));
    assert_eq!(slopes, [0.0, 0.0, 1.0, -1.0, -0.5, 0.5]);
}

#[test]
fn bad_values_are_counted_also_where_the_mask_drops_them() {
    let clean = Tensors::random(&[2, 3, 5], 79, false, 3);
    let mut tensors = clean.clone();
    tensors.logits[7] = f32::NAN;
    tensors.logits[20] = f32::INFINITY;
    tensors.logits[29] = f32::NEG_INFINITY;
    tensors.targets[7] = f32::INFINITY;
    tensors.targets[8] = f32::NAN;
    let weights = tensors.weights.as_mut().unwrap();
    weights[0] = f32::NAN;
    let mask = tensors.mask.as_mut().unwrap();
    (mask[1], mask[4], mask[6], mask[9]) = (0.5, f32::NAN, -1.0, 2.0);
    let expected = BadValues { logits: 3, targets: 2, mask: 4, voxel_weights: 1, ..BadValues::default() };
    assert_eq!(bad_values(&tensors.batch()), expected);
    let masked = Tensors { mask: Some(vec![0.0; 10]), ..tensors.clone() };
    let expected_masked = BadValues { mask: 0, ..expected };
    for (_, loss) in losses(3).into_iter().chain(mixed_losses()) {
        for batch in [tensors.batch(), tensors.batch().with_gradient()] {
            assert_eq!(evaluate(&loss, &batch), Err(Error::BadValues(expected)));
        }
        assert_eq!(evaluate(&loss, &masked.batch()), Err(Error::BadValues(expected_masked)));
    }
    assert_eq!(bad_values(&clean.batch()), BadValues::default());
    // Out of range is not unusable: targets and weights are whatever the caller means by them, and −0 is 0.
    let odd =
        Tensors::new(&[1, 1, 2], &[f32::MAX, -0.0], &[-1.0, 2.0]).with_weights(&[-1.0, 0.0]).with_mask(&[1.0, -0.0]);
    assert!(bad_values(&odd.batch()).is_empty());
}

/// What is not a usable number counts like a masked voxel: it adds nothing and has gradient 0.
#[test]
fn bad_values_reach_neither_sums_nor_gradient() {
    let clean = Tensors::random(&[1, 1, 8], 83, true, 3).with_mask(&[1.0; 8]);
    let dropped = clean.clone().with_mask(&[0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
    let mut bad = clean;
    bad.logits[0] = f32::NAN;
    bad.targets[2] = f32::INFINITY;
    bad.weights.as_mut().unwrap()[3] = f32::NEG_INFINITY;
    bad.mask.as_mut().unwrap()[6] = 0.5;
    for (name, loss) in losses(1).into_iter().chain(mixed_losses()) {
        let statistics = loss.statistics();
        let (expected, slopes) = dropped.evaluate(&loss);
        let sums = accumulate(&statistics, &bad.batch());
        assert_eq!(sums, expected.sums, "{name}");
        let coefficients = finalize(&loss, &bad.shape, &sums).coefficients;
        assert_eq!(gradient(&statistics, &coefficients, &bad.batch()), slopes, "{name}");
        assert!([0, 2, 3, 6].iter().all(|&voxel| slopes[voxel] == 0.0), "{name}");
    }
}

#[test]
fn a_thresholded_term_has_no_gradient() {
    let tensors = Tensors::random(&[1, 2, 3], 89, true, 0);
    let hard = Loss::dice().hard(0.5);
    for (loss, term) in [(hard.clone(), 0), (Loss::bce().with(0.5, hard.clone()), 1), (hard.with(1.0, Loss::dice()), 0)]
    {
        let refused = evaluate(&loss, &tensors.batch().with_gradient());
        assert_eq!(refused, Err(Error::NotDifferentiable { term }));
        assert_eq!(evaluate(&loss, &tensors.batch()).unwrap().gradient, None);
    }
}

#[test]
fn losses_that_do_not_fit_are_refused() {
    let tensors = Tensors::random(&[1, 3, 2], 97, false, 0);
    let refusal = |loss: Loss| match evaluate(&loss, &tensors.batch()) {
        Err(Error::Loss(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(
        refusal(Loss::dice().with(1.0, weighted_bce(&[1.0, 2.0]))).contains("term 1: positive_weights has 2 entries")
    );
    assert!(refusal(Loss::of(vec![])).contains("no terms"));
    assert!(refusal(Loss::dice().smooth(f64::NAN)).contains("NaN"));
}

/// Σ weight · w · (−π·t·ln p − (1−t)·ln(1−p)), element by element, 0 where masked; its sum is the value.
#[test]
fn a_voxel_map_holds_every_elements_own_loss() {
    let tensors = Tensors::new(&[1, 2, 3], &[0.0, 0.5, 0.25, 0.75, 0.5, 1.0], &[1.0, 0.0, 1.0, 0.5, 0.0, 0.0])
        .with_mask(&[1.0, 1.0, 0.0])
        .with_weights(&[1.0, 2.0, 1.0, 4.0, 0.0, 1.0]);
    let bce = BinaryCrossEntropy { positive_weights: vec![3.0, 2.0], reduction: Reduction::None, ..Default::default() };
    let term = |weight, activation| Term { weight, ..Term::new(activation, Measure::BinaryCrossEntropy(bce.clone())) };
    let of = |terms: Vec<Term>| {
        let evaluation = evaluate(&Loss::of(terms), &tensors.batch()).unwrap();
        let map = evaluation.voxel_map.expect("a voxel map");
        assert!((map.iter().sum::<f64>() - evaluation.value).abs() <= 1e-14 * evaluation.value.abs());
        assert!(evaluation.groups.iter().all(Vec::is_empty));
        map
    };
    let assert_map = |got: Vec<f64>, want: [f64; 6]| {
        assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() <= 1e-14 * want.abs()), "{got:?}, {want:?}");
        assert_eq!(got.len(), 6);
    };
    // Of probabilities: π·100; 2·ln 2; masked; 4·(2·½·ln 4/3 + ½·ln 4); weight 0; masked.
    let (ln_2, ln_3) = (std::f64::consts::LN_2, 1.098_612_288_668_109_8);
    let by_hand = [300.0, 2.0 * ln_2, 0.0, 4.0 * (2.0 * ln_2 - ln_3 + ln_2), 0.0, 0.0];
    assert_map(of(vec![term(1.0, Activation::None)]), by_hand);
    // As logits: 3·ln 2 at z = 0; 2·ln(1 + √e); 4·(½·2·ln(1 + e^−¾) + ½·ln(1 + e^¾)).
    let through_sigmoid =
        [3.0 * ln_2, 1.948_153_968_360_213_4, 0.0, 4.0 * (0.386_871_006_114_899_9 + 0.568_435_503_057_45), 0.0, 0.0];
    assert_map(of(vec![term(1.0, Activation::Sigmoid)]), through_sigmoid);
    let both = std::array::from_fn(|i| 0.5 * by_hand[i] - 2.0 * through_sigmoid[i]);
    assert_map(of(vec![term(0.5, Activation::None), term(-2.0, Activation::Sigmoid)]), both);
    // Nothing of the kind with a reduction, nor for an overlap without one.
    for loss in [Loss::bce(), Loss::dice().reduction(Reduction::None)] {
        assert_eq!(evaluate(&loss, &tensors.batch()).unwrap().voxel_map, None);
    }
}

#[test]
fn asking_for_the_gradient_changes_nothing_else() {
    let tensors = Tensors::random(&[2, 3, 5], 101, true, 3);
    for (name, loss) in losses(3).into_iter().chain(mixed_losses()) {
        let plain = evaluate(&loss, &tensors.batch()).unwrap();
        assert_eq!(plain.gradient, None, "{name}");
        let (mut with, _) = tensors.evaluate(&loss);
        with.gradient = None;
        assert_eq!(with, plain, "{name}");
    }
}
