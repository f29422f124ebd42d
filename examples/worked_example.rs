//! Dice by hand and on the GPU: a 4×4 prediction against a mask whose lower half is foreground.
//!
//! `cargo run --release --example worked_example`

use segloss::{Batch, Gpu, Loss, Shape};

#[rustfmt::skip]
const PREDICTION: [f32; 16] = [
    0.01, 0.03, 0.02, 0.02,
    0.05, 0.12, 0.09, 0.07,
    0.89, 0.85, 0.88, 0.91,
    0.99, 0.97, 0.95, 0.97,
];

#[rustfmt::skip]
const TRUTH: [f32; 16] = [
    0.0, 0.0, 0.0, 0.0,
    0.0, 0.0, 0.0, 0.0,
    1.0, 1.0, 1.0, 1.0,
    1.0, 1.0, 1.0, 1.0,
];

fn main() -> Result<(), segloss::Error> {
    let gpu = Gpu::new()?;
    println!("on {} ({})\n", gpu.adapter_info().name, gpu.adapter_info().backend);
    let shape = Shape::new(&[1, 1, 4, 4])?;
    let batch = Batch::new(&shape, &PREDICTION, &TRUTH)?;

    // The prediction holds probabilities; without `.probabilities()` it would be taken as logits.
    let plain = Loss::dice().probabilities();
    for (name, loss) in [("plain", plain.clone()), ("squared", plain.squared())] {
        let out = gpu.evaluate(&loss, &batch)?;
        let sums = out.sums()[0][0];
        println!("{name} cardinalities");
        println!("  intersection   {:.4}", sums.intersection());
        println!("  of prediction  {:.4}", sums.prediction());
        println!("  of truth       {:.4}", sums.target());
        println!("  Dice           {:.6}", 1.0 - out.value());
        println!("  Dice loss      {:.6}", out.value());
    }
    Ok(())
}
