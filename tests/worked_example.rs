//! The worked example of the README, by hand: the lower half of a 4×4 image is foreground.

use segloss::{Batch, Gpu, Loss, Shape, reference};

#[rustfmt::skip]
const PREDICTION: [f32; 16] = [
    0.01, 0.03, 0.02, 0.02, 0.05, 0.12, 0.09, 0.07,
    0.89, 0.85, 0.88, 0.91, 0.99, 0.97, 0.95, 0.97,
];

/// I = 7.41; P = 7.82 and T = 8, or Σp² = 6.9132 and 8 if squared.
#[test]
fn dice_of_the_worked_example() {
    let shape = Shape::new(&[1, 1, 4, 4]).unwrap();
    let truth: [f32; 16] = std::array::from_fn(|i| if i < 8 { 0.0 } else { 1.0 });
    let batch = Batch::new(&shape, &PREDICTION, &truth).unwrap();
    let plain = Loss::dice().probabilities();
    let gpu = Gpu::new().expect("the GPU tests need an adapter");
    for (loss, prediction) in [(plain.clone(), 7.82), (plain.squared(), 6.9132)] {
        let expected = 1.0 - 2.0 * 7.41 / (prediction + 8.0);
        let output = gpu.evaluate(&loss, &batch).unwrap();
        let precise = reference::evaluate(&loss, &batch).unwrap();
        assert!((f64::from(output.value()) - expected).abs() < 1e-6, "{} is not {expected}", output.value());
        assert!((precise.value - expected).abs() < 1e-7, "{} is not {expected}", precise.value);
        let sums = output.sums()[0][0];
        for (got, want) in [(sums.intersection(), 7.41), (sums.prediction(), prediction), (sums.target(), 8.0)] {
            assert!((got - want).abs() < 1e-6 * want, "{got} is not {want}");
        }
    }
}
