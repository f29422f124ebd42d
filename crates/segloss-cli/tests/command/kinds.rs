//! What the numbers of files are taken for, beside those of others.

use png::{BitDepth, ColorType};
use serde_json::Value;

use crate::files::{Nifti, npy, npz, png};
use crate::run::{Folder, assert_number};

fn class(scores: &Value, case: usize, key: &str) -> Value {
    scores["metric_per_case"][case]["metrics"][key].clone()
}

/// With the folders `p` and `t` in it.
fn folders() -> Folder {
    let folder = Folder::new();
    for name in ["p", "t"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    folder
}

fn grey(folder: &Folder, path: &str, shades: &[u8; 8]) {
    png(&folder.path(path), [4, 2], ColorType::Grayscale, BitDepth::Eight, shades);
}

/// Probabilities are of one class: the others of the truth, of other cases and the background have no soft score.
#[test]
fn soft_scores_belong_to_the_class_that_was_predicted() {
    let folder = folders();
    npy(&folder.path("p/a.npy"), &[4], &[0.9_f32, 0.2, 0.6, 0.1]);
    npy(&folder.path("t/a.npy"), &[4], &[1_u8, 0, 1, 2]);
    npy(&folder.path("p/b.npy"), &[4], &[0_u8, 3, 3, 0]);
    npy(&folder.path("t/b.npy"), &[4], &[0_u8, 3, 0, 0]);
    let scores = folder.json(["eval", "p", "t", "--background", "--format", "json"]);
    // 2·(0.9 + 0.6) / (1.8 + 2).
    assert_number(&class(&scores, 0, "1"), "soft_dice", 3.0 / 3.8, 1e-6);
    let bce = -(0.9_f64.ln() + 0.8_f64.ln() + 0.6_f64.ln() + 0.9_f64.ln()) / 4.0;
    assert_number(&class(&scores, 0, "1"), "bce", bce, 1e-6);
    for other in ["0", "2", "3"] {
        assert!(class(&scores, 0, other)["soft_dice"].is_null() && class(&scores, 0, other)["bce"].is_null());
        assert!(scores["mean"][other]["soft_dice"].is_null());
    }
    assert!(class(&scores, 1, "1")["soft_dice"].is_null());
    assert_number(&scores["mean"]["1"], "soft_dice", 3.0 / 3.8, 1e-6);
    assert!(scores["foreground_mean"]["soft_dice"].is_null());
    // A region that 1 is of.
    std::fs::write(folder.path("c.json"), r#"{"background": 0, "whole": [1, 2], "rest": 3}"#).unwrap();
    let scores = folder.json(["eval", "p", "t", "--classes", "c.json", "--format", "json"]);
    assert_number(&class(&scores, 0, "(1, 2)"), "soft_dice", 2.0 * 1.6 / (1.8 + 3.0), 1e-6);
    assert!(class(&scores, 0, "3")["soft_dice"].is_null());
    // What the mask calls it.
    npy(&folder.path("white.npy"), &[4], &[255_u8, 0, 255, 0]);
    std::fs::write(folder.path("c.json"), r#"{"lesion": 255}"#).unwrap();
    let scores = folder.json(["eval", "p/a.npy", "white.npy", "--classes", "c.json", "--format", "json"]);
    assert_number(&class(&scores, 0, "255"), "Dice", 1.0, 0.0);
    assert_number(&class(&scores, 0, "255"), "soft_dice", 3.0 / 3.8, 1e-6);
}

/// 0 and 255 are a mask in every type, if the other file has no other labels.
#[test]
fn masks_of_0_and_255_are_told_by_the_pair() {
    let folder = Folder::new();
    let white = [0_u8, 255, 255, 0, 255, 0];
    npy(&folder.path("u8.npy"), &[6], &white);
    npy(&folder.path("i64.npy"), &[6], &white.map(i64::from));
    npy(&folder.path("f32.npy"), &[6], &white.map(f32::from));
    let words: Vec<u8> = white.iter().flat_map(|&value| i16::from(value).to_le_bytes()).collect();
    std::fs::write(folder.path("i16.nii"), Nifti { datatype: 4, bits: 16, ..Nifti::u8(&[6]) }.bytes(&words)).unwrap();
    npy(&folder.path("t.npy"), &[6], &[0_u8, 255, 0, 0, 255, 255]);
    npy(&folder.path("nothing.npy"), &[6], &[0_u8; 6]);
    for name in ["u8.npy", "i64.npy", "f32.npy", "i16.nii"] {
        for (truth, dice) in [("t.npy", 4.0 / 6.0), ("nothing.npy", 0.0)] {
            for pair in [[name, truth], [truth, name]] {
                println!("{pair:?}");
                let scores = folder.json(["eval", pair[0], pair[1], "--format", "json"]);
                assert_eq!(scores["class_names"], serde_json::json!({"1": "1"}));
                assert_number(&class(&scores, 0, "1"), "Dice", dice, 1e-12);
            }
        }
    }
    // Another label in either makes label maps of both.
    npy(&folder.path("labels.npy"), &[6], &[0_u8, 255, 1, 0, 255, 0]);
    let scores = folder.json(["eval", "labels.npy", "t.npy", "--format", "json"]);
    assert_number(&class(&scores, 0, "255"), "Dice", 4.0 / 5.0, 1e-12);
    assert_number(&class(&scores, 0, "1"), "Dice", 0.0, 0.0);
}

/// The soft truth is the mask, whatever its numbers are.
#[test]
fn soft_truths_are_masks() {
    let folder = Folder::new();
    npy(&folder.path("p.npy"), &[2, 4], &[0.9_f32, 0.2, 0.6, 0.1, 0.0, 0.5, 0.75, 0.25]);
    grey(&folder, "labels.png", &[1, 0, 1, 2, 0, 2, 1, 0]);
    let scores = folder.json(["eval", "p.npy", "labels.png", "--format", "json"]);
    assert_number(&class(&scores, 0, "1"), "soft_dice", 2.0 * 2.25 / (3.3 + 3.0), 1e-6);
    assert!(class(&scores, 0, "2")["soft_dice"].is_null());
    grey(&folder, "ignored.png", &[1, 0, 1, 255, 0, 255, 1, 0]);
    let args = ["eval", "p.npy", "ignored.png", "--ignore-label", "255", "--format", "json"];
    assert_number(&class(&folder.json(args), 0, "1"), "soft_dice", 2.0 * 2.25 / (2.7 + 3.0), 1e-6);
}

/// A prediction of nothing is one of probabilities beside others that are.
#[test]
fn empty_predictions_of_a_folder_score_softly_too() {
    let folder = folders();
    npy(&folder.path("p/a.npy"), &[4], &[0.9_f32, 0.2, 0.6, 0.1]);
    npy(&folder.path("p/b.npy"), &[4], &[0.0_f32; 4]);
    npy(&folder.path("p/c.npy"), &[4], &[0.0_f32, 1.0, 1.0, 0.0]);
    for case in ["a", "b", "c"] {
        npy(&folder.path(&format!("t/{case}.npy")), &[4], &[1_u8, 0, 1, 0]);
    }
    let scores = folder.json(["eval", "p", "t", "--format", "json"]);
    for (case, name) in ["a", "b", "c"].iter().enumerate() {
        let [p, t] = ["p", "t"].map(|side| format!("{side}/{name}.npy"));
        let alone = folder.json(["eval", &p, &t, "--as", "probabilities", "--format", "json"]);
        for key in ["soft_dice", "bce", "Dice", "TP", "FN"] {
            let expected = class(&alone, 0, "1")[key].as_f64().unwrap();
            assert_number(&class(&scores, case, "1"), key, expected, 1e-6);
        }
    }
    assert_number(&class(&scores, 1, "1"), "bce", 50.0, 1e-6);
    // Masks alone have no soft score.
    std::fs::remove_file(folder.path("p/a.npy")).unwrap();
    let scores = folder.json(["eval", "p", "t", "--subset", "--format", "json"]);
    assert!(scores["mean"]["1"].get("soft_dice").is_none() && scores["adapter"].is_null());
}

/// Dark shades are probabilities beside white, and beside nothing where other images of the folder are.
#[test]
fn dark_predictions_are_no_label_maps() {
    let folder = folders();
    grey(&folder, "p/a.png", &[0, 3, 12, 0, 0, 0, 0, 1]);
    grey(&folder, "t/a.png", &[0, 255, 255, 0, 0, 0, 0, 0]);
    grey(&folder, "p/b.png", &[0, 3, 12, 0, 0, 0, 0, 1]);
    grey(&folder, "t/b.png", &[0; 8]);
    let scores = folder.json(["eval", "p", "t", "--surface", "--format", "json"]);
    assert_eq!(scores["class_names"], serde_json::json!({"1": "1"}));
    assert_number(&class(&scores, 0, "1"), "soft_dice", 2.0 * 15.0 / (16.0 + 510.0), 1e-6);
    assert_number(&class(&scores, 1, "1"), "soft_dice", 0.0, 0.0);
    assert_eq!((&class(&scores, 1, "1")["TN"], &class(&scores, 1, "1")["HD"]), (&8.into(), &Value::Null));
    let bce = -[3.0, 12.0, 1.0].map(|shade: f64| (1.0 - shade / 255.0).ln()).iter().sum::<f64>() / 8.0;
    assert_number(&class(&scores, 1, "1"), "bce", bce, 1e-6);
    let scores = folder.json(["eval", "p/b.png", "t/b.png", "--format", "json"]);
    assert_eq!(scores["class_names"].as_object().unwrap().len(), 3);
}

/// nnU-Net's probabilities have their axes the other way round than NIfTI files, its arrays say by their name.
#[test]
fn the_axes_of_nnunet_archives_are_turned_round() {
    let folder = Folder::new();
    // Two of three axes are equal, so that the shape would fit either way.
    let (x_dim, y_dim, z_dim) = (3, 2, 3);
    let label = |x: usize, y: usize, z: usize| u8::from(x == 2 && (y + z).is_multiple_of(2));
    let mut stored = vec![];
    for (z, y, x) in (0..z_dim).flat_map(|z| (0..y_dim).flat_map(move |y| (0..x_dim).map(move |x| (z, y, x)))) {
        stored.push(label(x, y, z));
    }
    std::fs::write(folder.path("t.nii"), Nifti::u8(&[3, 2, 3]).bytes(&stored)).unwrap();
    let planes: Vec<f32> =
        [0, 1].iter().flat_map(|class| stored.iter().map(move |l| f32::from(u8::from(l == class)))).collect();
    for (name, key) in [("p.npz", "probabilities"), ("s.npz", "softmax"), ("other.npz", "arr_0")] {
        npz(&folder.path(name), key, &[2, z_dim, y_dim, x_dim], &planes);
    }
    for name in ["p.npz", "s.npz"] {
        let scores = folder.json(["eval", name, "t.nii", "--format", "json"]);
        assert_number(&class(&scores, 0, "1"), "Dice", 1.0, 0.0);
    }
    let dice = |args: &[&str]| {
        let scores = folder.json([args, &["--format", "json"]].concat());
        class(&scores, 0, "1")["Dice"].as_f64().unwrap()
    };
    assert_eq!(dice(&["eval", "other.npz", "t.nii", "--npz-order", "reversed"]), 1.0);
    assert!(dice(&["eval", "other.npz", "t.nii"]) < 1.0);
    assert!(dice(&["eval", "p.npz", "t.nii", "--npz-order", "stored"]) < 1.0);
    // Without channels, and where the shape fits one way only.
    npz(&folder.path("one.npz"), "probabilities", &[z_dim, y_dim, x_dim], &planes[18..]);
    assert_eq!(dice(&["eval", "one.npz", "t.nii"]), 1.0);
    assert_eq!(dice(&["eval", "p.npz", "t.nii", "--channels", "first"]), 1.0);
}

/// 255 may be a mask's 1 or a label such as "void": a folder does not have both.
#[test]
fn a_folder_does_not_have_255_for_two_things() {
    let folder = folders();
    npy(&folder.path("p/a.npy"), &[4], &[0_u8, 1, 2, 1]);
    npy(&folder.path("t/a.npy"), &[4], &[0_u8, 1, 2, 255]);
    npy(&folder.path("p/b.npy"), &[4], &[0_u8, 1, 1, 0]);
    npy(&folder.path("t/b.npy"), &[4], &[0_u8, 255, 255, 0]);
    let output = folder.run(["eval", "p", "t", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let said = "b: a file of it holds nothing but 0 and 255, like a mask, and a has a label 255; give --as labels";
    assert!(stderr.contains(said), "{stderr}");
    // As labels, or where 255 is named, they are what they are.
    for more in [["--as", "labels"], ["--ignore-label", "255"]] {
        let scores = folder.json([&["eval", "p", "t", "--format", "json"], &more[..]].concat());
        assert_number(&class(&scores, 1, "1"), "TP", 0.0, 0.0);
    }
    let scores = folder.json(["eval", "p", "t", "--format", "json", "--as", "mask"]);
    assert_number(&class(&scores, 1, "1"), "Dice", 1.0, 0.0);
}

/// White of 8 bits in an image of 16, and shades that might be labels.
#[test]
fn white_of_another_depth_is_white() {
    let folder = Folder::new();
    let shades = [0_u8, 255, 255, 0, 255, 0, 255, 255];
    grey(&folder, "m8.png", &shades);
    let deep: Vec<u8> = shades.iter().flat_map(|&shade| [0, shade]).collect();
    png(&folder.path("m16.png"), [4, 2], ColorType::Grayscale, BitDepth::Sixteen, &deep);
    for pair in [["m8.png", "m16.png"], ["m16.png", "m8.png"], ["m16.png", "m16.png"]] {
        let scores = folder.json(["eval", pair[0], pair[1], "--format", "json"]);
        assert_eq!(scores["class_names"], serde_json::json!({"1": "1"}), "{pair:?}");
        assert_number(&class(&scores, 0, "1"), "TP", 5.0, 0.0);
    }
    grey(&folder, "l.png", &[0, 1, 2, 130, 1, 1, 0, 0]);
    npy(&folder.path("l.npy"), &[2, 4], &[0_u8, 1, 1, 1, 0, 0, 0, 0]);
    let stderr = String::from_utf8(folder.run(["eval", "l.png", "l.npy"]).stderr).unwrap();
    assert!(stderr.contains("shades of grey are taken for probabilities; give --as labels"), "{stderr}");
}

/// [C, H, W] on both sides: along the first axis both add up to 1.
#[test]
fn two_files_of_three_axes_may_both_have_channels() {
    let folder = Folder::new();
    let one_hot = |labels: [u8; 8]| [0, 1].map(|class| labels.map(|label| u8::from(label == class))).concat();
    let truth = one_hot([0, 1, 0, 0, 0, 0, 0, 1]);
    npy(&folder.path("t.npy"), &[2, 2, 4], &truth);
    npy(&folder.path("p.npy"), &[2, 2, 4], &one_hot([0, 1, 0, 0, 0, 0, 1, 0]));
    let soft: Vec<f32> = truth.iter().map(|&hot| if hot == 1 { 0.7 } else { 0.3 }).collect();
    npy(&folder.path("soft.npy"), &[2, 2, 4], &soft);
    for (prediction, dice) in [("p.npy", 0.5), ("soft.npy", 1.0)] {
        let scores = folder.json(["eval", prediction, "t.npy", "--format", "json"]);
        assert_number(&class(&scores, 0, "1"), "Dice", dice, 1e-12);
    }
    let scores = folder.json(["eval", "p.npy", "t.npy", "--format", "json", "--channels", "none"]);
    assert_number(&class(&scores, 0, "1"), "TP", 6.0, 0.0);
}

/// Labels of 64-bit floats and of scaled integers beyond what 32-bit floats tell apart; fractions that these round to labels.
#[test]
fn no_rounding_makes_another_label() {
    let folder = Folder::new();
    npy(&folder.path("f64.npy"), &[3], &[16_777_217.0, 0.0, 16_777_216.0]);
    npy(&folder.path("i32.npy"), &[3], &[16_777_217_i32, 0, 16_777_216]);
    let scores = folder.json(["eval", "f64.npy", "i32.npy", "--format", "json"]);
    for label in ["16777216", "16777217"] {
        assert_number(&class(&scores, 0, label), "Dice", 1.0, 0.0);
    }
    let raw: Vec<u8> = [20_000_001_i32, 20_000_000].iter().flat_map(|value| value.to_le_bytes()).collect();
    let header = Nifti { datatype: 8, bits: 32, slope: 1.0, intercept: -2e7, ..Nifti::u8(&[2]) };
    std::fs::write(folder.path("scaled.nii"), header.bytes(&raw)).unwrap();
    npy(&folder.path("t.npy"), &[2], &[1_u8, 0]);
    let scores = folder.json(["eval", "scaled.nii", "t.npy", "--format", "json"]);
    assert_number(&class(&scores, 0, "1"), "Dice", 1.0, 0.0);
    // A slope that is rounded, of labels and of a mask.
    for (slope, raw, labels) in [
        (0.1, [0, 10, 20, 30], [0, 1, 2, 3]),
        (1.0 / 7.0, [0, 7, 14, 21], [0, 1, 2, 3]),
        (1.0 / 255.0, [0, 255, 0, 255], [0, 1, 0, 1_u8]),
    ] {
        let header = Nifti { slope, ..Nifti::u8(&[4]) };
        std::fs::write(folder.path("slope.nii"), header.bytes(&raw)).unwrap();
        npy(&folder.path("labels.npy"), &[4], &labels);
        let scores = folder.json(["eval", "slope.nii", "labels.npy", "--format", "json", "--as", "labels"]);
        assert_eq!(scores["foreground_mean"]["Dice"], 1.0, "{slope}");
    }
    npy(&folder.path("nearly.npy"), &[2], &[1.000_000_000_1, 2.0]);
    let refused = folder.failure(["eval", "nearly.npy", "t.npy"]);
    assert!(refused.contains("neither a label nor a probability"), "{refused}");
}
