//! How a case's numbers lie in the buffers of a device.
//!
//! Of the formats that [`Case`](crate::Case) names; a tensor of another has a length that its plan refuses.

use segloss::half::f16;
use segloss::{LogitsFormat, TargetFormat};

/// What is left of a logit when it is stored.
pub(crate) fn stored(format: LogitsFormat, z: f32) -> f32 {
    if format == LogitsFormat::F16 { f16::from_f32(z).to_f32() } else { z }
}

pub(crate) fn logits(format: LogitsFormat, values: impl Iterator<Item = f32>) -> Vec<u8> {
    if format == LogitsFormat::F16 {
        values.flat_map(|z| f16::from_f32(z).to_ne_bytes()).collect()
    } else {
        values.flat_map(f32::to_ne_bytes).collect()
    }
}

/// Of 0 and 1, or of the classes' numbers.
pub(crate) fn targets(format: TargetFormat, values: impl Iterator<Item = u8>) -> Vec<u8> {
    match format {
        TargetFormat::Labels(_) => values.collect(),
        TargetFormat::Bits => {
            let values: Vec<u8> = values.collect();
            let byte = |bits: &[u8]| bits.iter().zip(0..).fold(0, |byte, (bit, place)| byte | bit << place);
            values.chunks(8).map(byte).collect()
        }
        _ => values.flat_map(|t| f32::from(t).to_ne_bytes()).collect(),
    }
}

/// The elements of a gradient.
pub(crate) fn gradient(format: LogitsFormat, bytes: &[u8]) -> Vec<f64> {
    if format == LogitsFormat::F16 {
        bytes.chunks_exact(2).map(|b| f16::from_ne_bytes([b[0], b[1]]).to_f64()).collect()
    } else {
        bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]).into()).collect()
    }
}

/// By how much storing may change an element of a gradient: half a unit of its last place. That of f32 is a part of what is
/// promised anyway.
pub(crate) fn rounding(format: LogitsFormat, g: f64) -> f64 {
    // Below 2^-14 an f16 has steps of 2^-24.
    if format == LogitsFormat::F16 { (g.abs() * 2_f64.powi(-11)).max(2_f64.powi(-25)) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for format in [LogitsFormat::F32, LogitsFormat::F16] {
            let values = [0.1, -9.3, 1e-6, 0.0].map(|z| stored(format, z));
            let bytes = logits(format, values.into_iter());
            assert_eq!(bytes.len(), 4 * format.bits() as usize / 8);
            assert_eq!(gradient(format, &bytes), values.map(f64::from));
        }
        for g in [0.7, 3e-5, 1e-9, -1.0] {
            let error = f16::from_f64(g).to_f64() - g;
            assert!(error.abs() <= rounding(LogitsFormat::F16, g), "{g}");
        }
    }

    #[test]
    fn the_first_bit_is_the_least() {
        let bits = [1, 0, 1, 1, 0, 0, 0, 1, 0, 1];
        assert_eq!(targets(TargetFormat::Bits, bits.into_iter()), [0b1000_1101, 0b10]);
        assert_eq!(targets(TargetFormat::F32, [0, 1].into_iter()), [0.0_f32, 1.0].map(f32::to_ne_bytes).concat());
    }
}
