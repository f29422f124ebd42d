//! Tests of the conformance runner itself: what must fail, fails.

#[path = "conformance/case.rs"]
mod case;
#[path = "conformance/engine.rs"]
mod engine;
#[path = "conformance/folder.rs"]
mod folder;
#[path = "conformance/verdict.rs"]
mod verdict;

use engine::Engine;
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

fn judge(change: impl FnOnce(&mut Value)) -> Result<(), String> {
    let mut case = sound();
    change(&mut case);
    verdict::judge(&case, &[Engine::Reference])
}

#[test]
fn the_sound_case_passes_on_every_engine() {
    verdict::judge(&sound(), &Engine::all().unwrap()).unwrap();
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
