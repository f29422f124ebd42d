//! `segloss eval`: formats, numbers and labels.

use png::{BitDepth, ColorType};
use serde_json::Value;

use crate::files::{Nifti, first_axis_fastest, gzip, npy, npy_fortran, png};
use crate::run::{Folder, assert_number, parse};

const DIMS: [usize; 3] = [2, 3, 4];

/// Probabilities in steps of 1/255 and a mask, in C order.
fn pair() -> ([u8; 24], [u8; 24]) {
    (std::array::from_fn(|i| (i * 53 % 256) as u8), std::array::from_fn(|i| u8::from(i % 3 == 1)))
}

/// What `pair` scores, from its definition.
struct Expected {
    soft_dice: f64,
    bce: f64,
    hard: [u64; 3],
}

fn expected(threshold: f64) -> Expected {
    let (prediction, truth) = pair();
    let (mut sums, mut bce, mut hard) = ([0.0; 3], 0.0, [0; 3]);
    for (p, t) in prediction.map(|p| f64::from(p) / 255.0).into_iter().zip(truth.map(f64::from)) {
        sums = [sums[0] + p * t, sums[1] + p, sums[2] + t];
        bce -= t * p.ln().max(-100.0) + (1.0 - t) * (1.0 - p).ln().max(-100.0);
        let (found, there) = (u64::from(p > threshold), u64::from(t > threshold));
        hard = [hard[0] + found * there, hard[1] + found, hard[2] + there];
    }
    Expected { soft_dice: 2.0 * sums[0] / (sums[1] + sums[2]), bce: bce / 24.0, hard }
}

/// The numbers of the only class of two files.
fn only(scores: &Value) -> &Value {
    &scores["metric_per_case"][0]["metrics"]["1"]
}

fn assert_scores(scores: &Value, threshold: f64) {
    assert_number(scores, "threshold", threshold, 0.0);
    let scores = only(scores);
    let Expected { soft_dice, bce, hard: [both, predicted, there] } = expected(threshold);
    let [both_f, predicted_f, there_f] = [both, predicted, there].map(|count| count as f64);
    assert_number(scores, "soft_dice", soft_dice, 1e-6);
    assert_number(scores, "bce", bce, 1e-5);
    assert_number(scores, "Dice", 2.0 * both_f / (predicted_f + there_f), 1e-12);
    assert_number(scores, "IoU", both_f / (predicted_f + there_f - both_f), 1e-12);
    assert_number(scores, "precision", both_f / predicted_f, 1e-12);
    assert_number(scores, "recall", both_f / there_f, 1e-12);
    assert_eq!(["TP", "FP", "FN", "TN"].map(|key| scores[key].as_u64().unwrap()).iter().sum::<u64>(), 24);
    assert_eq!(scores["TP"], both);
    assert_eq!(scores["n_pred"], predicted);
    assert_eq!(scores["n_ref"], there);
}

/// Writes `pair` in every format under names that begin with `p` and `t`.
fn write_pair(folder: &Folder) {
    let (prediction, truth) = pair();
    let probabilities = prediction.map(|p| f32::from(p) / 255.0);
    npy(&folder.path("p.npy"), &DIMS, &probabilities);
    npy_fortran(&folder.path("p_fortran.npy"), &DIMS, &probabilities);
    npy(&folder.path("p_f64.npy"), &DIMS, &probabilities.map(f64::from));
    npy(&folder.path("t.npy"), &DIMS, &truth);
    npy(&folder.path("t_bool.npy"), &DIMS, &truth.map(|t| t == 1));
    npy(&folder.path("t_i64.npy"), &DIMS, &truth.map(i64::from));
    npy(&folder.path("t_u16.npy"), &DIMS, &truth.map(u16::from));

    let dims = DIMS.map(|dim| dim as i16);
    let scaled = Nifti { slope: 1.0 / 255.0, ..Nifti::u8(&dims) };
    let stored = first_axis_fastest(&DIMS, &prediction);
    std::fs::write(folder.path("p.nii"), scaled.bytes(&stored)).unwrap();
    std::fs::write(folder.path("p.nii.gz"), gzip(&scaled.bytes(&stored))).unwrap();
    // (v + 255)/255 − 1; the axis of length 1 is a series of one volume.
    let shifted = Nifti { slope: 1.0 / 255.0, intercept: -1.0, datatype: 512, bits: 16, ..Nifti::u8(&[2, 3, 4, 1]) };
    let words: Vec<u8> = stored.iter().flat_map(|&v| (u16::from(v) + 255).to_le_bytes()).collect();
    std::fs::write(folder.path("p_shifted.nii"), shifted.bytes(&words)).unwrap();
    let float = Nifti { datatype: 16, bits: 32, slope: f32::NAN, ..Nifti::u8(&dims) };
    let words: Vec<u8> = stored.iter().flat_map(|&v| (f32::from(v) / 255.0).to_le_bytes()).collect();
    std::fs::write(folder.path("P_FLOAT.NII.GZ"), gzip(&float.bytes(&words))).unwrap();
    let unset = Nifti { offset: 0.0, ..scaled };
    std::fs::write(folder.path("p_offset_0.nii"), unset.bytes(&stored)).unwrap();
    let truth = first_axis_fastest(&DIMS, &truth);
    std::fs::write(folder.path("t.nii.gz"), gzip(&Nifti::u8(&dims).bytes(&truth))).unwrap();
}

#[test]
fn every_format_gives_the_same_scores() {
    let folder = Folder::new();
    write_pair(&folder);
    let truths = ["t.npy", "t_bool.npy", "t_i64.npy", "t_u16.npy", "t.nii.gz"];
    let numpy = ["p.npy", "p_fortran.npy", "p_f64.npy"];
    let nifti = ["p.nii", "p.nii.gz", "p_shifted.nii", "P_FLOAT.NII.GZ", "p_offset_0.nii"];
    let predictions = [&numpy[..], &nifti].concat();
    let pairs = predictions.iter().map(|p| (*p, "t.npy")).chain(truths.iter().map(|t| ("p.npy", *t)));
    for (prediction, truth) in pairs {
        println!("{prediction} against {truth}");
        assert_scores(&folder.json(["eval", prediction, truth, "--format", "json"]), 0.5);
    }
    assert_scores(&folder.json(["eval", "p.npy", "t.npy", "--format", "json", "--threshold", "0.3"]), 0.3);
}

#[test]
fn grey_images_are_scaled_to_their_white() {
    let folder = Folder::new();
    let (prediction, truth) = pair();
    png(&folder.path("p.png"), [4, 6], ColorType::Grayscale, BitDepth::Eight, &prediction);
    png(&folder.path("t.png"), [4, 6], ColorType::Grayscale, BitDepth::Eight, &truth.map(|t| 255 * t));
    let bits: Vec<u8> = truth.chunks(4).map(|row| row.iter().enumerate().map(|(i, t)| t << (7 - i)).sum()).collect();
    png(&folder.path("bits.png"), [4, 6], ColorType::Grayscale, BitDepth::One, &bits);
    let deep: Vec<u8> = prediction.iter().flat_map(|&p| (u16::from(p) * 257).to_be_bytes()).collect();
    png(&folder.path("deep.png"), [4, 6], ColorType::Grayscale, BitDepth::Sixteen, &deep);
    npy(&folder.path("t.npy"), &[6, 4], &truth);
    for (prediction, truth) in [("p.png", "t.png"), ("p.png", "bits.png"), ("deep.png", "t.png"), ("p.png", "t.npy")] {
        println!("{prediction} against {truth}");
        assert_scores(&folder.json(["eval", prediction, truth, "--format", "json"]), 0.5);
    }
    png(&folder.path("ones.png"), [4, 6], ColorType::Grayscale, BitDepth::Eight, &truth);
    let message = folder.failure(["eval", "t.npy", "ones.png", "--as", "probabilities"]);
    assert!(message.contains("ones.png") && message.contains("--png-white 1"), "{message}");
    let message = folder.failure(["eval", "t.npy", "t.npy", "--png-white", "1"]);
    assert!(message.contains("--png-white is given but neither file is a .png or .tif"), "{message}");
    for more in [&[][..], &["--png-white", "1"]] {
        let scores = folder.json([&["eval", "t.npy", "ones.png", "--format", "json"], more].concat());
        assert_number(&scores["pooled"]["1"], "Dice", 1.0, 0.0);
    }
}

#[test]
fn logits_pass_through_the_sigmoid() {
    let folder = Folder::new();
    npy(&folder.path("z.npy"), &[4], &[3.0_f32, -2.0, 0.25, -0.25]);
    npy(&folder.path("t.npy"), &[4], &[1_u8, 0, 0, 1]);
    let message = folder.failure(["eval", "z.npy", "t.npy"]);
    assert!(message.contains("z.npy: the value -0.25 at [3] is neither") && message.contains("--logits"), "{message}");
    let message = folder.failure(["eval", "z.npy", "t.npy", "--as", "probabilities"]);
    assert!(message.contains("z.npy: the value -0.25 at [3] lies outside [0, 1]") && message.contains("--logits"));
    let scores = folder.json(["eval", "z.npy", "t.npy", "--logits", "--format", "json"]);
    let p = [3.0_f64, -2.0, 0.25, -0.25].map(|z| 1.0 / (1.0 + (-z).exp()));
    let scores = only(&scores);
    assert_number(scores, "soft_dice", 2.0 * (p[0] + p[3]) / (p.iter().sum::<f64>() + 2.0), 1e-6);
    assert_number(scores, "bce", -(p[0].ln() + (1.0 - p[1]).ln() + (1.0 - p[2]).ln() + p[3].ln()) / 4.0, 1e-6);
    assert_number(scores, "IoU", 1.0 / 3.0, 1e-12);
}

#[test]
fn volumes_that_lie_elsewhere_are_refused_unless_asked_for() {
    let folder = Folder::new();
    let here = Nifti::u8(&[2, 3]);
    let elsewhere = Nifti { voxel_size: [1.0, 1.5, 1.0], translation: [0.0, 0.0, -4.0], ..Nifti::u8(&[2, 3]) };
    std::fs::write(folder.path("here.nii"), here.bytes(&[0, 1, 0, 0, 1, 1])).unwrap();
    std::fs::write(folder.path("elsewhere.nii"), elsewhere.bytes(&[0, 1, 0, 0, 1, 1])).unwrap();
    npy(&folder.path("nowhere.npy"), &[2, 3], &[0_u8, 1, 0, 0, 1, 1]);
    let expected = "segloss: here.nii and elsewhere.nii differ in voxel size (1×1 and 1×1.5) and position in space (the same \
        voxel lies up to 4.123 apart); their affines are [1 0 0 0] [0 1 0 0] [0 0 1 0] and [1 0 0 0] [0 1.5 0 0] [0 0 1 -4]; \
        expected the same, or --any-space to compare voxels as they are stored";
    for kind in ["auto", "probabilities"] {
        assert_eq!(folder.failure(["eval", "here.nii", "elsewhere.nii", "--as", kind]), expected);
        let pair = ["eval", "here.nii", "elsewhere.nii", "--as", kind, "--any-space"];
        assert!(folder.run(pair).status.success());
    }
    for prediction in ["elsewhere.nii", "nowhere.npy"] {
        assert!(folder.run(["eval", prediction, "elsewhere.nii"]).status.success());
    }
}

#[test]
fn an_empty_pair_is_said_to_be_empty() {
    let folder = Folder::new();
    npy(&folder.path("zeros.npy"), &[5], &[0.0_f32; 5]);
    let eval = |prediction, truth| ["eval", prediction, truth, "--as", "probabilities", "--format"];
    let scores = folder.json([&eval("zeros.npy", "zeros.npy")[..], &["json"]].concat());
    let scores = only(&scores);
    for key in ["soft_dice", "Dice", "IoU", "precision", "recall"] {
        assert!(scores[key].is_null(), "{key} is {}", scores[key]);
    }
    assert_number(scores, "bce", 0.0, 0.0);
    let table = folder.run([&eval("zeros.npy", "zeros.npy")[..], &["table"]].concat()).stdout;
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("soft Dice         empty: there is no foreground in either\n"), "{table}");
    // Empty on one side only is a score of 0.
    npy(&folder.path("one.npy"), &[5], &[0.0_f32, 1.0, 0.0, 0.0, 0.0]);
    let scores = folder.json([&eval("zeros.npy", "one.npy")[..], &["json"]].concat());
    assert_number(only(&scores), "soft_dice", 0.0, 0.0);
    assert!(only(&scores)["precision"].is_null());
}

/// Computed with NumPy in f64 from the files as nibabel reads them.
#[test]
fn the_shipped_scan_has_its_known_scores() {
    let folder = Folder::new();
    let brain = |name: &str| format!("{}/../../examples/data/brain/{name}", env!("CARGO_MANIFEST_DIR"));
    let (prediction, truth) = (brain("predicted_grey_matter_probability.nii.gz"), brain("truth_grey_matter.nii.gz"));
    let scores = folder.json(["eval", &prediction, &truth, "--format", "json"]);
    let class = only(&scores);
    assert_number(class, "soft_dice", 0.843_078_148_758_279_4, 1e-6);
    assert_number(class, "bce", 0.062_362_697_229_426_06, 1e-6);
    assert_number(class, "Dice", 0.903_477_402_546_966_7, 1e-12);
    assert_number(class, "IoU", 0.823_947_818_900_891_3, 1e-12);
    assert_number(class, "precision", 0.966_671_860_662_407_6, 1e-12);
    assert_number(class, "recall", 0.848_038_396_694_968, 1e-12);
    assert_eq!((&class["n_pred"], &class["n_ref"]), (&115_518.into(), &131_678.into()));
    assert_eq!((&class["TP"], &class["TN"]), (&111_668.into(), &933_064.into()));
    assert_eq!(scores["computed_by"], "gpu");
}

#[test]
fn a_table_and_a_line_of_csv() {
    let folder = Folder::new();
    write_pair(&folder);
    let table = String::from_utf8(folder.run(["eval", "p.npy", "t.npy"]).stdout).unwrap();
    let soft_dice = expected(0.5).soft_dice;
    assert!(table.contains(&format!("\nsoft Dice         {soft_dice:.6}\nDice loss         ")), "{table}");
    assert!(table.contains("voxels      2×3×4 = 24\n"), "{table}");
    for (name, dims, voxels) in [("point.npy", &[][..], 1), ("line.npy", &[1024], 1024)] {
        npy(&folder.path(name), dims, &vec![1_u8; voxels]);
        let table = String::from_utf8(folder.run(["eval", name, name, "--as", "probabilities"]).stdout).unwrap();
        let line = if voxels == 1 { "voxels      1\n" } else { "voxels      1,024\n" };
        assert!(table.contains(line), "{table}");
    }
    std::fs::rename(folder.path("p.npy"), folder.path("a, \"b\".npy")).unwrap();
    let csv = String::from_utf8(folder.run(["eval", "a, \"b\".npy", "t.npy", "--format", "csv"]).stdout).unwrap();
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].starts_with("case,class,soft_dice,bce,Dice,IoU,"), "{csv}");
    assert!(lines[1].starts_with("\"a, \"\"b\"\".npy\",1,0."), "{csv}");
}

#[test]
fn without_an_adapter_the_reference_computes_and_says_so() {
    let folder = Folder::new();
    write_pair(&folder);
    let output = folder.run_without_adapter(["eval", "p.npy", "t.npy", "--format", "json"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(" for WGPU_BACKEND=") && stderr.contains("; computing on the CPU"), "{stderr}");
    let scores = parse(&output);
    assert_eq!(scores["computed_by"], "reference");
    assert_eq!(scores["adapter"], "none (reference on the CPU)");
    assert_scores(&scores, 0.5);
    let table = String::from_utf8(folder.run_without_adapter(["eval", "p.npy", "t.npy"]).stdout).unwrap();
    assert!(table.contains("adapter     none (reference on the CPU)"), "{table}");
    // What was asked for by name is not replaced.
    let output = folder.run_without_adapter(["eval", "p.npy", "t.npy", "--adapter", "radeon"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("WGPU_BACKEND=") && !stderr.contains("mesa-vulkan-drivers"), "{stderr}");
}
