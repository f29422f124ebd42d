//! The inputs, and what must come out of them: the loss and its gradient in f64.

/// Two sets of logits in ±10 and binary targets.
pub(crate) struct Inputs {
    pub(crate) logits: [Vec<f32>; 2],
    pub(crate) targets: Vec<f32>,
}

impl Inputs {
    /// From a fixed multiplicative sequence.
    pub(crate) fn new(voxels: usize) -> Self {
        let random = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(15).wrapping_mul(0x85eb_ca6b) >> 8;
        let logit = |i| random(i) as f32 * (20.0 / (1 << 24) as f32) - 10.0;
        let first = (0..voxels).map(|i| logit(3 * i)).collect();
        // Nearer to the targets, hence another loss.
        let targets: Vec<f32> = (0..voxels).map(|i| (random(3 * i + 2) % 2) as f32).collect();
        let second = (0..voxels).map(|i| 0.5 * logit(3 * i + 1) + 2.0 * targets[i]).collect();
        Self { logits: [first, second], targets }
    }

    /// What must come out, for each set of logits.
    pub(crate) fn expected(&self) -> [Expected; 2] {
        [&self.logits[0], &self.logits[1]].map(|logits| Expected::new(logits, &self.targets))
    }
}

/// The loss of one set of logits, and its gradient.
pub(crate) struct Expected {
    pub(crate) value: f64,
    gradient: Vec<f64>,
}

impl Expected {
    fn new(logits: &[f32], targets: &[f32]) -> Self {
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        let voxels = || logits.iter().zip(targets).map(|(&z, &t)| (f64::from(z), f64::from(t)));
        let add = |(i, p, t): (f64, f64, f64), (z, target)| (i + sigmoid(z) * target, p + sigmoid(z), t + target);
        let (i, p, t) = voxels().fold((0.0, 0.0, 0.0), add);
        let (numerator, denominator) = (2.0 * i + 1.0, p + t + 1.0);
        let (by_i, by_p) = (-2.0 / denominator, numerator / (denominator * denominator));
        let gradient = voxels().map(|(z, t)| (by_i * t + by_p) * sigmoid(z) * sigmoid(-z)).collect();
        Self { value: 1.0 - numerator / denominator, gradient }
    }

    /// The largest error of a gradient, relative to the largest element of the true one.
    pub(crate) fn gradient_error(&self, gradient: &[f32]) -> f64 {
        assert_eq!(gradient.len(), self.gradient.len(), "the gradient has one element per voxel");
        let peak = self.gradient.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
        let errors = gradient.iter().zip(&self.gradient).map(|(&got, want)| (f64::from(got) - want).abs() / peak);
        // Not `f64::max`, which passes over NaN.
        errors.fold(0.0, |worst, error| if error <= worst { worst } else { error })
    }
}
