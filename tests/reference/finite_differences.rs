//! Gradients against finite differences of the value.
//!
//! With D(h) = (L(z+h) − L(z−h))/2h, Richardson's (4·D(h/2) − D(h))/3 is L′ − h⁴·L⁽⁵⁾/480 + O(h⁶), where h = 2⁻¹⁰ and the
//! grid of the inputs make z ± h and z ± h/2 exact in f32. How far it is off:
//!
//! * Truncation. The strongest curvature of the table is that of −ln p at p = 1/16: L⁽⁵⁾/L′ = 24/p⁴ = 1.6e6, so
//!   2⁻⁴⁰/480 · 1.6e6 = 3e-9 of the element's own slope (and 3.02e-9 is the largest error there is).
//! * Rounding. A value of at most 20 elements is within 2⁻⁵⁰ relative (3 bits for the sums and the elementary functions),
//!   which the difference turns into (4·2 + 1)/3 · 2⁻⁵⁰·|L|/h = 3·2⁻⁴⁰·|L| = 2.7e-12·|L|. The largest slope of a mean over
//!   20 elements is above |L|/1000, so this is below 3e-9 of the largest.
//!
//! Together below 1e-8 of the largest slope, which is the tolerance: a factor that is off by more than that fails.

use segloss::loss::{CrossEntropy, Distances, Measure, Term, Wasserstein};
use segloss::{Activation, Batch, Labels, Loss, Pool, Reduction, reference};

use crate::data::{Tensors, conventions, coupled, losses, mixed_losses};

const STEP: f32 = 1.0 / 1024.0;
const TOLERANCE: f64 = 1e-8;

/// No spatial axes and one voxel; one voxel; one class; one sample; both axes larger than one.
const SHAPES: [&[usize]; 6] = [&[1, 1], &[2, 3], &[3, 1, 1], &[2, 1, 7], &[1, 3, 2, 3], &[2, 2, 5]];

/// D(h) of the value in one element.
fn central_difference(loss: &Loss, tensors: &Tensors, element: usize, step: f32) -> f64 {
    let value = |step: f32| {
        let mut moved = tensors.clone();
        moved.logits[element] += step;
        let exact = f64::from(tensors.logits[element]) + f64::from(step);
        assert_eq!(f64::from(moved.logits[element]), exact, "the step must be exact");
        reference::evaluate(loss, &moved.batch()).unwrap().value
    };
    (value(step) - value(-step)) / (2.0 * f64::from(step))
}

fn assert_gradient_is_the_slope(name: &str, loss: &Loss, tensors: &Tensors) {
    let (evaluation, gradient) = tensors.evaluate(loss);
    assert_eq!(gradient.len(), tensors.shape.elements());
    let peak = gradient.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
    let least = evaluation.value.abs() / 1000.0;
    assert!(peak > least, "{name}: the largest slope is {peak}, rounding allows no less than {least}");
    for (element, &got) in gradient.iter().enumerate() {
        let difference = |step| central_difference(loss, tensors, element, step);
        let want = (4.0 * difference(STEP / 2.0) - difference(STEP)) / 3.0;
        let error = (got - want).abs();
        assert!(error <= TOLERANCE * peak, "{name}: gradient[{element}] is {got}, the slope is {want} (peak {peak})");
    }
}

/// Runs every loss of the table over every shape, with and without mask and voxel weights.
fn assert_table(table: impl Fn(usize) -> Vec<(String, Loss)>, probabilities: bool) {
    for (seed, dims) in (100..).step_by(10).zip(SHAPES) {
        for parts in 0..4 {
            let tensors = Tensors::random(dims, seed + parts, probabilities, parts);
            for (name, loss) in table(dims[1]) {
                assert_gradient_is_the_slope(&format!("{name}, {dims:?}, parts {parts}"), &loss, &tensors);
            }
        }
    }
}

#[test]
fn gradients_by_logits_are_the_slopes() {
    assert_table(losses, false);
}

#[test]
fn gradients_by_probabilities_are_the_slopes() {
    let probabilities =
        |classes| losses(classes).into_iter().map(|(name, loss)| (name, loss.probabilities())).collect();
    assert_table(probabilities, true);
}

#[test]
fn gradients_of_every_convention_are_the_slopes() {
    assert_table(conventions, false);
    let through_tanh = |classes| {
        let mut losses =
            vec![("tanh".into(), Loss::dice().smooth(1.0)), ("tanh²".into(), Loss::dice().squared().smooth(0.5))];
        losses.push((format!("tanh, {classes}"), Loss::tversky(0.3, 0.7).smooth(2.0).reduction(Reduction::Sum)));
        for (_, loss) in &mut losses {
            loss.terms.iter_mut().for_each(|term| term.activation = Activation::Tanh);
        }
        losses
    };
    assert_table(through_tanh, false);
}

/// Of more than one voxel, since the targets of the first are all 1: then a generalised Dice of a softmax does not move.
#[test]
fn gradients_that_couple_classes_are_the_slopes() {
    for (seed, dims) in (1300..).step_by(10).zip([&[2, 3, 2][..], &[1, 3, 2, 3], &[2, 2, 5], &[1, 5, 4]]) {
        for parts in 0..4 {
            let tensors = Tensors::random(dims, seed + parts, false, parts);
            for (name, loss) in coupled(dims[1]) {
                assert_gradient_is_the_slope(&format!("{name}, {dims:?}, parts {parts}"), &loss, &tensors);
            }
        }
    }
}

/// Beside a class's own logarithm that of the sum moves.
#[test]
fn gradients_by_what_is_normalised_are_the_slopes() {
    let of = |ce| Loss::of(vec![Term::new(Activation::Normalized, Measure::CrossEntropy(ce))]);
    for (seed, dims) in (1600..).step_by(10).zip([&[3, 2][..], &[1, 3, 2, 3], &[2, 2, 5], &[1, 5, 4]]) {
        for parts in 0..4 {
            let tensors = Tensors::random(dims, seed + parts, true, parts);
            let class_weights: Vec<f64> = (0..dims[1]).map(|class| 0.5 + class as f64).collect();
            for (gamma, label_smoothing, clip) in
                [(0.0, 0.0, 0.0), (0.0, 0.25, 1e-7), (0.5, 0.0, 1e-7), (2.0, 0.125, 0.0)]
            {
                let ce = CrossEntropy {
                    gamma,
                    label_smoothing,
                    clip,
                    class_weights: class_weights.clone(),
                    ..Default::default()
                };
                let loss = of(ce).with(0.5, Loss::dice().smooth(1.0).probabilities());
                let name = format!("γ = {gamma}, s = {label_smoothing}, {dims:?}, parts {parts}");
                assert_gradient_is_the_slope(&name, &loss, &tensors);
            }
        }
    }
}

/// Of labels, by distances that are no metric: not symmetric, and not 0 from a class to itself.
#[test]
fn gradients_of_distances_are_the_slopes() {
    let distances = Distances::new(vec![vec![0.0, 1.0, 0.75], vec![0.5, 0.25, 1.0], vec![1.0, 0.125, 0.0]]).unwrap();
    for (by_volume, label_weights) in [(false, vec![0.0, 1.0, 1.0]), (true, vec![]), (true, vec![0.5, 2.0, 1.0])] {
        let of = Wasserstein {
            distances: distances.clone(),
            label_weights,
            by_volume,
            smooth_numerator: 0.5,
            smooth_denominator: 0.25,
            reduction: Reduction::Mean,
        };
        let loss = Loss::of(vec![Term::new(Activation::Softmax, Measure::Wasserstein(of))]);
        let tensors = Tensors::random(&[2, 3, 5], 1500, false, 0);
        let labels = [0, 2, 1, 1, 7, 2, 2, 0, 1, 2];
        let value = |tensors: &Tensors| {
            let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::U8(&labels)).unwrap();
            reference::evaluate(&loss, &batch.with_ignore_index(7).with_gradient()).unwrap()
        };
        let gradient = value(&tensors).gradient.unwrap();
        let peak = gradient.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
        for (element, &got) in gradient.iter().enumerate() {
            let difference = |step: f32| {
                let moved = |step: f32| {
                    let mut moved = tensors.clone();
                    moved.logits[element] += step;
                    value(&moved).value
                };
                (moved(step) - moved(-step)) / (2.0 * f64::from(step))
            };
            let want = (4.0 * difference(STEP / 2.0) - difference(STEP)) / 3.0;
            assert!((got - want).abs() <= TOLERANCE * peak, "{by_volume}: gradient[{element}] is {got}, not {want}");
        }
    }
}

/// Of probabilities given, which need not add up to 1.
#[test]
fn gradients_of_cross_entropy_of_probabilities_are_the_slopes() {
    for gamma in [0.0, 0.5, 2.0] {
        let ce = CrossEntropy { gamma, label_smoothing: 0.25, ..Default::default() };
        for activation in [Activation::None, Activation::Sigmoid] {
            let loss = Loss::of(vec![Term::new(activation, Measure::CrossEntropy(ce.clone()))]);
            let tensors = Tensors::random(&[2, 3, 4], 1400, true, 3);
            assert_gradient_is_the_slope(&format!("{activation:?}, γ = {gamma}"), &loss, &tensors);
        }
    }
}

#[test]
fn gradients_by_odds_are_the_slopes() {
    let odds = |classes| {
        let of_a_class = |(_, loss): &(String, Loss)| {
            loss.terms.iter().all(|term| matches!(term.measure, Measure::BinaryCrossEntropy(_) | Measure::Focal(_)))
        };
        let losses = conventions(classes).into_iter().filter(of_a_class);
        losses.map(|(name, loss)| (name, loss.activation(Activation::Odds))).collect()
    };
    assert_table(odds, true);
}

/// Where p and t never meet: min(p, t) has a kink there.
#[test]
fn gradients_of_minima_are_the_slopes() {
    use crate::data::overlap;
    use segloss::{Overlap, loss::Intersection};
    let loss = overlap(Overlap { intersection: Intersection::Minimum, ..Overlap::tversky(0.3, 0.9) });
    let (logits, targets) = ([-2.0, 0.5, 1.5, -0.25, 3.0, 0.125], [0.0, 0.25, 1.0, 0.75, 0.5, 1.0]);
    let tensors = Tensors::new(&[1, 2, 3], &logits, &targets).with_weights(&[1.0, 0.5, 2.0, 1.0, 0.25, 1.0]);
    assert_gradient_is_the_slope("minimum", &loss, &tensors);
}

/// Of counts: without voxel weights.
#[test]
fn gradients_of_the_matthews_correlation_are_the_slopes() {
    use crate::data::overlap;
    use segloss::{Overlap, loss::Formula};
    for (seed, dims) in (900..).zip([&[2, 3, 2][..], &[2, 1, 7], &[1, 3, 2, 3], &[2, 2, 5]]) {
        for (parts, pool) in [(0, Pool::All), (1, Pool::All), (1, Pool::Batch), (0, Pool::Classes)] {
            let tensors = Tensors::random(dims, seed, false, parts);
            assert_gradient_is_the_slope("matthews", &Loss::matthews().pool(pool), &tensors);
            let smoothed = Overlap {
                formula: Formula::Matthews { eps: 0.0 },
                smooth_numerator: 0.5,
                smooth_denominator: 0.25,
                pool,
                ..Overlap::dice()
            };
            assert_gradient_is_the_slope("matthews, smoothed", &overlap(smoothed), &tensors);
        }
    }
}

#[test]
fn gradients_through_both_activations_are_the_slopes() {
    assert_table(|_| mixed_losses(), true);
    let both =
        |loss: &Loss| [Activation::None, Activation::Sigmoid].map(|a| loss.terms.iter().any(|t| t.activation == a));
    assert!(mixed_losses().iter().all(|(_, loss)| both(loss) == [true; 2]));
}

/// Some rows below the floor and some above it, in one loss.
#[test]
fn a_floor_between_the_rows_is_respected_row_by_row() {
    use crate::data::overlap;
    use segloss::Overlap;
    // Denominators P + T = 17/16, 3/2, 9/4: the floor of 2 holds the first two.
    let tensors = Tensors::new(&[1, 3, 2], &[0.0625, 0.5, 0.25, 0.25, 0.75, 0.5], &[0.0, 0.5, 0.5, 0.5, 1.0, 0.0]);
    let loss = overlap(Overlap { floor: 2.0, ..Overlap::dice() }).probabilities();
    let (evaluation, _) = tensors.evaluate(&loss);
    let denominators: Vec<f64> = evaluation.sums[0].iter().map(|s| s.prediction() + s.target()).collect();
    assert_eq!(denominators, [1.0625, 1.5, 2.25]);
    assert_gradient_is_the_slope("mixed floor", &loss, &tensors);
}
