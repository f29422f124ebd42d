//! Specifications of a loss: what is said of those that mean nothing, and what the help says of the others.

use segloss::peers::Recipe;
use serde_json::{Value, json};

use crate::arrays::{Arrays, COMMON, spec, with};

#[test]
fn specifications_that_mean_nothing() {
    let folder = Arrays::new().folder();
    for (written, part) in [
        (json!({"peer": "torch", "loss": "BCELoss"}), "unknown variant `torch`, expected one of `pytorch`"),
        (json!({"peer": "pytorch", "loss": "Dice"}), "unknown variant `Dice`"),
        (
            json!({"peer": "keras", "loss": "dice_coef", "params": {"smoth": 1}}),
            "params.smoth: unknown field `smoth`, expected `smooth`",
        ),
        (
            json!({"peer": "pytorch", "loss": "BCELoss", "params": {"weight": null, "size_average": "yes"}}),
            "params.size_average: invalid type: string \"yes\", expected a boolean",
        ),
        (json!({"peer": "pytorch", "loss": "Dice", "params": {"smooth": 1}}), ": unknown variant `Dice`"),
        (
            json!({"peer": "pytorch", "loss": "BCELoss", "params": [1]}),
            "params is not an object; expected the parameters by name",
        ),
        (json!({"peer": "pytorch"}), "missing field `loss`"),
        (
            json!({"peer": "pytorch", "loss": "BCELoss", "params": {"weight": [1]}}),
            "BCELoss: weight is not an argument",
        ),
        (json!({"peer": "tensorlayer", "loss": "dice_coe", "params": {"loss_type": "cosine"}}), "\"cosine\""),
        (
            json!({"peer": "pytorch", "loss": "BCEWithLogitsLoss", "params": {"pos_weight": [1, 2]}}),
            "pos_weight has 2 entries",
        ),
        (json!({"peer": "kornia", "loss": "DiceLoss"}), "takes a label map, not F32 for every class"),
        (json!({"peer": "kornia", "loss": "DiceLoss"}), "`segloss loss` reads no label maps yet"),
        (
            json!({"peer": "monai", "loss": "DiceCELoss", "params": {"softmax": true, "to_onehot_y": true}}),
            "leave it out, or give labels (`segloss loss` reads no label maps yet",
        ),
        (json!({"peer": "smp", "loss": "DiceLoss"}), "missing field `mode`"),
        (json!({"terms": []}), "no terms"),
        (json!({"terms": [{"measure": {"overlap": {"smoth": 1}}}]}), "unknown field `smoth`"),
        (json!({"terms": [{"measure": {"overlap": {"smooth_numerator": -1}}}]}), "-1"),
        (json!({}), "neither a \"peer\" nor \"terms\""),
        (json!([1, 2]), "neither a \"peer\" nor \"terms\""),
    ] {
        spec(&folder, &written);
        let message = folder.failure(with(&["--gradient", "g.npy"]));
        assert!(message.contains("spec.json: ") && message.contains(part), "{message}");
    }
    std::fs::write(folder.path("spec.json"), "{\"terms\": [\n{\"measure\": {\"overlap\":\n{\"pool\": \"rows\"}}}]}")
        .unwrap();
    let message = folder.failure(COMMON);
    assert!(
        message.contains("spec.json: terms[0].measure.overlap.pool: unknown variant `rows`, expected one of `none`")
    );
    assert!(message.ends_with("at line 3 column 15"), "{message}");
    std::fs::write(folder.path("spec.json"), "{").unwrap();
    assert!(folder.failure(COMMON).contains("spec.json: it is not JSON"));
    std::fs::write(folder.path("spec.json"), "").unwrap();
    assert!(folder.failure(COMMON).contains("spec.json: the file is empty; expected the JSON"));
    std::fs::remove_file(folder.path("spec.json")).unwrap();
    assert!(folder.failure(COMMON).contains("spec.json: it cannot be read"));
    spec(&folder, &json!({"peer": "tensorlayer", "loss": "iou_coe"}));
    let args = ["loss", "--spec", "spec.json", "--input", "w.npy", "--target", "y.npy", "--gradient", "g.npy"];
    assert!(folder.failure(args).contains("thresholds the prediction"));
    assert!(!folder.path("g.npy").exists());
}

#[test]
fn the_help_lists_every_loss_of_every_peer() {
    let help = String::from_utf8(Arrays::new().folder().run(["loss", "--help"]).stdout).unwrap();
    let peers = help.split("\nPeers and their losses").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    for (peer, names) in Recipe::NAMES {
        let of_peer = peers.split(&format!("\n  {peer} ")).nth(1).unwrap_or_else(|| panic!("{peer} is not in {help}"));
        let listed: Vec<_> = of_peer.split([',', '\n']).map(|name| name.trim().trim_end_matches('*')).collect();
        for name in *names {
            assert!(listed.iter().any(|listed| listed.split(' ').next() == Some(name)), "{name} is not in {of_peer}");
        }
    }
}

/// Whatever values the help lists are read.
#[test]
fn the_help_lists_the_values_of_a_specification() {
    let folder = Arrays::new().folder();
    let help = String::from_utf8(folder.run(["loss", "--help"]).stdout).unwrap();
    let overlap = |field: &str, value: Value| json!({"terms": [{"measure": {"overlap": {field: value, "smooth_denominator": 1}}}]});
    for (field, value) in [
        ("pool", json!("none")),
        ("pool", json!("batch")),
        ("pool", json!("classes")),
        ("pool", json!("all")),
        ("map", json!("complement")),
        ("map", json!("score")),
        ("map", json!("negated")),
        ("map", json!({"neg_log": {"eps": 1e-7}})),
        ("map", json!({"power": {"gamma": 0.75}})),
        ("reduction", json!("mean")),
        ("reduction", json!("sum")),
        ("reduction", json!("none")),
    ] {
        let written = value.to_string().replace(':', ": ");
        assert!(help.contains(&written), "{written} is not in {help}");
        spec(&folder, &overlap(field, value));
        assert!(folder.json(with(&["--format", "json"]))["value"].is_number(), "{field}: {written}");
    }
}
