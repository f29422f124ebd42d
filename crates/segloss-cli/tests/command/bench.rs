//! `segloss bench`.

use crate::run::Folder;

#[test]
fn every_row_adds_up() {
    let folder = Folder::new();
    let rows = folder.json(["bench", "--voxels", "9,15", "--case", "dice-sigmoid-f32-f32", "--format", "json"]);
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
