//! Cases of metrics: the counts come from an engine, the metric from the counts.

use segloss::metrics::CountTable;
use segloss::peers::{Metric, MetricRecipe};
use segloss::{Batch, Error, Loss, reference};

use crate::case::Case;
use crate::engine::{Engine, Numbers};
use crate::verdict::compare;

/// Runs a metric's case through every engine. `Err` says which engine failed and how.
pub(crate) fn judge(case: &Case, metric: &MetricRecipe, batch: &Batch, engines: &[Engine]) -> Result<(), String> {
    let mask = metric.mask(batch);
    for engine in engines {
        let numbers = evaluate(metric, batch, mask.as_deref(), engine).map_err(|error| error.to_string());
        numbers.and_then(|numbers| compare(case, &numbers)).map_err(|reason| format!("{}: {reason}", engine.name()))?;
    }
    Ok(())
}

fn evaluate(metric: &MetricRecipe, batch: &Batch, mask: Option<&[f32]>, engine: &Engine) -> Result<Numbers, Error> {
    let batch = mask.map_or(Ok(batch.clone()), |mask| batch.clone().with_mask(mask))?;
    let counts = counts(engine, &metric.counting(batch.problem())?, &batch)?;
    let values = metric.compute(&counts)?;
    Ok(Numbers { shape: values.shape, values: values.values, gradient: None })
}

fn counts(engine: &Engine, loss: &Loss, batch: &Batch) -> Result<CountTable, Error> {
    match engine {
        Engine::Gpu(gpu) => gpu.counts(loss, batch),
        Engine::Reference => reference::counts(loss, batch),
    }
}
