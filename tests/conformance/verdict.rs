//! Whether a case passes.

use serde_json::Value;

use crate::case::Case;
use crate::engine::{Engine, Numbers};
use crate::metric;

/// Runs a case through every engine. `Err` says which engine failed and how.
pub(crate) fn judge(written: &Value, engines: &[Engine]) -> Result<(), String> {
    let case = &Case::parse(written)?;
    let shape = case.shape()?;
    let labels = case.labels()?;
    let batch = case.batch(&shape, labels.as_deref())?;
    // What is neither has failed in both ways, and only one of the reasons is of use.
    let not_a_metric = match case.metric() {
        Ok(metric) => return metric::judge(case, &metric, &batch, engines),
        Err(reason) => reason,
    };
    let recipe = case.recipe().map_err(|reason| format!("{reason}; as a metric: {not_a_metric}"))?;
    for engine in engines {
        let numbers = engine.evaluate(&recipe, &batch).map_err(|error| error.to_string());
        numbers.and_then(|numbers| compare(case, &numbers)).map_err(|reason| format!("{}: {reason}", engine.name()))?;
    }
    Ok(())
}

/// Compares an engine's numbers with the peer's, within the case's tolerances.
pub(crate) fn compare(case: &Case, numbers: &Numbers) -> Result<(), String> {
    if numbers.shape != case.expected_shape || numbers.values.len() != case.expected.len() {
        return Err(format!("the result has the shape {:?}, not {:?}", numbers.shape, case.expected_shape));
    }
    for (index, (&got, expected)) in numbers.values.iter().zip(&case.expected).enumerate() {
        let fine = match expected {
            Some(expected) => (got - expected).abs() <= case.atol + case.rtol * expected.abs(),
            None => got.is_nan(),
        };
        if !fine {
            return Err(format!("value {index} is {got}, not {}", expected.unwrap_or(f64::NAN)));
        }
    }
    match (&case.gradient, &numbers.gradient) {
        (None, _) => Ok(()),
        (Some(expected), Some(got)) if got.len() == expected.len() => compare_gradient(case.rtol, expected, got),
        (Some(_), _) => Err("there is no gradient of the input's shape".to_owned()),
    }
}

fn compare_gradient(rtol: f64, expected: &[f64], got: &[f64]) -> Result<(), String> {
    let scale = percentile_90(expected);
    for (index, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let within = (got - expected).abs() <= 10.0 * rtol * expected.abs() + 1e-5 * scale;
        if !within {
            return Err(format!("gradient[{index}] is {got}, not {expected}"));
        }
    }
    Ok(())
}

/// The magnitude that nine of ten elements do not exceed, interpolated between its neighbours.
fn percentile_90(gradient: &[f64]) -> f64 {
    let mut magnitudes: Vec<f64> = gradient.iter().map(|g| g.abs()).collect();
    magnitudes.sort_by(f64::total_cmp);
    let Some(last) = magnitudes.len().checked_sub(1) else { return 0.0 };
    let place = 0.9 * last as f64;
    let (low, high) = (magnitudes[place.floor() as usize], magnitudes[place.ceil() as usize]);
    low + (high - low) * place.fract()
}
