//! Seeded tensors whose numbers lie on coarse dyadic grids, and the table of losses.

use segloss::loss::{
    BinaryCrossEntropy, Classes, CrossEntropy, Divisor, Empty, Focal, Measure, Modulation, Outer, RowWeights, Term,
};
use segloss::reference::{Evaluation, evaluate};
use segloss::{Activation, Batch, Loss, Map, Overlap, Pool, Reduction, Shape};

/// An integer hash (murmur3's finaliser): equal seeds give equal data everywhere.
pub(crate) fn hash(seed: u32, index: usize) -> u32 {
    let mut h = seed.wrapping_mul(0x9e37_79b9) ^ index as u32;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// A whole number in `least..=most`.
fn whole(seed: u32, index: usize, least: i32, most: i32) -> f32 {
    (least + (hash(seed, index) % (most - least + 1) as u32) as i32) as f32
}

/// What a batch borrows.
#[derive(Clone)]
pub(crate) struct Tensors {
    pub(crate) shape: Shape,
    pub(crate) logits: Vec<f32>,
    pub(crate) targets: Vec<f32>,
    pub(crate) mask: Option<Vec<f32>>,
    pub(crate) weights: Option<Vec<f32>>,
}

impl Tensors {
    /// Inputs that are multiples of 1/64, in ±3 as logits or in [1/16, 15/16] as `probabilities`; half of the targets
    /// binary, half soft; and, as the bits of `parts` select, a mask that keeps three of four (1) and weights in
    /// quarters up to 2 (2).
    ///
    /// The first voxel of every row has target 1 and is never masked, so that no row is empty.
    pub(crate) fn random(dims: &[usize], seed: u32, probabilities: bool, parts: u32) -> Self {
        let shape = Shape::new(dims).unwrap();
        let is_first = |i: usize| i.is_multiple_of(shape.voxels());
        let (least, most) = if probabilities { (4, 60) } else { (-192, 192) };
        let target = |i| match hash(seed + 1, i) % 4 {
            _ if is_first(i) => 1.0,
            0 => 0.0,
            1 => 1.0,
            _ => whole(seed + 2, i, 1, 31) / 32.0,
        };
        let kept = |i| is_first(i) || !hash(seed + 3, i).is_multiple_of(4);
        let elements = 0..shape.elements();
        Self {
            logits: elements.clone().map(|i| whole(seed, i, least, most) / 64.0).collect(),
            targets: elements.clone().map(target).collect(),
            mask: (parts & 1 != 0).then(|| (0..shape.mask_elements()).map(|i| f32::from(u8::from(kept(i)))).collect()),
            weights: (parts & 2 != 0).then(|| elements.map(|i| whole(seed + 4, i, 1, 8) / 4.0).collect()),
            shape,
        }
    }

    /// Given logits (or probabilities) and targets, neither mask nor weights.
    pub(crate) fn new(dims: &[usize], logits: &[f32], targets: &[f32]) -> Self {
        let (logits, targets) = (logits.to_vec(), targets.to_vec());
        Self { shape: Shape::new(dims).unwrap(), logits, targets, mask: None, weights: None }
    }

    pub(crate) fn with_mask(mut self, mask: &[f32]) -> Self {
        self.mask = Some(mask.to_vec());
        self
    }

    pub(crate) fn with_weights(mut self, weights: &[f32]) -> Self {
        self.weights = Some(weights.to_vec());
        self
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        let mut batch = Batch::new(&self.shape, &self.logits, &self.targets).unwrap();
        if let Some(mask) = &self.mask {
            batch = batch.with_mask(mask).unwrap();
        }
        if let Some(weights) = &self.weights {
            batch = batch.with_voxel_weights(weights).unwrap();
        }
        batch
    }

    /// The loss of the tensors and its gradient.
    pub(crate) fn evaluate(&self, loss: &Loss) -> (Evaluation, Vec<f64>) {
        let evaluation = evaluate(loss, &self.batch().with_gradient()).unwrap();
        let gradient = evaluation.gradient.clone().expect("the batch asks for the gradient");
        (evaluation, gradient)
    }

    /// The tensors of other voxels of every row: the `voxels`-th of these, in this order.
    pub(crate) fn select(&self, voxels: &[usize]) -> Self {
        let select = |data: &Vec<f32>| -> Vec<f32> {
            data.chunks(self.shape.voxels()).flat_map(|row| voxels.iter().map(|&v| row[v])).collect()
        };
        Self {
            shape: Shape::new(&[self.shape.samples(), self.shape.classes(), voxels.len()]).unwrap(),
            logits: select(&self.logits),
            targets: select(&self.targets),
            mask: self.mask.as_ref().map(select),
            weights: self.weights.as_ref().map(select),
        }
    }
}

/// A loss of one overlap from logits.
pub(crate) fn overlap(overlap: Overlap) -> Loss {
    Loss::of(vec![Term::new(Activation::Sigmoid, Measure::Overlap(overlap))])
}

/// Cross-entropy from logits with positive weights.
pub(crate) fn weighted_bce(positive_weights: &[f64]) -> Loss {
    let bce = BinaryCrossEntropy { positive_weights: positive_weights.to_vec(), ..Default::default() };
    Loss::of(vec![Term::new(Activation::Sigmoid, Measure::BinaryCrossEntropy(bce))])
}

/// The pools, all of them.
pub(crate) const POOLS: [Pool; 4] = [Pool::None, Pool::Batch, Pool::Classes, Pool::All];

/// Losses from logits that together use every field, for a number of classes.
pub(crate) fn losses(classes: usize) -> Vec<(String, Loss)> {
    let per_class: Vec<f64> = (0..classes).map(|class| 0.5 + class as f64).collect();
    let dice = Overlap::dice;
    let tversky = Overlap::tversky(0.7, 0.3);
    let mut losses: Vec<(String, Loss)> = [
        ("dice", Loss::dice()),
        ("dice, squared", Loss::dice().squared()),
        ("dice, smoothed", Loss::dice().smooth(1.0)),
        ("dice, smooth numerator", overlap(Overlap { smooth_numerator: 0.5, ..dice() })),
        ("dice, smooth denominator", overlap(Overlap { smooth_denominator: 0.75, ..dice() })),
        ("dice, active floor", overlap(Overlap { floor: 32.0, ..dice() })),
        ("dice, inactive floor", overlap(Overlap { floor: 1e-3, ..dice() })),
        ("jaccard", Loss::jaccard()),
        ("jaccard, squared", Loss::jaccard().squared().smooth(0.25)),
        ("jaccard, active floor", overlap(Overlap { floor: 32.0, smooth_numerator: 2.0, ..Overlap::jaccard() })),
        ("tversky(0.3, 0.7)", Loss::tversky(0.3, 0.7)),
        ("tversky(0.7, 0.3)", Loss::tversky(0.7, 0.3)),
        ("tversky(0.25, 1.5), squared", Loss::tversky(0.25, 1.5).squared()),
        ("tversky, factor 3", overlap(Overlap { factor: 3.0, smooth_denominator: 0.5, ..tversky.clone() })),
        ("tversky, score", overlap(Overlap { map: Map::Score, ..tversky.clone() })),
        ("tversky, negated", overlap(Overlap { map: Map::Negated, ..tversky.clone() })),
        ("tversky, log", overlap(Overlap { map: Map::NegLog { eps: 1e-7 }, ..tversky.clone() })),
        ("dice, log, pooled", Loss::dice().smooth(0.5).map(Map::NegLog { eps: 1e-7 }).pool(Pool::Batch)),
        ("dice, none", Loss::dice().reduction(Reduction::None)),
        ("dice, sum", Loss::dice().reduction(Reduction::Sum)),
        ("bce", Loss::bce()),
        ("bce, sum", Loss::bce().reduction(Reduction::Sum)),
        ("bce, map", Loss::bce().reduction(Reduction::None)),
        ("bce, positive weight", weighted_bce(&[2.5])),
        ("bce, positive weights", weighted_bce(&per_class)),
        ("bce, positive weights, map", weighted_bce(&per_class).reduction(Reduction::None)),
        ("dice + bce/2", Loss::dice().smooth(1.0).with(0.5, Loss::bce())),
        ("dice − jaccard/4, one statistic", Loss::dice().with(-0.25, Loss::jaccard())),
        ("dice/2 + batch dice", Loss::dice().pool(Pool::Batch).with(0.5, Loss::dice())),
        ("bce + weighted bce", Loss::bce().with(0.5, weighted_bce(&per_class).reduction(Reduction::Sum))),
    ]
    .map(|(name, loss)| (name.into(), loss))
    .into();
    for pool in POOLS {
        losses.push((format!("dice, smoothed, {pool:?}"), Loss::dice().smooth(1.0).pool(pool)));
        losses.push((format!("tversky, {pool:?}"), overlap(Overlap { pool, ..tversky.clone() })));
    }
    for gamma in [0.75, 1.0, 1.5, 2.0] {
        // A constant in the denominator only keeps the score off 1, where the power has a kink.
        let power = Overlap { smooth_denominator: 0.25, map: Map::Power { gamma }, ..tversky.clone() };
        losses.push((format!("tversky^{gamma}"), overlap(power)));
    }
    losses
}

/// Weights, selections, rules for empty targets, other formulas and focal losses, from logits.
///
/// Not those with kinks on the grid of the inputs: minima, and thresholds.
pub(crate) fn conventions(classes: usize) -> Vec<(String, Loss)> {
    let per_class: Vec<f64> = (0..classes).map(|class| 0.5 + class as f64).collect();
    let smooth = || Overlap { smooth_numerator: 1.0, smooth_denominator: 1.0, ..Overlap::dice() };
    let focal = |focal| Loss::of(vec![Term::new(Activation::Sigmoid, Measure::Focal(focal))]);
    let bce = |bce| Loss::of(vec![Term::new(Activation::Sigmoid, Measure::BinaryCrossEntropy(bce))]);
    let balanced = || Focal { positive_weights: vec![0.25], negative_weights: vec![0.75], ..Focal::default() };
    let mut losses: Vec<(String, Loss)> = vec![
        ("one class".into(), Loss::dice().with(0.5, Loss::bce()).classes(Classes::Only(vec![classes - 1]))),
        ("focal, one class".into(), Loss::focal(2.0).classes(Classes::Only(vec![0]))),
    ];
    for pool in POOLS {
        let list = RowWeights::PerClass(per_class.clone());
        for (name, row_weights) in
            [("1/T", RowWeights::InverseVolume), ("1/T²", RowWeights::InverseSquaredVolume), ("given", list)]
        {
            let overlap_of = Overlap { row_weights, pool, ..smooth() };
            losses.push((format!("rows weigh {name}, {pool:?}"), overlap(overlap_of)));
        }
        let focal_of = Focal { pool, divisor: Divisor::AllVoxels, group_weights: per_class.clone(), ..balanced() };
        losses.push((format!("focal, {pool:?}"), focal(focal_of)));
        let normalised = Focal { pool, divisor: Divisor::Modulation { eps: 1e-6 }, normalized: true, ..balanced() };
        losses.push((format!("focal, normalised, {pool:?}"), focal(normalised)));
    }
    for empty in [Empty::Zero, Empty::One, Empty::Skip] {
        losses.push((format!("{empty:?}"), overlap(Overlap { empty, class_weights: per_class.clone(), ..smooth() })));
    }
    for (outer, normalized) in [(Outer::Power { gamma: 1.5 }, true), (Outer::LogCosh, false)] {
        let class_weights = per_class.clone();
        losses.push((format!("{outer:?}"), overlap(Overlap { outer, normalized, class_weights, ..smooth() })));
    }
    for (divisor, label_smoothing) in [(Divisor::Voxels, 0.25), (Divisor::AllElements, 0.0), (Divisor::AllVoxels, 1.0)]
    {
        let class_weights = per_class.clone();
        let of = BinaryCrossEntropy { divisor, label_smoothing, class_weights, ..Default::default() };
        losses.push((format!("bce, {divisor:?}"), bce(of)));
    }
    for modulation in
        [Modulation::Sides, Modulation::Mixture, Modulation::Margin, Modulation::MarginByOnes, Modulation::Likelihood]
    {
        for gamma in [0.0, 0.5, 2.0] {
            let of = Focal { modulation, gamma, label_smoothing: 0.125, ..balanced() };
            losses.push((format!("focal, {modulation:?}, γ = {gamma}"), focal(of)));
        }
    }
    losses
}

/// Losses whose activation couples the classes of a voxel, and those that may stand beside them.
pub(crate) fn coupled(classes: usize) -> Vec<(String, Loss)> {
    let per_class: Vec<f64> = (0..classes).map(|class| 0.5 + class as f64).collect();
    let cross_entropy = |ce| Loss::of(vec![Term::new(Activation::Softmax, Measure::CrossEntropy(ce))]);
    let logarithm = |loss: Loss| loss.activation(Activation::LogSoftmax);
    let weighted = |divisor| CrossEntropy { class_weights: per_class.clone(), divisor, ..Default::default() };
    let mut losses: Vec<(String, Loss)> = [
        ("dice", Loss::dice().smooth(1.0).softmax()),
        ("dice, squared", Loss::dice().squared().smooth(0.5).pool(Pool::Batch).softmax()),
        ("generalised", Loss::generalized_dice().smooth(1.0).softmax()),
        ("dice of logarithms", logarithm(Loss::dice().squared().smooth(0.5))),
        ("cross-entropy", Loss::cross_entropy().with(0.25, Loss::dice().smooth(1.0).softmax())),
        ("cross-entropy, map", Loss::cross_entropy().reduction(Reduction::None)),
        ("cross-entropy, voxel map", Loss::cross_entropy().reduction(Reduction::PerVoxel)),
        ("bce, voxel map", weighted_bce(&per_class).reduction(Reduction::PerVoxel)),
        ("dice + bce", Loss::dice().smooth(1.0).softmax().with(0.5, Loss::bce())),
        ("one class", Loss::cross_entropy().classes(Classes::Only(vec![classes - 1])).with(1.0, Loss::focal(2.0))),
    ]
    .map(|(name, loss)| (name.into(), loss))
    .into();
    for divisor in [Divisor::Weights, Divisor::Voxels, Divisor::AllVoxels, Divisor::Elements, Divisor::AllElements] {
        let smoothed = CrossEntropy { label_smoothing: 0.125, ..weighted(divisor) };
        losses.push((format!("cross-entropy, {divisor:?}"), cross_entropy(smoothed)));
    }
    for pool in [Pool::None, Pool::Batch, Pool::Classes] {
        losses.push((
            format!("cross-entropy, {pool:?} pooled"),
            cross_entropy(CrossEntropy { pool, ..weighted(Divisor::Voxels) }),
        ));
    }
    for gamma in [0.5, 1.0, 2.0] {
        let focal = CrossEntropy { gamma, label_smoothing: 0.25, ..weighted(Divisor::Voxels) };
        losses.push((format!("focal, γ = {gamma}"), cross_entropy(focal)));
    }
    // Of one foreground class p is 1 whatever its logit.
    if classes > 2 {
        let foreground = cross_entropy(CrossEntropy { gamma: 2.0, ..weighted(Divisor::Weights) })
            .with(0.5, Loss::dice().smooth(1.0))
            .classes(Classes::Foreground);
        losses.push(("foreground".into(), foreground.activation(Activation::ForegroundSoftmax)));
    }
    losses
}

/// Losses that read the same input both as logits and as probabilities.
pub(crate) fn mixed_losses() -> Vec<(String, Loss)> {
    let all = Loss::dice()
        .with(0.25, Loss::dice().squared())
        .with(0.5, Loss::bce())
        .with(-0.125, Loss::jaccard().probabilities());
    vec![
        ("four statistics".into(), all),
        ("both cross-entropies".into(), Loss::bce().with(0.5, Loss::bce().probabilities())),
        ("dice of both".into(), Loss::dice().with(2.0, Loss::dice().probabilities().pool(Pool::All))),
    ]
}
