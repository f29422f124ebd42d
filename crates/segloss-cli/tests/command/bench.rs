//! `segloss bench`.

use crate::run::Folder;

#[test]
fn every_row_adds_up() {
    let folder = Folder::new();
    let rows = folder.json(["bench", "--voxels", "2^9,15", "--case", "dice-sigmoid-f32-f32", "--format", "json"]);
    let rows = rows.as_array().unwrap();
    let found: Vec<_> =
        rows.iter().map(|row| (row["voxels"].as_u64().unwrap(), row["direction"].as_str().unwrap())).collect();
    let directions = |voxels| [(voxels, "forward"), (voxels, "gradient"), (voxels, "both")];
    assert_eq!(found, [directions(1 << 9), directions(1 << 15)].concat());
    for row in rows {
        let keys: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "adapter",
            "case",
            "voxels",
            "direction",
            "device_ms",
            "wall_ms",
            "bytes",
            "gb_per_s",
            "share_of_copy",
            "extra_device_bytes",
            "logit_reads",
        ];
        assert_eq!(keys, expected);
        assert_eq!(row["case"], "dice-sigmoid-f32-f32");
        // Logits and targets, the gradient, or both.
        let per_voxel = match row["direction"].as_str().unwrap() {
            "forward" => 8,
            "gradient" => 12,
            _ => 20,
        };
        let bytes = row["bytes"].as_u64().unwrap();
        assert_eq!(bytes, per_voxel * row["voxels"].as_u64().unwrap());
        let ms = row["device_ms"].as_f64().or(row["wall_ms"].as_f64()).unwrap();
        let rate = row["gb_per_s"].as_f64().unwrap();
        assert!((rate * ms * 1e6 - bytes as f64).abs() <= 1e-6 * bytes as f64, "{row}");
        assert!(row["share_of_copy"].as_f64().unwrap() > 0.0 && row["wall_ms"].as_f64().unwrap() > 0.0, "{row}");
        assert!((1..=(1 << 20) + 64).contains(&row["extra_device_bytes"].as_u64().unwrap()), "{row}");
    }
}

#[test]
fn the_table_names_its_adapter() {
    let folder = Folder::new();
    let output = folder.run(["bench", "--voxels", "9", "--case", "4-labels"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && table.lines().count() == 8, "{table}");
    assert!(table.lines().next().unwrap().contains("reducer"), "{table}");
    assert!(table.lines().nth(2).unwrap().starts_with("case"), "{table}");
    assert!(table.lines().nth(3).unwrap().starts_with("dice-sigmoid-4-labels-f32-f32  2^9     forward"), "{table}");
    let message = folder.failure(["bench", "--case", "nothing like this"]);
    assert!(message.contains("there are dice-sigmoid-f32-f32, "), "{message}");
}

/// The names, and the bytes a voxel of value and gradient: what each reads, and what is written.
#[test]
fn every_case_counts_the_bytes_of_its_formats() {
    let rows = Folder::new().json(["bench", "--voxels", "8", "--format", "json"]);
    let cases = [
        ("dice-sigmoid-f32-f32", 8.0, 4.0, 1),
        ("dice-bce-sigmoid-f32-f32", 8.0, 4.0, 1),
        ("dice-sigmoid-4-labels-f32-f32", 32.0, 16.0, 1),
        ("dice-sigmoid-f32-bits", 4.125, 4.0, 1),
        ("dice-sigmoid-f16-bits", 2.125, 2.0, 1),
        ("dice-ce-softmax-4-classes-f32-u8", 17.0, 16.0, 1),
        ("dice-ce-softmax-4-classes-f16-u8", 9.0, 8.0, 1),
        ("dice-ce-softmax-105-classes-f32-u8", 841.0, 420.0, 2),
        ("dice-ce-softmax-105-classes-f16-u8", 421.0, 210.0, 2),
    ];
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 3 * cases.len());
    for (rows, (name, read, written, reads)) in rows.chunks(3).zip(cases) {
        for (row, per_voxel) in rows.iter().zip([read, read + written, 2.0 * read + written]) {
            assert_eq!(row["case"], name);
            assert_eq!(row["bytes"].as_f64(), Some(256.0 * per_voxel), "{row}");
            assert_eq!(row["logit_reads"], reads, "{row}");
        }
    }
}

/// What is left out is said, and why.
#[test]
fn what_does_not_fit_is_left_out_loudly() {
    let folder = Folder::new();
    let output = folder.run(["bench", "--voxels", "8,22", "--case", "105-classes-f32", "--memory", "1"]);
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success() && stdout.lines().count() == 8, "{stdout}{stderr}");
    let sentence = "segloss: dice-ce-softmax-105-classes-f32-u8 at 2^22 voxels is left out: its tensors take 3527409664 bytes, \
                    more than the 1073741824 allowed";
    assert!(stderr.lines().any(|line| line == sentence), "{stderr}");
    let output = folder.run(["bench", "--voxels", "22", "--case", "105-classes-f32", "--memory", "1"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && stderr.contains("ask for fewer voxels"), "{stderr}");
}
