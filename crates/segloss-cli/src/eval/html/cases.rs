//! The table of all cases.
//!
//! It is written with the first measure; the others are numbers in JSON, with which the script fills its cells.

use serde_json::{Value, json};

use crate::eval::summary::Evaluation;

use super::escape::{escape, name};
use super::gallery;
use super::measure::{INFINITE, Measure};

pub(super) fn cases(evaluation: &Evaluation, measures: &[Measure], worst: &[usize]) -> String {
    let Some(first) = measures.first() else { return String::new() };
    let classes = evaluation.classes.iter().map(|class| name(&class.name));
    let mean = has_mean(evaluation).then(|| "mean of classes".to_owned());
    let heads: String = classes.chain(mean).map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let pictured = gallery::shown(evaluation, worst);
    let row = |index| row(evaluation, first, index, Place::of(index, &pictured, worst));
    let rows: String = (0..evaluation.cases.len()).map(row).collect();
    let options: String = measures.iter().map(option).collect();
    format!(
        "<section aria-labelledby=\"all\">\n<h2 id=\"all\">All cases</h2>\n\
         <form class=\"controls\" id=\"controls\" hidden>\n\
         <label>Metric <select id=\"metric\">{options}</select></label>\n\
         <label>Name contains <input id=\"filter\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>\n\
         <output id=\"count\" for=\"filter\"></output>\n</form>\n\
         <p class=\"note\" id=\"meaning\">{}</p>\n\
         <div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-labelledby=\"all\">\n\
         <table class=\"numbers\" id=\"cases\">\n<thead><tr><th scope=\"col\">Case</th>{heads}</tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n</div>\n</section>\n\
         <script type=\"application/json\" id=\"values\">{}</script>\n",
        caption(first),
        values(evaluation, measures)
    )
}

/// Of one class, the mean would be that class again.
fn has_mean(evaluation: &Evaluation) -> bool {
    evaluation.classes.len() > 1
}

fn option(measure: &Measure) -> String {
    let name = measure.metric.name();
    format!("<option value=\"{name}\">{name}</option>")
}

fn caption(measure: &Measure) -> String {
    let unit = if measure.unit.is_empty() { String::new() } else { format!(", in {}", measure.unit) };
    format!("{}: {}{unit}", measure.metric.name(), measure.meaning())
}

/// Where a case stands among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Among the worst, with a picture.
    Pictured,
    Worst,
    Other,
}

impl Place {
    fn of(index: usize, pictured: &[usize], worst: &[usize]) -> Self {
        match index {
            _ if pictured.contains(&index) => Self::Pictured,
            _ if worst.contains(&index) => Self::Worst,
            _ => Self::Other,
        }
    }
}

fn row(evaluation: &Evaluation, measure: &Measure, index: usize, place: Place) -> String {
    let case = &evaluation.cases[index];
    let numbers: String =
        numbers(evaluation, measure, index).into_iter().map(|value| measure.cell(value, evaluation.empty)).collect();
    let (class, mark) = match place {
        Place::Pictured => (" class=\"worst\"", format!(" <a class=\"mark\" href=\"#worst-{index}\">worst</a>")),
        Place::Worst => (" class=\"worst\"", " <span class=\"mark\">worst</span>".to_owned()),
        Place::Other => ("", String::new()),
    };
    let files = escape(&format!("{} against {}", case.prediction.display(), case.truth.display()));
    let name = name(&case.name);
    format!("<tr id=\"case-{index}\"{class}><th scope=\"row\" title=\"{files}\">{name}{mark}</th>{numbers}</tr>\n")
}

/// Of every class, then their mean.
fn numbers(evaluation: &Evaluation, measure: &Measure, index: usize) -> Vec<f64> {
    let case = &evaluation.cases[index];
    let classes = (0..evaluation.classes.len()).map(|class| measure.of(evaluation, case, class));
    classes.chain(has_mean(evaluation).then(|| measure.over_classes(evaluation, case))).collect()
}

/// No `<` is left in it, so that nothing ends the script that it lies in.
fn values(evaluation: &Evaluation, measures: &[Measure]) -> String {
    let rows = |measure: &Measure| -> Vec<Vec<Value>> {
        let row = |index| numbers(evaluation, measure, index).into_iter().map(number).collect();
        (0..evaluation.cases.len()).map(row).collect()
    };
    let measure = |measure: &Measure| {
        json!({
            "name": measure.metric.name(),
            "caption": caption(measure),
            "digits": measure.digits,
            "undefined": measure.undefined(evaluation.empty),
            "rows": rows(measure),
        })
    };
    let measures: Vec<_> = measures.iter().map(measure).collect();
    json!({ "infinite": INFINITE, "measures": measures }).to_string().replace('<', "\\u003c")
}

/// JSON has neither NaN, here null, nor ∞, here a string. Six digits are more than are shown.
fn number(value: f64) -> Value {
    if value.is_infinite() { json!("∞") } else { json!((value * 1e6).round() / 1e6) }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_case_is_a_row_and_every_class_a_column() {
        let evaluation = sample::evaluation(40);
        let table = cases(&evaluation, &Measure::all(&evaluation), &evaluation.worst());
        assert_eq!(table.matches("<tr id=\"case-").count(), 40);
        assert_eq!(table.matches("<td").count(), 40 * 4);
        assert_eq!(table.matches(">worst</a>").count(), 4);
        assert_eq!(table.matches("<option").count(), 11);
    }

    #[test]
    fn the_numbers_of_the_script_are_json() {
        let evaluation = sample::evaluation(40);
        let text = values(&evaluation, &Measure::all(&evaluation));
        assert!(!text.contains('<'));
        let values: Value = serde_json::from_str(&text).unwrap();
        let dice = &values["measures"][0];
        assert_eq!((&dice["name"], &dice["digits"]), (&json!("Dice"), &json!(4)));
        assert_eq!(dice["rows"].as_array().unwrap().len(), 40);
        assert!(text.contains("null") && text.contains("\"∞\""));
    }

    #[test]
    fn without_measures_there_is_no_table() {
        assert_eq!(cases(&sample::evaluation(0), &[], &[]), "");
    }
}
