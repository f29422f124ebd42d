//! Less memory than files take: a sentence and exit code 2, where others are ended by a signal.

use std::process::{Command, Output};

use crate::files::{Nifti, gzip};
use crate::run::Folder;

/// Runs the command on a file with so many KiB of address space.
fn eval_within(kibibytes: u32, folder: &Folder, name: &str) -> Output {
    let script = format!("ulimit -v {kibibytes} && exec \"$0\" eval {name} {name} --threads 1");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_segloss")]).current_dir(folder.path("."));
    command.output().unwrap()
}

fn assert_no_memory(output: &Output, name: &str, bytes: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = format!("segloss: {name}: there is no memory for its {bytes}");
    assert!(output.status.code() == Some(2) && said.contains(&expected), "{}: {said}", output.status);
}

/// Files of some bytes that announce gigabytes, within the limits of their formats.
#[test]
fn headers_that_announce_more_than_there_is() {
    let folder = Folder::new();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path(name), bytes).unwrap();
    write("large.png", &png());
    write("large.tif", &tiff());
    write("large.npz", &npz());
    write("large.nii.gz", &gzip(&Nifti::u8(&[32767, 32767, 60]).bytes(&[])));
    for (name, bytes) in [
        ("large.png", "4294836225 bytes"),
        ("large.tif", "4294836225 bytes"),
        ("large.npz", "4294967040 bytes"),
        ("large.nii.gz", "64420577340 bytes"),
    ] {
        assert_no_memory(&eval_within(3_500_000, &folder, name), name, bytes);
    }
}

/// Numbers of two bytes that need four: wherever on the way there is no more memory, there is a sentence.
#[test]
fn numbers_that_grow_beyond_what_there_is() {
    let folder = Folder::new();
    let words = 300_u16.to_le_bytes().repeat(40_000_000);
    let header = Nifti { datatype: 512, bits: 16, ..Nifti::u8(&[1000, 1000, 40]) };
    std::fs::write(folder.path("words.nii"), header.bytes(&words)).unwrap();
    let mut outputs = [300_000, 400_000, 500_000, 600_000, 700_000].map(|kib| eval_within(kib, &folder, "words.nii"));
    outputs.sort_by_key(|output| output.status.success());
    for output in &outputs {
        if !output.status.success() {
            assert_no_memory(output, "words.nii", "");
        }
    }
    assert!(!outputs[0].status.success());
}

/// One chunk of a PNG image.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(data);
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &sum.sum().to_be_bytes()].concat()
}

/// 65535×65535 pixels of a byte, of which not one is there.
fn png() -> Vec<u8> {
    let header = [&65_535_u32.to_be_bytes().repeat(2)[..], &[8, 0, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", &[0x78]), chunk(b"IEND", b"")].concat()
}

/// The same.
fn tiff() -> Vec<u8> {
    // Width, height, bits, no compression, black is zero, where the only strip lies, its rows and bytes.
    let tags = [(256_u16, 65_535_u32), (257, 65_535), (258, 8), (259, 1), (262, 1), (273, 8), (278, 65_535), (279, 64)];
    let mut image = [&b"II*\0"[..], &8_u32.to_le_bytes(), &(tags.len() as u16).to_le_bytes()].concat();
    for (tag, value) in tags {
        image.extend([tag, 4].map(u16::to_le_bytes).concat());
        image.extend([1, value].map(u32::to_le_bytes).concat());
    }
    image.extend([0; 4]);
    image
}

/// An archive whose array is said to have nearly 4 GiB.
fn npz() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    archive.start_file("a.npy", zip::write::SimpleFileOptions::default()).unwrap();
    let mut bytes = archive.finish().unwrap().into_inner();
    // Where its entry and the directory have the size.
    for (signature, at) in [(b"PK\x03\x04", 22), (b"PK\x01\x02", 24)] {
        let start = bytes.windows(4).position(|four| four == signature).unwrap() + at;
        bytes[start..start + 4].copy_from_slice(&0xffff_ff00_u32.to_le_bytes());
    }
    bytes
}
