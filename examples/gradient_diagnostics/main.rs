//! Why cross-entropy and Dice train differently: their gradients, as numbers and as a picture.
//!
//! `cargo run --release --example gradient_diagnostics` prints the tables and writes `docs/gradients.svg` (or the path
//! given as an argument). Every number comes from the library and is compared with its formula:
//!
//! ```text
//! cross-entropy, by the logit:        p − t                        never beyond ±1
//! Dice 2pt/(p+t), by p:               2t²/(p+t)²                   from 2 to ½ while p goes from 0 to t
//! squared Dice 2pt/(p²+t²), by p:     2t(t²−p²)/(p²+t²)²           2/t at p = 0: without bound as t shrinks
//! ```

mod chart;

use chart::{Panel, Series, draw};
use plotters::prelude::SeriesLabelPosition::{LowerLeft, LowerRight, UpperRight};
use segloss::{Batch, Error, Gpu, Loss, Map, Reduction, Shape};

/// The probabilities of the single voxels, evenly spaced on a logarithmic axis.
const STEPS: usize = 121;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gpu = Gpu::new()?;
    println!("on {} ({})\n", gpu.adapter_info().name, gpu.adapter_info().backend);
    let path = std::env::args().nth(1).unwrap_or_else(|| "docs/gradients.svg".to_owned());
    draw(&path, &[cross_entropy(&gpu)?, dice(&gpu)?, small_structures(&gpu)?])?;
    println!("\nthe picture is {path}");
    Ok(())
}

fn probabilities() -> Vec<f64> {
    (0..STEPS).map(|i| 10_f64.powf(-3.0 + 3.0 * i as f64 / (STEPS - 1) as f64) * 0.999).collect()
}

/// The gradients of problems of one voxel each, all in one evaluation: every (sample, class) is a row of its own, and
/// the sum over rows keeps the rows' gradients apart.
fn single_voxels(gpu: &Gpu, loss: Loss, inputs: &[f64], t: f64) -> Result<Vec<f64>, Error> {
    let shape = Shape::new(&[inputs.len(), 1])?;
    let inputs: Vec<f32> = inputs.iter().map(|&x| x as f32).collect();
    let targets = vec![t as f32; inputs.len()];
    let batch = Batch::new(&shape, &inputs, &targets)?.with_gradient();
    let output = gpu.evaluate(&loss.reduction(Reduction::Sum), &batch)?;
    Ok(output.gradient().unwrap_or_default().iter().copied().map(f64::from).collect())
}

/// A curve of gradients over p, whose distance from `formula` is printed, and must be within what the library promises.
fn curve(name: String, p: &[f64], gradient: Vec<f64>, formula: impl Fn(f64) -> f64) -> Series {
    let largest = gradient.iter().fold(0.0, |peak: f64, g| peak.max(g.abs()));
    let error = p.iter().zip(&gradient).fold(0.0, |worst: f64, (&p, g)| worst.max((g - formula(p)).abs()));
    println!("  {name:<24} largest {largest:>8.3}   off the formula by {:.0e} of it", error / largest);
    assert!(error <= 1e-5 * largest, "{name} is not its formula");
    Series { name, points: p.iter().copied().zip(gradient).collect() }
}

fn cross_entropy(gpu: &Gpu) -> Result<Panel, Error> {
    println!("Cross-entropy of one voxel, gradient with respect to the logit: p − t");
    let p = probabilities();
    let logits: Vec<f64> = p.iter().map(|p| (p / (1.0 - p)).ln()).collect();
    let mut series = vec![];
    for t in [1.0, 0.3, 0.1, 0.01] {
        let gradient = single_voxels(gpu, Loss::bce(), &logits, t)?;
        series.push(curve(format!("t = {t}"), &p, gradient, |p| p - t));
    }
    Ok(Panel { title: "cross-entropy by the logit: p − t", x: "p", log: [false, false], legend: LowerRight, series })
}

fn dice(gpu: &Gpu) -> Result<Panel, Error> {
    println!("\nDice of one voxel, gradient with respect to p: 2t²/(p+t)², and squared 2t(t²−p²)/(p²+t²)²");
    let p = probabilities();
    let score = Loss::dice().probabilities().map(Map::Score);
    let mut series = vec![];
    for t in [1.0, 0.1, 0.01] {
        let plain = single_voxels(gpu, score.clone(), &p, t)?;
        series.push(curve(format!("plain, t = {t}"), &p, plain, |p| 2.0 * t * t / (p + t).powi(2)));
        let squared = single_voxels(gpu, score.clone().squared(), &p, t)?;
        let formula = |p: f64| 2.0 * t * (t * t - p * p) / (p * p + t * t).powi(2);
        series.push(curve(format!("squared, t = {t}"), &p, squared, formula));
    }
    // On a logarithmic axis, the magnitude; it dips where the squared form changes its sign, at p = t.
    for point in series.iter_mut().flat_map(|s| &mut s.points) {
        point.1 = point.1.abs().max(1e-3);
    }
    Ok(Panel { title: "Dice by p, magnitude", x: "p", log: [true, true], legend: LowerLeft, series })
}

/// The largest gradient, which the library reports with every evaluation, for ever smaller structures in a 64×64
/// image, of which the network sees little yet: p = 0.05 on the structure, 0.001 elsewhere.
fn small_structures(gpu: &Gpu) -> Result<Panel, Error> {
    let losses = [
        ("cross-entropy", Loss::bce()),
        ("Dice", Loss::dice()),
        ("squared Dice", Loss::dice().squared()),
        ("Dice, smooth 1", Loss::dice().smooth(1.0)),
    ];
    println!("\nLargest gradient by the logits of a 64×64 image with a structure of n voxels");
    print!("  {:>5}", "n");
    losses.iter().for_each(|(name, _)| print!("{name:>16}"));
    println!();
    let mut series: Vec<_> =
        losses.iter().map(|(name, _)| Series { name: (*name).to_owned(), points: vec![] }).collect();
    let shape = Shape::new(&[1, 1, 64, 64])?;
    let logit = |p: f32| (p / (1.0 - p)).ln();
    for exponent in 0..=10 {
        let n = 1 << exponent;
        let logits: Vec<f32> = (0..4096).map(|i| logit(if i < n { 0.05 } else { 0.001 })).collect();
        let targets: Vec<f32> = (0..4096).map(|i| if i < n { 1.0 } else { 0.0 }).collect();
        let batch = Batch::new(&shape, &logits, &targets)?.with_gradient();
        print!("  {n:>5}");
        for ((_, loss), series) in losses.iter().zip(&mut series) {
            let peak = gpu.evaluate(loss, &batch)?.gradient_peak().unwrap_or_default();
            print!("{peak:>16.2e}");
            series.points.push((f64::from(n), f64::from(peak)));
        }
        println!();
    }
    Ok(Panel {
        title: "largest gradient by the logits",
        x: "voxels of the structure",
        log: [true, true],
        legend: UpperRight,
        series,
    })
}
