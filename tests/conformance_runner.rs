//! Tests of the conformance runner itself: what must fail, fails.

#[path = "conformance/case.rs"]
mod case;
#[path = "device/mod.rs"]
mod device;
#[path = "conformance/engine.rs"]
mod engine;
#[path = "conformance/folder.rs"]
mod folder;
#[path = "conformance/metric.rs"]
mod metric;
#[path = "conformance/verdict.rs"]
mod verdict;

use engine::Engine;
use segloss::peers::MetricRecipe;
use serde_json::{Value, json};

/// Dice of (½, ½) against (1, 0), smoothing 1: (2·½ + 1)/(1 + 1 + 1) = ⅔, with slopes (2t − s)/3.
fn sound() -> Value {
    json!({
        "id": "pytorch/dice_coeff/000", "peer": "pytorch", "loss": "dice_coeff", "params": {}, "layout": "NC*",
        "input_shape": [1, 1, 2], "input": [0.5, 0.5],
        "target_kind": "binary", "target_shape": [1, 1, 2], "target": [1, 0],
        "expected_shape": [], "expected": [2.0 / 3.0], "gradient": [4.0 / 9.0, -2.0 / 9.0],
        "rtol": 1e-5, "atol": 1e-6,
    })
}

/// Two classes, the last voxel of neither, to be ignored: 2/(1 + 2) and 0/(1 + 1).
fn metric() -> Value {
    json!({
        "id": "monai/DiceMetric/000", "peer": "monai", "loss": "DiceMetric", "layout": "NC*",
        "params": { "reduction": "none", "ignore_index": 255 },
        "input_shape": [1, 2, 4], "input": [1, 0, 0, 1, 0, 1, 0, 0],
        "target_kind": "onehot", "target_shape": [1, 2, 4], "target": [1, 1, 0, 0, 0, 0, 1, 0],
        "expected_shape": [1, 2], "expected": [2.0 / 3.0, 0.0], "rtol": 1e-5, "atol": 1e-6,
    })
}

fn judge(change: impl FnOnce(&mut Value)) -> Result<(), String> {
    judge_of(sound(), change)
}

fn judge_of(mut case: Value, change: impl FnOnce(&mut Value)) -> Result<(), String> {
    change(&mut case);
    verdict::judge(&case, &[Engine::Reference])
}

#[test]
fn the_sound_cases_pass_on_every_engine() {
    let engines = Engine::all().unwrap();
    verdict::judge(&sound(), &engines).unwrap();
    verdict::judge(&metric(), &engines).unwrap();
}

#[test]
fn metrics_fail_likewise() {
    for (field, value, message) in [
        ("loss", json!("diceMetric"), "unknown variant `diceMetric`"),
        ("params", json!({ "reduction": "median" }), "unknown variant `median`"),
        ("params", json!({ "smooth": 1 }), "unknown field `smooth`"),
        ("params", json!({ "per_component": true }), "per_component is not supported"),
        ("params", json!({ "reduction": "none", "include_background": false }), "the result has the shape [1, 1]"),
        // With the voxel that is of no class, 2/(2 + 2).
        ("params", json!({ "reduction": "none" }), "value 0 is 0.5"),
        ("expected", json!([2.0 / 3.0, null]), "value 1 is 0, not NaN"),
        ("gradient", json!([0, 0, 0, 0, 0, 0, 0, 0]), "evaluate it without a gradient"),
    ] {
        let reason = judge_of(metric(), |case| case[field] = value).unwrap_err();
        assert!(reason.contains(message), "{field}: {reason}");
    }
}

/// A peer says in which shape it returns values, and a map has the classes of its loss only.
#[test]
fn results_have_the_shape_that_the_peer_gives_them() {
    let engines = Engine::all().unwrap();
    let zeros = |loss: &str, params: Value, shape: Value, expected: Value| {
        let mut case = sound();
        for (field, value) in [
            ("peer", json!("monai")),
            ("loss", json!(loss)),
            ("params", params),
            ("input_shape", json!([1, 2, 2])),
            ("input", json!([0, 0, 0, 0])),
            ("target_shape", json!([1, 2, 2])),
            ("target", json!([1, 1, 1, 0])),
            ("expected_shape", shape),
            ("expected", expected),
            ("gradient", Value::Null),
        ] {
            case[field] = value;
        }
        verdict::judge(&case, &engines)
    };
    let none = json!({ "reduction": "none", "sigmoid": true, "smooth_nr": 0, "smooth_dr": 0 });
    zeros("DiceLoss", none.clone(), json!([1, 2, 1]), json!([1.0 / 3.0, 0.5])).unwrap();
    zeros("TverskyLoss", none.clone(), json!([1, 2]), json!([1.0 / 3.0, 0.5])).unwrap();
    assert!(zeros("TverskyLoss", none, json!([1, 2, 1]), json!([1.0 / 3.0, 0.5])).unwrap_err().contains("the shape"));
    // −ln ½ in both voxels of class 1.
    let map = json!({ "reduction": "none", "include_background": false, "gamma": 0 });
    let ln_2 = std::f64::consts::LN_2;
    zeros("FocalLoss", map, json!([1, 1, 2]), json!([ln_2, ln_2])).unwrap();
}

#[test]
fn what_is_unknown_fails() {
    for (field, value, message) in [
        ("peer", json!("torch"), "unknown variant `torch`"),
        ("loss", json!("DiceCoeff"), "unknown variant `DiceCoeff`"),
        ("rtol", Value::Null, "invalid type: null"),
        ("params", json!({ "smoth": 1 }), "unknown field `smoth`"),
        ("params", json!({ "smooth": "a lot" }), "invalid type"),
        ("layout", json!("CN*"), "unknown layout"),
        ("target_kind", json!("fuzzy"), "unknown target kind"),
        ("target_shape", json!([2, 1, 1]), "the target has the shape"),
        ("input", json!([0.5]), "logits has 1 elements"),
        ("mask_shape", json!([1, 2, 1]), "the mask has the shape"),
    ] {
        let reason = judge(|case| case[field] = value).unwrap_err();
        assert!(reason.contains(message), "{field}: {reason}");
    }
}

#[test]
fn wrong_numbers_fail() {
    // Just outside: 1e-6 + 1e-5·⅔ for the value, 10·1e-5·|g| + 1e-5·q for a slope.
    assert!(judge(|case| case["expected"][0] = json!(2.0 / 3.0 + 7.5e-6)).is_ok());
    for (field, index, value, message) in [
        ("expected", 0, json!(2.0 / 3.0 + 8e-6), "value 0 is"),
        ("expected", 0, Value::Null, "value 0 is"),
        ("gradient", 0, json!(4.0 / 9.0 + 5e-5), "gradient[0] is"),
        ("gradient", 1, json!(2.0 / 9.0), "gradient[1] is"),
        ("expected_shape", 0, json!(1), "the result has the shape"),
    ] {
        let reason = judge(|case| match &mut case[field] {
            Value::Array(entries) if entries.is_empty() => entries.push(value),
            entries => entries[index] = value,
        })
        .unwrap_err();
        assert!(reason.contains(message), "{field}: {reason}");
    }
    let reason = judge(|case| case["gradient"] = json!([0.4])).unwrap_err();
    assert!(reason.contains("no gradient"), "{reason}");
}

#[test]
fn a_folder_without_cases_fails() {
    let nowhere = std::env::temp_dir().join("segloss-no-such-folder");
    assert!(folder::read(&nowhere).is_err());
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    assert!(folder::read(sources.as_ref()).is_err_and(|reason| reason.contains("no cases")));
}

/// What is no list of cases counts as one that failed, beside those that can be run.
#[test]
fn a_bad_file_does_not_hide_the_others() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in [
        ("a.json", json!({ "cases": [sound(), 7] }).to_string()),
        ("b.json", "[1, 2]".to_owned()),
        ("c.json", "{".to_owned()),
        ("d.json", json!({ "cases": 1 }).to_string()),
        ("e.txt", "no".to_owned()),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let cases = folder::read(&folder).unwrap();
    let found: Vec<_> = cases.iter().map(|(name, case)| (name.rsplit('/').next().unwrap(), case.is_ok())).collect();
    let expected =
        [("000", true), ("a case without an id", true), ("b.json", false), ("c.json", false), ("d.json", false)];
    assert_eq!(found, expected);
    let reason = verdict::judge(cases[1].1.as_ref().unwrap(), &[Engine::Reference]).unwrap_err();
    assert!(reason.contains("invalid type: integer"), "{reason}");
}

/// What is written in more than one way is read, written and read again.
#[test]
fn metrics_are_plain_data() {
    for (peer, metric, params) in [
        ("monai", "ConfusionMatrixMetric", json!({ "metric_name": "f1 score", "reduction": "sum_channel" })),
        ("monai", "ConfusionMatrixMetric", json!({ "metric_name": ["tpr", "tnr"], "compute_sample": true })),
        ("monai", "DiceMetric", json!({ "return_with_label": true, "num_classes": 3, "ignore_index": -1 })),
        ("monai", "DiceMetric", json!({ "return_with_label": ["liver", "tumour"], "num_classes": null })),
        ("monai", "GeneralizedDiceScore", json!({ "weight_type": "simple", "epsilon": 1e-5 })),
        ("monai", "MeanIoU", json!({ "get_not_nans": true })),
        ("torchmetrics", "DiceScore", json!({ "num_classes": 2, "average": null, "input_format": "one-hot" })),
        ("torchmetrics", "MeanIoU", json!({ "per_class": true, "input_format": "mixed" })),
    ] {
        let recipe = |params: &Value| {
            let written = json!({ "peer": peer, "loss": metric, "params": params });
            serde_json::from_value::<MetricRecipe>(written).unwrap()
        };
        let read = recipe(&params);
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(recipe(&written["params"]), read, "{params}");
        assert_ne!(read, recipe(&json!({})), "{params}");
    }
    let unnamed = json!({ "peer": "monai", "loss": "ConfusionMatrixMetric", "params": { "metric_name": 1 } });
    let error = serde_json::from_value::<MetricRecipe>(unnamed).unwrap_err().to_string();
    assert!(error.contains("expected a name or a list of names"), "{error}");
}
