//! Values and gradients against their closed forms, and numbers by hand.

use segloss::{Activation, Loss, Map, Overlap, Reduction, Shape, reference};

use crate::data::{Tensors, overlap, weighted_bce};

/// Asserts that a number is within a few roundings of f64 of the expected one.
#[track_caller]
fn assert_exact(name: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-14 * want.abs(), "{name}: {got} is not {want}");
}

/// The loss and the only element's gradient of one voxel.
fn one_voxel(loss: &Loss, input: f32, target: f32) -> (f64, f64) {
    let (evaluation, gradient) = Tensors::new(&[1, 1], &[input], &[target]).evaluate(loss);
    (evaluation.value, gradient[0])
}

/// Pairs of a probability in (0, 1] and a target in [0, 1], all multiples of 1/8.
fn pairs() -> impl Iterator<Item = (f32, f32)> {
    (1..=8_u8).flat_map(|p| (0..=8_u8).map(move |t| (f32::from(p) / 8.0, f32::from(t) / 8.0)))
}

/// d/dz of −π·t·ln σ(z) − (1−t)·ln σ(−z) is (1−t)·p − π·t·(1−p), which is p − t at π = 1; a voxel weight multiplies it,
/// and the mean divides by the number of elements that the mask keeps.
#[test]
fn cross_entropy_has_the_slope_p_minus_t() {
    for parts in 0..4 {
        let tensors = Tensors::random(&[2, 3, 5], 11, false, parts);
        let (_, plain) = tensors.evaluate(&Loss::bce());
        let (_, weighted) = tensors.evaluate(&weighted_bce(&[0.5, 2.0, 3.0]));
        let mask = |i: usize| tensors.mask.as_ref().map_or(1.0, |m| f64::from(m[i / 15 * 5 + i % 5]));
        let weight = |i: usize| mask(i) * tensors.weights.as_ref().map_or(1.0, |w| f64::from(w[i]));
        let kept: f64 = (0..30).map(mask).sum();
        assert_eq!(kept < 30.0, parts & 1 != 0);
        for i in 0..30 {
            let (z, t) = (f64::from(tensors.logits[i]), f64::from(tensors.targets[i]));
            let (p, pi) = (1.0 / (1.0 + (-z).exp()), [0.5, 2.0, 3.0][i / 5 % 3]);
            let (slope, weighted_slope) = (p - t, (1.0 - t) * p - pi * t * (1.0 - p));
            // p − t cancels, so both are held against their summands, which are below 1 (and 3).
            assert!((plain[i] - weight(i) * slope / kept).abs() <= 1e-15 * weight(i) / kept, "{i}");
            assert!((weighted[i] - weight(i) * weighted_slope / kept).abs() <= 3e-15 * weight(i) / kept, "{i}");
        }
    }
}

/// s = 2pt/(p+t) has ds/dp = 2t²/(p+t)². Squared, s = 2pt/(p²+t²) has 2t(t²−p²)/(p²+t²)².
#[test]
fn dice_of_one_voxel() {
    let plain = Loss::dice().map(Map::Score).probabilities();
    for (p, t) in pairs() {
        let (value, slope) = one_voxel(&plain, p, t);
        let (squared_value, squared_slope) = one_voxel(&plain.clone().squared(), p, t);
        let (p, t) = (f64::from(p), f64::from(t));
        assert_exact("value", value, 2.0 * p * t / (p + t));
        assert_exact("slope", slope, 2.0 * t * t / (p + t).powi(2));
        let squares = p * p + t * t;
        assert_exact("squared value", squared_value, 2.0 * p * t / squares);
        // The slope is the difference of 2t/(p²+t²) and 4tp²/(p²+t²)², which cancel at p = t.
        let want = 2.0 * t * (t * t - p * p) / squares.powi(2);
        assert!((squared_slope - want).abs() <= 1e-15 * 2.0 * t / squares, "{squared_slope} is not {want}");
    }
}

/// s = pt/(αp + βt + (1−α−β)pt) has ds/dp = βt²/(αp + βt + (1−α−β)pt)²; Jaccard is α = β = 1.
#[test]
fn tversky_of_one_voxel() {
    let cases =
        [(Loss::jaccard(), 1.0, 1.0), (Loss::tversky(0.25, 0.75), 0.25, 0.75), (Loss::tversky(0.5, 2.0), 0.5, 2.0)];
    for (loss, alpha, beta) in cases {
        let loss = loss.map(Map::Score).probabilities();
        for (p, t) in pairs() {
            let (value, slope) = one_voxel(&loss, p, t);
            let (p, t) = (f64::from(p), f64::from(t));
            let denominator = alpha * p + beta * t + (1.0 - alpha - beta) * p * t;
            assert_exact("value", value, p * t / denominator);
            // The slope is the difference of t/d and another positive number, so it is exact relative to t/d.
            let want = beta * t * t / denominator.powi(2);
            assert!((slope - want).abs() <= 1e-14 * t / denominator, "{slope} is not {want} at ({p}, {t})");
        }
    }
}

/// With v = m(s), dv/ds is 1, −1, −1, −1/s and −γ(1−s)^(γ−1).
#[test]
fn maps_of_one_voxel() {
    let (p, t) = (0.25, 1.0);
    // s = 2·¼/(1+¼) and ds/dp = 2/(5/4)².
    let (s, ds) = (0.4, 1.28);
    let cases = [
        (Map::Score, s, 1.0),
        (Map::Complement, 0.6, -1.0),
        (Map::Negated, -s, -1.0),
        (Map::NegLog { eps: 1e-7 }, 0.916_290_731_874_155, -2.5),
        (Map::Power { gamma: 2.0 }, 0.36, -1.2),
        (Map::Power { gamma: 1.0 }, 0.6, -1.0),
        (Map::Power { gamma: 0.5 }, 0.774_596_669_241_483_4, -0.645_497_224_367_902_8),
    ];
    for (map, value, outer) in cases {
        let got = one_voxel(&Loss::dice().map(map).probabilities(), p, t);
        assert_exact(&format!("value of {map:?}"), got.0, value);
        assert_exact(&format!("slope of {map:?}"), got.1, outer * ds);
    }
}

/// By hand: (2·½·1 + ¼)/(½ + 1 + 1) with both constants, and with α = ¼, β = ½, f = 3:
/// (3·½ + ¼)/(3·(½ + ¼·0 + ½·½) + ¾).
#[test]
fn every_constant_stands_where_the_formula_says() {
    let constants = Overlap { smooth_numerator: 0.25, smooth_denominator: 1.0, map: Map::Score, ..Overlap::dice() };
    assert_exact("dice", one_voxel(&overlap(constants).probabilities(), 0.5, 1.0).0, 1.25 / 2.5);
    let free = Overlap {
        factor: 3.0,
        smooth_numerator: 0.25,
        smooth_denominator: 0.75,
        map: Map::Score,
        ..Overlap::tversky(0.25, 0.5)
    };
    assert_exact("free", one_voxel(&overlap(free.clone()).probabilities(), 0.5, 1.0).0, 1.75 / 3.0);
    let floored = Overlap { floor: 7.0, ..free };
    assert_exact("floored", one_voxel(&overlap(floored).probabilities(), 0.5, 1.0).0, 1.75 / 7.0);
}

/// Two rows of zeros over two rows of ones: I = 7.41, P = 7.82, T = 8 and Σp² = 6.9132.
///
/// An f32 below 1 is within 2⁻²⁵ of its decimal: I of eight is within 2.4e-7, P of sixteen within 4.8e-7, Σp² (slope 2p)
/// within 4.8e-7, and the score within (2·2.4e-7 + 4.8e-7)/14.9 = 7e-8. The slopes are (s·dP/dp − 2t)/(P + T), within
/// (2·7e-8 + 6e-8)/14.9 + 2·4.8e-7/14.9² = 1.8e-8.
#[test]
fn dice_of_the_worked_example() {
    #[rustfmt::skip]
    let prediction = [
        0.01, 0.03, 0.02, 0.02,
        0.05, 0.12, 0.09, 0.07,
        0.89, 0.85, 0.88, 0.91,
        0.99, 0.97, 0.95, 0.97,
    ];
    let truth = [[0.0; 8], [1.0; 8]].concat();
    let tensors = Tensors::new(&[1, 1, 4, 4], &prediction, &truth);
    let dice = Loss::dice().probabilities();
    // With the slopes of the cardinality, 1 or 2p.
    let cases = [(dice.clone(), 7.82, [1.0, 1.0], 15.82), (dice.squared(), 6.9132, [0.24, 1.78], 14.9132)];
    for (loss, p, slopes, cardinality) in cases {
        let (evaluation, gradient) = tensors.evaluate(&loss);
        let sums = evaluation.sums[0][0];
        assert!((sums.intersection() - 7.41).abs() < 2.4e-7, "{}", sums.intersection());
        assert!((sums.prediction() - p).abs() < 4.8e-7, "{}", sums.prediction());
        assert_eq!((sums.target(), sums.count), (8.0, 16));
        let score = 14.82 / cardinality;
        assert!((evaluation.value - (1.0 - score)).abs() < 7e-8, "{} is not {}", evaluation.value, 1.0 - score);
        // Of voxels 5 (0.12, background) and 8 (0.89, foreground).
        for (voxel, slope, t) in [(5, slopes[0], 0.0), (8, slopes[1], 1.0)] {
            let want = (score * slope - 2.0 * t) / cardinality;
            assert!((gradient[voxel] - want).abs() < 2e-8, "{} is not {want}", gradient[voxel]);
        }
    }
}

/// J = D/(2 − D), and Tversky's ends: α = β = ½ is Dice to the bit (numerator and denominator are halved), α = β = 1 is
/// I/(P + T − I).
#[test]
fn jaccard_and_tversky_are_dice_in_other_words() {
    for parts in 0..4 {
        let tensors = Tensors::random(&[2, 3, 5], 23, false, parts);
        let groups = |loss: Loss| tensors.evaluate(&loss.map(Map::Score)).0.groups[0].clone();
        let (dice, jaccard) = (groups(Loss::dice()), groups(Loss::jaccard()));
        assert_eq!(dice, groups(Loss::tversky(0.5, 0.5)));
        let sums = &tensors.evaluate(&Loss::dice()).0.sums[0];
        for ((d, j), s) in dice.iter().zip(&jaccard).zip(sums) {
            assert!(*d > 0.0 && *d < 1.0);
            assert_exact("J of D", *j, d / (2.0 - d));
            assert_exact("J of the sums", *j, s.intersection() / (s.prediction() + s.target() - s.intersection()));
        }
    }
}

/// −ln σ(z) = ln(1 + e^−z), at logits where 1 + e^−z rounds to 1 and where e^−z overflows.
#[test]
fn cross_entropy_keeps_its_digits_at_large_logits() {
    let ln_1_plus_e_minus_20 = 2.061_153_620_314_381e-9;
    let (e_minus_40, e_minus_100) = (4.248_354_255_291_589e-18, 3.720_075_976_020_836e-44);
    let cases = [
        (0.0, std::f64::consts::LN_2, 0.5),
        (20.0, ln_1_plus_e_minus_20, 2.061_153_618_190_204e-9),
        (40.0, e_minus_40, e_minus_40),
        (100.0, e_minus_100, e_minus_100),
        (1000.0, 0.0, 0.0),
        (f32::MAX, 0.0, 0.0),
        (-20.0, 20.0 + ln_1_plus_e_minus_20, 1.0 - 2.061_153_618_190_204e-9),
        (-40.0, 40.0, 1.0),
        (-1000.0, 1000.0, 1.0),
        (f32::MIN, f64::from(f32::MAX), 1.0),
    ];
    for (z, value, minus_slope) in cases {
        // The other target at the other sign is the same with the slope turned round.
        let (positive, negative) = (one_voxel(&Loss::bce(), z, 1.0), one_voxel(&Loss::bce(), -z, 0.0));
        assert_exact(&format!("value at {z}"), positive.0, value);
        assert_exact(&format!("slope at {z}"), positive.1, -minus_slope);
        assert_eq!((negative.0, negative.1), (positive.0, -positive.1), "{z}");
    }
}

/// Logarithms are held above −100, p(1−p) above 1e-12.
#[test]
fn cross_entropy_of_probabilities_is_clamped_as_by_pytorch() {
    let bce = Loss::bce().probabilities();
    assert_eq!(one_voxel(&bce, 0.0, 1.0), (100.0, -1.0 / 1e-12));
    assert_eq!(one_voxel(&bce, 1.0, 0.0), (100.0, 1.0 / 1e-12));
    assert_eq!(one_voxel(&bce, 0.0, 0.0), (0.0, 0.0));
    assert_eq!(one_voxel(&bce, 1.0, 1.0), (0.0, 0.0));
    // ln 2⁻¹⁴⁹ = −103.3 is clamped, ln 2⁻⁶⁴ is not; the slope is at both.
    let (tiny, small) = (f32::from_bits(1), 2.0_f32.powi(-64));
    assert_eq!(one_voxel(&bce, tiny, 1.0), (100.0, -1e12));
    assert_exact("small p", one_voxel(&bce, small, 1.0).0, 64.0 * std::f64::consts::LN_2);
    assert_eq!(one_voxel(&bce, small, 1.0).1, -1e12);
    // Above the clamp the slope is (p − t)/(p(1−p)).
    assert_exact("inside", one_voxel(&bce, 0.25, 0.75).1, -0.5 / (0.25 * 0.75));
    // w(p − t)/1e-12, and half of each of two clamped logarithms.
    let both = Tensors::new(&[1, 1, 2], &[0.0, 1.0], &[0.5, 0.25]).with_weights(&[0.5, 4.0]);
    let (sum, slopes) = both.evaluate(&bce.reduction(Reduction::Sum));
    assert_eq!(sum.value, 0.5 * 50.0 + 4.0 * 75.0);
    assert_exact("first", slopes[0], 0.5 * -0.5 / 1e-12);
    assert_exact("second", slopes[1], 4.0 * 0.75 / 1e-12);
}

/// p > θ and t > θ, strictly; masked voxels do not count, and weights do not weigh.
#[test]
fn hard_sums_are_counts() {
    let just_above = f32::from_bits(0.5_f32.to_bits() + 1);
    // True positive, on the threshold twice, false positive, false negative, true negative, masked.
    let probabilities = [just_above, 0.5, 0.75, 0.75, 0.25, 0.25, 1.0];
    let targets = [just_above, 0.75, 0.5, 0.0, 1.0, 0.0, 1.0];
    let mask = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0];
    let logits = probabilities.map(|p: f32| p - 0.5);
    let loss = Loss::dice().hard(0.5);
    for (input, loss) in [(probabilities, loss.clone().probabilities()), (logits, loss)] {
        let tensors = Tensors::new(&[1, 1, 7], &input, &targets).with_mask(&mask).with_weights(&[0.125; 7]);
        let evaluation = reference::evaluate(&loss, &tensors.batch()).unwrap();
        let sums = evaluation.sums[0][0];
        assert_eq!((sums.values, sums.count), ([1.0, 3.0, 3.0], 6));
        assert_exact("dice", evaluation.value, 1.0 - 2.0 / 6.0);
    }
}

/// σ(z) > θ is z > ln(θ/(1−θ)); no finite probability is above 1, all but the least logit are above 0.
#[test]
fn thresholds_of_logits_need_no_sigmoid() {
    let cut = |theta| reference::threshold_cut(Activation::Sigmoid, theta);
    assert_eq!([cut(0.5), cut(0.25), cut(0.75)], [0.0, -1.098_612_3, 1.098_612_3]);
    assert_eq!([cut(0.0), cut(1.0), cut(-1.0), cut(2.0)], [f32::MIN, f32::MAX, f32::MIN, f32::MAX]);
    assert_eq!(reference::threshold_cut(Activation::None, 0.1), 0.1_f32);
    let shape = Shape::new(&[1, 1, 3]).unwrap();
    let batch = segloss::Batch::new(&shape, &[-100.0, 0.0, 100.0], &[0.0, 0.5, 1.0]).unwrap();
    let counts = |theta| reference::evaluate(&Loss::dice().hard(theta), &batch).unwrap().sums[0][0].values;
    assert_eq!(counts(0.0), [2.0, 3.0, 2.0]);
    assert_eq!(counts(0.25), [2.0, 2.0, 2.0]);
    assert_eq!(counts(0.5), [1.0, 1.0, 1.0]);
    assert_eq!(counts(1.0), [0.0, 0.0, 0.0]);
}
