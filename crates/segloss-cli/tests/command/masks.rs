//! `segloss eval` on two files of masks: what files hold, and every number by brute force.

use png::{BitDepth, ColorType};
use serde_json::Value;

use crate::files::{Nifti, first_axis_fastest, gzip, npy, npy_raw, npz, png, tiff};
use crate::run::{Folder, assert_number};

pub(crate) const DIMS: [usize; 3] = [4, 5, 6];

/// Labels 0 to 3 in runs, from a seed.
pub(crate) fn labels(seed: u32) -> Vec<u8> {
    let hash =
        |i: u32| (i.wrapping_mul(2_654_435_761) ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b) >> 24;
    (0..DIMS.iter().product::<usize>() as u32).map(|i| (hash(i / 3) % 4) as u8).collect()
}

/// TP, FP, FN, TN of a class.
pub(crate) fn counts(prediction: &[u8], truth: &[u8], is_of: impl Fn(u8) -> bool) -> [f64; 4] {
    let mut counts = [0.0; 4];
    for (&p, &t) in prediction.iter().zip(truth) {
        counts[usize::from(!is_of(t)) + 2 * usize::from(!is_of(p))] += 1.0;
    }
    let [tp, fp, fn_, tn] = counts;
    [tp, fp, fn_, tn]
}

pub(crate) fn assert_class(scores: &Value, [tp, fp, fn_, tn]: [f64; 4]) {
    for (key, expected) in [
        ("Dice", 2.0 * tp / (2.0 * tp + fp + fn_)),
        ("IoU", tp / (tp + fp + fn_)),
        ("precision", tp / (tp + fp)),
        ("recall", tp / (tp + fn_)),
        ("specificity", tn / (tn + fp)),
        ("TP", tp),
        ("FP", fp),
        ("FN", fn_),
        ("TN", tn),
        ("n_pred", tp + fp),
        ("n_ref", tp + fn_),
    ] {
        assert_number(scores, key, expected, 1e-12);
    }
}

pub(crate) fn metrics(scores: &Value) -> &Value {
    &scores["metric_per_case"][0]["metrics"]
}

fn nifti(labels: &[u8]) -> Vec<u8> {
    Nifti::u8(&DIMS.map(|dim| dim as i16)).bytes(&first_axis_fastest(&DIMS, labels))
}

/// Two label maps in every format that holds them.
pub(crate) fn write_pair(folder: &Folder) -> [Vec<u8>; 2] {
    let pair = [labels(1), labels(2)];
    for (name, labels) in ["p", "t"].into_iter().zip(&pair) {
        let path = |ending: &str| folder.path(&format!("{name}{ending}"));
        npy(&path(".npy"), &DIMS, labels);
        npy(&path("_f32.npy"), &DIMS, &labels.iter().map(|&label| f32::from(label)).collect::<Vec<_>>());
        npy(&path("_i64.npy"), &DIMS, &labels.iter().map(|&label| i64::from(label)).collect::<Vec<_>>());
        npz(&path(".npz"), "arr_0", &DIMS, labels);
        tiff(&path(".tif"), &DIMS, labels);
        std::fs::write(path(".nii"), nifti(labels)).unwrap();
        std::fs::write(path(".nii.gz"), gzip(&nifti(labels))).unwrap();
        // Members one after the other, as bgzip writes them.
        let whole = nifti(labels);
        let (head, tail) = whole.split_at(400);
        std::fs::write(path("_members.nii.gz"), [gzip(head), gzip(tail)].concat()).unwrap();
        let words: Vec<u8> =
            first_axis_fastest(&DIMS, labels).iter().flat_map(|&l| i16::from(l).to_le_bytes()).collect();
        let header = Nifti { datatype: 4, bits: 16, ..Nifti::u8(&DIMS.map(|dim| dim as i16)) };
        std::fs::write(path("_i16.nii"), header.bytes(&words)).unwrap();
        let one_hot: Vec<u8> = (0..4).flat_map(|c| labels.iter().map(move |&label| u8::from(label == c))).collect();
        npy(&path("_one_hot.npy"), &[4, DIMS[0], DIMS[1], DIMS[2]], &one_hot);
        let dims = [DIMS[0] as i16, DIMS[1] as i16, DIMS[2] as i16, 4];
        let planes: Vec<u8> = one_hot.chunks(labels.len()).flat_map(|plane| first_axis_fastest(&DIMS, plane)).collect();
        std::fs::write(path("_one_hot.nii"), Nifti::u8(&dims).bytes(&planes)).unwrap();
        let soft: Vec<f32> = one_hot.iter().map(|&hot| if hot == 1 { 0.7 } else { 0.1 }).collect();
        npy(&path("_soft.npy"), &[4, DIMS[0], DIMS[1], DIMS[2]], &soft);
        let logits: Vec<f32> = one_hot.iter().map(|&hot| 3.0 * f32::from(hot) - 2.0).collect();
        npy(&path("_logits.npy"), &[4, DIMS[0], DIMS[1], DIMS[2]], &logits);
    }
    pair
}

#[test]
fn every_format_and_kind_gives_the_same_counts() {
    let folder = Folder::new();
    let [prediction, truth] = write_pair(&folder);
    let labels = [".npy", "_f32.npy", "_i64.npy", ".npz", ".tif", ".nii", ".nii.gz", "_members.nii.gz", "_i16.nii"];
    let channels = ["_one_hot.npy", "_one_hot.nii", "_soft.npy"];
    let endings = labels.iter().chain(&channels);
    let pairs = endings.clone().map(|ending| (*ending, ".npy")).chain(endings.map(|ending| (".nii.gz", *ending)));
    for (p, t) in pairs {
        println!("{p} against {t}");
        let scores = folder.json(["eval", &format!("p{p}"), &format!("t{t}"), "--format", "json"]);
        for label in 1..4 {
            assert_class(&metrics(&scores)[label.to_string()], counts(&prediction, &truth, |l| l == label));
        }
        assert!(metrics(&scores)["0"].is_null());
    }
    let scores = folder.json(["eval", "p_logits.npy", "t.npy", "--logits", "--background", "--format", "json"]);
    for label in 0..4 {
        assert_class(&metrics(&scores)[label.to_string()], counts(&prediction, &truth, |l| l == label));
    }
}

/// Batches of one, single channels and slices are what they hold.
#[test]
fn axes_of_length_one_say_nothing() {
    let folder = Folder::new();
    let [prediction, truth] = [labels(7), labels(8)];
    npy(&folder.path("p.npy"), &[1, 10, 12], &prediction);
    npy(&folder.path("t.npy"), &[10, 12], &truth);
    let scores = folder.json(["eval", "p.npy", "t.npy", "--surface", "--format", "json"]);
    assert_class(&metrics(&scores)["2"], counts(&prediction, &truth, |label| label == 2));
    npy(&folder.path("flat.npy"), &[10, 12], &prediction);
    assert_eq!(scores["pooled"], folder.json(["eval", "flat.npy", "t.npy", "--format", "json"])["pooled"]);
    npy(&folder.path("series.npy"), &[2, 2, 5, 6], &prediction);
    let message = folder.failure(["eval", "series.npy", "series.npy"]);
    assert!(message.contains("of its 2 channels the value ") && message.contains("--channels none"), "{message}");
}

#[test]
fn sixteen_bit_floats_are_read() {
    let folder = Folder::new();
    // 0.75, 0.25, 0.5009765625, 0.5.
    let halves = [0x3a00_u16, 0x3400, 0x3802, 0x3800].map(u16::to_le_bytes).concat();
    npy_raw(&folder.path("p.npy"), "<f2", "(4, )", &halves);
    npy(&folder.path("t.npy"), &[4], &[1_u8, 0, 1, 1]);
    let scores = folder.json(["eval", "p.npy", "t.npy", "--format", "json"]);
    let scores = &metrics(&scores)["1"];
    assert_number(scores, "soft_dice", 2.0 * 1.750_976_562_5 / (2.000_976_562_5 + 3.0), 1e-6);
    assert_number(scores, "Dice", 4.0 / 5.0, 1e-12);
}

#[test]
fn masks_of_two_values_and_palettes() {
    let folder = Folder::new();
    let mask: Vec<u8> = labels(3)[..24].iter().map(|&label| u8::from(label > 1)).collect();
    let truth: Vec<u8> = labels(4)[..24].iter().map(|&label| u8::from(label > 1)).collect();
    let expected = counts(&mask, &truth, |label| label == 1);
    let white: Vec<u8> = mask.iter().map(|&m| 255 * m).collect();
    png(&folder.path("grey.png"), [4, 6], ColorType::Grayscale, BitDepth::Eight, &white);
    png(&folder.path("ones.png"), [4, 6], ColorType::Grayscale, BitDepth::Eight, &mask);
    png(&folder.path("palette.png"), [4, 6], ColorType::Indexed, BitDepth::Eight, &mask);
    let deep: Vec<u8> = mask.iter().flat_map(|&m| [255 * m; 2]).collect();
    png(&folder.path("deep.png"), [4, 6], ColorType::Grayscale, BitDepth::Sixteen, &deep);
    let bits: Vec<u8> = mask.chunks(4).map(|row| row.iter().enumerate().map(|(i, m)| m << (7 - i)).sum()).collect();
    png(&folder.path("bits.png"), [4, 6], ColorType::Grayscale, BitDepth::One, &bits);
    let pairs: Vec<u8> =
        mask.chunks(4).map(|row| row.iter().enumerate().map(|(i, m)| m << (6 - 2 * i)).sum()).collect();
    png(&folder.path("two_bits.png"), [4, 6], ColorType::Indexed, BitDepth::Two, &pairs);
    npy(&folder.path("bytes.npy"), &[6, 4], &white);
    npy(&folder.path("bool.npy"), &[6, 4], &mask.iter().map(|&m| m == 1).collect::<Vec<_>>());
    npy(&folder.path("t.npy"), &[6, 4], &truth);
    let names =
        ["grey.png", "ones.png", "palette.png", "deep.png", "bits.png", "two_bits.png", "bytes.npy", "bool.npy"];
    for name in names {
        println!("{name}");
        assert_class(&metrics(&folder.json(["eval", name, "t.npy", "--format", "json"]))["1"], expected);
    }
    // As labels, 255 is one; as a mask, any label is foreground.
    let scores = folder.json(["eval", "bytes.npy", "bytes.npy", "--as", "labels", "--format", "json"]);
    assert_number(&metrics(&scores)["255"], "Dice", 1.0, 0.0);
    npy(&folder.path("sevens.npy"), &[6, 4], &mask.iter().map(|&m| 7 * m).collect::<Vec<_>>());
    let scores = folder.json(["eval", "sevens.npy", "t.npy", "--as", "mask", "--format", "json"]);
    assert_class(&metrics(&scores)["1"], expected);
}

/// Channels that overlap are a mask each.
#[test]
fn channels_that_overlap_are_classes_of_their_own() {
    let folder = Folder::new();
    let channels = |seed: u32| {
        [labels(seed), labels(seed + 10), labels(seed + 20)]
            .map(|l| l.iter().map(|&l| u8::from(l > 1)).collect::<Vec<_>>())
    };
    let (prediction, truth) = (channels(5), channels(6));
    let dims = [3, DIMS[0], DIMS[1], DIMS[2]];
    npy(
        &folder.path("p.npy"),
        &dims,
        &prediction.concat().iter().map(|&p| 0.2 + 0.6 * f32::from(p)).collect::<Vec<_>>(),
    );
    npy(&folder.path("t.npy"), &dims, &truth.concat());
    let scores = folder.json(["eval", "p.npy", "t.npy", "--format", "json"]);
    for (channel, (p, t)) in prediction.iter().zip(&truth).enumerate() {
        assert_class(&metrics(&scores)[channel.to_string()], counts(p, t, |label| label == 1));
    }
    npy(&folder.path("labels.npy"), &DIMS, &labels(1));
    let message = folder.failure(["eval", "p.npy", "labels.npy"]);
    assert!(message.contains("it has one label a voxel and the prediction overlapping channels"), "{message}");
    // Every axis spatial: 3 labels of 4 axes are too many for none.
    let scores = folder.json(["eval", "t.npy", "t.npy", "--channels", "none", "--format", "json"]);
    assert_number(&metrics(&scores)["1"], "Dice", 1.0, 0.0);
}

#[test]
fn names_regions_and_what_does_not_count() {
    let folder = Folder::new();
    let [prediction, truth] = write_pair(&folder);
    let json = r#"{"labels": {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3}}"#;
    std::fs::write(folder.path("dataset.json"), json).unwrap();
    let scores = folder.json(["eval", "p.nii", "t.nii", "--classes", "dataset.json", "--format", "json"]);
    let kept: Vec<_> = prediction.iter().zip(&truth).filter(|(_, t)| **t != 3).collect();
    let [p, t]: [Vec<u8>; 2] = [kept.iter().map(|pair| *pair.0).collect(), kept.iter().map(|pair| *pair.1).collect()];
    assert_class(&metrics(&scores)["(1, 2)"], counts(&p, &t, |label| label == 1 || label == 2));
    assert_class(&metrics(&scores)["2"], counts(&p, &t, |label| label == 2));
    assert_eq!(scores["class_names"], serde_json::json!({"(1, 2)": "whole", "2": "core"}));
    let by_flag = folder.json(["eval", "p.nii", "t.nii", "--ignore-label", "3", "--format", "json"]);
    assert_eq!(metrics(&by_flag)["2"], metrics(&scores)["2"]);
    std::fs::write(folder.path("dataset.json"), "[]").unwrap();
    let message = folder.failure(["eval", "p.nii", "t.nii", "--classes", "dataset.json"]);
    assert!(message.contains("dataset.json: it names no classes; expected nnU-Net's dataset.json"), "{message}");
}

#[test]
fn empty_masks_follow_the_rule_that_was_chosen() {
    let folder = Folder::new();
    npy(&folder.path("nothing.npy"), &[4], &[0_u8; 4]);
    npy(&folder.path("one.npy"), &[4], &[0_u8, 1, 0, 0]);
    let dice = |prediction, truth, empty| {
        let scores = folder.json(["eval", prediction, truth, "--empty", empty, "--format", "json"]);
        metrics(&scores)["1"]["Dice"].clone()
    };
    for (empty, of_nothing, of_one) in [
        ("nan", Value::Null, 0.0.into()),
        ("nan-without-truth", Value::Null, Value::Null),
        ("one", 1.0.into(), 0.0.into()),
        ("zero", 0.0.into(), 0.0.into()),
    ] {
        assert_eq!(dice("nothing.npy", "nothing.npy", empty), of_nothing, "{empty}");
        assert_eq!(dice("one.npy", "nothing.npy", empty), of_one, "{empty}");
    }
    let table = String::from_utf8(folder.run(["eval", "nothing.npy", "nothing.npy"]).stdout).unwrap();
    assert!(table.contains("NaN"), "{table}");
}

/// Computed with NumPy from the files as nibabel reads them.
#[test]
fn the_shipped_tissues_have_their_known_scores() {
    let folder = Folder::new();
    let brain = |name: &str| format!("{}/../../examples/data/brain/{name}", env!("CARGO_MANIFEST_DIR"));
    let (prediction, truth) = (brain("predicted_tissue.nii.gz"), brain("truth_tissue.nii.gz"));
    let scores = folder.json(["eval", &prediction, &truth, "--format", "json"]);
    for (class, dice, iou) in [("1", 0.903667, 0.824263), ("2", 0.903756, 0.824411)] {
        assert_number(&metrics(&scores)[class], "Dice", dice, 5e-7);
        assert_number(&metrics(&scores)[class], "IoU", iou, 5e-7);
    }
    assert_number(&metrics(&scores)["1"], "true_volume", 131_678.0 * 8.0, 0.0);
}

/// 2Σw·I/Σw·(P + T) with w = 1/T², the largest w where T is 0.
#[test]
fn generalised_dice_weighs_classes_by_their_volume() {
    let folder = Folder::new();
    let [prediction, mut truth] = write_pair(&folder);
    for lacks_a_class in [false, true] {
        if lacks_a_class {
            truth.iter_mut().for_each(|label| *label %= 3);
            npy(&folder.path("t.npy"), &DIMS, &truth);
        }
        let classes = [1, 2, 3].map(|label| counts(&prediction, &truth, |l| l == label));
        let weight = |[tp, _, fn_, _]: [f64; 4]| 1.0 / ((tp + fn_) * (tp + fn_));
        let largest = classes.map(weight).into_iter().filter(|w| w.is_finite()).fold(0.0, f64::max);
        let weighted = |of: fn([f64; 4]) -> f64| classes.iter().map(|&c| weight(c).min(largest) * of(c)).sum::<f64>();
        let expected = 2.0 * weighted(|[tp, ..]| tp) / weighted(|[tp, fp, fn_, _]| 2.0 * tp + fp + fn_);
        let scores = folder.json(["eval", "p.npy", "t.npy", "--format", "json"]);
        assert_number(&scores["metric_per_case"][0], "generalized_dice", expected, 1e-12);
        assert_number(&scores, "pooled_generalized_dice", expected, 1e-12);
    }
}
