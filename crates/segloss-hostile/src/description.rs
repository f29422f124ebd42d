//! Descriptions of losses and metrics, as serde reads them.

use arbitrary::{Result, Unstructured};
use ciborium::Value;
use segloss::peers::{Metric, MetricRecipe, Peer, Recipe};
use segloss::{Batch, Labels, Loss, Pool, Problem, Reduction, Shape, reference};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::gpu;
use crate::value::spoil;

/// Reads bytes as JSON, as each kind of description.
pub fn text(bytes: &[u8]) {
    try_all(
        || serde_json::from_slice(bytes).ok(),
        || serde_json::from_slice(bytes).ok(),
        || serde_json::from_slice(bytes).ok(),
    );
}

/// Takes a sound description, spoils it in a few places, and reads what came of it. It need not be JSON: numbers may be none.
pub fn description(bytes: &[u8]) {
    // What the bytes do not suffice for is not tried.
    let _ = spoiled(&mut Unstructured::new(bytes));
}

fn spoiled(bytes: &mut Unstructured) -> Result<()> {
    let sound = sound();
    let mut description = bytes.choose(&sound)?.clone();
    for _ in 0..bytes.int_in_range(1..=4)? {
        spoil(&mut description, bytes)?;
    }
    let read = &description;
    try_all(|| read.deserialized().ok(), || read.deserialized().ok(), || read.deserialized().ok());
    Ok(())
}

/// Losses in the library's terms, and every peer's loss and metric with its defaults.
fn sound() -> Vec<Value> {
    let losses = [
        Loss::dice(),
        Loss::tversky(0.3, 0.7).smooth(1.0).pool(Pool::Batch).reduction(Reduction::None),
        Loss::dice().softmax().with(1.0, Loss::cross_entropy()),
        Loss::bce().reduction(Reduction::Sum).with(2.0, Loss::focal(2.0)),
        Loss::jaccard().probabilities().hard(0.5),
    ];
    let by_name = [Recipe::NAMES, MetricRecipe::NAMES].into_iter().flatten().flat_map(|&(peer, losses)| {
        losses.iter().map(move |loss| serde_json::json!({ "peer": peer, "loss": loss, "params": {} }))
    });
    // With their parameters where all have defaults, so that there is something to spoil.
    let whole = |named: serde_json::Value| -> Option<Value> {
        if let Ok(recipe) = serde_json::from_value::<Recipe>(named.clone()) {
            return Value::serialized(&recipe).ok();
        }
        if let Ok(recipe) = serde_json::from_value::<MetricRecipe>(named.clone()) {
            return Value::serialized(&recipe).ok();
        }
        Value::serialized(&named).ok()
    };
    losses.iter().filter_map(|loss| Value::serialized(loss).ok()).chain(by_name.filter_map(whole)).collect()
}

fn try_all(
    loss: impl Fn() -> Option<Loss>,
    recipe: impl Fn() -> Option<Recipe>,
    metric: impl Fn() -> Option<MetricRecipe>,
) {
    if let Some(loss) = loss() {
        survives_storage(&loss);
        evaluate(&loss);
    }
    if let Some(recipe) = recipe() {
        survives_storage(&recipe);
        for batch in batches() {
            let _ = recipe.result_shape(batch.problem());
            if let Ok(loss) = recipe.loss(batch.problem()) {
                evaluate(&loss);
            }
        }
    }
    if let Some(metric) = metric() {
        survives_storage(&metric);
        for batch in batches() {
            let _ = metric.mask(&batch);
            let Ok(loss) = metric.counting(batch.problem()) else { continue };
            if let Ok(counts) = reference::counts(&loss, &batch) {
                let (_, _) = (metric.compute(&counts), metric.not_nans(&counts));
            }
        }
    }
}

/// What was read, written and read again is the same, but for numbers that are none.
fn survives_storage<T: Serialize + DeserializeOwned + std::fmt::Debug>(described: &T) {
    let stored = Value::serialized(described).expect("a description can be written");
    let again: T = stored.deserialized().expect("what was written can be read");
    assert_eq!(format!("{again:?}"), format!("{described:?}"));
}

/// Whatever the description says, there is an error or a plan, and the reference agrees on which.
fn evaluate(loss: &Loss) {
    for batch in batches() {
        let planned = gpu().plan(loss, batch.problem()).map(|_| ());
        let evaluated = reference::evaluate(loss, &batch);
        if planned.is_ok() {
            let sound = evaluated.expect("what can be planned can be evaluated");
            let gradient = sound.gradient.expect("the batch asks for it");
            assert_eq!(gradient.len(), batch.shape().elements());
        }
    }
    let _ = gpu().plan(loss, &Problem::new(no_voxels().clone()));
}

fn batches() -> [Batch<'static>; 2] {
    const LOGITS: [f32; 12] = [0.5, -1.0, 2.0, 0.0, 20.0, -20.0, 0.25, 1.0, -0.5, 3.0, -3.0, 0.75];
    const TARGETS: [f32; 12] = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.5, 0.0, 1.0, 1.0];
    let dense = Batch::new(shape(), &LOGITS[..], &TARGETS[..]);
    let labels = Batch::new(shape(), &LOGITS[..], Labels::U8(&[0, 1, 2, 1]));
    [dense, labels].map(|batch| batch.expect("the arrays have the shape's lengths").with_gradient())
}

fn shape() -> &'static Shape {
    static SHAPE: std::sync::OnceLock<Shape> = std::sync::OnceLock::new();
    SHAPE.get_or_init(|| Shape::new(&[2, 3, 2]).expect("a shape"))
}

fn no_voxels() -> &'static Shape {
    static SHAPE: std::sync::OnceLock<Shape> = std::sync::OnceLock::new();
    SHAPE.get_or_init(|| Shape::new(&[1, 3, 0]).expect("a shape"))
}
