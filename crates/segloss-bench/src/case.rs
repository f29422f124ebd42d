//! What is measured. Another case is another line of the table.

use segloss::{LabelFormat, LogitsFormat, Loss, TargetFormat};

use crate::Failure;

/// The most classes of a block that is taken to be near still when it is read again: with an octet of f32 for each of 256 lanes it
/// has 256 KiB then, what the first level of a large GPU's caches holds.
const NEAR_CLASSES: usize = 32;

/// A loss on data of a format.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name: loss, activation, classes where there are several, format of the logits, format of the targets.
    pub name: &'static str,
    /// The loss.
    pub loss: Loss,
    /// The classes (channels) of its data.
    pub classes: usize,
    /// The format of the logits and of the gradient: f32 or f16.
    pub logits: LogitsFormat,
    /// The format of the targets: f32, bits, or labels of a byte.
    pub targets: TargetFormat,
}

impl Case {
    /// The bytes of the logits of so many voxels, and of the gradient.
    #[must_use]
    pub fn logits_bytes(&self, voxels: usize) -> u64 {
        (self.classes * voxels) as u64 * u64::from(self.logits.bits()) / 8
    }

    /// The bytes of the targets of so many voxels: labels are one a voxel, whatever the classes.
    #[must_use]
    pub fn targets_bytes(&self, voxels: usize) -> u64 {
        let elements = if self.targets.is_labels() { voxels } else { self.classes * voxels };
        (elements as u64 * u64::from(self.targets.bits())).div_ceil(8)
    }

    /// How often a direction is taken to read each logit from memory.
    ///
    /// A softmax needs all classes of a voxel before it has any probability, so the kernels go over a block of voxels more than
    /// once. Of few classes it is near still and counts once; of more than 32 a second reading counts, too.
    #[must_use]
    pub fn logit_reads(&self) -> u64 {
        if self.loss.couples_classes() && self.classes > NEAR_CLASSES { 2 } else { 1 }
    }

    /// Whether logits, targets and gradient of so many voxels take no more than so many bytes together.
    ///
    /// # Errors
    /// [`Failure::Memory`] if they take more.
    pub fn fits(&self, voxels: usize, memory: u64) -> Result<(), Failure> {
        let bytes = 2 * self.logits_bytes(voxels) + self.targets_bytes(voxels);
        if bytes <= memory { Ok(()) } else { Err(Failure::Memory { bytes, memory }) }
    }
}

/// All cases, in the order they are reported in.
#[must_use]
pub fn cases() -> Vec<Case> {
    use LogitsFormat::{F16, F32};
    let labels = TargetFormat::Labels(LabelFormat::U8);
    let dice = Loss::dice().smooth(1.0);
    let dice_ce = dice.clone().softmax().with(1.0, Loss::cross_entropy());
    let case =
        |name, loss: &Loss, classes, logits, targets| Case { name, loss: loss.clone(), classes, logits, targets };
    vec![
        case("dice-sigmoid-f32-f32", &dice, 1, F32, TargetFormat::F32),
        case("dice-bce-sigmoid-f32-f32", &dice.clone().with(1.0, Loss::bce()), 1, F32, TargetFormat::F32),
        case("dice-sigmoid-4-labels-f32-f32", &dice, 4, F32, TargetFormat::F32),
        case("dice-sigmoid-f32-bits", &dice, 1, F32, TargetFormat::Bits),
        case("dice-sigmoid-f16-bits", &dice, 1, F16, TargetFormat::Bits),
        case("dice-ce-softmax-4-classes-f32-u8", &dice_ce, 4, F32, labels),
        case("dice-ce-softmax-4-classes-f16-u8", &dice_ce, 4, F16, labels),
        case("dice-ce-softmax-105-classes-f32-u8", &dice_ce, 105, F32, labels),
        case("dice-ce-softmax-105-classes-f16-u8", &dice_ce, 105, F16, labels),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;

    /// Bytes a voxel, by hand.
    #[test]
    fn bytes_are_those_of_the_formats() {
        let expected = [
            ("dice-sigmoid-f32-f32", 8.0, 12.0),
            ("dice-bce-sigmoid-f32-f32", 8.0, 12.0),
            ("dice-sigmoid-4-labels-f32-f32", 32.0, 48.0),
            ("dice-sigmoid-f32-bits", 4.125, 8.125),
            ("dice-sigmoid-f16-bits", 2.125, 4.125),
            ("dice-ce-softmax-4-classes-f32-u8", 17.0, 33.0),
            ("dice-ce-softmax-4-classes-f16-u8", 9.0, 17.0),
            // Each logit twice.
            ("dice-ce-softmax-105-classes-f32-u8", 841.0, 1261.0),
            ("dice-ce-softmax-105-classes-f16-u8", 421.0, 631.0),
        ];
        let voxels = 1 << 10;
        let per_voxel = |case: &Case, direction: Direction| direction.bytes(case, voxels) as f64 / voxels as f64;
        let found: Vec<_> = cases()
            .iter()
            .map(|case| {
                let [forward, gradient, both] = Direction::ALL.map(|direction| per_voxel(case, direction));
                assert_eq!(both, forward + gradient);
                (case.name, forward, gradient)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn memory_is_that_of_all_tensors() {
        let case = &cases()[5];
        case.fits(1 << 20, 33 << 20).unwrap();
        let failure = case.fits(1 << 20, (33 << 20) - 1).unwrap_err();
        assert!(matches!(failure, Failure::Memory { bytes: 34_603_008, memory: 34_603_007 }), "{failure}");
        assert!(failure.is_too_large());
    }
}
