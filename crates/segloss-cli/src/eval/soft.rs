//! Probabilities of one class against a truth: soft Dice and cross-entropy, and what a threshold makes of them, on the GPU.

use std::path::Path;

use segloss::metrics::Counts;
use segloss::{Batch, Loss, Pool, Shape};
use segloss_files::{Contents, Grey, Values};
use serde::Serialize;

use super::case::Soft;
use super::csv::quoted;
use super::labels::{is_binary, is_shaded};
use super::pairs::Pair;
use super::score::Question;
use super::volume::{Kind, Reading, channel_axis};
use crate::args::{Eval, TableFormat};
use crate::array::{self, Array};
use crate::failure::Failure;
use crate::report::{self, thousands};

/// What is printed. Scores of nothing by nothing are `None`.
#[derive(Serialize)]
struct Scores {
    prediction: String,
    truth: String,
    shape: Vec<usize>,
    voxels: u64,
    adapter: String,
    computed_by: &'static str,
    /// Whether the soft Dice is that of two empty segmentations.
    empty: bool,
    soft_dice: Option<f64>,
    dice_loss: Option<f64>,
    bce: f64,
    threshold: f64,
    hard_dice: Option<f64>,
    iou: Option<f64>,
    precision: Option<f64>,
    recall: Option<f64>,
    predicted_voxels: u64,
    true_voxels: u64,
    intersection_voxels: u64,
}

/// Whether a prediction holds probabilities or logits of one class, rather than a mask.
pub(super) fn is_soft(contents: &[Contents; 2], reading: &Reading) -> bool {
    let [prediction, truth] = contents;
    let is_one_class =
        prediction.dims == truth.dims && channel_axis(prediction, reading.channels, truth.dims.len()).is_none();
    let has_fractions = matches!(&prediction.values, Values::F32(values) if values.iter().any(|v| v.fract() != 0.0));
    let is_whole = matches!(reading.kind, Kind::Labels | Kind::Mask);
    let is_soft =
        reading.logits || reading.kind == Kind::Probabilities || has_fractions || is_shaded(prediction, truth);
    is_one_class && !is_whole && is_soft
}

/// The report on a prediction and a truth of one class.
pub(super) fn run(args: &Eval, pair: &Pair, contents: [Contents; 2], question: &Question) -> Result<String, Failure> {
    let scores = score(pair, contents, question)?;
    match args.format {
        TableFormat::Table => Ok(table(&scores)),
        TableFormat::Json => report::json(&scores),
        TableFormat::Csv => csv(&scores),
        TableFormat::Markdown => Ok(markdown(&scores)),
    }
}

/// Soft Dice and cross-entropy of a case of many.
pub(super) fn of_case(pair: &Pair, contents: [Contents; 2], question: &Question) -> Result<Soft, Failure> {
    let scores = score(pair, contents, question)?;
    Ok(Soft { dice: scores.soft_dice.unwrap_or(f64::NAN), cross_entropy: scores.bce })
}

/// Prediction and truth in [0, 1], where they count.
fn arrays(
    pair: &Pair,
    contents: [Contents; 2],
    reading: &Reading,
    mask: Option<&[f32]>,
) -> Result<[Array; 2], Failure> {
    let array = |path: &Path, contents: Contents| {
        let dims = contents.dims.clone();
        let values = fractions(contents, reading).map_err(|reason| Failure::file(path, reason))?;
        Array::new(path, dims, values)
    };
    let [prediction, truth] = contents;
    let (mut prediction, mut truth) = (array(&pair.prediction, prediction)?, array(&pair.truth, truth)?);
    let counts = |index: usize| mask.is_none_or(|mask| mask[index] != 0.0);
    if !reading.logits {
        prediction.confine_to_unit_interval(counts, "expected probabilities; if these are logits, give --logits")?;
    }
    truth.confine_to_unit_interval(counts, "expected a mask of 0 and 1, or probabilities")?;
    Ok([prediction, truth])
}

/// As they are; of black and white, and of 0 and 255, 0 and 1.
fn fractions(contents: Contents, reading: &Reading) -> Result<Vec<f32>, String> {
    let is_mask =
        matches!(contents.values, Values::U8(_) | Values::I32(_)) && is_binary(&contents.values, contents.grey);
    let keeps_palette = contents.grey == Some(Grey::Indices) && reading.kind == Kind::Probabilities;
    if !is_mask || reading.png_white.is_some() || keeps_palette || array::is_all_but_black(&contents) {
        return array::fractions(contents, reading.png_white);
    }
    let largest = contents.values.largest().unwrap_or(1).max(1) as f32;
    let plain = Contents { grey: None, ..contents };
    Ok(plain.into_scaled(largest))
}

/// 0 where the true label is one that does not count.
fn mask(truth: &Contents, ignored: i32) -> Vec<f32> {
    let plain = Contents { grey: None, ..truth.clone() };
    let values = plain.into_scaled(1.0);
    values.into_iter().map(|value| f32::from(u8::from(value != ignored as f32))).collect()
}

fn score(pair: &Pair, contents: [Contents; 2], question: &Question) -> Result<Scores, Failure> {
    let (reading, engine) = (&question.reading, question.engine()?);
    let mask = question.ignored.map(|ignored| mask(&contents[1], ignored));
    let [prediction, truth] = arrays(pair, contents, reading, mask.as_deref())?;
    let shape = Shape::new(&[&[1, 1], &prediction.dims[..]].concat()).map_err(|error| prediction.failure(error))?;
    let mut batch = Batch::new(&shape, &prediction.values, &truth.values)?;
    if let Some(mask) = &mask {
        batch = batch.with_mask(mask)?;
    }
    let hard = Loss::dice().hard(reading.threshold);
    let mut loss = Loss::dice().with(1.0, Loss::bce()).with(1.0, hard).pool(Pool::All);
    if !reading.logits {
        loss = loss.probabilities();
    }
    let numbers = engine.evaluate_one_of_many(&loss, &batch)?;
    let [soft, cross_entropy, hard] = [0, 1, 2].map(|statistic| numbers.sums[statistic][0]);
    let hard = Counts::from_sums(&hard)?;
    let soft_dice = defined(2.0 * soft.intersection() / (soft.prediction() + soft.target()));
    Ok(Scores {
        prediction: prediction.path.display().to_string(),
        truth: truth.path.display().to_string(),
        shape: prediction.dims.clone(),
        voxels: soft.count,
        adapter: engine.adapter(),
        computed_by: engine.kind(),
        empty: soft_dice.is_none(),
        soft_dice,
        dice_loss: soft_dice.map(|score| 1.0 - score),
        bce: (cross_entropy.values[0] + cross_entropy.values[1]) / soft.count as f64,
        threshold: reading.threshold,
        hard_dice: defined(hard.dice()),
        iou: defined(hard.iou()),
        precision: defined(hard.precision()),
        recall: defined(hard.recall()),
        predicted_voxels: hard.predicted(),
        true_voxels: hard.actual(),
        intersection_voxels: hard.true_positives,
    })
}

/// `None` of nothing by nothing.
fn defined(score: f64) -> Option<f64> {
    (!score.is_nan()).then_some(score)
}

fn table(scores: &Scores) -> String {
    let [about, results] = rows(scores).map(report::table);
    format!("{about}\n{results}")
}

fn markdown(scores: &Scores) -> String {
    let [about, results] = rows(scores);
    let lines = |rows: Vec<[String; 2]>| {
        rows.into_iter().map(|[name, text]| format!("| {name} | {text} |\n")).collect::<String>()
    };
    let about: String = about.into_iter().map(|[name, text]| format!("* {name}: {text}\n")).collect();
    format!("{about}\n| score | value |\n| --- | ---: |\n{}", lines(results))
}

/// What was compared, and how it scores.
fn rows(scores: &Scores) -> [Vec<[String; 2]>; 2] {
    let dims: Vec<_> = scores.shape.iter().map(usize::to_string).collect();
    let product = if dims.len() > 1 { format!("{} = ", dims.join("×")) } else { String::new() };
    let about = [
        ("prediction", scores.prediction.clone()),
        ("truth", scores.truth.clone()),
        ("voxels", product + &thousands(scores.voxels)),
        ("adapter", scores.adapter.clone()),
    ];
    let number = |value: Option<f64>, otherwise: &str| value.map_or(otherwise.to_owned(), |v| format!("{v:.6}"));
    let empty = "empty: there is no foreground in either";
    let results = [
        ("soft Dice".to_owned(), number(scores.soft_dice, empty)),
        ("Dice loss".to_owned(), number(scores.dice_loss, empty)),
        ("BCE".to_owned(), number(Some(scores.bce), "")),
        (format!("hard Dice at {}", scores.threshold), number(scores.hard_dice, empty)),
        ("IoU".to_owned(), number(scores.iou, empty)),
        ("precision".to_owned(), number(scores.precision, "nothing is predicted")),
        ("recall".to_owned(), number(scores.recall, "nothing is true")),
        ("predicted voxels".to_owned(), thousands(scores.predicted_voxels)),
        ("true voxels".to_owned(), thousands(scores.true_voxels)),
        ("voxels in both".to_owned(), thousands(scores.intersection_voxels)),
    ];
    [about.map(|(name, text)| [name.to_owned(), text]).into(), results.map(|(name, text)| [name, text]).into()]
}

/// A line of names and a line of values; what is undefined is left out.
fn csv(scores: &Scores) -> Result<String, Failure> {
    let failure = |error: serde_json::Error| Failure::new(format!("the result cannot be written as CSV: {error}"));
    let fields = match serde_json::to_value(scores).map_err(failure)? {
        serde_json::Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    let dims: Vec<_> = scores.shape.iter().map(usize::to_string).collect();
    let text = |(name, value): (&String, &serde_json::Value)| match value {
        _ if name == "shape" => dims.join("x"),
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => quoted(text),
        number => number.to_string(),
    };
    let names: Vec<_> = fields.keys().map(String::as_str).collect();
    let values: Vec<_> = fields.iter().map(text).collect();
    Ok(format!("{}\n{}\n", names.join(","), values.join(",")))
}
