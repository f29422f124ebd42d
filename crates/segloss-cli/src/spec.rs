//! The description of a loss, from a JSON file.

use std::fmt::Display;
use std::path::Path;

use segloss::peers::{Peer, Recipe};
use segloss::{Error, LabelFormat, Loss, Problem, TargetFormat};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::document;
use crate::failure::Failure;

/// Reads a peer's loss by name, or one in the library's own terms.
pub(crate) fn read(path: &Path, problem: &Problem) -> Result<Loss, Failure> {
    let failure = |reason: &dyn Display| Failure::file(path, reason);
    let text = document::read(path, "the JSON description of a loss").map_err(|reason| failure(&reason))?;
    let spec: Value = serde_json::from_str(&text).map_err(|error| failure(&format!("it is not JSON: {error}")))?;
    let loss = match &spec {
        Value::Object(fields) if fields.contains_key("peer") => {
            let recipe = peer(fields).map_err(|reason| failure(&reason))?;
            recipe.loss(problem).map_err(|error| failure(&refusal(&error, &recipe, problem)))?
        }
        Value::Object(fields) if fields.contains_key("terms") => own(&text).map_err(|reason| failure(&reason))?,
        _ => {
            let reason = "it names neither a \"peer\" nor \"terms\"; see `segloss loss --help` for both forms";
            return Err(failure(&reason));
        }
    };
    loss.validate().map_err(|error| failure(&error))?;
    Ok(loss)
}

/// A loss in the library's own terms; else what is wrong, in which field and line.
fn own(text: &str) -> Result<Loss, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| error.to_string())
}

/// A peer's loss; else what is wrong, in which parameter. (Which peer it is decides what the parameters are, so serde
/// reads them last, when it no longer knows where they stood.)
fn peer(fields: &Map<String, Value>) -> Result<Recipe, String> {
    let recipe = |params: &Value| {
        let mut spec = fields.clone();
        spec.insert("params".to_owned(), params.clone());
        Recipe::deserialize(Value::Object(spec))
    };
    let none = json!({});
    let params = fields.get("params").unwrap_or(&none);
    // By position serde would take them as well.
    let named = params.as_object().ok_or("params is not an object; expected the parameters by name")?;
    recipe(params).map_err(|error| {
        // Where every parameter has a default, the one that fails alone is the one to name.
        let fails = |(name, value): &(&String, &Value)| recipe(&json!({ *name: value })).is_err();
        match named.iter().find(fails) {
            Some((name, _)) if recipe(&none).is_ok() => format!("params.{name}: {error}"),
            _ => error.to_string(),
        }
    })
}

/// Said where a label map is given or asked for.
pub(crate) const NO_LABELS: &str =
    "`segloss loss` reads no label maps yet, only targets with a number for every class; the library takes both";

/// Why a peer's loss is refused; where only label maps would help, also that this command has none.
fn refusal(error: &Error, recipe: &Recipe, problem: &Problem) -> String {
    let mut of_labels = problem.clone();
    of_labels.targets = TargetFormat::Labels(LabelFormat::U8);
    match recipe.loss(&of_labels) {
        Ok(_) => format!("{error} ({NO_LABELS})"),
        Err(_) => error.to_string(),
    }
}
