//! JSON with the keys and the order of nnU-Net's summary.json, and more beside them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use segloss::metrics::Counts;
use serde::Serialize;
use serde_json::{Value, json};

use super::case::{Case, Class};
use super::metric::Metric;
use super::score::generalized_dice;
use super::summary::{Evaluation, Mean};
use crate::failure::Failure;

/// Keys in their order: nnU-Net sorts them.
type Object = BTreeMap<String, Value>;

type Count = fn(&Counts) -> u64;

/// nnU-Net's names of counts.
const COUNTS: [(&str, Count); 6] = [
    ("FN", |counts| counts.false_negatives),
    ("FP", |counts| counts.false_positives),
    ("TN", |counts| counts.true_negatives),
    ("TP", |counts| counts.true_positives),
    ("n_pred", Counts::predicted),
    ("n_ref", Counts::actual),
];

/// Four spaces a level, as nnU-Net writes them; what is not defined is null.
pub(crate) fn json(evaluation: &Evaluation) -> Result<String, Failure> {
    let classes = 0..evaluation.classes.len();
    let metrics = evaluation.metrics();
    let means: Vec<Means> = classes.clone().map(|class| Means::of(evaluation, &metrics, class)).collect();
    let pooled = classes.map(|class| json!(pooled(evaluation, class))).collect();
    let soft = evaluation.soft.as_ref();
    let summary = Object::from([
        ("adapter".to_owned(), json!(soft.map(|soft| &soft.adapter))),
        (
            "class_names".to_owned(),
            keyed(evaluation, evaluation.classes.iter().map(|class| json!(class.name)).collect()),
        ),
        ("computed_by".to_owned(), json!(soft.map(|soft| soft.kind))),
        ("failed".to_owned(), failed(evaluation)),
        ("foreground_mean".to_owned(), json!(numbers(&over_classes(evaluation, &means)))),
        ("generalized_dice".to_owned(), number(evaluation.generalized_dice().value)),
        ("mean".to_owned(), keyed(evaluation, means.iter().map(Means::json).collect())),
        (
            "metric_per_case".to_owned(),
            evaluation.cases.iter().map(|case| of_case(evaluation, &metrics, case)).collect(),
        ),
        ("passed_over".to_owned(), paths(&evaluation.passed_over)),
        ("pooled".to_owned(), keyed(evaluation, pooled)),
        ("pooled_generalized_dice".to_owned(), number(generalized_dice(&evaluation.all_pooled(), evaluation.empty)?)),
        ("remarks".to_owned(), json!(evaluation.remarks)),
        ("surface_definition".to_owned(), json!(evaluation.surfaces.map(|(definition, _)| definition))),
        ("surface_tolerance".to_owned(), json!(evaluation.surfaces.map(|(_, tolerance)| tolerance))),
        ("threshold".to_owned(), json!(soft.map(|soft| soft.threshold))),
        ("unmatched".to_owned(), paths(&evaluation.unmatched)),
    ]);
    let mut text = vec![];
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    summary
        .serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))
        .map_err(|error| Failure::new(format!("the result cannot be written as JSON: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned() + "\n")
}

/// Values by class.
fn keyed(evaluation: &Evaluation, values: Vec<Value>) -> Value {
    json!(evaluation.classes.iter().map(Class::key).zip(values).collect::<Object>())
}

fn paths(paths: &[PathBuf]) -> Value {
    paths.iter().map(|path| path.display().to_string()).collect()
}

fn failed(evaluation: &Evaluation) -> Value {
    evaluation.failed.iter().map(|(name, reason)| json!({"case": name, "reason": reason})).collect()
}

fn of_case(evaluation: &Evaluation, metrics: &[Metric], case: &Case) -> Value {
    let of_class = |(class, score): (usize, &super::case::Score)| {
        let mut entries = of_counts(evaluation, &score.counts);
        for &metric in metrics {
            entries.insert(metric.key().to_owned(), number(evaluation.value(metric, case, class)));
        }
        json!(entries)
    };
    json!(Object::from([
        ("generalized_dice".to_owned(), number(case.generalized_dice)),
        ("metrics".to_owned(), keyed(evaluation, case.scores.iter().enumerate().map(of_class).collect())),
        ("prediction_file".to_owned(), json!(case.prediction.display().to_string())),
        ("reference_file".to_owned(), json!(case.truth.display().to_string())),
    ]))
}

/// The counts, and what follows from them.
fn of_counts(evaluation: &Evaluation, counts: &Counts) -> Object {
    let counted = COUNTS.into_iter().map(|(key, count)| (key.to_owned(), json!(count(counts))));
    let ratios = Metric::COUNTED
        .into_iter()
        .filter_map(|metric| Some((metric.key().to_owned(), number(metric.of_counts(counts, evaluation.empty)?))));
    counted.chain(ratios).collect()
}

/// The counts of all cases together, and what follows from them.
fn pooled(evaluation: &Evaluation, class: usize) -> Object {
    let mut entries = of_counts(evaluation, &evaluation.pooled(class));
    for metric in Metric::COUNTED {
        if let Some(value) = evaluation.of_pool(metric, class) {
            entries.insert(metric.key().to_owned(), number(value));
        }
    }
    entries
}

/// The means over the cases of a class, and of how many of them each metric is undefined.
struct Means {
    values: BTreeMap<String, f64>,
    left_out: Object,
}

impl Means {
    fn of(evaluation: &Evaluation, metrics: &[Metric], class: usize) -> Self {
        let of_count =
            |count: Count| Mean::of(evaluation.cases.iter().map(|case| count(&case.scores[class].counts) as f64)).value;
        let mut values: BTreeMap<_, _> =
            COUNTS.into_iter().map(|(key, count)| (key.to_owned(), of_count(count))).collect();
        let mut left_out = Object::new();
        for &metric in metrics {
            let mean = evaluation.mean(metric, class);
            values.insert(metric.key().to_owned(), mean.value);
            if mean.left_out > 0 {
                left_out.insert(metric.key().to_owned(), json!(mean.left_out));
            }
        }
        Self { values, left_out }
    }

    fn json(&self) -> Value {
        let mut entries = numbers(&self.values);
        if !self.left_out.is_empty() {
            entries.insert("left_out".to_owned(), json!(self.left_out));
        }
        json!(entries)
    }
}

fn numbers(values: &BTreeMap<String, f64>) -> Object {
    values.iter().map(|(key, value)| (key.clone(), number(*value))).collect()
}

/// The mean over the classes, but for the background; NaN where one of them is, as nnU-Net has it.
fn over_classes(evaluation: &Evaluation, means: &[Means]) -> BTreeMap<String, f64> {
    let of_class = means.iter().zip(evaluation.foreground());
    let foreground: Vec<_> =
        of_class.filter(|(_, is_foreground)| *is_foreground).map(|(means, _)| &means.values).collect();
    let mean = |key: &String| foreground.iter().map(|means| means[key]).sum::<f64>() / foreground.len() as f64;
    foreground.first().into_iter().flat_map(|means| means.keys()).map(|key| (key.clone(), mean(key))).collect()
}

/// JSON knows no NaN; what is infinite is a string.
fn number(value: f64) -> Value {
    if value.is_infinite() { json!(if value > 0.0 { "Infinity" } else { "-Infinity" }) } else { json!(value) }
}
