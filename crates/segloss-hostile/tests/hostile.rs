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
    // Bits become bytes.
    let bits = png_of("grey1", [4100, 4100]);
    assert_eq!(refused(&bits, Format::Png), "its 4100×4100 pixels take more than 16777216 bytes");
    // In a single row, of which the decoder has several.
    let row = png_of("grey8", [1 << 22, 1]);
    assert_eq!(refused(&row, Format::Png), "its 4194304×1 pixels take more than 16777216 bytes");
    assert_eq!(refused(&read("tiff/lies.tif"), Format::Tiff), "its pages take more than 16777216 bytes");
}

/// What is kept counts, not what the file has: words become numbers of four bytes, and pages add up.
#[test]
fn what_grows_beyond_the_limit_is_refused() {
    let options = Options { most_bytes: MOST_BYTES, ..Options::default() };
    let read_as = |bytes: &[u8], format| decode(bytes, format, &options).map(|contents| contents.dims);
    let refused = |bytes: &[u8], format| read_as(bytes, format).unwrap_err().to_string();
    let sentence =
        |count: usize| format!("its {count} numbers take {} bytes; at most {MOST_BYTES} are read", 4 * count);
    let words = 300_u16.to_le_bytes().repeat(4_500_000);
    for order in ["False", "True"] {
        let dict = format!("{{'descr': '<u2', 'fortran_order': {order}, 'shape': (4500, 1000)}}\n");
        let array = [&b"\x93NUMPY\x01\x00"[..], &[dict.len() as u8, 0], dict.as_bytes(), &words].concat();
        assert_eq!(refused(&array, Format::Npy), sentence(4_500_000));
    }
    let mut header = read("nifti/u8.nii")[..352].to_vec();
    header[40..48].copy_from_slice(&[3_u16, 300, 150, 100].map(u16::to_le_bytes).concat());
    header[70..74].copy_from_slice(&[512_u16, 16].map(u16::to_le_bytes).concat());
    let volume = [&header[..], &words].concat();
    assert_eq!(refused(&volume, Format::Nifti), sentence(4_500_000));
    assert_eq!(refused(&gzip(&volume), Format::Nifti), sentence(4_500_000));
    // Of three million pixels a page: one page is within the limit, two are not.
    let page = |pages| tiff_of_words(pages, [3000, 1000], &words[..6_000_000]);
    assert_eq!(read_as(&page(1), Format::Tiff), Ok(vec![1000, 3000]));
    assert_eq!(refused(&page(2), Format::Tiff), sentence(6_000_000));
    // Of which there is only one copy in the file.
    assert_eq!(refused(&page(6), Format::Tiff), sentence(6_000_000));
}

/// An image of the corpus whose header announces other sizes.
fn png_of(name: &str, size: [u32; 2]) -> Vec<u8> {
    let mut image = read(&format!("png/{name}.png"));
    image[16..24].copy_from_slice(&size.map(u32::to_be_bytes).concat());
    let mut sum = flate2::Crc::new();
    sum.update(&image[12..29]);
    image[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    image
}

/// A TIFF image of so many pages, all of which have these pixels of 16 bits.
fn tiff_of_words(pages: u32, [width, height]: [u32; 2], pixels: &[u8]) -> Vec<u8> {
    const TAGS: u32 = 8;
    const DIRECTORY: u32 = 2 + 12 * TAGS + 4;
    let data = 8 + pages * DIRECTORY;
    let mut image = [&b"II*\0"[..], &8_u32.to_le_bytes()].concat();
    for page in 1..=pages {
        image.extend((TAGS as u16).to_le_bytes());
        let bytes = pixels.len() as u32;
        // Width, height, bits, no compression, black is zero, where the only strip lies, its rows and bytes.
        let values = [width, height, 16, 1, 1, data, height, bytes];
        for (tag, value) in [256_u16, 257, 258, 259, 262, 273, 278, 279].into_iter().zip(values) {
            image.extend([tag.to_le_bytes(), 4_u16.to_le_bytes()].concat());
            image.extend([1, value].map(u32::to_le_bytes).concat());
        }
        image.extend((if page < pages { 8 + page * DIRECTORY } else { 0 }).to_le_bytes());
    }
    image.extend(pixels);
    image
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
