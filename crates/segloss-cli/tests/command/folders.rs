//! `segloss eval` on folders: pairs, aggregates, reports, and what goes wrong.

use std::path::Path;

use png::{BitDepth, ColorType};
use serde_json::Value;

use crate::files::{Nifti, gzip, npy, png};
use crate::run::{Folder, assert_number};

/// Folders `p` and `t` with as many cases of 4×4 voxels, of which the prediction misses the more the later they come.
pub(crate) fn folders(cases: usize) -> Folder {
    let folder = Folder::new();
    for name in ["p", "t"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    for case in 0..cases {
        let truth: Vec<u8> = (0..16).map(|i| [0, 1, 1, 2][i % 4]).collect();
        let prediction: Vec<u8> =
            truth.iter().enumerate().map(|(i, &label)| if i < case { 0 } else { label }).collect();
        write(&folder.path(&format!("p/case_{case}.nii.gz")), &prediction);
        write(&folder.path(&format!("t/case_{case}.nii.gz")), &truth);
    }
    folder
}

fn write(path: &Path, labels: &[u8]) {
    std::fs::write(path, gzip(&Nifti::u8(&[4, 4]).bytes(labels))).unwrap();
}

/// Runs `eval p t` with more arguments; its exit code, stdout and the sentences on stderr.
pub(crate) fn eval(folder: &Folder, more: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let output = folder.run([&["eval", "p", "t"], more].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    let sentences = stderr.lines().filter_map(|line| line.strip_prefix("segloss: ").map(str::to_owned)).collect();
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), sentences)
}

pub(crate) fn json(folder: &Folder, more: &[&str]) -> Value {
    let (code, stdout, stderr) = eval(folder, &[more, &["--format", "json"]].concat());
    assert!(code.is_some_and(|code| code < 2), "{stderr:?}");
    serde_json::from_str(&stdout).unwrap()
}

/// The shipped slices: of the mean over cases and of all voxels, with NumPy.
#[test]
fn both_aggregations_of_the_shipped_slices() {
    let folder = Folder::new();
    let slices = |name: &str| format!("{}/../../examples/data/slices/{name}", env!("CARGO_MANIFEST_DIR"));
    let (prediction, truth) = (slices("predicted"), slices("truth"));
    let scores = folder.json(["eval", &prediction, &truth, "--format", "json"]);
    for (class, mean, pooled) in [("1", 0.900301, 0.907477), ("2", 0.899995, 0.905519)] {
        assert_number(&scores["mean"][class], "Dice", mean, 5e-7);
        assert_number(&scores["pooled"][class], "Dice", pooled, 5e-7);
    }
    let means = ["1", "2"].map(|class| scores["mean"][class]["Dice"].as_f64().unwrap());
    assert_number(&scores["foreground_mean"], "Dice", (means[0] + means[1]) / 2.0, 1e-15);
    let table = String::from_utf8(folder.run(["eval", &prediction, &truth]).stdout).unwrap();
    let worst: Vec<_> = table.lines().filter(|line| line.ends_with("worst")).collect();
    assert!(worst.len() == 1 && worst[0].starts_with("slice_064 "), "{table}");
    for line in ["Mean over cases", "Pooled over all voxels"] {
        assert!(table.contains(line), "{table}");
    }
}

#[test]
fn the_json_has_the_layout_of_nnunet() {
    let folder = folders(3);
    let text = eval(&folder, &["--format", "json"]).1;
    let scores: Value = serde_json::from_str(&text).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for key in ["foreground_mean", "mean", "metric_per_case"] {
        assert!(keys(&scores).contains(&key.to_owned()));
    }
    for key in ["Dice", "FN", "FP", "IoU", "TN", "TP", "n_pred", "n_ref"] {
        for class in ["1", "2"] {
            assert!(scores["metric_per_case"][0]["metrics"][class][key].is_number(), "{key}");
            assert!(scores["mean"][class][key].is_f64(), "{key}");
        }
        assert!(scores["foreground_mean"][key].is_f64(), "{key}");
    }
    let case = &scores["metric_per_case"][2];
    assert_eq!(case["prediction_file"], "p/case_2.nii.gz");
    assert_eq!(case["reference_file"], "t/case_2.nii.gz");
    // One of eight is missed.
    assert_number(&case["metrics"]["1"], "Dice", 14.0 / 15.0, 1e-15);
    assert_number(&scores["pooled"]["1"], "Dice", 46.0 / 47.0, 1e-15);
    // Sorted keys, four spaces.
    assert!(text.contains("\n    \"class_names\": {\n        \"1\": \"1\","), "{text}");
    let mut sorted = keys(&scores);
    sorted.sort();
    assert_eq!(sorted, keys(&scores));
}

#[test]
fn csv_and_markdown_have_a_line_for_everything() {
    let folder = folders(2);
    let csv = eval(&folder, &["--format", "csv"]).1;
    let lines: Vec<_> = csv.lines().collect();
    // Two cases and two aggregates of two classes, with the mean and generalised Dice of each, and the names.
    assert_eq!(lines.len(), 17, "{csv}");
    assert!(lines[0].starts_with("case,class,Dice,IoU,precision,recall,specificity,"), "{csv}");
    assert!(lines[0].ends_with(",TP,FP,FN,TN,remark") && lines[1].starts_with("case_0,1,1,1,1,1,1,"), "{csv}");
    let columns = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() == columns), "{csv}");
    let markdown = eval(&folder, &["--format", "markdown"]).1;
    assert!(
        markdown.contains("| case | Dice 1 | Dice 2 | mean |  |\n| --- | ---: | ---: | ---: | ---: |\n"),
        "{markdown}"
    );
}

/// Six kinds of bad files and a lonely one: the sound case is scored, every other is named with its reason.
#[test]
fn bad_files_are_named_and_do_not_stop_the_others() {
    let folder = folders(2);
    let sound = Nifti::u8(&[4, 4]);
    let data = [0_u8, 1, 1, 2].repeat(4);
    let truth = |name: &str| write(&folder.path(&format!("t/{name}.nii.gz")), &data);
    let mut damaged = gzip(&sound.bytes(&data));
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let whole = gzip(&sound.bytes(&data));
    let truncated = &whole[..whole.len() - 9];
    let far = Nifti { translation: [9.0, 0.0, 0.0], ..Nifti::u8(&[4, 4]) };
    let floats = |values: [f32; 16]| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        gzip(&Nifti { datatype: 16, bits: 32, ..Nifti::u8(&[4, 4]) }.bytes(&bytes))
    };
    let (mut nan, mut half) = ([0.0; 16], [0.0; 16]);
    (nan[5], half[5]) = (f32::NAN, 1.5);
    let bad = [
        ("damaged", &damaged[..], "damaged"),
        ("truncated", truncated, "damaged or truncated"),
        ("smaller", &gzip(&Nifti::u8(&[4, 3]).bytes(&data[..12])), "its shape 4×4 differs from the prediction's, 4×3"),
        ("far", &gzip(&far.bytes(&data)), "the same voxel lies up to 9.000 apart"),
        ("nan", &floats(nan), "1 of 16 values are not finite numbers, the first (NaN) at [1, 1]"),
        ("half", &floats(half), "the value 1.5 at [1, 1] is neither a label nor a probability"),
        ("nothing", &[], "the file is empty"),
    ];
    for (name, bytes, _) in bad {
        std::fs::write(folder.path(&format!("p/{name}.nii.gz")), bytes).unwrap();
        truth(name);
    }
    truth("lonely");
    let (code, stdout, stderr) = eval(&folder, &["--report", "report.html"]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("cases       2, 7 failed, 1 file without a partner"), "{stdout}");
    for (name, _, reason) in bad {
        let said = |lines: &[String]| lines.iter().any(|line| line.contains(name) && line.contains(reason));
        assert!(said(&stderr), "{name}: {stderr:?}");
        assert!(said(&stdout.lines().map(str::to_owned).collect::<Vec<_>>()), "{name}: {stdout}");
    }
    assert_eq!(stderr.len(), 8);
    assert!(stderr[7].contains("t/lonely.nii.gz: no partner of this name"), "{stderr:?}");
    let page = std::fs::read_to_string(folder.path("report.html")).unwrap();
    assert!(page.contains("its shape 4×4 differs") && page.contains("t/lonely.nii.gz"));
    let scores = json(&folder, &[]);
    assert_eq!(
        (scores["failed"].as_array().unwrap().len(), scores["metric_per_case"].as_array().unwrap().len()),
        (7, 2)
    );
}

#[test]
fn exit_codes_say_what_is_missing() {
    let folder = folders(2);
    assert_eq!(eval(&folder, &[]).0, Some(0));
    write(&folder.path("t/more.nii.gz"), &[1; 16]);
    assert_eq!(eval(&folder, &[]).0, Some(1));
    assert_eq!(eval(&folder, &["--subset"]).0, Some(0));
    // Nothing can be scored: no page either.
    for case in 0..2 {
        std::fs::write(folder.path(&format!("p/case_{case}.nii.gz")), b"").unwrap();
    }
    let (code, stdout, stderr) = eval(&folder, &["--report", "report.html", "--output", "summary.json"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.last().unwrap().contains("p: no case could be scored"), "{stderr:?}");
    assert_eq!(folder.names(), ["p", "t"]);
    let empty = Folder::new();
    for name in ["p", "t"] {
        std::fs::create_dir(empty.path(name)).unwrap();
    }
    let message = empty.failure(["eval", "p", "t"]);
    assert!(message.starts_with("segloss: p: it holds no file of a known kind; expected names that end in .nii.gz, "));
    npy(&empty.path("p/a.npy"), &[1], &[1_u8]);
    npy(&empty.path("t/b.npy"), &[1], &[1_u8]);
    let (code, _, stderr) = eval(&empty, &[]);
    assert_eq!((code, stderr.len()), (Some(2), 3), "{stderr:?}");
    assert!(stderr[2].ends_with("p: no prediction has a truth of its name"), "{stderr:?}");
}

#[test]
fn files_pair_up_whatever_their_role_is_called() {
    let folder = Folder::new();
    for name in ["p", "t"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    for (prediction, truth) in [
        ("sub-01_space-T1w_desc-pred_dseg.npy", "sub-01_space-T1w_desc-pred_dseg.npy"),
        ("BRATS_001_pred.npy", "BRATS_001_0000.npy"),
        ("pred_scan-7.npy", "scan-7_gt.npy"),
    ] {
        npy(&folder.path(&format!("p/{prediction}")), &[4], &[0_u8, 1, 1, 0]);
        npy(&folder.path(&format!("t/{truth}")), &[4], &[0_u8, 1, 1, 0]);
    }
    std::fs::write(folder.path("p/plans.json"), "{}").unwrap();
    npy(&folder.path("p/two_seg.npy"), &[4], &[1_u8; 4]);
    npy(&folder.path("p/two_pred.npy"), &[4], &[1_u8; 4]);
    npy(&folder.path("t/two.npy"), &[4], &[1_u8; 4]);
    let (code, stdout, stderr) = eval(&folder, &[]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("cases       3, 1 failed\n"), "{stdout}");
    assert!(stderr[0].starts_with("two: ") && stderr[0].contains("could all be meant"), "{stderr:?}");
}

/// Means leave out what is not defined, and say of how many cases.
#[test]
fn what_is_left_out_of_means_is_counted() {
    let folder = folders(2);
    write(&folder.path("p/none.nii.gz"), &[0; 16]);
    write(&folder.path("t/none.nii.gz"), &[0; 16]);
    let scores = json(&folder, &[]);
    assert_eq!(scores["mean"]["2"]["left_out"]["Dice"], 1);
    assert_number(&scores["mean"]["2"], "Dice", 1.0, 0.0);
    assert!(scores["metric_per_case"][2]["metrics"]["2"]["Dice"].is_null());
    let table = eval(&folder, &[]).1;
    let lines: Vec<_> = table.lines().filter(|line| line.contains("not defined")).collect();
    let expected = "Dice, IoU, precision, recall are not defined (NaN) of class 1 in 1, of class 2 in 1 of 3 cases, which their means \
                    leave out";
    assert_eq!(lines, [expected]);
    // What is missed altogether has no precision, either, and is no harmless gap.
    write(&folder.path("p/none.nii.gz"), &[0; 16]);
    write(&folder.path("t/none.nii.gz"), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2]);
    let table = eval(&folder, &[]).1;
    let expected = "\nprecision is not defined (NaN) of class 1 in 1, of class 2 in 1 (1 of them missed or made up) of 3 cases, which its \
                    mean leaves out\n";
    assert!(table.contains(expected), "{table}");
    let alone = folder.run(["eval", "p/none.nii.gz", "t/none.nii.gz", "--background"]).stdout;
    let expected = "precision is not defined (NaN) of class 2, missed or made up, which its mean leaves out";
    assert!(String::from_utf8(alone).unwrap().contains(expected));
    write(&folder.path("t/none.nii.gz"), &[0; 16]);
    assert_number(&json(&folder, &["--empty", "one"])["mean"]["2"], "Dice", 1.0, 0.0);
    let zero = json(&folder, &["--empty", "zero"]);
    assert_number(&zero["mean"]["2"], "Dice", 2.0 / 3.0, 1e-15);
    assert!(zero["mean"]["2"]["left_out"]["Dice"].is_null());
}

/// Probabilities also score softly, on the GPU, with the numbers that a pair alone has.
#[test]
fn folders_of_probabilities_score_softly_too() {
    let folder = Folder::new();
    for name in ["p", "t"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    for case in 0..3 {
        let probabilities: Vec<f32> = (0..100).map(|i| ((i * 37 + 11 * case) % 101) as f32 / 101.0).collect();
        npy(&folder.path(&format!("p/{case}.npy")), &[10, 10], &probabilities);
        let truth: Vec<u8> = (0..100).map(|i| u8::from((i * 37) % 101 > 50)).collect();
        npy(&folder.path(&format!("t/{case}.npy")), &[10, 10], &truth);
    }
    let scores = json(&folder, &[]);
    for case in 0..3 {
        let (p, t) = (format!("p/{case}.npy"), format!("t/{case}.npy"));
        let alone = folder.json(["eval", &p, &t, "--format", "json"]);
        let class = &scores["metric_per_case"][case]["metrics"]["1"];
        let alone = &alone["metric_per_case"][0]["metrics"]["1"];
        for key in ["soft_dice", "bce", "Dice", "IoU"] {
            assert_number(class, key, alone[key].as_f64().unwrap(), 0.0);
        }
    }
}

/// By one thread and by many, the same text.
#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = folders(12);
    let one = eval(&folder, &["--threads", "1", "--surface", "--format", "json"]);
    assert_eq!(one, eval(&folder, &["--threads", "5", "--surface", "--format", "json"]));
    assert_eq!(one.0, Some(0));
}

/// A grey label map stays one beside a truth that lacks its classes, or has none.
#[test]
fn grey_label_maps_beside_poorer_truths_are_labels() {
    let folder = Folder::new();
    for name in ["p", "t"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    let grey = |path: &str, labels: &[u8]| {
        png(&folder.path(path), [4, 2], ColorType::Grayscale, BitDepth::Eight, labels);
    };
    for (case, truth) in [[0, 1, 1, 2, 2, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0], [0; 8]].iter().enumerate() {
        grey(&format!("p/{case}.png"), &[0, 1, 1, 2, 2, 0, 0, 1]);
        grey(&format!("t/{case}.png"), truth);
    }
    let scores = json(&folder, &[]);
    let found = |case: usize, class: &str, key: &str| scores["metric_per_case"][case]["metrics"][class][key].clone();
    assert_eq!([found(0, "1", "FP"), found(1, "2", "FP"), found(2, "1", "FP"), found(2, "2", "FP")], [1, 2, 3, 2]);
    // Shades beside black and white are probabilities.
    grey("p/0.png", &[0, 200, 130, 20, 20, 0, 0, 255]);
    grey("t/0.png", &[0, 255, 255, 0, 0, 0, 0, 0]);
    let alone = folder.json(["eval", "p/0.png", "t/0.png", "--format", "json"]);
    assert_number(&alone["metric_per_case"][0]["metrics"]["1"], "Dice", 4.0 / 5.0, 1e-12);
}

/// Equal names in the folders of different patients are not a pair.
#[test]
fn patients_are_not_mixed_up() {
    let folder = Folder::new();
    for path in ["p/a", "p/b", "t/b", "t/c", "p/.trash"] {
        std::fs::create_dir_all(folder.path(path)).unwrap();
        npy(&folder.path(&format!("{path}/1.npy")), &[4], &[0_u8, 1, 1, 0]);
    }
    let (code, stdout, stderr) = eval(&folder, &["--format", "json"]);
    let scores: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, scores["metric_per_case"].as_array().unwrap().len()), (Some(1), 1));
    assert_eq!(scores["metric_per_case"][0]["prediction_file"], "p/b/1.npy");
    assert_eq!(scores["unmatched"], serde_json::json!(["p/a/1.npy", "t/c/1.npy"]));
    assert_eq!(stderr.len(), 2);
}

/// What cannot be looked at, or is of another kind than most, is a failed case like any other.
#[test]
fn dead_links_and_odd_cases_do_not_stop_the_others() {
    let folder = folders(3);
    #[cfg(unix)]
    std::os::unix::fs::symlink("gone.nii.gz", folder.path("p/linked.nii.gz")).unwrap();
    let channels: Vec<u8> = (0..32).map(|i| u8::from(i % 3 == 0)).collect();
    for side in ["p", "t"] {
        npy(&folder.path(&format!("{side}/odd.npy")), &[2, 1, 4, 4], &channels);
    }
    std::fs::copy(folder.path("p/case_0.nii.gz"), folder.path("p/case_0.nii")).unwrap();
    let (code, stdout, stderr) = eval(&folder, &["--subset"]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("cases       3, ") && stdout.contains("passed over: p/case_0.nii\n"), "{stdout}");
    let said = |part: &str| stderr.iter().any(|line| line.contains(part));
    assert!(said("odd: it has 2 overlapping channels and most cases have one label a voxel"), "{stderr:?}");
    assert!(cfg!(windows) || said("linked.nii.gz: it cannot be looked at"), "{stderr:?}");
}

/// Two failures of one name are two.
#[test]
fn no_failure_hides_another() {
    let folder = Folder::new();
    for (side, names) in [("p", ["a", "a_seg"]), ("t", ["a", "a_gt"])] {
        std::fs::create_dir(folder.path(side)).unwrap();
        for name in names {
            std::fs::write(folder.path(&format!("{side}/{name}.npy")), b"").unwrap();
        }
    }
    let (code, _, stderr) = eval(&folder, &[]);
    assert_eq!((code, stderr.len()), (Some(2), 3), "{stderr:?}");
    assert!(stderr[0].starts_with("a: ") && stderr[1].starts_with("a_seg: "), "{stderr:?}");
}
