//! What the surface of a mask is.

/// What the surface of a mask is, and what is made of distances from it.
///
/// | | [`Monai`](Self::Monai) | [`DeepMind`](Self::DeepMind) |
/// |---|---|---|
/// | elements | voxels of the mask with a neighbour along an axis that is background | corners of voxels around which some voxels are in the mask and some are not |
/// | weight of an element | 1 | the area (length) of the surface around the corner |
/// | percentile | between the two nearest ranks, in proportion | the least distance within which the elements have this share of the area |
/// | within a tolerance | compared in single precision | compared in double precision |
///
/// Outside the grid is background. Both average over the two surfaces together, see
/// [`average_symmetric`](crate::SurfaceDistances::average_symmetric).
///
/// What there is to say of empty masks:
///
/// | | | [`Monai`](Self::Monai) | [`DeepMind`](Self::DeepMind) |
/// |---|---|---|---|
/// | both are empty | Hausdorff distance, percentile | NaN | ∞ |
/// | | averages, surface Dice | NaN | NaN |
/// | one is empty | Hausdorff distance | ∞ | ∞ |
/// | | percentile | NaN, except ∞ for 0 | ∞ |
/// | | average from the empty one | ∞ | NaN |
/// | | average to the empty one, average of both | ∞ | ∞ |
/// | | surface Dice | 0 | 0 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Definition {
    /// That of MONAI 1.6: `compute_hausdorff_distance`, `compute_average_surface_distance` and, with
    /// `use_subvoxels=False`, `compute_surface_dice`, each with `spacing`.
    ///
    /// It keeps distances and ranks in single precision, from which results here differ by that rounding: about 10⁻⁷ of an
    /// average; of a percentile of n distances up to n·2⁻²⁴ of the gap between two of them. Whether a distance is within a
    /// tolerance is decided in single precision here, too, so that three voxels of 0.1 are within 0.3.
    ///
    /// The percentile 0 is the maximum: MONAI takes it for none. If one mask is empty, each direction has an infinite distance
    /// for each surface voxel of the other mask, and a percentile, interpolated between infinities, is NaN.
    Monai,
    /// That of DeepMind's package `surface-distance-based-measures` 0.1: `compute_surface_distances` and what is made of them,
    /// `compute_robust_hausdorff`, `compute_average_surface_distance` and `compute_surface_dice_at_tolerance`.
    ///
    /// The surface between voxels is made of triangles, by marching cubes, of which one to four meet around a corner; their
    /// areas grow with the spacing. Distances are those between corners. On two axes the surface is a contour.
    ///
    /// The package has no symmetric average; that of this crate is weighted by area over both surfaces. Nor does it know of one
    /// axis, on which each end of an interval counts 1 here.
    ///
    /// Where some elements have a share of exactly the percentile, as half of the corners of a single voxel have, rounding decides
    /// between their distance and the next. Sums are rounded as in the package; the areas themselves, which it leaves to the
    /// machine, may differ in the last digit.
    DeepMind,
}

impl Definition {
    /// The Hausdorff distance, or a percentile, from a surface without elements.
    pub(crate) fn hausdorff_of_nothing(self) -> f64 {
        match self {
            Self::Monai => f64::NAN,
            Self::DeepMind => f64::INFINITY,
        }
    }

    /// Whether an element at this distance is within a tolerance.
    pub(crate) fn is_within(self, distance: f64, tolerance: f64) -> bool {
        match self {
            Self::Monai => distance as f32 <= tolerance as f32,
            Self::DeepMind => distance <= tolerance,
        }
    }
}
