//! Every pair of what can be chosen beside the loss: format of logits, of targets, activation, order of axes, mask, weights,
//! ignore index, reducer; each at a size that is an edge of something.

use segloss::loss::Classes;
use segloss::{Activation, Loss, Reduction};

use crate::data::{reducers, turn};
use crate::formats::{Formats, LOGITS, TARGETS, assert_same};

/// The choices of a case, one a factor.
type Case = [usize; 8];

const ACTIVATIONS: [Activation; 9] = [
    Activation::None,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Softmax,
    Activation::LogSoftmax,
    Activation::ForegroundSoftmax,
    Activation::Argmax,
    Activation::Normalized,
    Activation::Odds,
];

/// How many choices each factor has.
const CHOICES: Case = [LOGITS.len(), TARGETS, ACTIVATIONS.len(), 2, 2, 3, 2, 2];

/// Of two classes and more: no spatial axes, one voxel, the short tile (64), the octets of a workgroup (2048), what is small (16,384 elements), tiles
/// that do not divide, odd numbers of halves, bytes and bits.
const SIZES: [&[usize]; 13] = [
    &[70, 3],
    &[2, 3, 1],
    &[1, 5, 1001],
    &[3, 2, 31],
    &[1, 2, 40_001],
    &[3, 2, 33],
    &[34, 3, 65],
    &[2, 3, 4, 16],
    &[2, 3, 5000],
    &[2, 4, 63],
    &[1, 3, 2049],
    &[1, 33, 257],
    &[2, 2, 64],
];

/// Cases in which every pair of choices of two factors occurs: each begins with a pair that is missing, and takes for every
/// other factor the choice that brings most pairs.
fn cases() -> Vec<Case> {
    let factors = CHOICES.len();
    let mut missing: std::collections::BTreeSet<[usize; 4]> = (0..factors)
        .flat_map(|a| (a + 1..factors).map(move |b| (a, b)))
        .flat_map(|(a, b)| (0..CHOICES[a]).flat_map(move |i| (0..CHOICES[b]).map(move |j| [a, i, b, j])))
        .collect();
    let mut cases = vec![];
    while let Some(&[a, i, b, j]) = missing.first() {
        let mut case = [None; 8];
        (case[a], case[b]) = (Some(i), Some(j));
        for factor in 0..factors {
            if case[factor].is_none() {
                let gain = |choice: usize| {
                    let others = case.iter().enumerate().filter_map(|(other, chosen)| Some((other, (*chosen)?)));
                    let pair = |(other, chosen)| {
                        if other < factor { [other, chosen, factor, choice] } else { [factor, choice, other, chosen] }
                    };
                    others.map(pair).filter(|pair| missing.contains(pair)).count()
                };
                case[factor] = (0..CHOICES[factor]).max_by_key(|&choice| (gain(choice), CHOICES[factor] - choice));
            }
        }
        let case: Case = case.map(Option::unwrap_or_default);
        missing.retain(|&[a, i, b, j]| case[a] != i || case[b] != j);
        cases.push(case);
    }
    cases
}

/// A loss that takes the activation, and the bounds of logits of which no sum is a difference.
fn loss_of(activation: Activation) -> (Loss, [f32; 2]) {
    let dice = Loss::dice().smooth(1.0).activation(activation);
    match activation {
        Activation::Sigmoid => (dice.with(0.5, Loss::bce()).reduction(Reduction::Sum), [-6.0, 6.0]),
        Activation::Softmax => (dice.with(0.5, Loss::cross_entropy()).reduction(Reduction::Sum), [-6.0, 6.0]),
        // Logarithms are negative, and so would the denominator be without squares.
        Activation::LogSoftmax => (dice.squared(), [-6.0, 6.0]),
        Activation::ForegroundSoftmax => {
            (dice.with(0.5, Loss::cross_entropy().activation(activation)).classes(Classes::Foreground), [-6.0, 6.0])
        }
        Activation::Argmax => (dice.hard(0.5), [-6.0, 6.0]),
        Activation::Tanh => (dice, [0.1, 3.0]),
        Activation::Odds => (Loss::bce().activation(activation), [0.1, 3.0]),
        // Away from 0, where the slope of a logarithm dwarfs all others.
        Activation::Normalized => (Loss::cross_entropy().activation(activation), [0.1, 3.0]),
        _ => (dice, [0.0, 1.0]),
    }
}

#[test]
fn every_pair_of_choices_matches_the_reference() {
    let _turn = turn();
    let cases = cases();
    println!("{} cases", cases.len());
    for (index, case) in cases.into_iter().enumerate() {
        let [logits, targets, activation, last, mask, weights, ignores, reducer] = case;
        let (dims, activation) = (SIZES[index % SIZES.len()], ACTIVATIONS[activation]);
        let (loss, bounds) = loss_of(activation);
        let formats = Formats::within(dims, index as u32, ignores > 0, bounds);
        let parts = mask + [0, 2, 16][weights] + 4 * ignores + 8 * last;
        let batch = formats.without_gradient(LOGITS[logits], targets, parts as u32);
        let batch = if activation == Activation::Argmax { batch } else { batch.with_gradient() };
        let reducers = reducers();
        let gpu = &reducers[reducer % reducers.len()];
        let output = gpu.evaluate(&loss, &batch).unwrap();
        let name = format!("{activation:?}, {:?}, {dims:?}, parts {parts}, {:?}", batch.problem(), gpu.reducer());
        assert_same(&name, &loss, &batch, &output);
    }
}
