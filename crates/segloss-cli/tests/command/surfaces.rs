//! Distances between the surfaces of two files, every number by brute force.

use crate::files::{Nifti, npy};
use crate::masks::{assert_class, counts, metrics};
use crate::run::{Folder, assert_number};

/// Volumes in mm³, and distances along the axes: MONAI's of two voxels are those between them.
#[test]
fn anisotropic_spacing_reaches_volumes_and_distances() {
    let folder = Folder::new();
    let header = |voxel_size| Nifti { voxel_size, ..Nifti::u8(&[5, 4, 3]) };
    let voxel = |x: usize, y: usize, z: usize| {
        let mut labels = vec![0; 60];
        labels[x + 5 * (y + 4 * z)] = 1;
        labels
    };
    std::fs::write(folder.path("p.nii"), header([0.5, 2.0, 3.0]).bytes(&voxel(0, 0, 0))).unwrap();
    for (name, place, distance) in
        [("x", [4, 0, 0], 2.0), ("y", [0, 3, 0], 6.0), ("z", [0, 0, 2], 6.0), ("xy", [3, 1, 0], 2.5)]
    {
        let [x, y, z] = place;
        std::fs::write(folder.path("t.nii"), header([0.5, 2.0, 3.0]).bytes(&voxel(x, y, z))).unwrap();
        let scores = folder.json(["eval", "p.nii", "t.nii", "--surface", "--tolerance", "2", "--format", "json"]);
        let class = &metrics(&scores)["1"];
        for key in ["HD", "HD95", "ASSD"] {
            assert_number(class, key, distance, 1e-12);
        }
        assert_number(class, "NSD", f64::from(u8::from(distance <= 2.0)), 0.0);
        assert_number(class, "predicted_volume", 3.0, 1e-12);
        assert_eq!(
            (&scores["surface_definition"], &scores["surface_tolerance"]),
            (&"MONAI".into(), &2.0.into()),
            "{name}"
        );
    }
    let scores = folder.json(["eval", "p.nii", "t.nii", "--surface", "--spacing", "1,4,1", "--format", "json"]);
    assert_number(&metrics(&scores)["1"], "HD", 5.0, 1e-12);
    let message = folder.failure(["eval", "p.nii", "t.nii", "--surface", "--spacing", "1,4"]);
    assert!(message.contains("p.nii: it has the shape 5×4×3 and --spacing 2 numbers"), "{message}");
    // One of two is empty: infinite, which JSON has no number for.
    std::fs::write(folder.path("t.nii"), header([0.5, 2.0, 3.0]).bytes(&[0; 60])).unwrap();
    let scores = folder.json(["eval", "p.nii", "t.nii", "--surface", "--format", "json"]);
    assert_eq!(metrics(&scores)["1"]["HD"], "Infinity");
}

/// Two cubes, one a voxel further, by DeepMind's areas: half of the surface at a corner of a voxel counts half.
#[test]
fn both_definitions_of_surfaces_are_there() {
    let folder = Folder::new();
    let cube = |from: usize| -> Vec<u8> {
        let inside = |i: usize| (from..from + 3).contains(&i);
        (0..512).map(|i| u8::from(inside(i / 64) && inside(i / 8 % 8) && inside(i % 8))).collect()
    };
    npy(&folder.path("p.npy"), &[8, 8, 8], &cube(2));
    npy(&folder.path("t.npy"), &[8, 8, 8], &cube(2));
    for definition in ["--surface=monai", "--surface=deepmind"] {
        let scores = folder.json(["eval", "p.npy", "t.npy", definition, "--format", "json"]);
        let class = &metrics(&scores)["1"];
        assert_number(class, "HD", 0.0, 0.0);
        assert_number(class, "NSD", 1.0, 0.0);
    }
    npy(&folder.path("t.npy"), &[8, 8, 8], &cube(3));
    let of = |definition: &str| folder.json(["eval", "p.npy", "t.npy", definition, "--format", "json"]);
    let (monai, deepmind) = (of("--surface=monai"), of("--surface=deepmind"));
    assert_number(&metrics(&monai)["1"], "HD", 3_f64.sqrt(), 1e-12);
    assert_number(&metrics(&deepmind)["1"], "HD", 3_f64.sqrt(), 1e-12);
    // Of 4³ corners between voxels, those outside have the area 1 on a face, √2/2 on an edge and √3/8 at a corner.
    let outside = |p: &[i32; 3]| p.iter().filter(|&&at| at == 0 || at == 3).count();
    let corners: Vec<[i32; 3]> =
        (0..64).map(|i| [i / 16, i / 4 % 4, i % 4]).filter(|corner| outside(corner) > 0).collect();
    let area = |corner: &[i32; 3]| [1.0, 2_f64.sqrt() / 2.0, 3_f64.sqrt() / 8.0][outside(corner) - 1];
    let nearest = |corner: &[i32; 3]| {
        let square = |other: &[i32; 3]| (0..3).map(|axis| (corner[axis] - other[axis] - 1).pow(2)).sum::<i32>();
        f64::from(corners.iter().map(square).min().unwrap()).sqrt()
    };
    // Both ways are alike: the cubes are each other's mirror image.
    let areas: f64 = corners.iter().map(area).sum();
    let expected = corners.iter().map(|corner| area(corner) * nearest(corner)).sum::<f64>() / areas;
    assert!((expected - 0.790_728_785_974_874).abs() < 1e-14);
    assert_number(&metrics(&deepmind)["1"], "ASSD", expected, 1e-12);
    assert_number(&metrics(&monai)["1"], "ASSD", 0.892_974_314_684_902, 1e-12);
}

/// Voxels of class 1 with a neighbour outside it, or none: MONAI's surface, in (x, y, z) of a volume of `SMALL` with x fastest.
fn surface(mask: &[u8]) -> Vec<[f64; 3]> {
    let at = |x: i64, y: i64, z: i64| {
        let inside = [(x, SMALL[0]), (y, SMALL[1]), (z, SMALL[2])].iter().all(|&(i, n)| (0..n as i64).contains(&i));
        inside && mask[x as usize + SMALL[0] * (y as usize + SMALL[1] * z as usize)] == 1
    };
    let mut found = vec![];
    for (z, y, x) in (0..SMALL[2] as i64)
        .flat_map(|z| (0..SMALL[1] as i64).flat_map(move |y| (0..SMALL[0] as i64).map(move |x| (z, y, x))))
    {
        let neighbours = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)];
        if at(x, y, z) && neighbours.iter().any(|&(i, j, k)| !at(x + i, y + j, z + k)) {
            found.push([x as f64 * SPACING[0], y as f64 * SPACING[1], z as f64 * SPACING[2]]);
        }
    }
    found
}

const SMALL: [usize; 3] = [5, 4, 6];
/// In f32 without rounding, as headers have it.
const SPACING: [f64; 3] = [0.75, 1.5, 2.5];

/// From every point of one surface to the nearest of another.
fn distances(from: &[[f64; 3]], to: &[[f64; 3]]) -> Vec<f64> {
    let square = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let mut found: Vec<_> =
        from.iter().map(|a| to.iter().map(|b| square(a, b)).fold(f64::INFINITY, f64::min).sqrt()).collect();
    found.sort_by(f64::total_cmp);
    found
}

/// As NumPy interpolates.
fn percentile(sorted: &[f64], q: f64) -> f64 {
    let rank = q / 100.0 * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    below + (above - below) * rank.fract()
}

/// Full masks, single voxels and boxes that touch the border, every number by brute force, with anisotropic spacing.
#[test]
fn every_metric_of_full_single_and_bordering_masks() {
    let folder = Folder::new();
    let voxels: usize = SMALL.iter().product();
    let of = |inside: &dyn Fn(usize, usize, usize) -> bool| -> Vec<u8> {
        (0..voxels).map(|i| u8::from(inside(i % 5, i / 5 % 4, i / 20))).collect()
    };
    let masks = [
        ("full", of(&|_, _, _| true)),
        ("single", of(&|x, y, z| (x, y, z) == (2, 1, 3))),
        ("corner", of(&|x, y, z| (x, y, z) == (4, 3, 5))),
        ("border", of(&|x, y, _| x < 3 && y < 2)),
        ("inner", of(&|x, y, z| (1..4).contains(&x) && (1..3).contains(&y) && (1..5).contains(&z))),
        ("hollow", of(&|x, y, z| x == 0 || x == 4 || y == 0 || y == 3 || z == 0 || z == 5)),
    ];
    let header = || Nifti { voxel_size: SPACING.map(|size| size as f32), ..Nifti::u8(&SMALL.map(|dim| dim as i16)) };
    for (name, mask) in &masks {
        std::fs::write(folder.path(&format!("{name}.nii")), header().bytes(mask)).unwrap();
    }
    let pairs = masks.iter().flat_map(|p| masks.iter().map(move |t| (p, t)));
    for ((p_name, p), (t_name, t)) in pairs {
        let (p_file, t_file) = (format!("{p_name}.nii"), format!("{t_name}.nii"));
        let args = ["eval", &p_file, &t_file, "--surface", "--tolerance", "1.5", "--format", "json"];
        let scores = folder.json(args);
        println!("{p_name} against {t_name}");
        let class = &metrics(&scores)["1"];
        let [tp, fp, fn_, tn] = counts(p, t, |label| label == 1);
        if tn + fp > 0.0 {
            assert_class(class, [tp, fp, fn_, tn]);
        } else {
            assert!(class["specificity"].is_null());
        }
        let volume = SPACING.iter().product::<f64>();
        assert_number(class, "predicted_volume", (tp + fp) * volume, 1e-9);
        assert_number(class, "true_volume", (tp + fn_) * volume, 1e-9);
        let there = distances(&surface(p), &surface(t));
        let back = distances(&surface(t), &surface(p));
        let both = [&there[..], &back].concat();
        let share = both.iter().filter(|distance| **distance <= 1.5).count() as f64 / both.len() as f64;
        assert_number(class, "HD", there[there.len() - 1].max(back[back.len() - 1]), 1e-12);
        assert_number(class, "HD95", percentile(&there, 95.0).max(percentile(&back, 95.0)), 1e-12);
        assert_number(class, "ASSD", both.iter().sum::<f64>() / both.len() as f64, 1e-12);
        assert_number(class, "NSD", share, 1e-12);
    }
}

/// Lengths whose squares are no ordinary numbers: as they were given, whatever the order of the file.
#[test]
fn spacings_that_cannot_be_squared() {
    let folder = Folder::new();
    std::fs::write(folder.path("m.nii"), Nifti::u8(&[2, 2, 2]).bytes(&[0, 1, 1, 1, 0, 0, 0, 1])).unwrap();
    npy(&folder.path("m.npy"), &[2, 2, 2], &[0_u8, 1, 1, 1, 0, 0, 0, 1]);
    for file in ["m.nii", "m.npy"] {
        let message = folder.failure(["eval", file, file, "--surface", "--spacing", "1e155,1,1"]);
        let expected = "segloss: --spacing 1e155,1,1 has 1e155; expected lengths from 1e-100 to 1e100";
        assert_eq!(message, expected);
    }
    let long = ["eval", "m.nii", "m.nii", "--surface", "--spacing", "1e99,1,0.5", "--tolerance", "1e-300"];
    let table = String::from_utf8(folder.run(long).stdout).unwrap();
    assert!(table.contains("NSD at 1e-300 mm") && table.lines().all(|line| line.len() < 300), "{table}");
}
