//! The numbers of a description at the ends of what is taken.

use segloss::loss::{BinaryCrossEntropy, CrossEntropy, Focal, Formula, Measure, Outer, RowWeights, Term};
use segloss::{Activation, Loss, Map, Overlap, Pool, reference};

use crate::data::{Tensors, reducers, turn};

/// Losses each of which has one number at an end of its range.
fn losses() -> Vec<(String, Loss)> {
    let dice = Overlap::dice;
    let of = |overlap| Loss::of(vec![Term::new(Activation::Sigmoid, Measure::Overlap(overlap))]);
    let mut losses = vec![];
    for v in [1e-18, 1e18] {
        let weighted = Overlap { class_weights: vec![v], normalized: true, ..dice() };
        let rows = Overlap { row_weights: RowWeights::PerClass(vec![v]), pool: Pool::All, ..dice() };
        let positive = BinaryCrossEntropy { positive_weights: vec![v], ..Default::default() };
        let classes = CrossEntropy { class_weights: vec![v], ..Default::default() };
        losses.extend([
            (format!("alpha, beta {v:e}"), of(Overlap { alpha: v, beta: v, ..dice() })),
            (format!("factor {v:e}"), of(Overlap { factor: v, ..dice() })),
            (format!("class weights {v:e}"), of(weighted)),
            (format!("row weights {v:e}"), of(rows)),
            (format!("weight {v:e}"), Loss::of(vec![Term { weight: v, ..Loss::bce().terms[0].clone() }])),
            (
                format!("positive weights {v:e}"),
                Loss::of(vec![Term::new(Activation::Sigmoid, Measure::BinaryCrossEntropy(positive))]),
            ),
            (
                format!("classes' weights {v:e}"),
                Loss::of(vec![Term::new(Activation::Softmax, Measure::CrossEntropy(classes))]),
            ),
        ]);
    }
    for v in [1.2e-38, 1e18] {
        losses.extend([
            (format!("smoothing {v:e}"), of(Overlap { smooth_numerator: v, smooth_denominator: v, ..dice() })),
            (format!("smoothed denominator {v:e}"), of(Overlap { smooth_denominator: v, ..dice() })),
            (format!("floor {v:e}"), of(Overlap { floor: v, ..dice() })),
        ]);
    }
    let matthews = Overlap { formula: Formula::Matthews { eps: 1e18 }, threshold: Some(0.5), ..dice() };
    losses.push(("matthews, eps 1e18".to_owned(), of(matthews)));
    for v in [1.2e-38, 100.0] {
        let focal = Focal { gamma: v, ..Default::default() };
        losses.extend([
            (format!("power {v:e}"), of(Overlap { map: Map::Power { gamma: v }, ..dice() })),
            (format!("outer power {v:e}"), of(Overlap { outer: Outer::Power { gamma: v }, ..dice() })),
            (format!("focal {v:e}"), Loss::of(vec![Term::new(Activation::Sigmoid, Measure::Focal(focal))])),
        ]);
    }
    losses
}

#[test]
fn numbers_at_the_ends_of_their_ranges_match_the_reference() {
    let _turn = turn();
    for gpu in reducers() {
        for (name, loss) in losses() {
            let tensors = Tensors::random(&[2, 3, 300], 17, false);
            let hard = loss.statistics().iter().all(segloss::Statistic::is_count);
            let batch = tensors.batch(0);
            let batch = if hard { batch } else { batch.with_gradient() };
            let expected = reference::evaluate(&loss, &batch).unwrap();
            let found = gpu.evaluate(&loss, &batch).unwrap();
            let (value, right) = (f64::from(found.value()), expected.value);
            let off = (value - right).abs();
            // The reference takes 1 − s of what is near 1.
            let rounded = if matches!(loss.terms[0].measure, Measure::Overlap(_)) { 1e-15 } else { 0.0 };
            assert!(off <= 2e-6 * right.abs() + rounded, "{name}, {:?}: {value} is not {right}", gpu.reducer());
            let Some(gradient) = expected.gradient else { continue };
            let peak = gradient.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
            assert!(peak > 0.0, "{name}");
            for (found, right) in found.gradient().unwrap().iter().zip(gradient) {
                let off = (f64::from(*found) - right).abs();
                assert!(off <= 1e-5 * peak + 1e-37, "{name}, {:?}: gradient {found:e} is not {right:e}", gpu.reducer());
            }
        }
    }
}
