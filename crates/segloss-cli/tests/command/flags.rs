//! What `segloss eval` says of flags that change nothing, of files that nobody looks at, and of what nobody can mean.

use crate::files::{Nifti, npy};
use crate::run::{Folder, assert_number};

/// `p.npy` and `t.npy`, label maps with the labels 1 and 2.
fn folder() -> Folder {
    let folder = Folder::new();
    npy(&folder.path("p.npy"), &[4], &[0_u8, 1, 2, 0]);
    npy(&folder.path("t.npy"), &[4], &[0_u8, 1, 2, 2]);
    folder
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn flags_that_change_nothing_are_named() {
    let folder = folder();
    let message = folder.failure(["eval", "p.npy", "t.npy", "--npz-key", "a"]);
    assert_eq!(message, "segloss: --npz-key is given but neither file is a .npz; leave it out");
    let output = folder.run(["eval", "p.npy", "t.npy", "--tolerance", "2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--surface"), "{}", stderr(&output));
    assert!(folder.run(["eval", "p.npy", "t.npy", "--tolerance", "2", "--surface"]).status.success());
    let remark = "--threshold changes nothing: no file holds probabilities of one class or of overlapping channels";
    let output = folder.run(["eval", "p.npy", "t.npy", "--threshold", "0.4"]);
    assert!(output.status.success());
    assert_eq!(stderr(&output), format!("segloss: {remark}\n"));
    assert!(String::from_utf8(output.stdout).unwrap().ends_with(&format!("\n{remark}\n")));
}

#[test]
fn labels_that_no_class_has_are_named() {
    let folder = folder();
    std::fs::write(folder.path("c.json"), r#"{"background": 0, "a": 1}"#).unwrap();
    let scores = folder.json(["eval", "p.npy", "t.npy", "--classes", "c.json", "--format", "json"]);
    assert_eq!(scores["remarks"], serde_json::json!(["label 2 (p.npy, in both) occurs and is not in --classes"]));
    std::fs::write(folder.path("c.json"), r#"{"b": 7}"#).unwrap();
    let output = folder.run(["eval", "p.npy", "t.npy", "--classes", "c.json"]);
    assert_eq!(
        stderr(&output),
        "segloss: labels 1 (p.npy, in both), 2 (p.npy, in both) occur and are not in --classes\n"
    );
}

#[test]
fn files_of_other_kinds_are_counted() {
    let folder = Folder::new();
    for side in ["p", "t"] {
        std::fs::create_dir(folder.path(side)).unwrap();
        npy(&folder.path(&format!("{side}/a.npy")), &[4], &[0_u8, 1, 1, 0]);
    }
    for name in ["p/plans.json", "p/dataset.json", "p/a.pkl", "t/README"] {
        std::fs::write(folder.path(name), "").unwrap();
    }
    let output = folder.run(["eval", "p", "t", "--format", "json"]);
    let expected = [
        "p: 3 files of other kinds are not looked at (2 .json, 1 .pkl)",
        "t: 1 file of another kind is not looked at (1 without an ending)",
    ];
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), expected.map(|line| format!("segloss: {line}\n")).concat());
    let scores: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(scores["remarks"], serde_json::json!(expected));
}

/// Names of files move no cursor, and keep their spaces.
#[cfg(unix)]
#[test]
fn names_are_shown_as_they_are_without_control_characters() {
    let folder = Folder::new();
    for side in ["p", "t"] {
        std::fs::create_dir(folder.path(side)).unwrap();
        npy(&folder.path(&format!("{side}/good.npy")), &[1], &[1_u8]);
        std::fs::write(folder.path(&format!("{side}/bad  x.npy")), "").unwrap();
    }
    npy(&folder.path("p/red\u{1b}[31m.npy"), &[1], &[1_u8]);
    std::fs::write(folder.path("classes.json"), r#"{"c\u001bd": 1}"#).unwrap();
    for format in ["table", "csv", "markdown"] {
        let output = folder.run(["eval", "p", "t", "--classes", "classes.json", "--format", format]);
        let (said, report) = (stderr(&output), String::from_utf8(output.stdout).unwrap());
        for text in [&said, &report] {
            assert!(!text.contains('\u{1b}') && text.contains("p/red\u{fffd}[31m.npy"), "{text}");
            assert!(text.contains("bad  x.npy: the file is empty"), "{text}");
        }
        assert!(report.contains("c\u{fffd}d"), "{report}");
    }
}

#[test]
fn usage_that_is_nearly_right_is_explained() {
    let folder = folder();
    let output = folder.run(["eval", "--surface", "deepmind", "p.npy", "t.npy"]);
    assert_eq!(output.status.code(), Some(2));
    let advice = "segloss: a definition of surfaces is written with an equals sign: --surface=deepmind\n";
    assert!(stderr(&output).contains(advice), "{}", stderr(&output));
    let message = folder.failure(["eval", "--surface", "monai", "p.npy"]);
    assert!(message.contains("monai: it cannot be read") && message.contains("written --surface=monai"), "{message}");
}

/// Without affines there are none to show; units are compared in millimetres.
#[test]
fn spaces_are_told_apart_in_millimetres() {
    let folder = Folder::new();
    let bare = |size: f32, units: u8| {
        let mut bytes = Nifti { voxel_size: [size; 3], ..Nifti::u8(&[2, 2, 1]) }.bytes(&[0, 1, 1, 0]);
        bytes[123] = units;
        bytes[254..256].fill(0);
        bytes
    };
    for (name, size, units) in [("mm.nii", 1.0, 2), ("metre.nii", 0.001, 1), ("two.nii", 2.0, 2)] {
        std::fs::write(folder.path(name), bare(size, units)).unwrap();
    }
    let scores = folder.json(["eval", "metre.nii", "mm.nii", "--format", "json"]);
    assert_number(&scores["metric_per_case"][0]["metrics"]["1"], "true_volume", 2.0, 1e-6);
    let message = folder.failure(["eval", "two.nii", "mm.nii"]);
    let expected = "segloss: two.nii and mm.nii differ in voxel size (2×2×2 and 1×1×1); expected the same, or --any-space to \
        compare voxels as they are stored";
    assert_eq!(message, expected);
}

/// In CSV, what has no numbers has a line, too.
#[test]
fn csv_names_what_is_missing() {
    let folder = Folder::new();
    for side in ["p", "t"] {
        std::fs::create_dir(folder.path(side)).unwrap();
        npy(&folder.path(&format!("{side}/a.npy")), &[4], &[0_u8, 1, 2, 2]);
        std::fs::write(folder.path(&format!("{side}/bad.npy")), "").unwrap();
    }
    npy(&folder.path("t/more.npy"), &[1], &[1_u8]);
    let output = folder.run(["eval", "p", "t", "--format", "csv"]);
    let csv = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = csv.lines().collect();
    for line in [
        "a,(mean),1,1,1,1,1,,,,,",
        "a,(generalised),1,,,,,,,,,",
        "t/more.npy,(unmatched),,,,,,,,,,no partner of this name",
    ] {
        assert!(lines.contains(&line), "{line} is not in {csv}");
    }
    let failed = lines.iter().find(|line| line.starts_with("bad,(failed),,,")).unwrap();
    assert!(failed.ends_with("p/bad.npy: the file is empty; expected an array of numbers"), "{csv}");
    assert!(lines.iter().any(|line| line.starts_with("(pooled),(generalised),1,")), "{csv}");
}

/// Generalised Dice of nothing by nothing follows the rule that Dice does.
#[test]
fn generalised_dice_of_nothing_is_what_was_chosen() {
    let folder = Folder::new();
    npy(&folder.path("nothing.npy"), &[4], &[0_u8; 4]);
    npy(&folder.path("one.npy"), &[4], &[0_u8, 1, 0, 0]);
    let of = |prediction, empty| {
        let scores = folder.json(["eval", prediction, "nothing.npy", "--empty", empty, "--format", "json"]);
        let case = scores["metric_per_case"][0]["generalized_dice"].as_f64();
        assert_eq!(scores["pooled_generalized_dice"].as_f64(), case);
        case
    };
    for (empty, of_nothing, of_one) in [
        ("nan", None, Some(0.0)),
        ("nan-without-truth", None, None),
        ("one", Some(1.0), Some(0.0)),
        ("zero", Some(0.0), Some(0.0)),
    ] {
        assert_eq!((of("nothing.npy", empty), of("one.npy", empty)), (of_nothing, of_one), "{empty}");
    }
}

/// The background's mean is in "mean" and not in the foreground's.
#[test]
fn the_foreground_has_no_background_and_channel_0_is_none() {
    let folder = folder();
    let scores = folder.json(["eval", "p.npy", "t.npy", "--background", "--format", "json"]);
    assert_number(&scores["foreground_mean"], "Dice", (1.0 + 2.0 / 3.0) / 2.0, 1e-12);
    // Overlapping channels, of which the first is a class like any other.
    npy(&folder.path("c.npy"), &[2, 1, 2, 2], &[1_u8, 1, 0, 0, 1, 0, 0, 0]);
    npy(&folder.path("d.npy"), &[2, 1, 2, 2], &[1_u8, 0, 0, 0, 1, 0, 0, 0]);
    let scores = folder.json(["eval", "c.npy", "d.npy", "--format", "json"]);
    assert_number(&scores["foreground_mean"], "Dice", (2.0 / 3.0 + 1.0) / 2.0, 1e-12);
}
