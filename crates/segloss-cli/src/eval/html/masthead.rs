//! What was compared, and the numbers that matter most.

use crate::eval::metric::{Empty, Metric};
use crate::eval::summary::Evaluation;

use super::aggregates::{foreground, means, pooled};
use super::escape::name;
use super::measure::{Measure, Spacing};
use super::spread::median;

/// Classes that are named at most.
const CLASSES: usize = 12;

pub(super) fn masthead(evaluation: &Evaluation, measures: &[Measure]) -> String {
    format!(
        "<header>\n<p class=\"tool\">segloss {}</p>\n<h1>Segmentation report</h1>\n\
         <dl class=\"facts\">\n{}</dl>\n{}</header>\n",
        env!("CARGO_PKG_VERSION"),
        facts(evaluation),
        figures(evaluation, measures)
    )
}

fn facts(evaluation: &Evaluation) -> String {
    let path = |path: &std::path::Path| format!("<code>{}</code>", name(&path.display().to_string()));
    let mut facts = vec![
        ("Prediction", path(&evaluation.prediction)),
        ("Truth", path(&evaluation.truth)),
        ("Cases", scored(evaluation)),
        ("Classes", classes(evaluation)),
        ("Units", units(evaluation)),
        ("Empty masks", empty(evaluation.empty).to_owned()),
    ];
    if evaluation.classes.len() > 1 {
        facts.push(("Generalised Dice", format!("{:.4}, the mean over cases", evaluation.generalized_dice().value)));
    }
    if let Some((definition, tolerance)) = evaluation.surfaces {
        let unit = if Spacing::of(evaluation) == Spacing::All { "mm" } else { "voxels" };
        facts.push((
            "Surfaces",
            format!("as {definition} defines them; NSD within {} {unit}", segloss_files::number(tolerance)),
        ));
    }
    facts.into_iter().map(|(term, text)| format!("<dt>{term}</dt><dd>{text}</dd>\n")).collect()
}

fn scored(evaluation: &Evaluation) -> String {
    let count = evaluation.cases.len();
    let failed = match evaluation.failed.len() {
        0 => String::new(),
        failed => format!(", {failed} more failed"),
    };
    format!("{count} scored{failed}")
}

fn classes(evaluation: &Evaluation) -> String {
    let names: Vec<_> = evaluation.classes.iter().take(CLASSES).map(|class| name(&class.name)).collect();
    let count = evaluation.classes.len();
    let more = if count > names.len() { ", …" } else { "" };
    format!("{count}: {}{more}", names.join(", "))
}

fn units(evaluation: &Evaluation) -> String {
    let text = match Spacing::of(evaluation) {
        Spacing::All => "distances in mm; volumes in mm³, of images mm²",
        Spacing::None => "distances and volumes in voxels: the size of a voxel is not known",
        Spacing::Some => {
            "distances in mm, or voxels where a voxel’s size is not known; volumes in mm³, of images mm², where it is"
        }
    };
    text.to_owned()
}

/// What Dice and IoU are of masks that are both empty.
fn empty(empty: Empty) -> &'static str {
    match empty {
        Empty::Nan => "Dice and IoU of two empty masks are NaN and left out of means",
        Empty::NanWithoutTruth => "Dice and IoU are NaN, and left out of means, where the truth is empty",
        Empty::One => "Dice and IoU of two empty masks are 1",
        Empty::Zero => "Dice and IoU of two empty masks are 0",
    }
}

/// The foreground's Dice by both aggregations, and the most telling distance.
fn figures(evaluation: &Evaluation, measures: &[Measure]) -> String {
    if evaluation.cases.is_empty() {
        return String::new();
    }
    let of = |metric| measures.iter().find(|measure| measure.metric == metric);
    let mean = |measure: &Measure| foreground(evaluation, means(evaluation, measure).iter().map(|mean| mean.value));
    let mut figures = vec![];
    if let Some(dice) = of(Metric::Dice) {
        figures.push((dice.text(mean(dice)), "mean Dice over cases"));
        let pooled = pooled(evaluation, dice).map(|pooled| foreground(evaluation, pooled));
        figures.extend(pooled.map(|pooled| (dice.text(pooled), "Dice of all voxels pooled")));
    }
    if let Some(distance) = of(Metric::Hausdorff95) {
        let unit = if distance.unit == "mm" { " <small>mm</small>" } else { "" };
        // Of a class that is missed once, the mean is infinite.
        let values = (0..evaluation.classes.len()).flat_map(|class| distance.of_class(evaluation, class));
        figures.push((distance.text(median(values)) + unit, "median HD95 of cases and classes"));
    }
    let count = evaluation.cases.len();
    figures.push((count.to_string(), if count == 1 { "case" } else { "cases" }));
    let figure = |(number, label)| format!("<div><b>{number}</b><span>{label}</span></div>\n");
    format!("<div class=\"figures\">\n{}</div>\n", figures.into_iter().map(figure).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn folders_counts_and_units_are_named() {
        let evaluation = sample::evaluation(40);
        let masthead = masthead(&evaluation, &Measure::all(&evaluation));
        for text in
            ["predictions &amp; more", "labelsTs", "40 scored, 2 more failed", "3: <bdi>liver", "distances in mm;"]
        {
            assert!(masthead.contains(text), "{text} is not in {masthead}");
        }
        assert!(masthead.contains(concat!("segloss ", env!("CARGO_PKG_VERSION"))));
    }

    #[test]
    fn of_no_case_there_are_no_figures() {
        let evaluation = sample::evaluation(0);
        assert!(!masthead(&evaluation, &Measure::all(&evaluation)).contains("class=\"figures\""));
    }
}
