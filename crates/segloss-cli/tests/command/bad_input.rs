//! Bad files: one sentence that names the file, exit code 2, nothing printed.

use png::{BitDepth, ColorType};

use crate::files::{Nifti, gzip, npy, npy_raw, png};
use crate::run::Folder;

/// A folder with a sound truth of shape [2, 3].
fn folder() -> Folder {
    let folder = Folder::new();
    npy(&folder.path("t.npy"), &[2, 3], &[0_u8, 1, 0, 0, 1, 1]);
    folder
}

/// Asserts that `name`, in either place, fails with a sentence that names it and contains `part`.
fn assert_refused(folder: &Folder, name: &str, part: &str) {
    for args in [["eval", name, "t.npy"], ["eval", "t.npy", name]] {
        let message = folder.failure(args);
        assert!(message.contains(name) && message.contains(part), "{args:?}: {message}");
    }
}

#[test]
fn files_that_are_not_there_or_of_no_known_format() {
    let folder = folder();
    for name in ["gone.npy", "gone.nii", "gone.nii.gz", "gone.png"] {
        assert_refused(&folder, name, "cannot be read");
    }
    std::fs::create_dir(folder.path("folder.npy")).unwrap();
    assert_refused(&folder, "folder.npy", "is a folder and t.npy is none; expected two files or two folders");
    for name in ["scan.dcm", "scan", "npy"] {
        std::fs::write(folder.path(name), b"data").unwrap();
        assert_refused(&folder, name, "expected a name that ends in .nii.gz, .nii, .png, .tif, .tiff, .npy, .npz");
    }
    for name in ["empty.npy", "empty.nii", "empty.nii.gz", "empty.png"] {
        std::fs::write(folder.path(name), b"").unwrap();
        assert_refused(&folder, name, "the file is empty");
        std::fs::write(folder.path(name), b"not what the name says, but long enough to hold a header".repeat(9))
            .unwrap();
        assert_refused(&folder, name, "expected");
    }
}

#[test]
fn broken_numpy_arrays() {
    let folder = folder();
    let data = [0_u8; 24];
    for (name, descriptor, shape, data, part) in [
        ("short.npy", "<f4", "(2, 3)", &data[..23], "truncated: 1 bytes"),
        ("long.npy", "<f4", "(2, 2)", &data, "8 bytes follow the data"),
        ("complex.npy", "<c8", "(1, 3)", &data, "of the type '<c8'"),
        ("objects.npy", "|O", "(1, 3)", &data, "of the type '|O'"),
        ("no_elements.npy", "<f4", "(0, 3)", &[], "the array is empty (shape 0×3)"),
        ("huge.npy", "<f4", "(1099511627776, )", &data, "truncated"),
        ("beyond.npy", "<f4", "(4294967296, 4294967296, 4294967296)", &data, "more data than can be addressed"),
        (
            "unclosed.npy",
            "<f4",
            "(2, 3",
            &data,
            "unclosed.npy: its header cannot be understood; expected a NumPy array",
        ),
        ("negative.npy", "<f4", "(-1, )", &data, "expected a NumPy array"),
    ] {
        npy_raw(&folder.path(name), descriptor, shape, data);
        assert_refused(&folder, name, part);
    }
    let sound = std::fs::read(folder.path("t.npy")).unwrap();
    std::fs::write(folder.path("header.npy"), &sound[..50]).unwrap();
    assert_refused(&folder, "header.npy", "ends within its header");
}

#[test]
fn broken_volumes() {
    let folder = folder();
    let sound = || Nifti::u8(&[2, 3]);
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path(name), bytes).unwrap();
    for (name, header, part) in [
        ("no_dims.nii", Nifti { dims: vec![], ..sound() }, "announces 0 dimensions; expected one to seven"),
        ("zero.nii", Nifti { dims: vec![2, 0], ..sound() }, "its dimension 2 is 0; expected at least 1"),
        ("negative.nii", Nifti { dims: vec![2, -3], ..sound() }, "its dimension 2 is -3; expected at least 1"),
        ("rgb.nii", Nifti { datatype: 128, bits: 24, ..sound() }, "Rgb24"),
        ("complex.nii", Nifti { datatype: 32, bits: 64, ..sound() }, "Complex64"),
        ("unknown.nii", Nifti { datatype: 77, ..sound() }, "data type"),
        ("bits.nii", Nifti { bits: 32, ..sound() }, "32 bits a voxel"),
        ("more.nii", Nifti { dims: vec![2, 4], ..sound() }, "truncated: its header announces 8 bytes of 2×4 voxels, 6"),
        ("huge.nii", Nifti { dims: vec![32767; 7], ..sound() }, "more data than can be addressed"),
        ("large.nii", Nifti { dims: vec![32767; 4], ..sound() }, "bytes"),
        ("scaling.nii", Nifti { slope: 1.0, intercept: f32::NAN, ..sound() }, "scaling"),
    ] {
        write(name, &header.bytes(&[0, 1, 0, 0, 1, 1]));
        assert_refused(&folder, name, part);
    }
    let bytes = sound().bytes(&[0, 1, 0, 0, 1, 1]);
    write("header.nii", &bytes[..200]);
    assert_refused(&folder, "header.nii", "it ends within the 348 bytes of its header");
    let mut pair = bytes.clone();
    pair[344..347].copy_from_slice(b"ni1");
    write("pair.nii", &pair);
    assert_refused(&folder, "pair.nii", "another file");
    let mut compressed = gzip(&bytes);
    let expected = "it is damaged or truncated: ";
    let in_header = "it ends within the 348 bytes of its header; expected a NIfTI-1 volume";
    for (cut, part) in [(compressed.len() - 1, expected), (compressed.len() - 12, in_header), (30, in_header)] {
        write("cut.nii.gz", &compressed[..cut]);
        assert_refused(&folder, "cut.nii.gz", part);
    }
    let checksum = compressed.len() - 8;
    compressed[checksum] ^= 1;
    write("damaged.nii.gz", &compressed);
    assert_refused(&folder, "damaged.nii.gz", "damaged");
}

#[test]
fn volumes_whose_data_begins_nowhere() {
    let folder = folder();
    let with_offset = |offset| Nifti { offset, ..Nifti::u8(&[2, 3]) }.bytes(&[0, 1, 0, 0, 1, 1]);
    for (offset, part) in [
        (348.0, "begins at byte 348 (vox_offset); expected 0 or a whole number from 352 on"),
        (-352.0, "begins at byte -352 (vox_offset)"),
        (352.5, "begins at byte 352.5 (vox_offset)"),
        (f32::NAN, "begins at byte NaN (vox_offset)"),
        (f32::INFINITY, "begins at byte inf (vox_offset)"),
        (4096.0, "begins at byte 4096 (vox_offset), but it ends at 358"),
        (1e30, "(vox_offset), but it ends at 358"),
        (1e-30, "begins at byte 1e-30 (vox_offset)"),
        (354.0, "truncated: its header announces 6 bytes of 2×3 voxels, 4 are there"),
    ] {
        std::fs::write(folder.path("offset.nii"), with_offset(offset)).unwrap();
        assert_refused(&folder, "offset.nii", part);
        std::fs::write(folder.path("offset.nii.gz"), gzip(&with_offset(offset))).unwrap();
        assert_refused(&folder, "offset.nii.gz", part);
    }
}

#[test]
fn images_that_are_not_grey_or_not_whole() {
    let folder = folder();
    png(&folder.path("rgb.png"), [3, 2], ColorType::Rgb, BitDepth::Eight, &[0; 18]);
    assert_refused(&folder, "rgb.png", "its colours are Rgb; expected a grey image");
    png(&folder.path("palette.png"), [3, 2], ColorType::Indexed, BitDepth::Eight, &[0; 6]);
    let message = folder.failure(["eval", "palette.png", "t.npy", "--as", "probabilities"]);
    assert!(message.contains("palette.png: its colours are Indexed"), "{message}");
    png(&folder.path("alpha.png"), [3, 2], ColorType::GrayscaleAlpha, BitDepth::Eight, &[0; 12]);
    assert_refused(&folder, "alpha.png", "GrayscaleAlpha");
    png(&folder.path("grey.png"), [3, 2], ColorType::Grayscale, BitDepth::Eight, &[0, 255, 0, 0, 255, 255]);
    let bytes = std::fs::read(folder.path("grey.png")).unwrap();
    for cut in [20, bytes.len() / 2, bytes.len() - 14] {
        std::fs::write(folder.path("cut.png"), &bytes[..cut]).unwrap();
        assert_refused(&folder, "cut.png", "cannot be decoded");
    }
}

/// A pipe into which nobody writes, and zeros without end. Links to files are files.
#[cfg(unix)]
#[test]
fn what_is_no_regular_file() {
    let folder = folder();
    let pipe = folder.path("pipe.npy");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_refused(
        &folder,
        "pipe.npy",
        "it is a pipe, a device or the like; expected a regular file with a NumPy array",
    );
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.path(name)).unwrap();
    for name in ["zero.npy", "zero.nii", "zero.nii.gz", "zero.png", "zero.tif", "zero.npz"] {
        link("/dev/zero", name);
        assert_refused(&folder, name, "it is a pipe, a device or the like; expected a regular file with");
    }
    link("t.npy", "link.npy");
    assert!(folder.run(["eval", "link.npy", "t.npy"]).status.success());
}

/// Text may come through a pipe, as shells make them; not without end.
#[cfg(unix)]
#[test]
fn text_from_a_pipe() {
    let folder = folder();
    let pipe = folder.path("classes.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = std::thread::spawn(move || std::fs::write(pipe, br#"{"1": "left", "2": "right"}"#));
    let output = folder.run(["eval", "t.npy", "t.npy", "--classes", "classes.json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    writer.join().unwrap().unwrap();
    let message = folder.failure(["eval", "t.npy", "t.npy", "--classes", "/dev/zero"]);
    assert!(message.contains("it has more than 67108864 bytes; expected the names of classes as JSON"), "{message}");
}

#[test]
fn pairs_and_values_that_do_not_fit() {
    let folder = folder();
    npy(&folder.path("other.npy"), &[3, 2], &[0_u8; 6]);
    let message = folder.failure(["eval", "other.npy", "t.npy"]);
    assert!(message.contains("t.npy: its shape 2×3 differs from the prediction's, 3×2 in other.npy"), "{message}");
    npy(&folder.path("nan.npy"), &[2, 3], &[0.0, f32::NAN, 0.0, f32::INFINITY, 0.0, 0.0]);
    assert_refused(&folder, "nan.npy", "2 of 6 values are not finite numbers, the first (NaN) at [0, 1]");
    npy(&folder.path("beyond.npy"), &[2, 3], &[0.0, 0.0, 0.0, 0.0, 0.0, 1e300]);
    assert_refused(&folder, "beyond.npy", "1 of 6 values are not finite");
    npy(&folder.path("labels.npy"), &[2, 3], &[0_u8, 1, 2, 0, 0, 0]);
    let message = folder.failure(["eval", "labels.npy", "t.npy", "--as", "probabilities"]);
    assert!(message.contains("labels.npy: the value 2 at [0, 2] lies outside [0, 1]"), "{message}");
    npy(&folder.path("tiny.npy"), &[2, 3], &[0.0, 1.0, -1e-30_f32, -3e38, 0.0, 2.0]);
    let message = folder.failure(["eval", "tiny.npy", "t.npy", "--as", "probabilities"]);
    assert!(message.contains("tiny.npy: the value -3e38 at [1, 0] lies outside [0, 1]"), "{message}");
    npy(&folder.path("between.npy"), &[2, 3], &[0.0, 1.0, 1.5, 0.0, 0.0, 2.0]);
    let part =
        "the value 1.5 at [0, 2] is neither a label nor a probability; expected whole numbers, or numbers in [0, 1]";
    let message = folder.failure(["eval", "t.npy", "between.npy"]);
    assert!(message.contains("between.npy: ") && message.contains(part), "{message}");
    // Usage: clap's own message, the same exit code.
    for args in [&["eval", "t.npy"][..], &["eval", "t.npy", "t.npy", "--threshold", "1.5"], &["evaluate"], &[]] {
        let output = folder.run(args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
    }
}
