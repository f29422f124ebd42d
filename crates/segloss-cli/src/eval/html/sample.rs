//! An evaluation that tests show: three classes, with all that can go wrong.

use std::path::PathBuf;

use segloss::metrics::Counts;

use crate::eval::case::{Agreement, Case, Class, Score, Slice, Surface};
use crate::eval::metric::Empty;
use crate::eval::summary::Evaluation;
use crate::eval::volume::Meaning;

/// A name that is markup wherever it is not escaped.
pub(super) const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;";

const WIDTH: usize = 120;
const HEIGHT: usize = 96;

pub(super) fn evaluation(cases: usize) -> Evaluation {
    let class = |label: i32, name: &str| Class::of_label(name, label);
    let mut regions = vec![class(1, "liver"), class(2, "tumour"), class(3, "vessels & \"ducts\"")];
    regions[2].labels.push(4);
    regions[2].is_region = true;
    Evaluation {
        prediction: "/data/predictions & more".into(),
        truth: "/data/labelsTs".into(),
        classes: regions,
        meaning: Meaning::Labels,
        cases: (0..cases).map(case).collect(),
        failed: vec![
            (
                "case_041".to_owned(),
                "its shape 96×96×40 differs from the truth's, 96×96×41; expected equal shapes".to_owned(),
            ),
            (HOSTILE.to_owned(), "it ends within the header".to_owned()),
        ],
        unmatched: ["predictions/case_042.nii.gz", "predictions/notes.txt", "labelsTs/<b>.nii.gz"]
            .map(PathBuf::from)
            .into(),
        passed_over: vec![],
        remarks: vec!["labelsTs: 1 file of another kind is not looked at (1 .json)".to_owned()],
        empty: Empty::Nan,
        surfaces: Some(("MONAI", 1.0)),
        soft: None,
    }
}

fn case(index: usize) -> Case {
    let name = match index {
        5 => HOSTILE.to_owned(),
        11 => {
            "patient_with_a_name_that_is_much_longer_than_any_column_would_be_wide_2024-11-05_portal_venous".to_owned()
        }
        17 => "Läsion 17 (σ = 2 µm) حالة".to_owned(),
        _ => format!("case_{index:03}"),
    };
    let file = format!("{name}.nii.gz");
    Case {
        prediction: PathBuf::from("predictions").join(&file),
        truth: PathBuf::from("labelsTs").join(&file),
        voxels: 96 * 96 * 40,
        rank: 3,
        voxel_volume: Some(1.5),
        scores: (0..3).map(|class| score(index, class)).collect(),
        generalized_dice: quality(index, 0),
        slice: Some(slice(index)),
        name,
    }
}

/// Between 0 and 1, mostly high. The first case is a bad one.
fn quality(case: usize, class: usize) -> f64 {
    let noise = ((case * 3 + class + 1) as f64 * 12.9898).sin() * 43758.5453;
    let noise = noise - noise.floor();
    let spread = [0.12, 0.55, 0.3][class];
    if case == 0 { 0.45 - 0.15 * class as f64 } else { 1.0 - spread * noise.powi(2) - 0.03 * (class + 1) as f64 }
}

/// Tumours are nowhere in some cases, and missed in others.
fn score(case: usize, class: usize) -> Score {
    let quality = quality(case, class);
    let actual = [90_000, 2_400, 7_000][class] + 37 * (case as u64 % 50);
    let hit = (actual as f64 * quality) as u64;
    let counts = |true_positives, false_positives, false_negatives| Counts {
        true_positives,
        false_positives,
        false_negatives,
        true_negatives: 96 * 96 * 40 - true_positives - false_positives - false_negatives,
    };
    let surface = |hausdorff: f64, dice: f64| Surface {
        hausdorff,
        hausdorff_95: hausdorff * 0.6,
        average: hausdorff * 0.11,
        dice,
    };
    let (counts, surface) = match case % 13 {
        4 if class == 1 => (counts(0, 0, 0), surface(f64::NAN, f64::NAN)),
        7 if class == 1 => (counts(0, 0, actual), surface(f64::INFINITY, 0.0)),
        _ => (
            counts(hit, (actual - hit) * 4 / 5, actual - hit),
            surface(2.0 + 70.0 * (1.0 - quality).powi(2), quality.powf(0.8)),
        ),
    };
    Score { counts, surface: Some(surface), soft: None }
}

fn slice(case: usize) -> Slice {
    let error = (1.0 - quality(case, 0)).min(0.6);
    let pixel = |index: usize| {
        let (x, y) = ((index % WIDTH) as f64, (index / WIDTH) as f64);
        agreement(label(x - 14.0 * error, y + 10.0 * error, 1.0 + error * 0.5), label(x, y, 1.0))
    };
    let pixels = (0..WIDTH * HEIGHT).map(pixel).collect();
    Slice { axis: 2, index: 18 + case % 9, volume: None, width: WIDTH, height: HEIGHT, aspect: 1.0, pixels }
}

/// What is at a place: an organ with a wavy outline, a tumour and a vessel in it.
fn label(x: f64, y: f64, size: f64) -> i32 {
    let radius = |centre_x: f64, centre_y: f64| (x - centre_x).hypot((y - centre_y) * 1.25);
    let wave = 3.0 * ((y - 48.0).atan2(x - 60.0) * 5.0).sin();
    let vessel = (y - 44.0 - 6.0 * (x / 9.0).sin()).abs() < 2.2;
    match () {
        () if radius(74.0, 52.0) < 8.0 * size => 2,
        () if vessel && radius(60.0, 48.0) < 30.0 => 3,
        () if radius(60.0, 48.0) < 34.0 + wave * size => 1,
        () => 0,
    }
}

fn agreement(prediction: i32, truth: i32) -> Agreement {
    match (prediction, truth) {
        (0, 0) => Agreement::Neither,
        (_, 0) => Agreement::Prediction,
        (0, _) => Agreement::Truth,
        _ if prediction == truth => Agreement::Both,
        _ => Agreement::Confused,
    }
}
