//! `segloss eval` on volumes as large as take every way of counting, in every type that labels are stored in, by brute force.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::files::{Nifti, gzip, npy_raw};
use crate::run::{Folder, assert_number};

/// Labels that a place may have: few, one more than that, gaps, all bytes, and what is no byte.
const SETS: [&[i32]; 7] =
    [&[0], &[0, 1], &[0, 1, 2], &[0, 1, 2, 3], &[0, 1, 2, 4], &[0, 7, 31, 200, 255], &[0, 1, 255, 256, 1000, 32767]];

/// Voxels around the ends of what is counted together.
const SIZES: [usize; 6] = [1, 127, 129, 8064, 8064 + 128 + 1, 40_000];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// A pair of maps: runs of labels from one of the sets, then from another, and some labels that differ.
fn pair(random: &mut Random, voxels: usize, most: usize) -> [Vec<i32>; 2] {
    let mut truth = vec![];
    let mut set = SETS[0];
    while truth.len() < voxels {
        if random.below(8) == 0 {
            set = SETS[random.below(most)];
        }
        let (label, longest) = (set[random.below(set.len())], [3, 40, 2000][random.below(3)]);
        truth.extend(std::iter::repeat_n(label, 1 + random.below(longest)));
    }
    truth.truncate(voxels);
    let mut other = |label: i32| if random.below(6) == 0 { set[random.below(set.len())] } else { label };
    [truth.iter().map(|&label| other(label)).collect(), truth]
}

/// The types of labels: NIfTI's code, NumPy's name, the largest set that fits, the bytes of one.
type Stored = (i16, &'static str, usize, fn(i32) -> Vec<u8>);

const TYPES: [Stored; 10] = [
    (2, "|u1", 6, |label| vec![label as u8]),
    (256, "|i1", 5, |label| vec![label as u8]),
    (4, "<i2", 7, |label| (label as i16).to_le_bytes().into()),
    (512, "<u2", 7, |label| (label as u16).to_le_bytes().into()),
    (8, "<i4", 7, |label| label.to_le_bytes().into()),
    (768, "<u4", 7, |label| (label as u32).to_le_bytes().into()),
    (1024, "<i8", 7, |label| i64::from(label).to_le_bytes().into()),
    (1280, "<u8", 7, |label| (label as u64).to_le_bytes().into()),
    (16, "<f4", 7, |label| (label as f32).to_le_bytes().into()),
    (64, "<f8", 7, |label| f64::from(label).to_le_bytes().into()),
];

/// Also of the other byte order, which NumPy tells.
fn write_npy(folder: &Folder, path: &str, labels: &[i32], (_, name, _, bytes): Stored, is_big: bool) {
    let mut data: Vec<u8> = vec![];
    for &label in labels {
        let mut bytes = bytes(label);
        if is_big {
            bytes.reverse();
        }
        data.extend(bytes);
    }
    let name = if is_big { name.replace('<', ">") } else { name.to_owned() };
    npy_raw(&folder.path(path), &name, &format!("({},)", labels.len()), &data);
}

fn write_nifti(folder: &Folder, path: &str, labels: &[i32], (code, _, _, bytes): Stored) {
    let data: Vec<u8> = labels.iter().flat_map(|&label| bytes(label)).collect();
    let bits = 8 * bytes(0).len() as i16;
    // Of sizes beyond a dimension of 16 bits.
    let columns = if labels.len().is_multiple_of(64) { 64 } else { 1 };
    let header = Nifti { datatype: code, bits, ..Nifti::u8(&[columns, (labels.len() / columns as usize) as i16]) };
    std::fs::write(folder.path(path), gzip(&header.bytes(&data))).unwrap();
}

#[test]
fn every_type_and_every_number_of_labels() {
    let folder = Folder::new();
    for side in ["p", "t"] {
        std::fs::create_dir(folder.path(side)).unwrap();
    }
    let mut random = Random(5);
    let mut cases = vec![];
    for (index, stored) in TYPES.into_iter().enumerate() {
        for (turn, voxels) in SIZES.into_iter().enumerate() {
            // A type meets the sets up to another one at each size.
            let maps = pair(&mut random, voxels, 1 + (index + turn) % stored.2);
            let name = format!("case_{index}_{voxels:05}");
            let is_nifti = index % 2 == turn % 2;
            for (side, labels) in ["p", "t"].into_iter().zip(&maps) {
                // Truths are of the next type.
                let stored = if side == "t" && stored.2 == 7 && index < 9 { TYPES[index + 1] } else { stored };
                if is_nifti {
                    write_nifti(&folder, &format!("{side}/{name}.nii.gz"), labels, stored);
                } else {
                    write_npy(&folder, &format!("{side}/{name}.npy"), labels, stored, index % 3 == 0);
                }
            }
            cases.push((name, maps));
        }
    }
    let summary = folder.json(["eval", "p", "t", "--format", "json", "--as", "labels"]);
    let scored = summary["metric_per_case"].as_array().unwrap();
    assert_eq!(scored.len(), cases.len());
    for (scored, (name, [prediction, truth])) in scored.iter().zip(&cases) {
        let file = scored["prediction_file"].as_str().unwrap();
        assert!(file.contains(name.as_str()), "{file} {name}");
        let occurring: BTreeSet<i32> = prediction.iter().chain(truth).copied().filter(|&label| label != 0).collect();
        for label in occurring {
            let scores = &scored["metrics"][label.to_string()];
            let counts = counts(prediction, truth, label);
            ["TP", "FP", "FN", "TN"].into_iter().zip(counts).for_each(|(key, n)| assert_number(scores, key, n, 0.0));
        }
    }
    let labels = summary["mean"].as_object().unwrap();
    let all: BTreeSet<String> =
        cases.iter().flat_map(|(_, maps)| maps.concat()).filter(|&label| label != 0).map(|l| l.to_string()).collect();
    assert_eq!(labels.keys().cloned().collect::<BTreeSet<_>>(), all);
    assert_eq!(all.len(), 11, "{all:?}");
    assert_eq!(summary["failed"], Value::Array(vec![]));
}

/// TP, FP, FN, TN of a class.
fn counts(prediction: &[i32], truth: &[i32], class: i32) -> [f64; 4] {
    let with = |p: bool, t: bool| {
        let pairs = prediction.iter().zip(truth);
        pairs.filter(|(a, b)| ((**a == class) == p) && ((**b == class) == t)).count() as f64
    };
    [with(true, true), with(true, false), with(false, true), with(false, false)]
}
