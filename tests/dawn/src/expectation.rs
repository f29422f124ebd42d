//! What the reference expects to find in a case's buffers, within the tolerances of the tests in `tests/gpu`.

use segloss::{Batch, Error, LogitsFormat, Loss, Plan, Statistic, reference};
use serde::Serialize;

use crate::arrangement::Arranged;
use crate::data;

/// The label of the library's buffer that the host reads: the front of the scratch memory.
const RESULT: &str = "segloss result";

/// Numbers in a buffer. A number is what is wanted if it is no further from it than `absolute` and the larger of `relative` times
/// what is wanted and `least`.
#[derive(Serialize)]
struct Numbers {
    what: String,
    buffer: &'static str,
    format: &'static str,
    /// The bytes at which the words of each number lie: the number is their sum. Empty where numbers follow one another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    at: Vec<Vec<u64>>,
    /// Otherwise the first number's.
    begin: u64,
    /// NaN, which JSON has no number for, is written as null.
    want: Vec<f64>,
    absolute: f64,
    relative: f64,
    least: f64,
}

/// What nothing may have been written to: a buffer but for a range of its bytes.
#[derive(Serialize)]
struct Untouched {
    buffer: &'static str,
    begin: u64,
    end: u64,
}

/// What is expected of a case.
#[derive(Serialize)]
pub(crate) struct Expectation {
    numbers: Vec<Numbers>,
    /// Which of `numbers` is the gradient, and the byte of the result at which its largest magnitude lies, to the bit.
    peak: Option<(usize, u64)>,
    untouched: Vec<Untouched>,
}

impl Numbers {
    fn new(what: &str, format: &'static str, begin: u64, want: Vec<f64>) -> Self {
        let what = what.to_owned();
        let (absolute, relative, least) = (0.0, 0.0, 0.0);
        Self { what, buffer: RESULT, format, at: vec![], begin, want, absolute, relative, least }
    }
}

/// What the reference says of a loss and a batch that were planned and arranged like this.
pub(crate) fn expectation(loss: &Loss, batch: &Batch, plan: &Plan, arranged: &Arranged) -> Expectation {
    let mut numbers = vec![];
    let mut peak = None;
    let (bad, found) = match reference::evaluate(loss, batch) {
        Ok(found) => (Default::default(), Some(found)),
        Err(Error::BadValues(bad)) => (bad, None),
        Err(error) => panic!("the reference refuses a case: {error}"),
    };
    let counted = [bad.logits + bad.predicted_labels, bad.targets + bad.labels, bad.mask, bad.voxel_weights];
    let counted = counted.map(f64::from).to_vec();
    numbers.push(Numbers::new("the counts of bad values", "u32", plan.counters_range().start, counted));
    if let Some(found) = &found {
        numbers.push(value(loss, plan, found));
        numbers.extend(sums(loss, plan, found));
        if let Some(map) = &found.voxel_map {
            numbers.push(output("the voxel map", "f32", map, arranged, |numbers| {
                (numbers.relative, numbers.absolute) = (1e-6, f64::from(f32::MIN_POSITIVE));
            }));
        }
        if let Some(want) = &found.gradient {
            peak = Some((numbers.len(), plan.peak_range().start));
            numbers.push(gradient(loss, batch, found, want, arranged));
        }
    }
    let written = arranged.output();
    let untouched = |buffer| match written {
        Some((label, place)) if label == buffer => {
            Untouched { buffer, begin: place.begin, end: place.begin + place.length }
        }
        _ => Untouched { buffer, begin: 0, end: 0 },
    };
    Expectation { numbers, peak, untouched: arranged.labels().map(untouched).collect() }
}

fn value(loss: &Loss, plan: &Plan, found: &reference::Evaluation) -> Numbers {
    // Both bounds that the tests have: of the terms, and of what is made of them.
    let weighted = loss.terms.iter().zip(&found.terms).map(|(term, value)| (term.weight * value).abs());
    let magnitude = found.terms.iter().map(|value| value.abs()).sum::<f64>().min(weighted.sum());
    let mut numbers = Numbers::new("the value", "f32", plan.value_range().start, vec![found.value]);
    numbers.absolute = if magnitude.is_finite() { 1e-6 * magnitude.max(1.0) } else { 1e-6 };
    numbers
}

/// Three sums and a count of every row and statistic.
fn sums(loss: &Loss, plan: &Plan, found: &reference::Evaluation) -> Vec<Numbers> {
    let (begin, statistics) = (plan.sums_range().start, loss.statistics());
    let mut numbers = vec![];
    for (index, (statistic, rows)) in statistics.iter().zip(&found.sums).enumerate() {
        let place = |row: usize| begin + 16 * (row * statistics.len() + index) as u64;
        let format = if statistic.is_count() { "u32" } else { "f32" };
        // Those of I, P − I and T − I, of which P and T are made.
        let has_excess = matches!(statistic, Statistic::Overlap { squared: false, .. } | Statistic::HardOverlap { .. });
        let words = |row: usize, sum: u64| match sum {
            1 | 2 if has_excess => vec![place(row), place(row) + 4 * sum],
            _ => vec![place(row) + 4 * sum],
        };
        let want = rows.iter().flat_map(|sums| sums.values).collect();
        let at = (0..rows.len()).flat_map(|row| [0, 1, 2].map(|sum| words(row, sum))).collect();
        let (absolute, relative) = if statistic.is_count() { (0.0, 0.0) } else { (f64::from(f32::MIN_POSITIVE), 1e-6) };
        let what = format!("the sums of statistic {index}");
        numbers.push(Numbers { at, absolute, relative, ..Numbers::new(&what, format, begin, want) });
        let counts = rows.iter().map(|sums| sums.count as f64).collect();
        let at = (0..rows.len()).map(|row| vec![place(row) + 12]).collect();
        numbers.push(Numbers { at, ..Numbers::new("the counts of voxels", "u32", begin, counts) });
    }
    numbers
}

fn gradient(loss: &Loss, batch: &Batch, found: &reference::Evaluation, want: &[f64], arranged: &Arranged) -> Numbers {
    let scale = want.iter().fold(0.01 * data::summands(loss, batch, found), |peak, g| peak.max(g.abs()));
    // Half a unit in the last place; below 2^-14 an f16 has steps of 2^-24.
    let (format, relative, least) = match batch.problem().logits {
        LogitsFormat::F16 => ("f16", 2_f64.powi(-11), 2_f64.powi(-25)),
        LogitsFormat::Bf16 => ("bf16", 2_f64.powi(-8), 0.0),
        _ => ("f32", 0.0, 0.0),
    };
    output("the gradient", format, want, arranged, |numbers| {
        (numbers.absolute, numbers.relative, numbers.least) = (1e-5 * scale, relative, least);
    })
}

fn output(
    what: &str,
    format: &'static str,
    want: &[f64],
    arranged: &Arranged,
    tolerate: impl FnOnce(&mut Numbers),
) -> Numbers {
    let (buffer, place) = arranged.output().expect("what is written has a place");
    let mut numbers = Numbers { buffer, ..Numbers::new(what, format, place.begin, want.to_vec()) };
    tolerate(&mut numbers);
    numbers
}
