//! Seeded inputs, the table of losses and sizes, and the comparison.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use segloss::loss::{
    BinaryCrossEntropy, Divisor, Empty, Focal, Formula, Intersection, Measure, Modulation, Outer, RowWeights, Term,
};
use segloss::{
    Activation, Batch, Gpu, Loss, Map, Output, Overlap, Pool, Reducer, Reduction, Shape, Statistic, reference,
};

use crate::device;

/// The context that all tests share.
pub(crate) fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| device::gpu().expect("the GPU tests need an adapter"))
}

/// On GL, the tests take turns: wgpu's GL backend panics where a thread waits longer than some seconds for the context
/// of another. Held for the length of a test.
pub(crate) fn turn() -> Option<MutexGuard<'static, ()>> {
    static TURN: Mutex<()> = Mutex::new(());
    let gl = gpu().adapter_info().backend == segloss::wgpu::Backend::Gl;
    gl.then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The context with every reducer its device has; the others are named.
pub(crate) fn reducers() -> Vec<Gpu> {
    let mut found = vec![];
    for reducer in [Reducer::Tree, Reducer::Subgroup] {
        match gpu().with_reducer(reducer) {
            Some(gpu) => found.push(gpu),
            None => println!("skipped: {reducer:?}, which {} lacks", gpu().adapter_info().name),
        }
    }
    found
}

/// An integer hash (murmur3's finaliser): equal seeds give equal data everywhere.
pub(crate) fn hash(seed: u32, index: u32) -> u32 {
    let mut h = seed.wrapping_mul(0x9e37_79b9) ^ index;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// A number in [0, 1).
fn unit(seed: u32, index: usize) -> f32 {
    (hash(seed, index as u32) >> 8) as f32 / (1 << 24) as f32
}

/// What a tensor is made of.
pub(crate) struct Tensors {
    pub(crate) shape: Shape,
    pub(crate) logits: Vec<f32>,
    pub(crate) targets: Vec<f32>,
    pub(crate) mask: Vec<f32>,
    pub(crate) weights: Vec<f32>,
    /// One a voxel.
    pub(crate) shared_weights: Vec<f32>,
}

impl Tensors {
    /// Logits uniform in ±20 (or probabilities in [0, 1)), targets half binary and half soft, a mask that keeps three
    /// of four, weights in [0, 2).
    pub(crate) fn random(dims: &[usize], seed: u32, probabilities: bool) -> Self {
        let shape = Shape::new(dims).unwrap();
        let n = shape.elements();
        let logit = |i| if probabilities { unit(seed, i) } else { 40.0 * unit(seed, i) - 20.0 };
        let target = |i| match hash(seed + 1, i as u32) % 4 {
            0 => 0.0,
            1 => 1.0,
            _ => unit(seed + 2, i),
        };
        Self {
            logits: (0..n).map(logit).collect(),
            targets: (0..n).map(target).collect(),
            mask: (0..shape.mask_elements())
                .map(|i| f32::from(u8::from(!hash(seed + 3, i as u32).is_multiple_of(4))))
                .collect(),
            weights: (0..n).map(|i| 2.0 * unit(seed + 4, i)).collect(),
            shared_weights: (0..shape.mask_elements()).map(|i| 2.0 * unit(seed + 5, i)).collect(),
            shape,
        }
    }

    /// A batch with the parts that the bits of `parts` select: 1 mask, 2 weights, 4 weights per voxel in place of those.
    pub(crate) fn batch(&self, parts: u32) -> Batch<'_> {
        let mut batch = Batch::new(&self.shape, &self.logits, &self.targets).unwrap();
        if parts & 1 != 0 {
            batch = batch.with_mask(&self.mask).unwrap();
        }
        if parts & 4 != 0 {
            batch = batch.with_weights_per_voxel(&self.shared_weights).unwrap();
        } else if parts & 2 != 0 {
            batch = batch.with_voxel_weights(&self.weights).unwrap();
        }
        batch
    }
}

/// Losses that together use every field, with whether they take probabilities.
pub(crate) fn losses() -> Vec<(&'static str, Loss)> {
    let pools = [Pool::Batch, Pool::Classes, Pool::All];
    let mut losses = vec![
        ("dice", Loss::dice()),
        ("dice, probabilities", Loss::dice().probabilities()),
        ("dice, smoothed", Loss::dice().smooth(1.0)),
        ("dice, squared", Loss::dice().squared().smooth(1e-5)),
        ("dice, squared, probabilities", Loss::dice().squared().probabilities()),
        ("jaccard, sum", Loss::jaccard().smooth(1e-5).reduction(Reduction::Sum)),
        ("tversky, none", Loss::tversky(0.3, 0.7).reduction(Reduction::None)),
        ("score", Loss::dice().map(Map::Score)),
        ("negated", Loss::dice().map(Map::Negated)),
        ("log", Loss::dice().map(Map::NegLog { eps: 1e-7 })),
        ("power", Loss::tversky(0.7, 0.3).map(Map::Power { gamma: 1.5 })),
        ("power below 1", Loss::tversky(0.7, 0.3).map(Map::Power { gamma: 0.75 })),
        ("bce", Loss::bce()),
        ("bce, sum", Loss::bce().reduction(Reduction::Sum)),
        ("bce, map", Loss::bce().reduction(Reduction::None)),
        ("bce, probabilities", Loss::bce().probabilities()),
        ("bce, probabilities, map", Loss::bce().probabilities().reduction(Reduction::None)),
        ("dice + bce/2", Loss::dice().smooth(1.0).with(0.5, Loss::bce())),
        (
            "four statistics, probabilities",
            Loss::dice()
                .with(0.25, Loss::dice().squared())
                .with(0.5, Loss::bce())
                .with(-0.1, Loss::dice().probabilities()),
        ),
    ];
    for (pool, name) in pools.into_iter().zip(["dice, batch", "dice, classes", "dice, all"]) {
        losses.push((name, Loss::dice().smooth(1.0).pool(pool)));
    }
    let of = |overlap| {
        let mut loss = Loss::dice();
        loss.terms[0].measure = Measure::Overlap(overlap);
        loss
    };
    losses.extend(overlaps().into_iter().map(|(name, overlap)| (name, of(overlap))));
    losses.push((
        "three pools",
        Loss::dice().pool(Pool::Batch).with(0.5, Loss::dice().pool(Pool::Classes)).with(-2.0, Loss::jaccard()),
    ));
    losses
}

/// The overlap losses' fields one by one, where the losses by name do not use them.
fn overlaps() -> Vec<(&'static str, Overlap)> {
    let (dice, jaccard) = (Overlap::dice(), Overlap::jaccard());
    vec![
        ("floor that holds", Overlap { floor: 1e5, smooth_numerator: 1.0, ..dice.clone() }),
        ("floor that holds some", Overlap { floor: 50.0, ..jaccard.clone() }),
        ("floor that never holds", Overlap { floor: 1e-7, ..dice.clone() }),
        ("smoothed numerator", Overlap { smooth_numerator: 0.5, ..dice.clone() }),
        ("factor", Overlap { factor: 3.0, smooth_denominator: 0.5, ..Overlap::tversky(0.2, 0.9) }),
        ("log of small scores", Overlap { map: Map::NegLog { eps: 0.9 }, ..dice.clone() }),
        ("log, batch", Overlap { map: Map::NegLog { eps: 1e-7 }, pool: Pool::Batch, ..dice.clone() }),
        ("power of scores above 1", Overlap { map: Map::Power { gamma: 0.75 }, smooth_numerator: 1e6, ..dice.clone() }),
        (
            "power, classes",
            Overlap { map: Map::Power { gamma: 2.0 }, pool: Pool::Classes, ..Overlap::tversky(0.3, 0.7) },
        ),
        (
            "negated, all, sum",
            Overlap { map: Map::Negated, pool: Pool::All, reduction: Reduction::Sum, ..jaccard.clone() },
        ),
        (
            "jaccard, squared",
            Overlap { squared: true, smooth_numerator: 0.25, smooth_denominator: 0.25, ..jaccard.clone() },
        ),
        ("batch, none", Overlap { pool: Pool::Batch, reduction: Reduction::None, ..dice.clone() }),
    ]
}

/// Weights, selections, rules for empty targets, other formulas and focal losses.
pub(crate) fn conventions() -> Vec<(&'static str, Loss)> {
    let (dice, jaccard) = (Overlap::dice(), Overlap::jaccard());
    let of = |overlap| Loss::of(vec![Term::new(Activation::Sigmoid, Measure::Overlap(overlap))]);
    let focal = |focal| Loss::of(vec![Term::new(Activation::Sigmoid, Measure::Focal(focal))]);
    let tanh = |overlap| Loss::of(vec![Term::new(Activation::Tanh, Measure::Overlap(overlap))]);
    let smooth = Overlap { smooth_numerator: 1.0, smooth_denominator: 1.0, ..dice.clone() };
    let bce = |bce| Loss::of(vec![Term::new(Activation::Sigmoid, Measure::BinaryCrossEntropy(bce))]);
    let bces = |change: fn(&mut BinaryCrossEntropy)| {
        let mut loss = bce(BinaryCrossEntropy { label_smoothing: 0.1, ..Default::default() });
        if let Measure::BinaryCrossEntropy(bce) = &mut loss.terms[0].measure {
            change(bce);
        }
        loss
    };
    let all = Focal { positive_weights: vec![0.25], negative_weights: vec![0.75], ..Focal::default() };
    let modulations = [Modulation::Mixture, Modulation::Margin, Modulation::MarginByOnes, Modulation::Likelihood];
    let mut losses = vec![
        ("tanh, minimum", tanh(Overlap { intersection: Intersection::Minimum, ..smooth.clone() })),
        ("minimum", of(Overlap { intersection: Intersection::Minimum, ..smooth.clone() })),
        (
            "minimum of positive numbers, probabilities",
            of(Overlap { intersection: Intersection::MinimumOfPositive, ..jaccard.clone() }).probabilities(),
        ),
        (
            "minimum, probabilities",
            of(Overlap { intersection: Intersection::Minimum, ..jaccard.clone() }).probabilities(),
        ),
        ("matthews", Loss::matthews()),
        ("matthews, batch", Loss::matthews().pool(Pool::Batch)),
        (
            "matthews, smoothed",
            of(Overlap {
                formula: Formula::Matthews { eps: 0.0 },
                smooth_numerator: 0.5,
                smooth_denominator: 2.0,
                pool: Pool::All,
                ..dice.clone()
            }),
        ),
        ("generalized", Loss::generalized_dice()),
        (
            "generalized, simple, all",
            of(Overlap { row_weights: RowWeights::InverseVolume, pool: Pool::All, ..smooth.clone() }),
        ),
        ("generalized, rows", of(Overlap { row_weights: RowWeights::InverseVolume, ..smooth.clone() })),
        (
            "weighted rows",
            of(Overlap { row_weights: RowWeights::PerClass(vec![0.75]), pool: Pool::All, ..smooth.clone() }),
        ),
        ("weighted, normalized", of(Overlap { class_weights: vec![0.5], normalized: true, ..dice.clone() })),
        ("weighted, not normalized", of(Overlap { class_weights: vec![0.5], ..dice.clone() })),
        ("zero where empty", of(Overlap { empty: Empty::Zero, ..smooth.clone() })),
        ("one where empty, sum", of(Overlap { empty: Empty::One, reduction: Reduction::Sum, ..smooth.clone() })),
        ("skipped where empty", of(Overlap { empty: Empty::Skip, ..dice.clone() })),
        ("skipped where empty, batch", of(Overlap { empty: Empty::Skip, pool: Pool::Batch, ..smooth.clone() })),
        ("power of the mean", of(Overlap { outer: Outer::Power { gamma: 1.5 }, ..smooth.clone() })),
        ("log cosh", of(Overlap { outer: Outer::LogCosh, ..smooth.clone() })),
        ("log cosh of a sum", of(Overlap { outer: Outer::LogCosh, reduction: Reduction::Sum, ..smooth.clone() })),
        ("masked is background", of(Overlap { masked_is_background: true, ..smooth.clone() })),
        ("bce, smoothed labels, all voxels", bces(|bce| bce.divisor = Divisor::AllVoxels)),
        ("bce, smoothed labels, voxels", bces(|bce| bce.divisor = Divisor::Voxels)),
        (
            "bce, class weight, all elements",
            bces(|bce| (bce.divisor, bce.class_weights) = (Divisor::AllElements, vec![0.5])),
        ),
        ("bce, clipped, probabilities", bces(|bce| bce.clip = 1e-7).probabilities()),
        ("bce, clipped on both sides, probabilities", bces(|bce| bce.clip = 0.125).probabilities()),
        ("focal", Loss::focal(2.0)),
        ("focal, γ = 0", Loss::focal(0.0)),
        ("focal, γ below 1, sum", Loss::focal(0.5).reduction(Reduction::Sum)),
        ("focal, map", Loss::focal(1.5).reduction(Reduction::None)),
        ("focal, probabilities", Loss::focal(2.0).probabilities()),
        ("focal, α", focal(all.clone())),
        ("focal, rows", focal(Focal { pool: Pool::None, divisor: Divisor::Voxels, ..all.clone() })),
        (
            "focal, reduced",
            focal(Focal {
                modulation: Modulation::Likelihood,
                threshold: 0.5,
                reduction: Reduction::Sum,
                ..all.clone()
            }),
        ),
        ("focal, mixture, probabilities", {
            let modulated = Focal { modulation: Modulation::Mixture, label_smoothing: 0.1, clip: 1e-7, ..all.clone() };
            focal(modulated).probabilities()
        }),
        // Odds that are probabilities.
        ("focal, odds of probabilities", {
            let reduced = Focal { modulation: Modulation::Likelihood, threshold: 0.5, clip: 0.125, ..all.clone() };
            focal(reduced).activation(Activation::Odds)
        }),
        ("bce, odds of probabilities", Loss::bce().activation(Activation::Odds)),
        (
            "focal, normalised",
            focal(Focal { divisor: Divisor::Modulation { eps: 1e-6 }, pool: Pool::Batch, ..all.clone() }),
        ),
    ];
    losses.extend(
        modulations
            .into_iter()
            .zip(["focal, mixture", "focal, margin", "focal, margin by ones", "focal, likelihood"])
            .map(|(modulation, name)| (name, focal(Focal { modulation, gamma: 1.5, ..all.clone() }))),
    );
    losses
}

/// Whether a loss reads its input as probabilities.
pub(crate) fn takes_probabilities(name: &str) -> bool {
    name.contains("probabilities")
}

/// The largest magnitude of the summands that the gradient's elements are differences of, for losses of squares and for the
/// Matthews correlation.
///
/// Squared Dice is flat where p = t: a·t and 2b·p then cancel, and no f32 evaluation can keep 1e-5 of what is left of
/// them. So may a·t and b of the Matthews correlation be far larger than all their sums. Nor does it have to: measured against
/// its summands the gradient is as exact there as elsewhere.
pub(crate) fn summands(loss: &Loss, batch: &Batch, expected: &reference::Evaluation) -> f64 {
    let is_squared = |statistic: &Statistic| matches!(statistic, Statistic::Overlap { squared: true, .. });
    let is_matthews =
        |term: &Term| matches!(&term.measure, Measure::Overlap(o) if matches!(o.formula, Formula::Matthews { .. }));
    if !loss.statistics().iter().any(is_squared) && !loss.terms.iter().any(is_matthews) {
        return 0.0;
    }
    let mut coefficients = reference::finalize(loss, batch.shape(), &expected.sums).coefficients;
    for (statistic, rows) in loss.statistics().into_iter().zip(&mut coefficients) {
        // The sign that makes both summands of an element positive.
        let sign = if matches!(statistic, Statistic::BinaryCrossEntropy { .. }) { -1.0 } else { 1.0 };
        rows.iter_mut().for_each(|c| *c = [sign * c[0].abs(), c[1].abs(), c[2]]);
    }
    reference::gradient(&loss.statistics(), &coefficients, batch).into_iter().fold(0.0, |a, g| a.max(g.abs()))
}

/// Asserts that an output is the reference's, within the promised precision: sums 1e-6 relative, overlap losses 1e-6
/// absolute and cross-entropy 1e-6 relative, gradients 1e-5 of the largest (of squares, where
/// nothing of the summands is left, 1e-7 of those). Counts are equal.
pub(crate) fn assert_matches(name: &str, loss: &Loss, batch: &Batch, output: &Output) {
    let expected = &reference::evaluate(loss, batch).unwrap();
    let close = |what: &str, got: f32, want: f64| {
        let fine = (f64::from(got) - want).abs() <= 1e-6 * want.abs().max(1.0) || got.is_nan() && want.is_nan();
        assert!(fine, "{name}: {what} is {got}, the reference says {want}");
    };
    for (statistic, rows) in expected.sums.iter().enumerate() {
        assert_eq!(output.sums()[statistic].len(), rows.len());
        for (row, (got, want)) in output.sums()[statistic].iter().zip(rows).enumerate() {
            assert_eq!(got.count, want.count, "{name}: count of row {row}");
            for (got, want) in got.values.iter().zip(want.values) {
                // GPUs may take what is below the least normal number for 0.
                let fine = (got - want).abs() <= 1e-6 * want.abs() + f64::from(f32::MIN_POSITIVE);
                assert!(fine, "{name}: sum of statistic {statistic}, row {row} is {got}, the reference says {want}");
            }
        }
    }
    for (term, (&got, &want)) in output.terms().iter().zip(&expected.terms).enumerate() {
        close(&format!("term {term}"), got, want);
        assert_eq!(output.groups()[term].len(), expected.groups[term].len());
        for (&got, &want) in output.groups()[term].iter().zip(&expected.groups[term]) {
            close(&format!("a group of term {term}"), got, want);
        }
    }
    let magnitude: f64 = expected.terms.iter().map(|v| v.abs()).sum();
    if magnitude.is_finite() {
        let error = (f64::from(output.value()) - expected.value).abs();
        assert!(error <= 1e-6 * magnitude.max(1.0), "{name}: {} instead of {}", output.value(), expected.value);
    } else {
        close("the value", output.value(), expected.value);
    }
    if let Some(want) = &expected.voxel_map {
        let got = output.voxel_map().expect("a voxel map");
        assert_eq!(got.len(), want.len());
        for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
            let fine = (f64::from(got) - want).abs() <= 1e-6 * want.abs() + f64::from(f32::MIN_POSITIVE);
            assert!(fine, "{name}: map[{i}] is {got}, not {want}");
        }
    }
    assert_eq!(output.gradient().is_some(), expected.gradient.is_some());
    if let (Some(got), Some(want)) = (output.gradient(), &expected.gradient) {
        assert_gradient(name, got, want, 0.01 * summands(loss, batch, expected));
        let peak = got.iter().fold(0.0_f32, |peak, g| peak.max(g.abs()));
        assert_eq!(
            output.gradient_peak().map(f32::to_bits),
            Some(peak.to_bits()),
            "{name}: the peak is not the largest"
        );
    }
}

/// Asserts that no element is further from the reference than 1e-5 of the largest, or of `least` if that is more.
pub(crate) fn assert_gradient(name: &str, got: &[f32], want: &[f64], least: f64) {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(least, |peak, g| peak.max(g.abs()));
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(got) - want).abs();
        assert!(error <= 1e-5 * scale, "{name}: gradient[{i}] is {got}, not {want} (scale {scale})");
    }
}
