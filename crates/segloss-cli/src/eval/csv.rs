//! One line for every class of every case, and for every aggregate.

use segloss::metrics::Counts;

use super::metric::Metric;
use super::score::generalized_dice;
use super::summary::{Evaluation, Mean};
use crate::failure::Failure;
use crate::report::plain;

/// With a line of names; what is not defined is `nan`, as NumPy and pandas read it. Where there are several classes, their mean
/// and generalised Dice have a line each. What could not be scored has a line without numbers.
pub(crate) fn csv(evaluation: &Evaluation) -> Result<String, Failure> {
    let mut lines = Lines::new(evaluation);
    for case in &evaluation.cases {
        let value = |metric, class| Some(evaluation.value(metric, case, class));
        let counts = |class: usize| Some(case.scores[class].counts);
        lines.add_classes(&case.name, value, counts, case.generalized_dice);
    }
    let value = |metric, class| Some(evaluation.mean(metric, class).value);
    lines.add_classes("(mean over cases)", value, |_| None, evaluation.generalized_dice().value);
    let generalized = generalized_dice(&evaluation.all_pooled(), evaluation.empty)?;
    let value = |metric, class| evaluation.of_pool(metric, class);
    lines.add_classes("(pooled)", value, |class| Some(evaluation.pooled(class)), generalized);
    for (name, reason) in &evaluation.failed {
        lines.add(name, "(failed)", |_| None, None, reason);
    }
    for path in &evaluation.unmatched {
        lines.add(&path.display().to_string(), "(unmatched)", |_| None, None, "no partner of this name");
    }
    Ok(lines.text)
}

struct Lines<'a> {
    evaluation: &'a Evaluation,
    metrics: Vec<Metric>,
    text: String,
}

impl<'a> Lines<'a> {
    fn new(evaluation: &'a Evaluation) -> Self {
        let metrics = evaluation.metrics();
        let names = metrics.iter().map(|metric| metric.key());
        let names: Vec<_> =
            ["case", "class"].into_iter().chain(names).chain(["TP", "FP", "FN", "TN", "remark"]).collect();
        Self { evaluation, text: names.join(",") + "\n", metrics }
    }

    /// A line for every class, and for all of them.
    fn add_classes(
        &mut self,
        case: &str,
        value: impl Fn(Metric, usize) -> Option<f64>,
        counts: impl Fn(usize) -> Option<Counts>,
        generalized: f64,
    ) {
        let evaluation = self.evaluation;
        let classes = 0..evaluation.classes.len();
        for (index, class) in evaluation.classes.iter().enumerate() {
            self.add(case, &class.name, |metric| value(metric, index), counts(index), "");
        }
        if evaluation.classes.len() > 1 {
            let of_all = |metric| classes.clone().map(|class| value(metric, class)).collect::<Option<Vec<_>>>();
            self.add(case, "(mean)", |metric| Some(Mean::of(of_all(metric)?).value), None, "");
            self.add(case, "(generalised)", |metric| (metric == Metric::Dice).then_some(generalized), None, "");
        }
    }

    fn add(
        &mut self,
        case: &str,
        class: &str,
        value: impl Fn(Metric) -> Option<f64>,
        counts: Option<Counts>,
        remark: &str,
    ) {
        let values = self.metrics.iter().map(|&metric| value(metric).map_or(String::new(), number));
        let counts = match counts {
            Some(counts) => {
                [counts.true_positives, counts.false_positives, counts.false_negatives, counts.true_negatives]
                    .map(|count| count.to_string())
            }
            None => [const { String::new() }; 4],
        };
        let names = [case, class].map(quoted);
        let fields: Vec<_> = names.into_iter().chain(values).chain(counts).chain([quoted(remark)]).collect();
        self.text += &(fields.join(",") + "\n");
    }
}

fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "nan".to_owned(),
        value => value.to_string(),
    }
}

/// As RFC 4180 has it, in one line, and without what would move the cursor of who prints it.
fn quoted(text: &str) -> String {
    let text = plain(text);
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
