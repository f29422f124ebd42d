//! Where the worst cases disagree most.

use crate::eval::case::{Agreement, Case, Slice};
use crate::eval::metric::Metric;
use crate::eval::summary::Evaluation;

use super::escape::{escape, name};
use super::measure::{Measure, Spacing};
use super::palette::{self, AGREEMENTS};
use super::picture::Window;

/// Pictures at most.
pub(super) const PICTURES: usize = 12;

/// Classes of a caption at most.
const CLASSES: usize = 8;

/// The cases that have a picture.
pub(super) fn shown(evaluation: &Evaluation, worst: &[usize]) -> Vec<usize> {
    let has_picture =
        |case: &usize| evaluation.cases[*case].slice.as_ref().is_some_and(|slice| Window::of(slice).is_some());
    worst.iter().copied().filter(has_picture).take(PICTURES).collect()
}

/// Nothing without worst cases.
pub(super) fn gallery(evaluation: &Evaluation, worst: &[usize]) -> String {
    let shown = shown(evaluation, worst);
    if shown.is_empty() {
        return String::new();
    }
    let figures: String = shown.iter().filter_map(|case| figure(evaluation, *case)).collect();
    format!(
        "<section aria-labelledby=\"worst\">\n<h2 id=\"worst\">Worst cases</h2>\n\
         <p>The {} with the lowest mean Dice, each in the slice with most voxels in one mask only, cut to where there \
         is any mask. Slices, columns and rows count from 0.</p>\n\
         {}<div class=\"gallery\">\n{figures}</div>\n</section>\n",
        if shown.len() == 1 { "case".to_owned() } else { format!("{} cases", shown.len()) },
        palette::legend()
    )
}

fn figure(evaluation: &Evaluation, index: usize) -> Option<String> {
    let case = &evaluation.cases[index];
    let slice = case.slice.as_ref()?;
    let window = Window::of(slice)?;
    let [width, height] = window.size(slice);
    let dice = Measure::new(Metric::Dice, Spacing::of(evaluation));
    Some(format!(
        "<figure id=\"worst-{index}\">\n<div class=\"frame\" style=\"background:{}\">\
         <img src=\"{}\" style=\"width:{:.2}%;aspect-ratio:{width}/{height}\" alt=\"{}\"></div>\n\
         <figcaption><p><a href=\"#case-{index}\">{}</a> <span><small>mean Dice</small> {}</span></p>\n\
         <small>{}</small>\n{}</figcaption>\n</figure>\n",
        palette::hexadecimal(Agreement::Neither),
        window.uri(slice)?,
        100.0 * width / width.max(height),
        escape(&described(case, slice, &window)),
        name(&case.name),
        dice.text(dice.over_classes(evaluation, case)),
        place(slice, &window),
        scores(evaluation, case, &dice)
    ))
}

fn place(slice: &Slice, window: &Window) -> String {
    let Window { columns, rows } = window;
    format!(
        "{}Axis {}, slice {} · columns {} to {}, rows {} to {} of {} × {}",
        slice.volume.map_or(String::new(), |volume| format!("Volume {volume}, ")),
        slice.axis,
        slice.index,
        columns.start,
        columns.end - 1,
        rows.start,
        rows.end - 1,
        slice.width,
        slice.height
    )
}

/// For who does not see the picture.
fn described(case: &Case, slice: &Slice, window: &Window) -> String {
    let pixels = window.pixels(slice);
    let count = |agreement: &Agreement| {
        let count = pixels.iter().filter(|pixel| *pixel == agreement).count();
        format!("{count} {}", palette::label(*agreement))
    };
    let counts: Vec<_> = AGREEMENTS[1..].iter().map(count).collect();
    format!("{}, axis {}, slice {}. Pixels: {}.", case.name, slice.axis, slice.index, counts.join(", "))
}

/// The Dice of every class, of many only the lowest.
fn scores(evaluation: &Evaluation, case: &Case, dice: &Measure) -> String {
    let mut classes: Vec<_> =
        (0..evaluation.classes.len()).map(|class| (class, dice.of(evaluation, case, class))).collect();
    let rest = classes.len().saturating_sub(CLASSES);
    if rest > 0 {
        classes.sort_by(|a, b| a.1.total_cmp(&b.1));
        classes.truncate(CLASSES);
    }
    let row = |(class, value): &(usize, f64)| {
        let cell = dice.cell(*value, evaluation.empty);
        format!("<tr><th scope=\"row\">{}</th>{cell}</tr>", name(&evaluation.classes[*class].name))
    };
    let rows: String = classes.iter().map(row).collect();
    let rest =
        if rest > 0 { format!("<small>and {rest} classes with a higher Dice or none</small>") } else { String::new() };
    format!("<table><tbody>{rows}</tbody></table>{rest}")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn as_many_pictures_as_worst_cases_up_to_twelve() {
        for (cases, pictures) in [(1, 1), (40, 4), (300, 12)] {
            let evaluation = sample::evaluation(cases);
            let gallery = gallery(&evaluation, &evaluation.worst());
            assert_eq!(gallery.matches("<img").count(), pictures);
            assert_eq!(gallery.matches("alt=\"").count(), pictures);
        }
    }

    #[test]
    fn of_many_classes_the_lowest_are_named() {
        let mut evaluation = sample::evaluation(20);
        for class in 3..30 {
            evaluation.classes.push(crate::eval::case::Class::of_label(format!("class {class}"), class));
            evaluation.cases.iter_mut().for_each(|case| case.scores.push(case.scores[0]));
        }
        assert!(gallery(&evaluation, &evaluation.worst()).contains("and 22 classes with a higher Dice or none"));
    }
}
