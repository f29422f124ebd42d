//! Every metric against the numbers of the libraries, which `tests/fixtures/make_fixtures.py` wrote down.

use segloss_surface::{Definition, Grid};
use serde::Deserialize;
use serde_json::Value;

use crate::masks::{Pair, difference};

#[derive(Deserialize)]
struct Fixtures {
    percentiles: Vec<f64>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    dims: Vec<usize>,
    spacing: Vec<f64>,
    tolerances: Vec<f64>,
    prediction: String,
    truth: String,
    monai: Metrics,
    monai_in_double: Option<Metrics>,
    deepmind: Option<Metrics>,
}

/// What a library gives; `null` where it has no such metric.
#[derive(Deserialize)]
struct Metrics {
    hausdorff: Value,
    percentiles: Vec<Value>,
    average_symmetric: Option<Value>,
    average_prediction_to_truth: Value,
    average_truth_to_prediction: Value,
    surface_dice: Option<Vec<Value>>,
}

impl Fixtures {
    fn read() -> Self {
        serde_json::from_str(include_str!("../fixtures/cases.json")).unwrap()
    }
}

impl Case {
    fn pair(&self) -> Pair {
        let mask = |digits: &str| digits.chars().map(|digit| digit == '1').collect();
        Pair {
            name: self.name.clone(),
            grid: Grid::new(&self.dims, &self.spacing).unwrap(),
            prediction: mask(&self.prediction),
            truth: mask(&self.truth),
        }
    }

    /// The largest difference of all metrics from a library's.
    fn difference(&self, definition: Definition, percentiles: &[f64], theirs: &Metrics) -> f64 {
        let ours = self.pair().distances(definition);
        let mut largest = 0.0_f64;
        let mut compare = |what: &str, found: f64, expected: &Value| {
            let difference = difference(found, number(expected));
            assert!(difference.is_finite(), "{}, {what}: {found} is not {expected}", self.name);
            largest = largest.max(difference);
        };
        compare("hausdorff", ours.hausdorff(), &theirs.hausdorff);
        for (&percentile, expected) in percentiles.iter().zip(&theirs.percentiles) {
            compare("percentile", ours.hausdorff_percentile(percentile).unwrap(), expected);
        }
        if let Some(expected) = &theirs.average_symmetric {
            compare("average_symmetric", ours.average_symmetric(), expected);
        }
        compare("prediction to truth", ours.prediction_to_truth().average(), &theirs.average_prediction_to_truth);
        compare("truth to prediction", ours.truth_to_prediction().average(), &theirs.average_truth_to_prediction);
        for (&tolerance, expected) in self.tolerances.iter().zip(theirs.surface_dice.iter().flatten()) {
            compare("surface_dice", ours.surface_dice(tolerance).unwrap(), expected);
        }
        largest
    }
}

/// A number of the fixtures, where NaN and infinity are text.
fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some(text) => text.parse().unwrap(),
        None => value.as_f64().unwrap(),
    }
}

#[test]
fn monai_gives_the_same_to_single_precision() {
    let fixtures = Fixtures::read();
    let mut largest = 0.0_f64;
    for case in &fixtures.cases {
        let difference = case.difference(Definition::Monai, &fixtures.percentiles, &case.monai);
        assert!(difference < 1e-6, "{}: {difference:e}", case.name);
        largest = largest.max(difference);
    }
    println!("largest relative difference from MONAI: {largest:.1e}");
}

#[test]
fn monai_s_edges_give_the_same_in_double_precision() {
    let fixtures = Fixtures::read();
    let mut largest = 0.0_f64;
    for case in &fixtures.cases {
        let Some(theirs) = &case.monai_in_double else { continue };
        let difference = case.difference(Definition::Monai, &fixtures.percentiles, theirs);
        assert!(difference < 1e-12, "{}: {difference:e}", case.name);
        largest = largest.max(difference);
    }
    println!("largest relative difference from MONAI in double precision: {largest:.1e}");
}

#[test]
fn deepmind_s_package_gives_the_same() {
    let fixtures = Fixtures::read();
    let mut largest = 0.0_f64;
    for case in &fixtures.cases {
        let Some(theirs) = &case.deepmind else { continue };
        let difference = case.difference(Definition::DeepMind, &fixtures.percentiles, theirs);
        assert!(difference < 1e-12, "{}: {difference:e}", case.name);
        largest = largest.max(difference);
    }
    println!("largest relative difference from DeepMind's package: {largest:.1e}");
}
