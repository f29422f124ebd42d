//! A folder of brains: the wall time of `segloss eval`, beside that of inflating the same files and doing nothing else.
//!
//! `cargo bench --package segloss-cli --bench folder`. Both are processes of their own, use as many threads as there are cores, and
//! libdeflate. They run in turns; the numbers are medians. With `--test` the answer is checked and nothing is timed.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use libdeflater::Decompressor;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

const CASES: usize = 40;
/// Of a volume of a whole head at 1 mm.
const DIMS: [usize; 3] = [197, 233, 189];
/// Of the volumes that are enlarged.
const SMALL: [usize; 3] = [98, 116, 94];
const HEADER: usize = 352;
const TURNS: usize = 15;

/// What the process that only inflates is told.
const INFLATE: &str = "--inflate";

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(INFLATE) {
        return inflate(&args.map(PathBuf::from).collect::<Vec<_>>());
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let files = write_folder(folder.path());
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).expect("the file was written").len()).sum();
    println!(
        "{CASES} pairs of {DIMS:?}, {:.1} MB compressed, {} threads",
        bytes as f64 / 1e6,
        rayon::current_num_threads()
    );
    check(folder.path());
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let mut times = [vec![], vec![]];
    for _ in 0..TURNS {
        times[0].push(timed(|| inflate_apart(&files)));
        times[1].push(timed(|| drop(evaluate(folder.path(), "table"))));
    }
    let [inflating, evaluating] = times.map(median);
    println!("inflating them all   {inflating:.1?}");
    println!("segloss eval         {evaluating:.1?}");
    println!("ratio                {:.2}", evaluating.as_secs_f64() / inflating.as_secs_f64());
}

/// The example's tissues at twice the size, each pair shifted by some voxels.
fn write_folder(folder: &Path) -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/brain");
    let sides = [("p", "predicted_tissue.nii.gz"), ("t", "truth_tissue.nii.gz")];
    let of_side = |(side, example): (&str, &str)| {
        let mut small = vec![];
        let file = fs::File::open(examples.join(example)).expect("the example is there");
        MultiGzDecoder::new(file).read_to_end(&mut small).expect("the example is whole");
        fs::create_dir(folder.join(side)).expect("a folder can be made");
        let write = |case: &usize| {
            let path = folder.join(side).join(format!("case_{case:02}.nii.gz"));
            let mut encoder = GzEncoder::new(vec![], Compression::default());
            encoder.write_all(&enlarged(&small, *case)).expect("memory can be written");
            fs::write(&path, encoder.finish().expect("memory can be written")).expect("the file can be written");
            path
        };
        (0..CASES).collect::<Vec<_>>().par_iter().map(write).collect::<Vec<_>>()
    };
    sides.into_iter().flat_map(of_side).collect()
}

fn enlarged(small: &[u8], case: usize) -> Vec<u8> {
    let mut large = small[..HEADER].to_vec();
    for (axis, dim) in DIMS.into_iter().enumerate() {
        large[42 + 2 * axis..44 + 2 * axis].copy_from_slice(&(dim as i16).to_le_bytes());
    }
    let nearest = |at: usize, axis: usize| at * SMALL[axis] / DIMS[axis];
    let shift = [case % 5, case % 3, case % 7];
    for z in 0..DIMS[2] {
        for y in 0..DIMS[1] {
            let row = |axis: usize, at: usize| nearest((at + shift[axis]) % DIMS[axis], axis);
            let begin = HEADER + (row(2, z) * SMALL[1] + row(1, y)) * SMALL[0];
            large.extend((0..DIMS[0]).map(|x| small[begin + row(0, x)]));
        }
    }
    large
}

/// All cases are there, and score as the small ones do.
fn check(folder: &Path) {
    let summary: serde_json::Value = serde_json::from_slice(&evaluate(folder, "json")).expect("it prints JSON");
    assert_eq!(summary["metric_per_case"].as_array().map(Vec::len), Some(CASES));
    let dice = summary["mean"]["1"]["Dice"].as_f64().expect("grey matter is scored");
    assert!((dice - 0.9037).abs() < 1e-3, "{dice}");
}

fn evaluate(folder: &Path, format: &str) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segloss"));
    let output = command.current_dir(folder).args(["eval", "p", "t", "--format", format]).output();
    let output = output.expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn inflate_apart(files: &[PathBuf]) {
    let this = std::env::current_exe().expect("the bench has a name");
    let status = Command::new(this).arg(INFLATE).args(files).status().expect("the bench runs");
    assert!(status.success());
}

/// Every thread into the same memory again and again.
fn inflate(files: &[PathBuf]) {
    files.par_iter().for_each_init(
        || vec![0; HEADER + DIMS.iter().product::<usize>()],
        |contents, file| {
            let compressed = fs::read(file).expect("the file can be read");
            let found = Decompressor::new().gzip_decompress(&compressed, contents).expect("the file is whole");
            assert_eq!(found, contents.len());
        },
    );
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
