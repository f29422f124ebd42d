//! What is measured. Another case is another line of the table.

use segloss::{LogitsFormat, Loss, TargetFormat};

/// A loss on data of a format.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name: loss, activation, format of the logits, format of the targets.
    pub name: &'static str,
    /// The loss.
    pub loss: Loss,
    /// The classes (channels) of its data.
    pub classes: usize,
    /// The format of the logits.
    pub logits: LogitsFormat,
    /// The format of the targets.
    pub targets: TargetFormat,
}

/// All cases, in the order they are reported in.
#[must_use]
pub fn cases() -> Vec<Case> {
    let dice = Loss::dice().smooth(1.0);
    let case =
        |name, loss, classes| Case { name, loss, classes, logits: LogitsFormat::F32, targets: TargetFormat::F32 };
    vec![
        case("dice-sigmoid-f32-f32", dice.clone(), 1),
        case("dice-bce-sigmoid-f32-f32", dice.clone().with(1.0, Loss::bce()), 1),
        case("dice-sigmoid-4-labels-f32-f32", dice, 4),
    ]
}
