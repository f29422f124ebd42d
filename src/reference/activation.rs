//! From what was handed in to probabilities and their logarithms.

use crate::Activation;

/// p of a logit z, or of a probability itself. What couples classes is that of a class alone.
#[must_use]
pub fn probability(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::None => z,
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::Tanh => z.tanh(),
        Activation::Odds => z / (1.0 + z),
        Activation::Softmax | Activation::Normalized | Activation::ForegroundSoftmax | Activation::Argmax => 1.0,
        Activation::LogSoftmax => 0.0,
    }
}

/// dp/dz.
pub(super) fn slope(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::None => 1.0,
        // σ' = σ(z)·(1 − σ(z)) = σ(z)·σ(−z), which does not cancel at large z.
        Activation::Sigmoid => probability(activation, z) * probability(activation, -z),
        // tanh' = 1 − tanh² = 1/cosh².
        Activation::Tanh => z.cosh().powi(-2),
        Activation::Odds => (1.0 + z).powi(-2),
        // Of a class alone p does not move.
        Activation::Softmax
        | Activation::Normalized
        | Activation::ForegroundSoftmax
        | Activation::LogSoftmax
        | Activation::Argmax => 0.0,
    }
}

/// (ln p, ln(1 − p)), clamped at −100 for probabilities as PyTorch does.
///
/// What is no probability has none of them: (0, 0). So has what couples classes, see [`Softmax`](super::Softmax).
#[must_use]
pub fn log_probability(activation: Activation, z: f64) -> (f64, f64) {
    match activation {
        Activation::None => {
            // A probability outside [0, 1] has no logarithm; it is taken as the nearest bound.
            let p = z.clamp(0.0, 1.0);
            (p.ln().max(-100.0), (-p).ln_1p().max(-100.0))
        }
        // ln σ(z) = −ln(1 + e^−z) = min(z, 0) − ln(1 + e^−|z|).
        Activation::Sigmoid => {
            let tail = (-z.abs()).exp().ln_1p();
            (z.min(0.0) - tail, (-z).min(0.0) - tail)
        }
        // p = σ(ln x).
        Activation::Odds => log_probability(Activation::Sigmoid, z.max(f32::MIN_POSITIVE.into()).ln()),
        _ => (0.0, 0.0),
    }
}

/// The f32 number that an input is compared with so that its probability is compared with θ.
///
/// p = σ(z) > θ exactly where z > ln(θ/(1−θ)), so the comparison needs no sigmoid and no rounding of one; p = tanh(z) > θ
/// where z > ½·ln((1+θ)/(1−θ)).
#[must_use]
pub fn threshold_cut(activation: Activation, threshold: f64) -> f32 {
    let (least, cut) = match activation {
        Activation::None => return threshold as f32,
        Activation::Sigmoid => (0.0, (threshold / (1.0 - threshold)).ln()),
        Activation::Tanh => (-1.0, threshold.atanh()),
        // Compared is p itself.
        _ => return threshold as f32,
    };
    match threshold {
        _ if threshold <= least => f32::MIN,
        _ if threshold >= 1.0 => f32::MAX,
        _ => cut as f32,
    }
}
