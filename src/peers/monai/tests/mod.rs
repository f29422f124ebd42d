mod arguments;
mod values;

use serde_json::{Value, json};

use super::Recipe;
use crate::peers::Peer;
use crate::{Batch, Error, LabelFormat, Loss, Problem, Shape, TargetFormat, Targets, reference};

/// All losses that take `sigmoid`, `softmax` and `other_act`.
const ACTIVATED: [&str; 7] = [
    "DiceLoss",
    "MaskedDiceLoss",
    "GeneralizedDiceLoss",
    "TverskyLoss",
    "DiceCELoss",
    "DiceFocalLoss",
    "GeneralizedDiceFocalLoss",
];

fn read(name: &str, params: &Value) -> Result<Recipe, String> {
    serde_json::from_value(json!({ "loss": name, "params": params })).map_err(|error| error.to_string())
}

fn dense(dims: &[usize]) -> Problem {
    Problem::new(Shape::new(dims).unwrap())
}

fn labels(dims: &[usize]) -> Problem {
    Problem { targets: TargetFormat::Labels(LabelFormat::U8), ..dense(dims) }
}

#[track_caller]
fn loss(name: &str, params: &Value, problem: &Problem) -> Loss {
    let loss = read(name, params).unwrap().loss(problem).unwrap();
    loss.validate().unwrap();
    loss
}

/// Why a loss is refused: in its own name.
#[track_caller]
fn refused(name: &str, params: &Value, problem: &Problem) -> String {
    match read(name, params).unwrap().loss(problem) {
        Err(Error::Peer { peer, reason }) if peer == name => reason,
        other => panic!("{name} with {params} gives {other:?}"),
    }
}

fn evaluate(name: &str, params: &Value, batch: &Batch) -> reference::Evaluation {
    reference::evaluate(&loss(name, params, batch.problem()), batch).unwrap()
}

/// Logits and 0/1 targets of a shape, without a pattern that is the same in every class.
fn tensors(dims: &[usize]) -> (Shape, Vec<f32>, Vec<f32>) {
    let shape = Shape::new(dims).unwrap();
    let logits = (0..shape.elements()).map(|i| ((i * 37 + 11) % 64) as f32 / 16.0 - 2.0).collect();
    let targets = (0..shape.elements()).map(|i| f32::from(u8::from((i * 29 + 3) % 7 < 3))).collect();
    (shape, logits, targets)
}

fn batch<'a>(shape: &Shape, logits: &'a [f32], targets: impl Into<Targets<'a>>) -> Batch<'a> {
    Batch::new(shape, logits, targets).unwrap()
}

#[track_caller]
fn assert_close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-12 * want.abs().max(1.0), "{got} is not {want}");
}
