//! The rows of the table of metrics: what each makes of counts that tell conventions apart.

use segloss::loss::Measure;
use segloss::metrics::{CountTable, Counts};
use segloss::peers::{Metric, MetricRecipe};
use segloss::{Problem, Shape};
use serde_json::{Value, json};

use crate::words::number;

pub(crate) const COLUMNS: [&str; 9] = [
    "Peer",
    "Metric",
    "Counts p, t above",
    "Score",
    "Nothing in p and t",
    "Nothing in t",
    "Samples and classes",
    "Class 0",
    "Result",
];

pub(crate) fn rows() -> Vec<Vec<String>> {
    let names = MetricRecipe::NAMES.iter().flat_map(|(peer, names)| names.iter().map(|name| (*peer, *name)));
    names.map(|(peer, name)| row(peer, name)).collect()
}

fn row(peer: &str, name: &str) -> Vec<String> {
    let params = arguments(peer, name);
    let metric = |classes: usize| -> MetricRecipe {
        let mut params = params.clone();
        if let Some(number) = params.get_mut("num_classes") {
            *number = json!(classes);
        }
        serde_json::from_value(json!({ "peer": peer, "loss": name, "params": params })).unwrap()
    };
    let value = |rows: &[Counts], classes: usize| {
        let table = CountTable::new(rows.len() / classes, classes, rows.to_vec()).unwrap();
        let values = metric(classes).compute(&table).unwrap();
        assert_eq!(values.values.len(), 1, "{peer} {name} gives {values:?}");
        (values.values[0], values.shape)
    };
    let of_samples = |rows: &[Counts]| value(rows, 1).0;
    let (some, score) = score(of_samples(&[SOME]));
    let (alone, _) = value(&[GOOD, SOME], 2);
    let (with_other_background, shape) = value(&[OTHER, SOME], 2);
    let arguments = params.as_object().map_or(0, serde_json::Map::len);
    vec![
        peer.to_owned(),
        if arguments > 0 { format!("`{name}(num_classes=C)`") } else { format!("`{name}`") },
        threshold(&metric(3)),
        score.to_owned(),
        beside(some, of_samples(&[SOME, Counts { true_negatives: 9, ..ZERO }])),
        beside(some, of_samples(&[SOME, Counts { false_positives: 3, true_negatives: 6, ..ZERO }])),
        averages(&|rows| value(rows, 2).0).to_owned(),
        if alone == with_other_background { "left out" } else { "counts" }.to_owned(),
        format!("`{shape:?}`"),
    ]
}

const ZERO: Counts = Counts { true_positives: 0, false_positives: 0, false_negatives: 0, true_negatives: 0 };
const SOME: Counts = Counts { true_positives: 2, false_positives: 1, false_negatives: 3, true_negatives: 3 };
const GOOD: Counts = Counts { true_positives: 6, false_positives: 1, false_negatives: 1, true_negatives: 1 };
const OTHER: Counts = Counts { true_positives: 1, false_positives: 2, false_negatives: 2, true_negatives: 4 };
const NONE: Counts = Counts { true_negatives: 9, ..ZERO };

/// Arguments where the peer has no default for one.
fn arguments(peer: &str, name: &str) -> Value {
    match (peer, name) {
        ("torchmetrics", "DiceScore" | "GeneralizedDiceScore") => json!({"num_classes": 1}),
        _ => json!({}),
    }
}

/// What p and t of the loss that counts must exceed.
fn threshold(metric: &MetricRecipe) -> String {
    let loss = metric.counting(&Problem::new(Shape::new(&[2, 3, 4, 5]).unwrap())).unwrap();
    match &loss.terms[0].measure {
        Measure::Overlap(overlap) => number(overlap.threshold.unwrap()),
        other => panic!("{other:?} counts nothing"),
    }
}

/// Which ratio a value of [`SOME`] is.
fn score(value: f64) -> (f64, &'static str) {
    let ratios = [(SOME.dice(), "2I/(P + T)"), (SOME.iou(), "I/(P + T − I)"), (SOME.recall(), "I/T")];
    let found = ratios.into_iter().find(|(ratio, _)| is_same(*ratio, value));
    found.unwrap_or_else(|| panic!("{value} is no ratio known here"))
}

/// What a sample scores beside one of which the score is known, by the value of both.
fn beside(known: f64, both: f64) -> String {
    let scored = 2.0 * both - known;
    match scored {
        _ if is_same(both, known) => "left out".to_owned(),
        _ if is_same(scored, 0.0) => "0".to_owned(),
        scored => number(scored),
    }
}

/// How the scores of two samples and two classes, one of which is nowhere, become one.
fn averages(value: &dyn Fn(&[Counts]) -> f64) -> &'static str {
    let rows = [GOOD, SOME, OTHER, NONE];
    let weight = |counts: &Counts| 1.0 / (counts.actual() as f64).powi(2);
    let pooled = |a: Counts, b: Counts| {
        let sum = |of: fn(&Counts) -> f64| weight(&a) * of(&a) + weight(&b) * of(&b);
        2.0 * sum(|c| c.true_positives as f64) / sum(|c| (c.predicted() + c.actual()) as f64)
    };
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let [dice, iou] = [Counts::dice, Counts::iou].map(|score| [score(&GOOD), score(&SOME), score(&OTHER)]);
    let nested = |[good, some, other]: [f64; 3]| mean(&[mean(&[good, some]), other]);
    let counts = mean(&[mean(&[6.0, 2.0]), 0.5]) / mean(&[mean(&[7.0, 5.0]), 1.5]);
    let known = [
        (nested(dice), "mean over classes, then samples"),
        (nested(iou), "mean over classes, then samples"),
        (mean(&iou), "mean over both at once"),
        (mean(&[pooled(GOOD, SOME), OTHER.dice()]), "classes pooled, each by 1/T²; mean over samples"),
        (counts, "mean counts over classes, then samples; their rate"),
    ];
    let found = value(&rows);
    let known = known.into_iter().find(|(value, _)| is_same(*value, found));
    known.unwrap_or_else(|| panic!("{found} is none of the ways known here")).1
}

fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}
