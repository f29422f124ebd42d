//! Folders of brains: the wall time of `segloss eval`, beside that of inflating the same files and doing nothing else.
//!
//! `cargo bench --package segloss-cli --bench folder`. All are processes of their own, use as many threads as there are cores, and
//! libdeflate. They run in turns; the numbers are medians. Files are inflated into the same memory again and again, which costs
//! least, and into new memory for each, as a program does that keeps a volume while it works on it. With `--test` the answers are
//! checked and nothing is timed.

use std::cell::RefCell;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use libdeflater::Decompressor;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

const CASES: usize = 40;
/// Of a volume of a whole head at 1 mm.
const DIMS: [usize; 3] = [197, 233, 189];
/// Of the volumes that are enlarged.
const SMALL: [usize; 3] = [98, 116, 94];
const HEADER: usize = 352;
const TURNS: usize = 15;

/// What the process that only inflates is told: into which memory.
const INFLATE: [&str; 2] = ["--inflate-into-the-same", "--inflate-into-new"];

/// What labels are stored as: NIfTI's code, the bits of one, and its bytes.
#[derive(Clone, Copy)]
struct Stored {
    name: &'static str,
    code: i16,
    bits: i16,
    bytes: fn(u8) -> Vec<u8>,
    /// Whether the tissues are cut into pieces with labels of their own.
    is_atlas: bool,
}

const STORED: [Stored; 4] = [
    Stored { name: "bytes, 3 labels", code: 2, bits: 8, bytes: |label| vec![label], is_atlas: false },
    Stored { name: "bytes, 57 labels", code: 2, bits: 8, bytes: |label| vec![label], is_atlas: true },
    Stored {
        name: "16 bits, 3 labels",
        code: 4,
        bits: 16,
        bytes: |l| i16::from(l).to_le_bytes().into(),
        is_atlas: false,
    },
    Stored {
        name: "floats, 3 labels",
        code: 16,
        bits: 32,
        bytes: |l| f32::from(l).to_le_bytes().into(),
        is_atlas: false,
    },
];

fn main() {
    let mut args = std::env::args().skip(1);
    if let Some(into) = args.next().and_then(|arg| INFLATE.into_iter().position(|inflate| inflate == arg)) {
        return inflate(into == 0, &args.map(PathBuf::from).collect::<Vec<_>>());
    }
    let is_test = std::env::args().any(|arg| arg == "--test");
    println!("{CASES} pairs of {DIMS:?}, {} threads", rayon::current_num_threads());
    println!(
        "{:<18} {:>9} {:>18} {:>12} {:>8}  ratios",
        "stored as", "compressed", "inflated in place", "in new", "eval"
    );
    for stored in STORED {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let files = write_folder(folder.path(), stored);
        check(folder.path(), stored);
        if !is_test {
            measure(folder.path(), &files, stored.name);
        }
    }
}

fn measure(folder: &Path, files: &[PathBuf], name: &str) {
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).expect("the file was written").len()).sum();
    let mut times = [vec![], vec![], vec![]];
    for _ in 0..TURNS {
        for (times, into) in times.iter_mut().zip(INFLATE) {
            times.push(timed(|| inflate_apart(into, files)));
        }
        times[2].push(timed(|| drop(evaluate(folder, "table"))));
    }
    let [same, new, evaluating] = times.map(median);
    let ratio = |inflating: Duration| evaluating.as_secs_f64() / inflating.as_secs_f64();
    println!(
        "{name:<18} {:>7.1} MB {same:>18.1?} {new:>12.1?} {evaluating:>8.1?}  {:.2} {:.2}",
        bytes as f64 / 1e6,
        ratio(same),
        ratio(new)
    );
}

/// The example's tissues at twice the size, each pair shifted by some voxels.
fn write_folder(folder: &Path, stored: Stored) -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/brain");
    let sides = [("p", "predicted_tissue.nii.gz"), ("t", "truth_tissue.nii.gz")];
    let of_side = |(side, example): (&str, &str)| {
        let mut small = vec![];
        let file = fs::File::open(examples.join(example)).expect("the example is there");
        MultiGzDecoder::new(file).read_to_end(&mut small).expect("the example is whole");
        let (header, labels) = (header(&small[..HEADER], stored), enlarged(&small[HEADER..], stored.is_atlas));
        fs::create_dir(folder.join(side)).expect("a folder can be made");
        let write = |case: &usize| {
            let path = folder.join(side).join(format!("case_{case:02}.nii.gz"));
            let shift = case % 5 + DIMS[0] * (case % 3 + DIMS[1] * (case % 7));
            let (last, first) = labels.split_at(shift);
            let data = first.iter().chain(last).flat_map(|&label| (stored.bytes)(label));
            let contents: Vec<u8> = header.iter().copied().chain(data).collect();
            let mut encoder = GzEncoder::new(vec![], Compression::default());
            encoder.write_all(&contents).expect("memory can be written");
            fs::write(&path, encoder.finish().expect("memory can be written")).expect("the file can be written");
            path
        };
        (0..CASES).collect::<Vec<_>>().par_iter().map(write).collect::<Vec<_>>()
    };
    sides.into_iter().flat_map(of_side).collect()
}

fn header(small: &[u8], stored: Stored) -> Vec<u8> {
    let mut header = small.to_vec();
    for (axis, dim) in DIMS.into_iter().enumerate() {
        header[42 + 2 * axis..44 + 2 * axis].copy_from_slice(&(dim as i16).to_le_bytes());
    }
    header[70..72].copy_from_slice(&stored.code.to_le_bytes());
    header[72..74].copy_from_slice(&stored.bits.to_le_bytes());
    header
}

/// The label that most of a voxel is of, where each label's share is interpolated: its surfaces are as fine as the voxels are.
fn enlarged(small: &[u8], is_atlas: bool) -> Vec<u8> {
    // The voxel before, and how far the next one is nearer.
    let place = |axis: usize, at: usize| {
        let place = (at as f32 + 0.5) * SMALL[axis] as f32 / DIMS[axis] as f32 - 0.5;
        let before = (place.max(0.0) as usize).min(SMALL[axis] - 2);
        (before, (place - before as f32).clamp(0.0, 1.0))
    };
    let label = |voxel: usize| {
        let at = [voxel % DIMS[0], voxel / DIMS[0] % DIMS[1], voxel / DIMS[0] / DIMS[1]];
        let label = nearest(small, [0, 1, 2].map(|axis| place(axis, at[axis])));
        let piece = (at[0] / 50 + 4 * (at[1] / 60) + 16 * (at[2] / 60)) as u8 % 32;
        if is_atlas && label > 0 { label + 2 * piece } else { label }
    };
    (0..DIMS.iter().product()).into_par_iter().map(label).collect()
}

fn nearest(small: &[u8], places: [(usize, f32); 3]) -> u8 {
    let mut weights = [0.0; 4];
    for corner in 0..8 {
        let (mut index, mut weight, mut step) = (0, 1.0, 1);
        for (axis, (before, share)) in places.into_iter().enumerate() {
            let is_next = corner >> axis & 1;
            index += step * (before + is_next);
            weight *= if is_next == 1 { share } else { 1.0 - share };
            step *= SMALL[axis];
        }
        weights[usize::from(small[index])] += weight;
    }
    (0..4).fold(0, |most, label| if weights[usize::from(label)] > weights[usize::from(most)] { label } else { most })
}

/// All cases are there, and one of them has the counts that its voxels have, class by class.
fn check(folder: &Path, stored: Stored) {
    const CASE: usize = 7;
    let summary: serde_json::Value = serde_json::from_slice(&evaluate(folder, "json")).expect("it prints JSON");
    let cases = summary["metric_per_case"].as_array().expect("there are cases");
    assert_eq!(cases.len(), CASES);
    let [prediction, truth] =
        ["p", "t"].map(|side| labels(&folder.join(format!("{side}/case_{CASE:02}.nii.gz")), stored));
    let classes = cases[CASE]["metrics"].as_object().expect("there are classes");
    assert_eq!(classes.len(), if stored.is_atlas { 56 } else { 2 });
    for (class, scores) in classes {
        let class: u8 = class.parse().expect("classes are numbers");
        let pairs = || prediction.iter().zip(&truth).map(|(&p, &t)| [p == class, t == class]);
        for (key, pair) in [("TP", [true, true]), ("FP", [true, false]), ("FN", [false, true]), ("TN", [false, false])]
        {
            assert_eq!(
                scores[key].as_u64(),
                Some(pairs().filter(|found| *found == pair).count() as u64),
                "{class} {key}"
            );
        }
    }
}

fn labels(path: &Path, stored: Stored) -> Vec<u8> {
    let mut contents = vec![];
    let file = fs::File::open(path).expect("the file was written");
    MultiGzDecoder::new(file).read_to_end(&mut contents).expect("the file is whole");
    let label = |bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
        Ok(float) => f32::from_le_bytes(float) as u8,
        Err(_) => bytes[0],
    };
    contents[HEADER..].chunks(stored.bits as usize / 8).map(label).collect()
}

fn evaluate(folder: &Path, format: &str) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segloss"));
    let output = command.current_dir(folder).args(["eval", "p", "t", "--format", format]).output();
    let output = output.expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn inflate_apart(into: &str, files: &[PathBuf]) {
    let this = std::env::current_exe().expect("the bench has a name");
    let status = Command::new(this).arg(into).args(files).status().expect("the bench runs");
    assert!(status.success());
}

thread_local! {
    static SAME: RefCell<Vec<u8>> = const { RefCell::new(vec![]) };
}

fn inflate(into_same: bool, files: &[PathBuf]) {
    files.par_iter().for_each(|file| {
        let compressed = fs::read(file).expect("the file can be read");
        let size = compressed.last_chunk().map_or(0, |size| u32::from_le_bytes(*size)) as usize;
        let decompress = |contents: &mut Vec<u8>| {
            contents.resize(size, 0);
            let found = Decompressor::new().gzip_decompress(&compressed, contents).expect("the file is whole");
            assert_eq!(found, size);
        };
        if into_same { SAME.with_borrow_mut(decompress) } else { decompress(&mut vec![]) }
    });
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
