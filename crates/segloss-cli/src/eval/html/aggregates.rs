//! The table of classes and measures over all cases.

use crate::eval::case::Class;
use crate::eval::summary::{Evaluation, Mean};

use super::escape::name;
use super::measure::Measure;

/// The mean of a measure over all cases, of every class.
pub(super) fn means(evaluation: &Evaluation, measure: &Measure) -> Vec<Mean> {
    (0..evaluation.classes.len()).map(|class| Mean::of(measure.of_class(evaluation, class))).collect()
}

/// A measure of the voxels of all cases together, of every class; `None` of what only a case has.
pub(super) fn pooled(evaluation: &Evaluation, measure: &Measure) -> Option<Vec<f64>> {
    (0..evaluation.classes.len()).map(|class| evaluation.of_pool(measure.metric, class)).collect()
}

/// The mean over the classes for which there is a number, but for the background.
pub(super) fn foreground(evaluation: &Evaluation, classes: impl IntoIterator<Item = f64>) -> f64 {
    let of_class = classes.into_iter().zip(evaluation.foreground());
    Mean::of(of_class.filter(|(_, is_foreground)| *is_foreground).map(|(value, _)| value)).value
}

pub(super) fn aggregates(evaluation: &Evaluation, measures: &[Measure]) -> String {
    let heads: String = measures.iter().map(|measure| format!("<th scope=\"col\">{}</th>", measure.head())).collect();
    let classes = evaluation.classes.len();
    let (mut of_cases, mut of_voxels) = (vec![String::new(); classes + 1], vec![String::new(); classes + 1]);
    for measure in measures {
        column(&mut of_cases, mean_cells(evaluation, measure));
        column(&mut of_voxels, pooled_cells(evaluation, measure));
    }
    let (columns, count) = (measures.len() + 1, evaluation.cases.len());
    let body = |title: &str, cells: Vec<String>| {
        let rows: String = cells.iter().enumerate().map(|(row, cells)| line(evaluation, row, cells)).collect();
        format!(
            "<tbody>\n<tr class=\"group\">\
             <th colspan=\"{columns}\" scope=\"rowgroup\">{title}</th></tr>\n{rows}</tbody>\n"
        )
    };
    format!(
        "<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"summary\">\n<table class=\"numbers\">\n\
         <thead><tr><th scope=\"col\">Class</th>{heads}</tr></thead>\n{}{}</table>\n</div>\n\
         <p class=\"note\">A mean leaves out the cases for which the number is not defined (NaN); how many stands \
         below it. Where one case is infinite (∞), so is the mean. The foreground is the mean of the classes above it \
         but for the background, without those that are NaN.</p>\n</section>\n",
        body(&format!("Mean over cases <small>of {count}</small>"), of_cases),
        body("Pooled over all voxels", of_voxels)
    )
}

fn column(rows: &mut [String], cells: Vec<String>) {
    rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push_str(&cell));
}

/// A cell for every class, and one for all.
fn mean_cells(evaluation: &Evaluation, measure: &Measure) -> Vec<String> {
    let means = means(evaluation, measure);
    let cell = |(class, mean): (usize, &Mean)| {
        let infinite = measure.of_class(evaluation, class).into_iter().filter(|value| value.is_infinite()).count();
        let mut parts = vec![];
        if mean.left_out > 0 {
            parts.push(format!(
                "<small title=\"{}\">{} NaN</small>",
                measure.undefined(evaluation.empty),
                mean.left_out
            ));
        }
        if infinite > 0 {
            parts.push(format!("<small title=\"{}\">{infinite} ∞</small>", super::measure::INFINITE));
        }
        let cell = measure.cell(mean.value, evaluation.empty);
        cell.strip_suffix("</td>").map_or(cell.clone(), |cell| format!("{cell}{}</td>", parts.concat()))
    };
    let foreground = foreground(evaluation, means.iter().map(|mean| mean.value));
    means.iter().enumerate().map(cell).chain([measure.cell(foreground, evaluation.empty)]).collect()
}

fn pooled_cells(evaluation: &Evaluation, measure: &Measure) -> Vec<String> {
    match pooled(evaluation, measure) {
        Some(classes) => {
            let all = foreground(evaluation, classes.iter().copied());
            classes.into_iter().chain([all]).map(|value| measure.cell(value, evaluation.empty)).collect()
        }
        None => {
            vec!["<td class=\"none\" title=\"only a case has it\">–</td>".to_owned(); evaluation.classes.len() + 1]
        }
    }
}

fn line(evaluation: &Evaluation, row: usize, cells: &str) -> String {
    match evaluation.classes.get(row) {
        Some(class) => format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", title(class)),
        // Of one class, it would be that class again.
        None if row < 2 => String::new(),
        None => format!("<tr class=\"foreground\"><th scope=\"row\">foreground</th>{cells}</tr>\n"),
    }
}

/// The name, and the labels where the name does not say them.
fn title(class: &Class) -> String {
    let key = class.key();
    let numbers = key.trim_matches(['(', ')']);
    let labels = match class.labels.len() {
        _ if class.name == key => String::new(),
        1 => format!(" <small>label {numbers}</small>"),
        _ => format!(" <small>labels {numbers}</small>"),
    };
    name(&class.name) + &labels
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::eval::metric::Metric;

    #[test]
    fn both_aggregations_and_the_foreground_are_shown() {
        let evaluation = sample::evaluation(40);
        let measures = Measure::all(&evaluation);
        let table = aggregates(&evaluation, &measures);
        assert_eq!(table.matches("<tr class=\"group\">").count(), 2);
        assert_eq!(table.matches(">foreground</th>").count(), 2);
        let dice = measures[0];
        let mean = evaluation.mean(Metric::Dice, 1);
        assert!(mean.left_out > 0);
        assert!(
            table.contains(&format!(">{}<small", dice.text(mean.value)))
                && table.contains(&format!("{} NaN<", mean.left_out))
        );
        assert!(table.contains(&format!("<td>{}</td>", dice.text(evaluation.pooled(2).dice()))));
    }

    #[test]
    fn the_background_is_no_foreground() {
        let mut evaluation = sample::evaluation(4);
        evaluation.classes[1] = Class::of_label("0", 0);
        assert_eq!(foreground(&evaluation, [0.5, 100.0, 0.25]), 0.375);
    }

    #[test]
    fn of_one_class_there_is_no_foreground() {
        let mut evaluation = sample::evaluation(4);
        evaluation.classes.truncate(1);
        assert!(!aggregates(&evaluation, &Measure::all(&evaluation)).contains(">foreground<"));
    }
}
