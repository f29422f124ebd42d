//! The evaluation as a page for the browser.
//!
//! One file that loads nothing: style, script and pictures are in it, and its policy forbids the browser the rest.
//! Whatever comes from files, such as their names, goes through [`escape`].

mod aggregates;
mod axis;
mod boxplot;
#[cfg(test)]
mod browser;
mod cases;
mod escape;
mod gallery;
mod masthead;
mod measure;
mod palette;
mod picture;
mod problems;
#[cfg(test)]
mod sample;
mod spread;

use super::metric::Metric;
use super::summary::Evaluation;

use escape::escape;
use measure::Measure;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The whole page.
pub(crate) fn html(evaluation: &Evaluation) -> String {
    let measures = Measure::all(evaluation);
    let worst = evaluation.worst();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <title>Segmentation report: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}{}{}</main>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        escape(&evaluation.prediction.display().to_string()),
        masthead::masthead(evaluation, &measures),
        problems::problems(evaluation),
        if evaluation.cases.is_empty() {
            "<p>No case was scored.</p>\n".to_owned()
        } else {
            scores(evaluation, &measures, &worst)
        },
    )
}

fn scores(evaluation: &Evaluation, measures: &[Measure], worst: &[usize]) -> String {
    [
        aggregates::aggregates(evaluation, measures),
        distributions(evaluation, measures, worst),
        gallery::gallery(evaluation, worst),
        cases::cases(evaluation, measures, worst),
    ]
    .concat()
}

/// Dice, and what was measured of surfaces.
fn distributions(evaluation: &Evaluation, measures: &[Measure], worst: &[usize]) -> String {
    let is_plotted = |measure: &&Measure| measure.metric == Metric::Dice || Metric::SURFACE.contains(&measure.metric);
    // One in ten of a thousand cases would be more rings than anyone can tell apart.
    let ringed = &worst[..worst.len().min(gallery::PICTURES)];
    let plots: String =
        measures.iter().filter(is_plotted).map(|measure| boxplot::boxplot(evaluation, measure, ringed)).collect();
    let rings = if worst.is_empty() { "" } else { " Rings are the worst cases, by their mean Dice." };
    format!(
        "<section aria-labelledby=\"distributions\">\n<h2 id=\"distributions\">Distribution over cases</h2>\n\
         <p>Every point is a case; its name shows under the pointer.{rings}</p>\n<div class=\"plots\">\n{plots}</div>\n\
         <p class=\"note\">A box spans the quartiles of the finite numbers, with the median in it; its whiskers reach \
         the furthest cases within 1.5 interquartile ranges.</p>\n</section>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded() {
        let page = html(&sample::evaluation(40)).to_lowercase();
        for address in ["http:", "https:", "//cdn", "url(", "@import", "<link", " src=\"/", "<iframe"] {
            assert!(!page.contains(address), "{address}");
        }
    }

    #[test]
    fn names_are_text_wherever_they_stand() {
        let page = html(&sample::evaluation(40));
        assert!(page.contains(&escape(sample::HOSTILE)));
        assert!(!page.contains(sample::HOSTILE) && !page.contains("<img src=x"));
        // That of the values and that of the page.
        assert_eq!(page.matches("<script").count(), 2);
        assert_eq!(page.matches("</script").count(), 2);
    }

    #[test]
    fn of_any_number_of_cases() {
        for cases in [0, 1, 2, 1000] {
            let page = html(&sample::evaluation(cases));
            assert!(page.ends_with("</html>\n"));
            assert_eq!(page.matches("<tr id=\"case-").count(), cases);
            assert!(!page.contains(">inf<") && !page.contains(">-0"));
        }
    }

    #[test]
    fn without_surfaces_there_is_one_plot() {
        let mut evaluation = sample::evaluation(10);
        let scores = evaluation.cases.iter_mut().flat_map(|case| &mut case.scores);
        scores.for_each(|score| score.surface = None);
        assert_eq!(html(&evaluation).matches("<figure class=\"plot\">").count(), 1);
    }
}
