//! The classes of a voxel together.

/// What a softmax makes of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softmax {
    /// p = e^z / Σ e^z.
    pub p: f64,
    /// 1 − p, with digits of its own where p is nearly 1.
    pub q: f64,
    /// −ln p.
    pub loss: f64,
    /// Whether it is the class of the largest logit, the first of equal ones.
    pub is_largest: bool,
}

impl Default for Softmax {
    /// That of a class that takes no part.
    fn default() -> Self {
        Self { p: 0.0, q: 1.0, loss: 0.0, is_largest: false }
    }
}

/// The softmax of a voxel's logits.
///
/// With m the largest logit, at k, and r = Σ_{c≠k} e^(z_c−m): p_k = 1/(1+r), 1 − p_k = r/(1+r), p_c = e^(z_c−m)/(1+r) and
/// −ln p_c = ln(1+r) − (z_c−m). Nothing overflows, and neither 1 − p_k nor −ln p_k cancels where p_k is nearly 1.
#[must_use]
pub fn softmax(logits: &[f64]) -> Vec<Softmax> {
    let mut largest = 0;
    for (class, &z) in logits.iter().enumerate() {
        if z > logits[largest] {
            largest = class;
        }
    }
    let above = |class: usize| logits[class] - logits[largest];
    let rest: f64 = (0..logits.len()).filter(|&class| class != largest).map(|class| above(class).exp()).sum();
    let of_class = |class: usize| {
        let (p, is_largest) = (above(class).exp() / (1.0 + rest), class == largest);
        let q = if is_largest { rest / (1.0 + rest) } else { 1.0 - p };
        Softmax { p, q, loss: rest.ln_1p() - above(class), is_largest }
    };
    (0..logits.len()).map(of_class).collect()
}
