//! One line for every class of every case, and for every aggregate.

use segloss::metrics::Counts;

use super::summary::Evaluation;

/// With a line of names; what is not defined is `nan`, as NumPy and pandas read it.
pub(crate) fn csv(evaluation: &Evaluation) -> String {
    let metrics = evaluation.metrics();
    let counts = |counts: Counts| {
        [counts.true_positives, counts.false_positives, counts.false_negatives, counts.true_negatives]
            .map(|c| c.to_string())
    };
    let names = metrics.iter().map(|metric| metric.key().to_owned());
    let mut lines =
        vec![line(["case", "class"].map(str::to_owned), names, ["TP", "FP", "FN", "TN"].map(str::to_owned))];
    let nothing = || [const { String::new() }; 4];
    for case in &evaluation.cases {
        for (index, class) in evaluation.classes.iter().enumerate() {
            let values = metrics.iter().map(|&metric| number(evaluation.value(metric, case, index)));
            lines.push(line([case.name.clone(), class.name.clone()], values, counts(case.scores[index].counts)));
        }
    }
    for (index, class) in evaluation.classes.iter().enumerate() {
        let values = metrics.iter().map(|&metric| number(evaluation.mean(metric, index).value));
        lines.push(line(["(mean over cases)".to_owned(), class.name.clone()], values, nothing()));
    }
    for (index, class) in evaluation.classes.iter().enumerate() {
        let values = metrics.iter().map(|&metric| evaluation.of_pool(metric, index).map_or(String::new(), number));
        let pooled = evaluation.pooled(index);
        lines.push(line(["(pooled)".to_owned(), class.name.clone()], values, counts(pooled)));
    }
    lines.concat()
}

fn line(names: [String; 2], values: impl Iterator<Item = String>, counts: [String; 4]) -> String {
    let fields: Vec<_> = names.iter().map(|name| quoted(name)).chain(values).chain(counts).collect();
    fields.join(",") + "\n"
}

fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "nan".to_owned(),
        value => value.to_string(),
    }
}

/// As RFC 4180 has it.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
