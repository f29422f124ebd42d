//! Which numbers of a description a kernel can reckon with.
//!
//! Parameters cross as f32. GPUs may take subnormal numbers for 0, and a weight times a sum over 2^32 voxels must not overflow, nor its
//! slope vanish: what lies outside these ranges would be a wrong number without an error. Each is looked at by itself; what several
//! make together may still be infinite.

/// The largest number of any kind.
const MOST: f64 = 1e18;

/// What constants, such as smoothing, have to be.
pub(super) const CONSTANT: &str = "0 or a positive normal f32 up to 1e18";
/// What weights and factors have to be.
pub(super) const WEIGHT: &str = "0 or between 1e-18 and 1e18";
/// What exponents have to be.
pub(super) const EXPONENT: &str = "a positive normal f32 up to 100";

/// Whether a constant survives the way into a kernel.
pub(super) fn is_storable(value: f64) -> bool {
    value == 0.0 || ((value as f32).is_normal() && value.abs() <= MOST)
}

/// Whether a constant is positive and survives the way into a kernel.
pub(super) fn is_positive(value: f64) -> bool {
    value > 0.0 && is_storable(value)
}

/// Whether something may be multiplied by `value`.
pub(super) fn is_weight(value: f64) -> bool {
    value == 0.0 || (1.0 / MOST..=MOST).contains(&value.abs())
}

/// Whether something may be raised to the power of `value`, which multiplies its relative error.
pub(super) fn is_exponent(value: f64) -> bool {
    is_positive(value) && value <= 100.0
}
