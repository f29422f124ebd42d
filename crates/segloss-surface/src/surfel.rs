//! Areas of the surface elements between voxels.

use crate::Grid;

/// Of each way in which the 8 voxels around a corner may lie inside or outside, the surface between them: what its triangles
/// add up to by the axes that their normals have a part in, all parts of a normal being equal.
///
/// A digit counts eighths. From the left the digits are of normals along (1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1),
/// (1, 0, 0), (0, 1, 0) and (0, 0, 1), signs apart. The voxels are bits of the index, the first in C order the highest. Inside
/// and outside may be exchanged, so half the codes are enough.
///
/// The figures are the lengths of the normals in DeepMind's package surface-distance-based-measures 0.1, where they are said to
/// come from marching cubes.
#[rustfmt::skip]
const EIGHTHS: [u32; 128] = [
    0x0000000, 0x1000000, 0x1000000, 0x0400000, 0x1000000, 0x0040000, 0x2000000, 0x3000400,
    0x1000000, 0x2000000, 0x0040000, 0x3000400, 0x0400000, 0x3000400, 0x3000400, 0x0000800,
    0x1000000, 0x0004000, 0x2000000, 0x3000040, 0x2000000, 0x3000004, 0x3000000, 0x6000000,
    0x2000000, 0x1004000, 0x1040000, 0x4022000, 0x1400000, 0x4202000, 0x4000400, 0x3000400,
    0x1000000, 0x2000000, 0x0004000, 0x3000040, 0x2000000, 0x1040000, 0x1004000, 0x4022000,
    0x2000000, 0x3000000, 0x3000004, 0x6000000, 0x1400000, 0x4000400, 0x4202000, 0x3000400,
    0x0400000, 0x3000040, 0x3000040, 0x0000080, 0x1400000, 0x4220000, 0x4000040, 0x3000040,
    0x1400000, 0x4000040, 0x4220000, 0x3000040, 0x0800000, 0x1400000, 0x1400000, 0x0400000,
    0x1000000, 0x2000000, 0x2000000, 0x1400000, 0x0004000, 0x3000004, 0x1004000, 0x4202000,
    0x2000000, 0x3000000, 0x1040000, 0x4000400, 0x3000040, 0x6000000, 0x4022000, 0x3000400,
    0x0040000, 0x3000004, 0x1040000, 0x4220000, 0x3000004, 0x0000008, 0x4000004, 0x3000004,
    0x1040000, 0x4000004, 0x0080000, 0x1040000, 0x4220000, 0x3000004, 0x1040000, 0x0040000,
    0x2000000, 0x3000000, 0x1004000, 0x4000040, 0x1004000, 0x4000004, 0x0008000, 0x1004000,
    0x3000000, 0x4000000, 0x4000004, 0x3000000, 0x4000040, 0x3000000, 0x1004000, 0x2000000,
    0x3000400, 0x6000000, 0x4022000, 0x3000040, 0x4202000, 0x3000004, 0x1004000, 0x0004000,
    0x4000400, 0x3000000, 0x1040000, 0x2000000, 0x1400000, 0x2000000, 0x2000000, 0x1000000,
];

/// The axes of the digits, from the left.
const AXES: [[f64; 3]; 7] = [
    [1.0, 1.0, 1.0],
    [1.0, 1.0, 0.0],
    [1.0, 0.0, 1.0],
    [0.0, 1.0, 1.0],
    [1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.0, 1.0],
];

/// The size of the surface around a corner of voxels, by the code of the 2, 4 or 8 voxels that meet there: bits of which the
/// first voxel in C order is the highest, 1 inside.
///
/// It is an area on three axes, a length on two, and 1 on one axis, where the surface is the ends of intervals. It is 0 only of
/// the codes in which all voxels are equal.
pub(crate) fn sizes_by_code(grid: &Grid) -> Vec<f64> {
    match *grid.spacing() {
        [rows, columns] => (0..16).map(|code| length(rows, columns, code)).collect(),
        [planes, rows, columns] => areas(planes, rows, columns),
        _ => vec![0.0, 1.0, 1.0, 0.0],
    }
}

/// The length of the contour around a corner of four pixels: a side that it runs along, or half a diagonal for each pixel that
/// it cuts off.
fn length(rows: f64, columns: f64, code: u8) -> f64 {
    let half_diagonal = 0.5 * (rows * rows + columns * columns).sqrt();
    match code {
        0b0000 | 0b1111 => 0.0,
        0b0011 | 0b1100 => columns,
        0b0101 | 0b1010 => rows,
        0b0110 | 0b1001 => 2.0 * half_diagonal,
        _ => half_diagonal,
    }
}

/// The areas of all 256 codes. A normal is as long as its triangle is large, so each part of it grows with the face of a voxel
/// that it stands on. Squares are added without rounding them first, as the dot product behind the package's lengths does on
/// most machines.
fn areas(planes: f64, rows: f64, columns: f64) -> Vec<f64> {
    let faces = [rows * columns, planes * columns, planes * rows];
    let lengths = AXES.map(|axes| {
        let [z, y, x]: [f64; 3] = std::array::from_fn(|axis| axes[axis] * faces[axis]);
        x.mul_add(x, y.mul_add(y, z * z)).sqrt()
    });
    let area = |eighths: &u32| {
        let digits = (0..7).rev().map(|digit| f64::from(eighths >> (4 * digit) & 15));
        digits.zip(lengths).map(|(eighths, length)| eighths / 8.0 * length).sum()
    };
    EIGHTHS.iter().chain(EIGHTHS.iter().rev()).map(area).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Grid, sizes_by_code};

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    #[test]
    fn sizes_are_those_of_deepmind_s_package() {
        let fixtures: Value = serde_json::from_str(include_str!("../tests/fixtures/cases.json")).unwrap();
        for table in fixtures["sizes"].as_array().unwrap() {
            let (spacing, theirs) = (numbers(&table["spacing"]), numbers(&table["by_code"]));
            let ours = sizes_by_code(&Grid::new(&vec![1; spacing.len()], &spacing).unwrap());
            assert_eq!(ours.len(), theirs.len());
            for (code, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                assert!((ours - theirs).abs() <= 1e-15 * theirs, "{code:#b} at {spacing:?}: {ours} is not {theirs}");
            }
        }
    }
}
