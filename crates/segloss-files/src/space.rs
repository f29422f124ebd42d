//! Where the voxels of a NIfTI volume lie, and whether two volumes agree.

use nifti::NiftiHeader;

use crate::number;

/// Relative to a voxel: what rounding, or one writer's matrix beside another's quaternion, may differ by.
const TOLERANCE: f32 = 0.01;

/// The geometry in a header.
#[derive(Clone, Debug)]
pub struct Space {
    /// In mm along the first three axes, as far as there are so many.
    voxel_size: Vec<f32>,
    /// From voxel indices to mm; `None` where the header leaves it open.
    affine: Option<[[f32; 4]; 3]>,
}

impl Space {
    pub(crate) fn new(header: &NiftiHeader) -> Self {
        let axes = usize::from(header.dim[0]).min(3);
        let affine = match (header.sform_code, header.qform_code) {
            (1.., _) => Some([header.srow_x, header.srow_y, header.srow_z]),
            (_, 1..) => Some(from_quaternion(header)),
            _ => None,
        };
        // Unknown units are taken for mm, as viewers do.
        let unit = match header.xyzt_units & 7 {
            1 => 1000.0,
            3 => 0.001,
            _ => 1.0_f32,
        };
        Self {
            voxel_size: header.pixdim[1..=axes].iter().map(|size| size.abs() * unit).collect(),
            affine: affine.map(|rows| rows.map(|row: [f32; 4]| row.map(|number| number * unit))),
        }
    }

    /// The voxel size in mm along so many axes; `None` where a size is none, or there are more axes than have sizes.
    #[must_use]
    pub fn spacing(&self, rank: usize) -> Option<Vec<f64>> {
        let sizes: Vec<f64> = self.voxel_size.get(..rank)?.iter().copied().map(f64::from).collect();
        sizes.iter().all(|size| size.is_finite() && *size > 0.0).then_some(sizes)
    }

    /// The smallest size of a voxel. One of 0 means that there is none, as along the third axis of a slice.
    fn smallest(&self) -> Option<f32> {
        self.voxel_size.iter().copied().filter(|size| size.is_finite() && *size > 0.0).reduce(f32::min)
    }

    /// From voxel indices to space in mm, a row in brackets; `None` where the header leaves it open.
    #[must_use]
    pub fn affine(&self) -> Option<String> {
        // To a hundredth of a millimetre of a hundred voxels, of smaller voxels finer; zero without a sign.
        let step = 1e-4 * 10_f64.powf(f64::from(self.smallest().unwrap_or(1.0)).log10().floor().min(0.0));
        let rounded = |number: f32| ((f64::from(number) / step).round() * step) as f32 + 0.0;
        let row = |row: [f32; 4]| format!("[{}]", row.map(|place| number(rounded(place))).join(" "));
        self.affine.map(|rows| rows.map(row).join(" "))
    }

    /// In which respects two volumes of these dimensions differ, in words. `None` if in none.
    #[must_use]
    pub fn difference(&self, other: &Self, dims: &[usize]) -> Option<String> {
        let mut sizes = self.voxel_size.iter().zip(&other.voxel_size);
        let sizes = sizes
            .any(|(a, b)| (a - b).abs() > TOLERANCE * a.max(*b))
            .then(|| format!("voxel size ({} and {})", by_axis(&self.voxel_size), by_axis(&other.voxel_size)));
        let smallest = self.smallest();
        let apart = self.affine.zip(other.affine).map(|(a, b)| distance(&a, &b, dims));
        // What is no number is not near, either.
        let is_near = |(apart, smallest): &(f32, f32)| *apart <= TOLERANCE * smallest;
        let places = apart
            .zip(smallest)
            .filter(|places| !is_near(places))
            .map(|(apart, _)| format!("position in space (the same voxel lies up to {} apart)", far(apart)));
        let differences: Vec<_> = [sizes, places].into_iter().flatten().collect();
        (!differences.is_empty()).then(|| differences.join(" and "))
    }
}

/// To a thousandth of a millimetre, as far as a number has it.
fn far(distance: f32) -> String {
    if distance.abs() < 1e7 { format!("{distance:.3}") } else { number(distance) }
}

fn by_axis(sizes: &[f32]) -> String {
    sizes.iter().map(|&size| number(size)).collect::<Vec<_>>().join("×")
}

/// The qform: a rotation by the unit quaternion whose last three components are stored, after scaling by the voxel size,
/// the third axis mirrored where `pixdim[0]` says so.
fn from_quaternion(header: &NiftiHeader) -> [[f32; 4]; 3] {
    let stored = [header.quatern_b, header.quatern_c, header.quatern_d].map(f64::from);
    let square: f64 = stored.iter().map(|part| part * part).sum();
    // As the NIfTI library has it: what rounding leaves of a half-turn's first component is none.
    let half_turn = 1.0 - square < 1e-7;
    let (a, stretch) = if half_turn { (0.0, square.sqrt().recip()) } else { ((1.0 - square).sqrt(), 1.0) };
    let [b, c, d] = stored.map(|part| part * stretch);
    let rotation = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ];
    let [mirror, x, y, z, ..] = header.pixdim;
    let scale = [x, y, if mirror < 0.0 { -z } else { z }];
    let offset = [header.quatern_x, header.quatern_y, header.quatern_z];
    std::array::from_fn(|row| {
        let [i, j, k] = std::array::from_fn(|axis| rotation[row][axis] as f32 * scale[axis]);
        [i, j, k, offset[row]]
    })
}

/// The largest distance between the places of one voxel: it is a corner's.
fn distance(one: &[[f32; 4]; 3], other: &[[f32; 4]; 3], dims: &[usize]) -> f32 {
    let last: [f32; 3] = std::array::from_fn(|axis| dims.get(axis).map_or(0.0, |&dim| (dim - 1) as f32));
    let corner = |corner: u8| {
        let index: [f32; 3] = std::array::from_fn(|axis| last[axis] * f32::from(corner >> axis & 1));
        let along = |row: &[f32; 4]| row[3] + (0..3).map(|axis| row[axis] * index[axis]).sum::<f32>();
        one.iter().zip(other).map(|(a, b)| (along(a) - along(b)).powi(2)).sum::<f32>().sqrt()
    };
    // What is no number stays none.
    (0..8).map(corner).fold(0.0, |most, distance| if most.is_nan() || distance <= most { most } else { distance })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Voxels of 1×2×3, turned by 90° about the third axis, which is mirrored.
    fn by_quaternion() -> NiftiHeader {
        NiftiHeader {
            dim: [3, 10, 20, 30, 1, 1, 1, 1],
            pixdim: [-1.0, 1.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0],
            sform_code: 0,
            qform_code: 1,
            quatern_d: 0.5_f32.sqrt(),
            quatern_x: -7.0,
            ..NiftiHeader::default()
        }
    }

    fn by_matrix() -> NiftiHeader {
        NiftiHeader {
            sform_code: 1,
            srow_x: [0.0, -2.0, 0.0, -7.0],
            srow_y: [1.0, 0.0, 0.0, 0.0],
            srow_z: [0.0, 0.0, -3.0, 0.0],
            ..by_quaternion()
        }
    }

    fn difference(one: &NiftiHeader, other: &NiftiHeader) -> Option<String> {
        Space::new(one).difference(&Space::new(other), &[10, 20, 30])
    }

    #[test]
    fn a_quaternion_and_its_matrix_agree() {
        assert_eq!(difference(&by_quaternion(), &by_matrix()), None);
        assert_eq!(difference(&by_matrix(), &NiftiHeader { srow_x: [0.0, -2.0, 0.0, -7.005], ..by_matrix() }), None);
    }

    /// About an axis between the first two; rounded, the squares of its components add up to 7.9e-8 less than 1.
    #[test]
    fn a_half_turn_and_its_matrix_agree() {
        let (sin, cos) = 1_f64.sin_cos();
        let [x, y] = [2.0 * cos * cos - 1.0, 2.0 * cos * sin].map(|entry| entry as f32);
        let by_quaternion = NiftiHeader {
            pixdim: [1.0; 8],
            quatern_b: cos as f32,
            quatern_c: sin as f32,
            quatern_d: 0.0,
            ..by_quaternion()
        };
        let by_matrix = NiftiHeader {
            sform_code: 1,
            srow_x: [x, y, 0.0, -7.0],
            srow_y: [y, -x, 0.0, 0.0],
            srow_z: [0.0, 0.0, -1.0, 0.0],
            ..by_quaternion.clone()
        };
        let [one, other] = [Space::new(&by_quaternion), Space::new(&by_matrix)];
        assert_eq!(one.difference(&other, &[256, 256, 256]), None);
    }

    #[test]
    fn what_differs_is_said() {
        let moved = NiftiHeader { srow_z: [0.0, 0.0, -3.0, 5.0], ..by_matrix() };
        let place = "position in space (the same voxel lies up to 5.000 apart)";
        assert_eq!(difference(&by_quaternion(), &moved).as_deref(), Some(place));
        // The last voxel lies 29 steps up.
        let flipped = NiftiHeader { pixdim: [1.0, 1.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0], ..by_quaternion() };
        let place = "position in space (the same voxel lies up to 174.000 apart)";
        assert_eq!(difference(&by_quaternion(), &flipped).as_deref(), Some(place));
        // Without orientation there is only the size to compare.
        let bare = NiftiHeader { pixdim: [1.0, 1.0, 2.0, 2.5, 1.0, 1.0, 1.0, 1.0], qform_code: 0, ..by_quaternion() };
        assert_eq!(difference(&by_matrix(), &bare).as_deref(), Some("voxel size (1×2×3 and 1×2×2.5)"));
    }

    #[test]
    fn spacing_is_in_millimetres() {
        let spacing = |header: NiftiHeader, rank| Space::new(&header).spacing(rank);
        assert_eq!(spacing(by_matrix(), 3), Some(vec![1.0, 2.0, 3.0]));
        assert_eq!(spacing(by_matrix(), 2), Some(vec![1.0, 2.0]));
        assert_eq!(spacing(by_matrix(), 4), None);
        assert_eq!(spacing(NiftiHeader { xyzt_units: 1, ..by_matrix() }, 1), Some(vec![1000.0]));
        assert_eq!(spacing(NiftiHeader { xyzt_units: 3 + 8, ..by_matrix() }, 1), Some(vec![f64::from(0.001_f32)]));
        let unknown = NiftiHeader { pixdim: [1.0, 1.0, 2.0, 0.0, 1.0, 1.0, 1.0, 1.0], ..by_matrix() };
        assert_eq!((spacing(unknown.clone(), 3), spacing(unknown, 2)), (None, Some(vec![1.0, 2.0])));
        let turned = Space::new(&by_quaternion()).affine();
        assert_eq!(turned.as_deref(), Some("[0 -2 0 -7] [1 0 0 0] [0 0 -3 0]"));
    }

    /// Metres and millimetres, written as each has it.
    #[test]
    fn units_are_compared_in_millimetres() {
        let in_metres = NiftiHeader {
            xyzt_units: 1,
            pixdim: [1.0, 1e-3, 2e-3, 3e-3, 1.0, 1.0, 1.0, 1.0],
            srow_x: [0.0, -2e-3, 0.0, -7e-3],
            srow_y: [1e-3, 0.0, 0.0, 0.0],
            srow_z: [0.0, 0.0, -3e-3, 0.0],
            ..by_matrix()
        };
        assert_eq!(difference(&in_metres, &by_matrix()), None);
        let found = difference(&NiftiHeader { xyzt_units: 1, ..by_matrix() }, &by_matrix()).unwrap();
        assert!(found.starts_with("voxel size (1000×2000×3000 and 1×2×3) and position in space"), "{found}");
    }

    #[test]
    fn what_is_far_away_is_no_row_of_digits() {
        let far = NiftiHeader { srow_z: [0.0, 0.0, -3.0, 1e15], pixdim: [1e-20; 8], ..by_matrix() };
        let found = difference(&far, &by_matrix()).unwrap();
        let expected =
            "voxel size (1e-20×1e-20×1e-20 and 1×2×3) and position in space (the same voxel lies up to 1e15 apart)";
        assert_eq!(found, expected);
        assert!(Space::new(&far).affine().unwrap().len() < 80);
    }

    /// Rounding is judged by the other sizes, and nothing is where there are none.
    #[test]
    fn a_voxel_without_a_size_is_no_measure() {
        let moved = |pixdim, by: f32| {
            let one = NiftiHeader { pixdim, ..by_matrix() };
            let other = NiftiHeader { srow_x: [0.0, -2.0, 0.0, -7.0 + by], ..one.clone() };
            difference(&one, &other)
        };
        let place = "position in space (the same voxel lies up to 5.000 apart)";
        for size in [0.0, f32::NAN, f32::INFINITY] {
            let slice = [1.0, 1.0, 2.0, size, 1.0, 1.0, 1.0, 1.0];
            assert_eq!(moved(slice, 0.005), None, "{size}");
            assert_eq!(moved(slice, 5.0).as_deref(), Some(place), "{size}");
            assert_eq!(moved([1.0, size, size, size, 1.0, 1.0, 1.0, 1.0], 5.0), None, "{size}");
        }
    }
}
