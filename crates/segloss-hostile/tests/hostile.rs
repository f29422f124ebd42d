//! The fuzzers' corpus as it is, cut short and with bytes changed, and seeded random bytes, through what the fuzz targets call.

use std::cell::Cell;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use segloss_files::{Format, Options, decode};
use segloss_hostile::{MOST_BYTES, Reached, description, file, npz, reached, text};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(CORPUS).join(name)).unwrap()
}

/// The files of a target's corpus, by name.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(CORPUS).join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(6), failure_persistence: None, ..ProptestConfig::default() }
}

/// A file of the corpus, some bytes of which are others, cut at some place.
fn damaged(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let bytes = proptest::sample::select(corpus(target));
    let changes = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4);
    (bytes, changes, any::<Option<proptest::sample::Index>>()).prop_map(|(mut bytes, changes, end)| {
        let length = bytes.len();
        if length > 0 {
            changes.iter().for_each(|(at, byte)| bytes[at.index(length)] = *byte);
            bytes.truncate(end.map_or(length, |end| end.index(length)));
        }
        bytes
    })
}

fn whole_and_damaged(target: &str, cases: u32, run: impl Fn(&[u8])) {
    let files = corpus(target);
    assert!(!files.is_empty(), "{target} has a corpus");
    files.iter().for_each(|bytes| run(bytes));
    proptest!(seeded(cases), |(bytes in damaged(target))| run(&bytes));
}

#[test]
fn nifti_volumes() {
    whole_and_damaged("nifti", 500, |bytes| file(bytes, Format::Nifti));
}

#[test]
fn numpy_arrays() {
    whole_and_damaged("npy", 500, |bytes| file(bytes, Format::Npy));
    whole_and_damaged("npz", 500, npz);
}

#[test]
fn images() {
    whole_and_damaged("png", 500, |bytes| file(bytes, Format::Png));
    whole_and_damaged("tiff", 500, |bytes| file(bytes, Format::Tiff));
}

#[test]
fn descriptions_of_losses_and_metrics() {
    whole_and_damaged("text", 300, text);
    proptest!(seeded(300), |(bytes in proptest::collection::vec(any::<u8>(), 0..200))| description(&bytes));
}

#[test]
fn problems_and_bindings() {
    // Of the corpus thirteen are bound, and what a fuzzer has added may be. Where they are not any more, since bytes have come to mean something else, twelve are made
    // anew with SEGLOSS_WRITE_CORPUS=1, of numbers that are the same everywhere.
    if std::env::var_os("SEGLOSS_WRITE_CORPUS").is_some() {
        let byte =
            |seed: u32, at: u32| ((seed << 8 | at).wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995).wrapping_mul(at | 1) >> 24;
        let seeds = (0..).map(|seed| (0..96).map(|at| byte(seed, at) as u8).collect::<Vec<u8>>());
        for (index, seed) in seeds.filter(|bytes| reached(bytes) == Reached::Submission).take(12).enumerate() {
            std::fs::write(Path::new(CORPUS).join(format!("problem/bound_{index:02}")), seed).unwrap();
        }
    }
    let bound = corpus("problem").iter().filter(|bytes| reached(bytes) == Reached::Submission).count();
    assert!(bound >= 13, "{bound} of the corpus are bound");
    // Of random bytes all that can happen does, and most are bound.
    let counts = [(); 4].map(|()| Cell::new(0));
    proptest!(seeded(200), |(bytes in proptest::collection::vec(any::<u8>(), 0..300))| {
        let count = &counts[reached(&bytes) as usize];
        count.set(count.get() + 1);
    });
    let [nothing, problem, plan, submission] = counts.map(Cell::into_inner);
    println!("{nothing} no problem, {problem} not planned, {plan} planned and not bound, {submission} bound");
    assert!(problem >= 3 && plan >= 40 && submission >= 80);
}

/// What is larger than the limit is refused by its size: announced or found, in every format.
#[test]
fn bombs_are_refused() {
    let options = Options { most_bytes: MOST_BYTES, ..Options::default() };
    let refused = |bytes: &[u8], format| decode(bytes, format, &options).unwrap_err().to_string();
    // A header of one byte a voxel, which may go on with more voxels, or with more than them.
    let header = &read("nifti/u8.nii")[..352];
    let announced = [header, &[]].concat();
    let dims = [3_u16, 256, 256, 300].map(u16::to_le_bytes).concat();
    let announced = [&announced[..40], &dims, &announced[48..]].concat();
    let goes_on = [header, &vec![0; MOST_BYTES as usize + 12]].concat();
    for pack in [<[u8]>::to_vec, gzip] {
        let sentence = "its header announces 19660800 bytes; at most 16777216 are read";
        assert_eq!(refused(&pack(&announced), Format::Nifti), sentence);
        let sentence = "after its data it goes on for 16777216 bytes and more; expected the data to end it";
        assert_eq!(refused(&pack(&goes_on), Format::Nifti), sentence);
    }
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    archive.start_file("a.npy", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&vec![0; MOST_BYTES as usize + 1]).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    let sentence = "its array \"a\" announces 16777217 bytes; at most 16777216 are read";
    assert_eq!(refused(&archive, Format::Npz), sentence);
    let sentence = "its 60000×60000 pixels take more than 16777216 bytes";
    assert_eq!(refused(&read("png/large.png"), Format::Png), sentence);
    assert_eq!(refused(&read("tiff/lies.tif"), Format::Tiff), "its pages take more than 16777216 bytes");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
