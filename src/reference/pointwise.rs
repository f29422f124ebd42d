//! What one element adds to the sums of the losses that are sums over voxels, and the slopes of that.

use super::element::Element;
use super::{log_probability, probability};
use crate::Activation;
use crate::loss::{Modulation, Statistic};

/// The three sums' parts and their derivatives with respect to the input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pointwise {
    pub(super) values: [f64; 3],
    pub(super) slopes: [f64; 3],
}

/// A probability with its logarithms, and what one step of the input moves.
struct Chance {
    p: f64,
    q: f64,
    /// −ln p and −ln q.
    loss_1: f64,
    loss_0: f64,
    /// dp/dz = p·q·chain: 1 through a sigmoid, 1/x of odds x, 1/(p·q) of a probability, held below 1e12 as PyTorch does, 0
    /// where it is clipped.
    chain: f64,
}

impl Chance {
    fn new(activation: Activation, z: f64, clip: f64) -> Self {
        let clipped = if clip > 0.0 { z.clamp(clip, 1.0 - clip) } else { z };
        match activation {
            Activation::None => {
                let p = clipped;
                let (log_p, log_q) = log_probability(activation, p);
                let chain = if p == z { 1.0 / (p * (1.0 - p)).max(1e-12) } else { 0.0 };
                Self { p, q: 1.0 - p, loss_1: -log_p, loss_0: -log_q, chain }
            }
            Activation::Odds => {
                let x = clipped.max(f32::MIN_POSITIVE.into());
                let (log_p, log_q) = log_probability(activation, x);
                let chain = if x == z { 1.0 / x } else { 0.0 };
                Self { p: x / (1.0 + x), q: 1.0 / (1.0 + x), loss_1: -log_p, loss_0: -log_q, chain }
            }
            _ => {
                let (log_p, log_q) = log_probability(activation, z);
                let p = |z| probability(activation, z);
                Self { p: p(z), q: p(-z), loss_1: -log_p, loss_0: -log_q, chain: 1.0 }
            }
        }
    }
}

/// The parts of a statistic; nothing for those that are no sums over voxels.
pub(super) fn pointwise(statistic: &Statistic, element: &Element) -> Pointwise {
    let (z, t) = (element.z, element.t);
    match *statistic {
        Statistic::BinaryCrossEntropy { activation, label_smoothing, clip } => {
            binary_cross_entropy(&Chance::new(activation, z, clip), smoothed(t, label_smoothing))
        }
        Statistic::CrossEntropy { activation, gamma, clip } => {
            let s = element.softmax;
            if activation == Activation::Normalized && (s.p < clip || s.q < clip) {
                let p = s.p.clamp(clip, 1.0 - clip);
                return cross_entropy(1.0 - p, -p.ln(), t, gamma, 0.0);
            }
            if activation.couples_classes() {
                return cross_entropy(s.q, s.loss, t, gamma, 1.0);
            }
            // d(ln p)/dz = (dp/dz)/p = q·chain.
            let c = Chance::new(activation, z, clip);
            cross_entropy(c.q, c.loss_1, t, gamma, c.q * c.chain)
        }
        Statistic::Focal { activation, modulation, gamma, threshold, label_smoothing, clip } => {
            let (chance, t) = (Chance::new(activation, z, clip), smoothed(t, label_smoothing));
            match modulation {
                Modulation::Sides => sides(&chance, t, gamma),
                _ => {
                    let by_ones = modulation == Modulation::MarginByOnes;
                    let share = if by_ones { f64::from(u8::from(t == 1.0)) } else { t };
                    modulated(&chance, t, share, &factor(&chance, t, modulation, gamma, threshold))
                }
            }
        }
        Statistic::Overlap { .. } | Statistic::HardOverlap { .. } | Statistic::Wasserstein { .. } => {
            Pointwise::default()
        }
    }
}

/// A = t·f·ℓ, S = f·ℓ and T = t with ℓ = −ln p and f = q^γ, q = 1 − p.
///
/// With dq/d(ln p) = −p, d(f·ℓ)/d(ln p) = −f − γ·p·q^γ·ℓ/q, where ℓ/q comes to 1 as q comes to 0: finite for γ below 1, too.
/// `slope` is d(ln p) by the input, or 1 where the derivative by ln p is wanted.
fn cross_entropy(q: f64, loss: f64, t: f64, gamma: f64, slope: f64) -> Pointwise {
    let f = power(q, gamma);
    let by_q = if q > 0.0 { loss / q } else { 1.0 };
    let descent = -f * (1.0 + gamma * (1.0 - q) * by_q) * slope;
    Pointwise { values: [t * f * loss, f * loss, t], slopes: [t * descent, descent, 0.0] }
}

fn smoothed(t: f64, label_smoothing: f64) -> f64 {
    t * (1.0 - label_smoothing) + 0.5 * label_smoothing
}

/// A = −t·ln p and B = −(1−t)·ln q. d(−ln p)/dz = −q·chain, d(−ln q)/dz = p·chain.
fn binary_cross_entropy(c: &Chance, t: f64) -> Pointwise {
    Pointwise {
        values: [t * c.loss_1, (1.0 - t) * c.loss_0, 0.0],
        slopes: [-t * c.q * c.chain, (1.0 - t) * c.p * c.chain, 0.0],
    }
}

/// A = t·q^γ·(−ln p), B = (1−t)·p^γ·(−ln q), F = t·q^γ + (1−t)·p^γ.
///
/// With dp/dz = p·q (times chain), d(q^γ)/dz = −γ·p·q^γ, which stays finite where q is 0 and γ below 1.
fn sides(c: &Chance, t: f64, gamma: f64) -> Pointwise {
    let (side_1, side_0) = (t * power(c.q, gamma), (1.0 - t) * power(c.p, gamma));
    Pointwise {
        values: [side_1 * c.loss_1, side_0 * c.loss_0, side_1 + side_0],
        slopes: [
            -side_1 * (gamma * c.p * c.loss_1 + c.q) * c.chain,
            side_0 * (gamma * c.q * c.loss_0 + c.p) * c.chain,
            gamma * (side_0 * c.q - side_1 * c.p) * c.chain,
        ],
    }
}

/// A modulating factor f and df/dz.
struct Factor {
    value: f64,
    slope: f64,
}

/// f = u^γ has df/dz = γ·f·(du/dz)/u.
///
/// * Mixture: u = t·q + (1−t)·p, du/dz = (1−2t)·p·q.
/// * Margin: u = σ(y) with y = −z·(2t−1), du/dz = −(2t−1)·u·(1−u).
/// * Likelihood: u = (1 − e^−ℓ)/θ with dℓ/dz = p − t, du/dz = e^−ℓ·(p−t)/θ; where e^−ℓ < θ, f is 1.
fn factor(c: &Chance, t: f64, modulation: Modulation, gamma: f64, threshold: f64) -> Factor {
    let (u, du) = match modulation {
        Modulation::Sides | Modulation::Mixture => (t * c.q + (1.0 - t) * c.p, (1.0 - 2.0 * t) * c.p * c.q),
        Modulation::Margin | Modulation::MarginByOnes => {
            let tilt = 2.0 * t - 1.0;
            // ln p − ln q is the logit, also of a probability.
            let u = probability(Activation::Sigmoid, -(c.loss_0 - c.loss_1) * tilt);
            (u, -tilt * u * (1.0 - u))
        }
        Modulation::Likelihood => {
            let loss = t * c.loss_1 + (1.0 - t) * c.loss_0;
            if threshold > 0.0 && (-loss).exp() < threshold {
                return Factor { value: 1.0, slope: 0.0 };
            }
            let scale = if threshold > 0.0 { threshold } else { 1.0 };
            (-(-loss).exp_m1() / scale, (-loss).exp() * (c.p - t) / scale)
        }
    };
    let value = power(u, gamma);
    Factor { value, slope: if u > 0.0 { gamma * value * du / u * c.chain } else { 0.0 } }
}

/// A = a·f·ℓ and B = (1−a)·f·ℓ of the cross-entropy ℓ, F = f. The share a is t, or what does not move either.
fn modulated(c: &Chance, t: f64, share: f64, f: &Factor) -> Pointwise {
    let loss = t * c.loss_1 + (1.0 - t) * c.loss_0;
    let slope = f.slope * loss + f.value * (c.p - t) * c.chain;
    Pointwise {
        values: [share * f.value * loss, (1.0 - share) * f.value * loss, f.value],
        slopes: [share * slope, (1.0 - share) * slope, f.slope],
    }
}

/// u^γ for u ≥ 0.
fn power(u: f64, gamma: f64) -> f64 {
    if gamma == 0.0 { 1.0 } else { u.max(0.0).powf(gamma) }
}
