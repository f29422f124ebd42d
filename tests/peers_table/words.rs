//! The library's terms in a few words, for the cells of a table.

use segloss::loss::{Classes, Divisor, Empty, Map, Outer, RowWeights, Term};
use segloss::{Activation, Pool, Reduction};

/// A number: small powers of ten as such, others with 4 decimals at most.
pub(crate) fn number(value: f64) -> String {
    let small = (4..10).find(|exponent| format!("1e-{exponent}").parse() == Ok(value));
    if let Some(exponent) = small {
        return format!("10⁻{}", ["⁴", "⁵", "⁶", "⁷", "⁸", "⁹"][exponent - 4]);
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "−")
}

/// What the classes are multiplied with, unless it is 1: a number, or a list.
pub(crate) fn numbers(list: &[f64]) -> Option<String> {
    match list {
        list if list.iter().all(|&number| number == 1.0) => None,
        [one] => Some(number(*one)),
        list => Some(format!("[{}]", list.iter().copied().map(number).collect::<Vec<_>>().join(", "))),
    }
}

/// x to the power γ, or nothing for x⁰.
pub(crate) fn power(base: &str, gamma: f64) -> String {
    match gamma {
        0.0 => String::new(),
        1.0 => format!("{base}·"),
        2.0 => format!("{base}²·"),
        gamma => format!("{base}^{}·", number(gamma)),
    }
}

pub(crate) fn activation(activation: Activation) -> &'static str {
    match activation {
        Activation::None => "as given",
        Activation::Sigmoid => "sigmoid",
        Activation::Tanh => "tanh",
        Activation::Odds => "odds",
        Activation::Softmax => "softmax",
        Activation::LogSoftmax => "log-softmax",
        Activation::ForegroundSoftmax => "softmax without class 0",
        Activation::Argmax => "argmax",
        Activation::Normalized => "x/Σx",
    }
}

pub(crate) fn classes(classes: &Classes) -> String {
    match classes {
        Classes::All => "all".to_owned(),
        Classes::Foreground => "all but 0".to_owned(),
        Classes::Only(list) => format!("{list:?}"),
    }
}

pub(crate) fn pool(pool: Pool) -> &'static str {
    match pool {
        Pool::None => "—",
        Pool::Batch => "samples",
        Pool::Classes => "classes",
        Pool::All => "everything",
    }
}

/// What rows weigh, where it is not 1.
pub(crate) fn row_weights(weights: &RowWeights) -> Option<String> {
    match weights {
        RowWeights::Equal => None,
        RowWeights::PerClass(list) => numbers(list),
        RowWeights::InverseVolume => Some("1/T".to_owned()),
        RowWeights::InverseSquaredVolume => Some("1/T²".to_owned()),
    }
}

pub(crate) fn map(map: Map) -> String {
    match map {
        Map::Score => "s".to_owned(),
        Map::Complement => "1 − s".to_owned(),
        Map::Negated => "−s".to_owned(),
        Map::NegLog { eps } => format!("−ln max(s, {})", number(eps)),
        Map::Power { gamma } => format!("(1 − s)^{}", number(gamma)),
    }
}

/// What a group with an empty target is worth; by the formula, where p is empty, too, it is the given value.
pub(crate) fn empty(empty: Empty, by_formula: f64) -> String {
    match empty {
        Empty::Keep => format!("{} with empty p", number(by_formula)),
        Empty::Zero => "0 with any p".to_owned(),
        Empty::One => "1 with any p".to_owned(),
        Empty::Nan => "NaN with any p".to_owned(),
        Empty::Skip => "left out".to_owned(),
    }
}

pub(crate) fn divisor(divisor: Divisor) -> String {
    match divisor {
        Divisor::Elements => "elements that count".to_owned(),
        Divisor::Voxels => "voxels that count".to_owned(),
        Divisor::AllElements => "all elements".to_owned(),
        Divisor::AllVoxels => "all voxels".to_owned(),
        Divisor::Weights => "Σw of the labels that count".to_owned(),
        Divisor::Modulation { eps } => format!("Σ of the modulating factors, at least {}", number(eps)),
    }
}

/// What an overlap's values become, and what becomes of that.
pub(crate) fn result(term: &Term, weights: &[f64], normalized: bool, outer: Outer) -> String {
    let over = match term.pool() {
        Pool::None => " over samples and classes",
        Pool::Batch => " over classes",
        Pool::Classes => " over samples",
        Pool::All => "",
    };
    let weighted = numbers(weights).map_or(String::new(), |list| format!(", w = {list}"));
    let reduced = match (term.reduction(), term.pool(), normalized) {
        (Reduction::None | Reduction::PerVoxel, ..) => "the values".to_owned(),
        (_, Pool::All, _) => "the value".to_owned(),
        (Reduction::Mean, _, false) => format!("mean{over}{weighted}"),
        (Reduction::Mean, _, true) => format!("mean{over} by Σw{weighted}"),
        (Reduction::Sum, ..) => format!("sum{over}{weighted}"),
    };
    match outer {
        Outer::Identity => reduced,
        Outer::Power { gamma } => format!("{reduced}, to the power {}", number(gamma)),
        Outer::LogCosh => format!("{reduced}, ln cosh of it"),
    }
}

/// What the values of elements or voxels become.
pub(crate) fn reduction(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::None => "a value per element",
        Reduction::PerVoxel => "a value per voxel",
        Reduction::Mean => "mean",
        Reduction::Sum => "sum",
    }
}
