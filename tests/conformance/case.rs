//! One case of a conformance file: a peer's input, arguments and numbers.

use segloss::peers::{Peer, Recipe};
use segloss::{Batch, Loss, Shape};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A case as it is written down. Unknown fields are remarks.
#[derive(Deserialize)]
pub(crate) struct Case {
    peer: String,
    loss: String,
    #[serde(default)]
    params: Map<String, Value>,
    layout: String,
    input_shape: Vec<usize>,
    input: Vec<f32>,
    target_kind: String,
    target_shape: Vec<usize>,
    target: Vec<f32>,
    mask_shape: Option<Vec<usize>>,
    mask: Option<Vec<f32>>,
    voxel_weight_shape: Option<Vec<usize>>,
    voxel_weight: Option<Vec<f32>>,
    pub(crate) expected_shape: Vec<usize>,
    pub(crate) expected: Vec<Option<f64>>,
    pub(crate) gradient: Option<Vec<f64>>,
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
}

impl Case {
    pub(crate) fn parse(written: &Value) -> Result<Self, String> {
        Self::deserialize(written).map_err(|error| error.to_string())
    }

    /// The loss that the case's peer, name and arguments mean.
    pub(crate) fn loss(&self, shape: &Shape) -> Result<Loss, String> {
        let recipe = json!({ "peer": self.peer, "loss": self.loss, "params": self.params });
        let recipe: Recipe = serde_json::from_value(recipe).map_err(|error| error.to_string())?;
        recipe.loss(shape).map_err(|error| error.to_string())
    }

    pub(crate) fn shape(&self) -> Result<Shape, String> {
        if self.layout != "NC*" {
            return Err(format!("unknown layout {:?}", self.layout));
        }
        Shape::new(&self.input_shape).map_err(|error| error.to_string())
    }

    /// The case's data, with the gradient asked for if the case has one.
    pub(crate) fn batch(&self, shape: &Shape) -> Result<Batch<'_>, String> {
        if !matches!(self.target_kind.as_str(), "binary" | "soft" | "onehot") {
            return Err(format!("unknown target kind {:?}", self.target_kind));
        }
        let mut mask_dims = shape.dims().to_vec();
        mask_dims[1] = 1;
        let parts = [
            ("target", Some(&self.target_shape), shape.dims()),
            ("mask", self.mask_shape.as_ref(), &mask_dims),
            ("voxel weight", self.voxel_weight_shape.as_ref(), shape.dims()),
        ];
        for (what, found, wanted) in parts {
            if found.is_some_and(|found| found != wanted) {
                return Err(format!("the {what} has the shape {found:?}, not {wanted:?}"));
            }
        }
        let build = || {
            let mut batch = Batch::new(shape, &self.input, &self.target)?;
            if let Some(mask) = &self.mask {
                batch = batch.with_mask(mask)?;
            }
            if let Some(weights) = &self.voxel_weight {
                batch = batch.with_voxel_weights(weights)?;
            }
            Ok(if self.gradient.is_some() { batch.with_gradient() } else { batch })
        };
        build().map_err(|error: segloss::Error| error.to_string())
    }
}
