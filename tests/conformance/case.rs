//! One case of a conformance file: a peer's input, arguments and numbers.

use segloss::peers::{MetricRecipe, Recipe};
use segloss::{Batch, Labels, Shape, Targets};
use serde::Deserialize;
use serde::de::DeserializeOwned;
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

    /// The case's peer, name and arguments.
    fn named<R: DeserializeOwned>(&self) -> Result<R, String> {
        let recipe = json!({ "peer": self.peer, "loss": self.loss, "params": self.params });
        serde_json::from_value(recipe).map_err(|error| error.to_string())
    }

    /// The metric that they mean. `Err` where they mean none, or not in this way.
    pub(crate) fn metric(&self) -> Result<MetricRecipe, String> {
        self.named()
    }

    /// The loss that they mean.
    pub(crate) fn recipe(&self) -> Result<Recipe, String> {
        self.named()
    }

    /// `[N, C, spatial…]` of a tensor of the case's layout.
    fn channel_first(&self, dims: &[usize]) -> Result<Vec<usize>, String> {
        match (self.layout.as_str(), dims) {
            ("NC*", _) => Ok(dims.to_vec()),
            ("N*C", [samples, spatial @ .., classes]) => Ok([&[*samples, *classes], spatial].concat()),
            _ => Err(format!("unknown layout {:?} of {dims:?}", self.layout)),
        }
    }

    pub(crate) fn shape(&self) -> Result<Shape, String> {
        Shape::new(&self.channel_first(&self.input_shape)?).map_err(|error| error.to_string())
    }

    /// The class ids, if the targets are labels.
    pub(crate) fn labels(&self) -> Result<Option<Vec<i64>>, String> {
        match self.target_kind.as_str() {
            "binary" | "soft" | "onehot" => Ok(None),
            "labels" => Ok(Some(self.target.iter().map(|&label| label as i64).collect())),
            other => Err(format!("unknown target kind {other:?}")),
        }
    }

    /// The case's data, with the gradient asked for if the case has one.
    pub(crate) fn batch<'a>(&'a self, shape: &Shape, labels: Option<&'a [i64]>) -> Result<Batch<'a>, String> {
        let mut mask_dims = shape.dims().to_vec();
        mask_dims[1] = 1;
        let without_classes = [&mask_dims[..1], &mask_dims[2..]].concat();
        let target_dims = match labels {
            Some(_) if self.target_shape.len() == without_classes.len() => without_classes,
            Some(_) => mask_dims.clone(),
            None => shape.dims().to_vec(),
        };
        let parts = [
            ("target", Some(&self.target_shape), &target_dims),
            ("mask", self.mask_shape.as_ref(), &mask_dims),
            ("voxel weight", self.voxel_weight_shape.as_ref(), &shape.dims().to_vec()),
        ];
        for (what, found, wanted) in parts {
            let Some(found) = found else { continue };
            let same_order = if found.len() == shape.dims().len() { self.channel_first(found)? } else { found.clone() };
            if &same_order != wanted {
                return Err(format!("the {what} has the shape {found:?}, not {wanted:?}"));
            }
        }
        let build = || {
            let targets = labels.map_or(Targets::F32(&self.target), |labels| Labels::I64(labels).into());
            let mut batch = Batch::new(shape, &self.input, targets)?;
            if let Some(mask) = &self.mask {
                batch = batch.with_mask(mask)?;
            }
            if let Some(weights) = &self.voxel_weight {
                batch = batch.with_voxel_weights(weights)?;
            }
            let batch = if self.layout == "N*C" { batch.channel_last() } else { batch };
            Ok(if self.gradient.is_some() { batch.with_gradient() } else { batch })
        };
        build().map_err(|error: segloss::Error| error.to_string())
    }
}
