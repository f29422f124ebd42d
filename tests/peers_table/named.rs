//! Every loss of every peer, with the peer's defaults and, where those are not enough, with arguments that are.

use segloss::peers::{Peer, Recipe};
use segloss::{AxisOrder, Error, LabelFormat, Loss, Problem, Shape, TargetFormat};
use serde_json::{Value, json};

/// A loss by name, and the arguments that it is called with.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) peer: &'static str,
    pub(crate) name: &'static str,
    pub(crate) params: Value,
}

/// What a named loss is for some targets.
pub(crate) struct Meaning {
    pub(crate) targets: &'static str,
    pub(crate) loss: Loss,
}

impl Named {
    /// All there are. A loss that cannot be called without arguments has some in `arguments`, or the test fails.
    pub(crate) fn all() -> Vec<Self> {
        let names = Recipe::NAMES.iter().flat_map(|(peer, names)| names.iter().map(|name| (*peer, *name)));
        names.flat_map(|(peer, name)| calls(peer, name)).collect()
    }

    fn recipe(&self) -> Result<Recipe, String> {
        let written = json!({ "peer": self.peer, "loss": self.name, "params": self.params });
        serde_json::from_value(written).map_err(|error| error.to_string())
    }

    /// What the loss is, of dense targets and of labels; or why it is refused for both.
    pub(crate) fn meanings(&self) -> Result<Vec<Meaning>, String> {
        let recipe = self.recipe()?;
        let loss = |targets| recipe.loss(&self.problem(targets));
        match (loss(TargetFormat::F32), loss(LABELS)) {
            (Ok(dense), Ok(labels)) if dense == labels => Ok(vec![Meaning { targets: "either", loss: dense }]),
            (Err(dense), Err(labels)) if dense == labels => Err(reason(dense)),
            (Err(dense), Err(labels)) => {
                Err(format!("of dense targets: {}. Of labels: {}", reason(dense), reason(labels)))
            }
            (dense, labels) => {
                let found = [("dense", dense), ("labels", labels)];
                Ok(found
                    .into_iter()
                    .filter_map(|(targets, loss)| Some(Meaning { targets, loss: loss.ok()? }))
                    .collect())
            }
        }
    }

    /// Two images of 4 × 5 voxels and three classes, which lie last where the peer has them there.
    fn problem(&self, targets: TargetFormat) -> Problem {
        let mut problem = Problem::new(Shape::new(&[2, 3, 4, 5]).unwrap());
        let classes_last = self.peer == "keras";
        problem.axes = if classes_last { AxisOrder::ChannelLast } else { AxisOrder::ChannelFirst };
        problem.targets = targets;
        problem
    }

    /// The call, as its users write it; with the struct's name, where that is another.
    pub(crate) fn call(&self) -> String {
        let arguments = self.params.as_object().into_iter().flatten();
        let arguments: Vec<_> = arguments.map(|(name, value)| format!("{name}={}", python(value))).collect();
        let call = match arguments[..] {
            [] => format!("`{}`", self.name),
            _ => format!("`{}({})`", self.name, arguments.join(", ")),
        };
        let rust = self.struct_name();
        if rust == self.name { call } else { format!("{call}, `{rust}`") }
    }

    /// The name of the struct: a recipe prints as `Peer(Name(Name { … }))`.
    fn struct_name(&self) -> String {
        let printed = format!("{:?}", self.recipe().unwrap());
        printed.split('(').nth(1).unwrap().to_owned()
    }
}

/// What a peer's error says, without the loss's name.
fn reason(error: Error) -> String {
    match error {
        Error::Peer { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

const LABELS: TargetFormat = TargetFormat::Labels(LabelFormat::U8);

/// The calls of a loss: with the peer's defaults if it has one for every argument, and with the arguments it needs.
fn calls(peer: &'static str, name: &'static str) -> Vec<Named> {
    let call = |params| Named { peer, name, params };
    let bare = call(json!({}));
    let needed = arguments(peer, name);
    let reason = bare.recipe().err();
    assert!(reason.is_none() || !needed.is_empty(), "{peer} {name}: {reason:?}; give it arguments here");
    let bare = reason.is_none().then_some(bare);
    bare.into_iter().chain(needed.into_iter().map(call)).collect()
}

/// Arguments where the peer has no default for one, or where its defaults are refused.
fn arguments(peer: &str, name: &str) -> Vec<Value> {
    match (peer, name) {
        ("monai", "GeneralizedWassersteinDiceLoss") => {
            vec![json!({"dist_matrix": [[0, 1, 1], [1, 0, 1], [1, 1, 0]]})]
        }
        ("smp", "DiceLoss" | "JaccardLoss" | "TverskyLoss" | "FocalLoss") => {
            ["binary", "multiclass", "multilabel"].map(|mode| json!({ "mode": mode })).to_vec()
        }
        ("smp", "SoftCrossEntropyLoss") => vec![json!({"smooth_factor": 0.0})],
        ("kornia", "TverskyLoss") => vec![json!({"alpha": 0.3, "beta": 0.7})],
        _ => vec![],
    }
}

/// A value as Python writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(list) => format!("[{}]", list.iter().map(python).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
