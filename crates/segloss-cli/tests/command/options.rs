//! Flags of `segloss eval` that say what labels, channels and probabilities mean.

use serde_json::Value;

use crate::files::{Nifti, npy, tiff};
use crate::run::{Folder, assert_number};

fn class(scores: &Value, key: &str) -> Value {
    scores["metric_per_case"][0]["metrics"][key].clone()
}

/// 255 is white in a mask, but a label where somebody says so.
#[test]
fn a_label_that_is_named_is_not_white() {
    let folder = Folder::new();
    npy(&folder.path("p.npy"), &[6], &[0_u8, 255, 255, 0, 255, 0]);
    npy(&folder.path("t.npy"), &[6], &[0_u8, 255, 0, 0, 255, 255]);
    let scores = folder.json(["eval", "p.npy", "t.npy", "--format", "json"]);
    assert_number(&class(&scores, "1"), "Dice", 4.0 / 6.0, 1e-12);
    std::fs::write(folder.path("c.json"), r#"{"background": 0, "lesion": 255}"#).unwrap();
    let scores = folder.json(["eval", "p.npy", "t.npy", "--classes", "c.json", "--format", "json"]);
    assert_number(&class(&scores, "255"), "Dice", 4.0 / 6.0, 1e-12);
    // What does not count is no class: of three voxels that are left, none is of any.
    let scores = folder.json(["eval", "p.npy", "t.npy", "--ignore-label", "255", "--format", "json"]);
    assert_eq!(scores["class_names"], serde_json::json!({"1": "1"}));
    assert_eq!((&class(&scores, "1")["FP"], &class(&scores, "1")["TN"]), (&0.into(), &3.into()));
}

/// Channels of a NIfTI file lie where it says, too.
#[test]
fn channels_and_labels_are_compared_in_space() {
    let folder = Folder::new();
    let one_hot = Nifti { voxel_size: [1.0, 1.0, 3.0], ..Nifti::u8(&[2, 2, 1, 2]) };
    std::fs::write(folder.path("p.nii"), one_hot.bytes(&[0, 1, 0, 1, 1, 0, 1, 0])).unwrap();
    let labels = Nifti::u8(&[2, 2, 1]);
    std::fs::write(folder.path("t.nii"), labels.bytes(&[1, 0, 1, 0])).unwrap();
    let message = folder.failure(["eval", "p.nii", "t.nii"]);
    assert!(message.contains("differ in voxel size (1×1×3 and 1×1×1)"), "{message}");
    let scores = folder.json(["eval", "p.nii", "t.nii", "--any-space", "--format", "json"]);
    assert_number(&class(&scores, "1"), "Dice", 1.0, 0.0);
    // In mm³, also of a single slice: by the header of the truth.
    assert_number(&class(&scores, "1"), "true_volume", 2.0, 1e-12);
    let nowhere = Nifti { translation: [f32::NAN, 0.0, 0.0], ..Nifti::u8(&[2, 2, 1]) };
    std::fs::write(folder.path("p.nii"), nowhere.bytes(&[1, 0, 1, 0])).unwrap();
    let message = folder.failure(["eval", "p.nii", "t.nii"]);
    assert!(message.contains("up to NaN apart") && message.contains("[1 0 0 NaN]"), "{message}");
}

/// What only masks have is never passed over in silence.
#[test]
fn probabilities_are_scored_as_masks_where_masks_are_asked_for() {
    let folder = Folder::new();
    npy(&folder.path("p.npy"), &[4], &[0.1_f32, 0.9, 0.8, 0.2]);
    npy(&folder.path("t.npy"), &[4], &[0_u8, 255, 255, 255]);
    let alone = class(&folder.json(["eval", "p.npy", "t.npy", "--format", "json"]), "1");
    assert_number(&alone, "Dice", 4.0 / 5.0, 1e-12);
    assert_number(&alone, "soft_dice", 2.0 * 1.9 / (2.0 + 3.0), 1e-6);
    let scores = folder.json(["eval", "p.npy", "t.npy", "--surface", "--format", "json"]);
    let found = class(&scores, "1");
    assert_number(&found, "Dice", 4.0 / 5.0, 1e-12);
    assert_number(&found, "soft_dice", 2.0 * 1.9 / (2.0 + 3.0), 1e-6);
    assert_number(&found, "HD", 1.0, 1e-12);
    // The ignored voxel is in no score.
    npy(&folder.path("t.npy"), &[4], &[0_u8, 1, 1, 2]);
    let scores = folder.json(["eval", "p.npy", "t.npy", "--ignore-label", "2", "--format", "json"]);
    assert_number(&class(&scores, "1"), "Dice", 1.0, 1e-12);
    assert_number(&class(&scores, "1"), "soft_dice", 2.0 * 1.7 / (1.8 + 2.0), 1e-6);
}

/// A probability equal to the threshold is background, in f32, whoever compares.
#[test]
fn both_ways_to_a_mask_have_one_threshold() {
    let folder = Folder::new();
    npy(&folder.path("p.npy"), &[4], &[0.1_f32, 0.9, 0.8, 0.2]);
    npy(&folder.path("t.npy"), &[4], &[0_u8, 1, 1, 1]);
    let alone = folder.json(["eval", "p.npy", "t.npy", "--threshold", "0.1", "--format", "json"]);
    let masks = folder.json(["eval", "p.npy", "t.npy", "--threshold", "0.1", "--surface", "--format", "json"]);
    assert_number(&class(&alone, "1"), "Dice", 1.0, 0.0);
    assert_number(&class(&masks, "1"), "Dice", 1.0, 0.0);
}

#[test]
fn channels_are_named_by_their_number() {
    let folder = Folder::new();
    let channels: Vec<u8> = [[1, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]].concat();
    npy(&folder.path("p.npy"), &[3, 1, 2, 2], &channels);
    let classes = |text: &str| std::fs::write(folder.path("c.json"), text).unwrap();
    classes(r#"["whole", "core", "enhancing"]"#);
    let scores = folder.json(["eval", "p.npy", "p.npy", "--classes", "c.json", "--format", "json"]);
    assert_eq!(scores["class_names"], serde_json::json!({"0": "whole", "1": "core", "2": "enhancing"}));
    assert_eq!((&class(&scores, "0")["TP"], &class(&scores, "2")["TP"]), (&3.into(), &0.into()));
    // Also without names, and where a channel is empty in all cases.
    let scores = folder.json(["eval", "p.npy", "p.npy", "--format", "json"]);
    assert_eq!(scores["class_names"].as_object().unwrap().len(), 3);
    for (text, part) in [
        (r#"{"a": 33}"#, "it has 3 overlapping channels; expected --classes to name no channel 33"),
        (r#"{"a": -1}"#, "no channel -1"),
        (r#"{"a": 1, "b": [1]}"#, "the classes \"a\" and \"b\" have the same labels, (1,)"),
        (r#"{"background": 0}"#, "it names no classes"),
    ] {
        classes(text);
        let message = folder.failure(["eval", "p.npy", "p.npy", "--classes", "c.json"]);
        assert!(message.contains(part), "{message}");
    }
    let message = folder.failure(["eval", "p.npy", "p.npy", "--ignore-label", "3"]);
    assert!(message.contains("its channels overlap, and have no label 3"), "{message}");
}

#[test]
fn channels_that_are_asked_for_are_those_of_the_larger_file() {
    let folder = Folder::new();
    npy(&folder.path("labels.npy"), &[2, 3], &[0_u8, 1, 1, 0, 0, 1]);
    npy(&folder.path("first.npy"), &[2, 2, 3], &[1_u8, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
    npy(&folder.path("last.npy"), &[2, 3, 2], &[1_u8, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1]);
    for (channels, file) in [("first", "first.npy"), ("last", "last.npy"), ("auto", "first.npy")] {
        for pair in [[file, "labels.npy"], ["labels.npy", file]] {
            let scores = folder.json(["eval", pair[0], pair[1], "--channels", channels, "--format", "json"]);
            assert_number(&class(&scores, "1"), "Dice", 1.0, 0.0);
        }
    }
    npy(&folder.path("one.npy"), &[2, 3, 1], &[0_u8, 1, 1, 0, 0, 1]);
    let scores = folder.json(["eval", "one.npy", "labels.npy", "--channels", "last", "--format", "json"]);
    assert_number(&class(&scores, "1"), "Dice", 1.0, 0.0);
}

#[test]
fn images_that_are_no_label_maps_are_refused() {
    let folder = Folder::new();
    let shades: Vec<u16> = (0..1000).collect();
    npy(&folder.path("image.npy"), &[10, 100], &shades);
    let message = folder.failure(["eval", "image.npy", "image.npy"]);
    assert!(message.contains("have 1000 labels; expected at most 500, or the classes by --classes"), "{message}");
    std::fs::write(folder.path("c.json"), r#"{"a": 7}"#).unwrap();
    let scores = folder.json(["eval", "image.npy", "image.npy", "--classes", "c.json", "--format", "json"]);
    assert_eq!(class(&scores, "7")["TP"], 1);
}

/// Nothing by nothing has no distance, by either definition, whether or not the class is named.
#[test]
fn surfaces_of_nothing_are_nan() {
    let folder = Folder::new();
    npy(&folder.path("p.npy"), &[4], &[0_u8, 1, 1, 0]);
    std::fs::write(folder.path("c.json"), r#"{"a": 1, "b": 2}"#).unwrap();
    for definition in ["--surface=monai", "--surface=deepmind"] {
        let scores = folder.json(["eval", "p.npy", "p.npy", "--classes", "c.json", definition, "--format", "json"]);
        assert_number(&class(&scores, "1"), "HD", 0.0, 0.0);
        assert!(["HD", "HD95", "ASSD", "NSD"].iter().all(|key| class(&scores, "2")[key].is_null()));
    }
}

/// Pages are put together without copying all of them for each.
#[test]
fn long_stacks_of_images_are_read() {
    let folder = Folder::new();
    let labels: Vec<u8> = (0..600 * 64).map(|i| (i % 3) as u8).collect();
    tiff(&folder.path("p.tif"), &[600, 8, 8], &labels);
    npy(&folder.path("t.npy"), &[600, 8, 8], &labels);
    let scores = folder.json(["eval", "p.tif", "t.npy", "--format", "json"]);
    assert_eq!(class(&scores, "2")["TP"], 12_800);
}
