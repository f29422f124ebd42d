//! A box plot of a measure, a row for every class.
//!
//! Places along the axis are percentages of the width, so that a plot fits any screen while its text keeps its size.

use crate::eval::summary::Evaluation;

use super::axis::Axis;
use super::escape::{escape, name};
use super::measure::Measure;
use super::spread::Spread;

/// The height of a row in pixels: the box above, the points below.
const HEIGHT: usize = 44;
const BOX: std::ops::Range<usize> = 3..17;
const POINTS: std::ops::Range<usize> = 24..41;

/// The golden ratio's multiples spread evenly, however many there are.
const GOLDEN: f64 = 0.618_033_988_749_895;

pub(super) fn boxplot(evaluation: &Evaluation, measure: &Measure, worst: &[usize]) -> String {
    let classes: Vec<_> = (0..evaluation.classes.len()).map(|class| measure.of_class(evaluation, class)).collect();
    let values = classes.iter().flatten().copied();
    let axis = if measure.metric.is_distance() { Axis::from_zero(values) } else { Axis::up_to_one(values) };
    let plot = Plot { evaluation, measure, worst, axis };
    let rows: String = classes.iter().enumerate().map(|(class, values)| plot.row(class, values)).collect();
    let unit = if measure.unit.is_empty() { String::new() } else { format!(", {}", measure.unit) };
    format!(
        "<figure class=\"plot\">\n<figcaption><b>{}</b>{unit}<small>{}</small></figcaption>\n{rows}{}</figure>\n",
        measure.metric.name(),
        measure.meaning(),
        plot.scale()
    )
}

struct Plot<'a> {
    evaluation: &'a Evaluation,
    measure: &'a Measure,
    /// Indices of cases, drawn as rings.
    worst: &'a [usize],
    axis: Axis,
}

impl Plot<'_> {
    fn row(&self, class: usize, values: &[f64]) -> String {
        let class = &self.evaluation.classes[class].name;
        let spread = Spread::of(values);
        let about = self.about(values, spread);
        let grid: String =
            self.axis.ticks().iter().map(|(tick, _)| line("grid", self.place(*tick), 0..HEIGHT)).collect();
        let drawn = spread.map_or(String::new(), |spread| self.draw(spread));
        // The worst are drawn last, so that they lie above the others.
        let (worst, others): (Vec<_>, Vec<_>) = (0..values.len()).partition(|case| self.worst.contains(case));
        let points: String = others.into_iter().chain(worst).map(|case| self.point(case, values[case])).collect();
        format!(
            "<div class=\"row\"><span>{}</span> <small>{about}</small></div>\n\
             <svg width=\"100%\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{}: {about}\">\
             {grid}{drawn}{points}</svg>\n",
            name(class),
            escape(class)
        )
    }

    /// What a row shows, in words.
    fn about(&self, values: &[f64], spread: Option<Spread>) -> String {
        let count = |is: fn(f64) -> bool| values.iter().filter(|value| is(**value)).count();
        let (finite, infinite, undefined) = (count(f64::is_finite), count(f64::is_infinite), count(f64::is_nan));
        let mut parts = vec![];
        if let Some(Spread { quartiles, .. }) = spread {
            let [lower, median, upper] = quartiles.map(|quartile| self.measure.text(quartile));
            let range = if finite > 1 { format!(" ({lower} to {upper})") } else { String::new() };
            parts.push(format!("median {median}{range}"));
        }
        parts.push(format!("n = {finite}"));
        if infinite > 0 {
            parts.push(format!("{infinite} ∞"));
        }
        if undefined > 0 {
            parts.push(format!("{undefined} NaN"));
        }
        parts.join(" · ")
    }

    /// Whiskers, box and median.
    fn draw(&self, spread: Spread) -> String {
        let [lower, median, upper] = spread.quartiles.map(|value| self.place(value));
        let [lowest, highest] = spread.whiskers.map(|value| self.place(value));
        let middle = usize::midpoint(BOX.start, BOX.end);
        let across = |from: &str, to: &str| {
            format!("<line class=\"whisker\" x1=\"{from}\" x2=\"{to}\" y1=\"{middle}\" y2=\"{middle}\"/>")
        };
        let end = |place: &str| line("whisker", place.to_owned(), BOX.start + 3..BOX.end - 3);
        let [from, _, to] = spread.quartiles.map(|value| self.axis.place(value));
        let (top, height, width) = (BOX.start, BOX.len(), percent(to - from));
        [
            across(&lowest, &lower),
            across(&upper, &highest),
            end(&lowest),
            end(&highest),
            format!("<rect class=\"box\" x=\"{lower}\" width=\"{width}\" y=\"{top}\" height=\"{height}\"/>"),
            line("median", median, BOX.start - 2..BOX.end + 2),
        ]
        .concat()
    }

    fn point(&self, case: usize, value: f64) -> String {
        if value.is_nan() {
            return String::new();
        }
        let down = (case as f64 * GOLDEN).fract() * POINTS.len() as f64 + POINTS.start as f64;
        let (is_worst, radius) =
            (self.worst.contains(&case), if self.evaluation.cases.len() > 200 { 2.0 } else { 2.75 });
        let class = if is_worst { " class=\"worst\"" } else { "" };
        format!(
            "<circle{class} cx=\"{}\" cy=\"{down:.1}\" r=\"{radius}\" data-case=\"{case}\">\
             <title>{}: {}</title></circle>",
            self.place(value),
            escape(&self.evaluation.cases[case].name),
            self.measure.text(value)
        )
    }

    fn scale(&self) -> String {
        let label = |(tick, label): (f64, String)| {
            let place = self.place(tick);
            format!("{}<text x=\"{place}\" y=\"18\">{label}</text>", line("tick", place.clone(), 0..5))
        };
        let labels: String = self.axis.ticks().into_iter().map(label).collect();
        let end = self.axis.ticks().into_iter().rfind(|(tick, _)| tick.is_finite()).map_or(0.0, |(tick, _)| tick);
        format!(
            "<svg class=\"scale\" width=\"100%\" height=\"24\" aria-hidden=\"true\">\
             <line class=\"tick\" x1=\"0%\" x2=\"{}\" y1=\"0\" y2=\"0\"/>{labels}</svg>\n",
            self.place(end)
        )
    }

    fn place(&self, value: f64) -> String {
        percent(self.axis.place(value))
    }
}

fn percent(share: f64) -> String {
    format!("{share:.2}%")
}

fn line(class: &str, x: String, y: std::ops::Range<usize>) -> String {
    let (top, bottom) = (y.start, y.end);
    format!("<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"{top}\" y2=\"{bottom}\"/>")
}

#[cfg(test)]
mod tests {
    use super::super::measure::Spacing;
    use super::super::sample;
    use super::*;
    use crate::eval::metric::Metric;

    fn plot(cases: usize, metric: Metric) -> String {
        let evaluation = sample::evaluation(cases);
        boxplot(&evaluation, &Measure::new(metric, Spacing::All), &evaluation.worst())
    }

    #[test]
    fn every_defined_case_is_a_point_with_its_name() {
        let evaluation = sample::evaluation(40);
        let dice = Measure::new(Metric::Dice, Spacing::All);
        let values = (0..3).flat_map(|class| dice.of_class(&evaluation, class));
        let plot = plot(40, Metric::Dice);
        assert_eq!(plot.matches("<circle").count(), values.filter(|dice| !dice.is_nan()).count());
        assert_eq!(plot.matches("<circle").count(), plot.matches("<title>").count());
        assert_eq!(plot.matches("class=\"box\"").count(), 3);
        assert!(plot.contains("<title>case_002: 0."), "{plot}");
    }

    #[test]
    fn of_one_case_and_of_a_thousand() {
        assert_eq!(plot(1, Metric::Dice).matches("class=\"median\"").count(), 3);
        let many = plot(1000, Metric::Hausdorff95);
        assert!(many.contains("r=\"2\"") && many.contains(">∞</text>"));
        assert!(!many.contains("NaN%") && !many.contains("inf%"));
    }
}
