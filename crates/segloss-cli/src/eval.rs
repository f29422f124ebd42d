//! `segloss eval`: a prediction against the truth.

use segloss::{Batch, Loss, Pool, Shape, Sums};
use serde::Serialize;

use crate::args::{Eval, TableFormat};
use crate::array::{Array, is_png};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::progress::Progress;
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

pub(crate) fn run(args: &Eval, adapter: Option<&str>) -> Result<String, Failure> {
    if args.png_white.is_some() && ![&args.prediction, &args.truth].into_iter().any(|path| is_png(path)) {
        return Err(Failure::new("--png-white is given but neither file is a .png; leave it out"));
    }
    let (prediction, truth) = read(args)?;
    let scores = score(args, &prediction, &truth, adapter)?;
    if let Some(difference) = space_difference(&prediction, &truth) {
        let (prediction, truth) = (prediction.path.display(), truth.path.display());
        eprintln!(
            "segloss: warning: {prediction} and {truth} differ in {difference}; compared voxel by voxel as stored"
        );
    }
    match args.format {
        TableFormat::Table => Ok(table(&scores)),
        TableFormat::Json => report::json(&scores),
        TableFormat::Csv => csv(&scores),
    }
}

fn read(args: &Eval) -> Result<(Array, Array), Failure> {
    let progress = Progress::new("reading");
    let mut prediction = Array::read(&args.prediction, args.png_white)?;
    let mut truth = Array::read(&args.truth, args.png_white)?;
    drop(progress);
    if without_trailing_ones(&prediction.dims) != without_trailing_ones(&truth.dims) {
        return Err(truth.failure(format!(
            "its shape {} differs from the prediction's, {} in {}; expected equal shapes",
            truth.shape(),
            prediction.shape(),
            prediction.path.display()
        )));
    }
    let all = |_| true;
    if !args.logits {
        prediction.confine_to_unit_interval(all, "expected probabilities; if these are logits, give --logits")?;
    }
    truth.confine_to_unit_interval(all, "expected a mask of 0 and 1, or probabilities")?;
    Ok((prediction, truth))
}

/// In which respects the voxels of two volumes of one shape lie elsewhere.
fn space_difference(prediction: &Array, truth: &Array) -> Option<String> {
    prediction.space.as_ref()?.difference(truth.space.as_ref()?, &prediction.dims)
}

/// A volume in a file for series of volumes has a last axis of length 1.
fn without_trailing_ones(dims: &[usize]) -> &[usize] {
    let end = dims.iter().rposition(|&dim| dim != 1).map_or(0, |last| last + 1);
    &dims[..end]
}

fn score(args: &Eval, prediction: &Array, truth: &Array, adapter: Option<&str>) -> Result<Scores, Failure> {
    let shape = Shape::new(&[&[1, 1], &prediction.dims[..]].concat()).map_err(|error| prediction.failure(error))?;
    let batch = Batch::new(&shape, &prediction.values, &truth.values)?;
    let mut loss = Loss::dice().with(1.0, Loss::bce()).with(1.0, Loss::dice().hard(args.threshold)).pool(Pool::All);
    if !args.logits {
        loss = loss.probabilities();
    }
    let engine = Engine::choose(adapter)?;
    let numbers = engine.evaluate(&loss, &batch)?;
    let [soft, cross_entropy, hard] = [0, 1, 2].map(|statistic| numbers.sums[statistic][0]);
    let soft_dice = dice(&soft);
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
        threshold: args.threshold,
        hard_dice: dice(&hard),
        iou: ratio(hard.intersection(), hard.prediction() + hard.target() - hard.intersection()),
        precision: ratio(hard.intersection(), hard.prediction()),
        recall: ratio(hard.intersection(), hard.target()),
        predicted_voxels: hard.prediction() as u64,
        true_voxels: hard.target() as u64,
        intersection_voxels: hard.intersection() as u64,
    })
}

/// 2I/(P+T).
fn dice(sums: &Sums) -> Option<f64> {
    ratio(2.0 * sums.intersection(), sums.prediction() + sums.target())
}

/// `None` of nothing.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn table(scores: &Scores) -> String {
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
    let about = report::table(about.map(|(name, text)| [name.to_owned(), text]));
    format!("{about}\n{}", report::table(results.map(|(name, text)| [name, text])))
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

/// As RFC 4180 has it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
