//! Distances between the surfaces of two segmentations.
//!
//! Hausdorff distance and its percentiles, average symmetric surface distance and surface Dice of two masks on a grid of one to
//! three axes, each with a spacing of its own. Distances are exact, in double precision, by a distance transform on one thread.
//! What counts as surface is a [`Definition`], and each gives the numbers of the library it is named after.
//!
//! ```
//! use segloss_surface::{Definition, Grid, SurfaceDistances};
//!
//! // Rows are 2 mm apart, columns 1 mm.
//! let grid = Grid::new(&[4, 6], &[2.0, 1.0])?;
//! # #[rustfmt::skip]
//! let prediction = [
//!     0, 0, 0, 0, 0, 0,
//!     0, 1, 1, 1, 0, 0,
//!     0, 1, 1, 1, 0, 0,
//!     0, 0, 0, 0, 0, 0,
//! ];
//! # #[rustfmt::skip]
//! let truth = [
//!     0, 0, 0, 0, 0, 0,
//!     0, 1, 1, 1, 1, 0,
//!     0, 1, 1, 1, 1, 0,
//!     0, 1, 0, 0, 0, 0,
//! ];
//! let distances = SurfaceDistances::new(&grid, Definition::Monai, |i| prediction[i] == 1, |i| truth[i] == 1);
//!
//! // All voxels are at the surface. Of the truth's, two are 1 mm from the prediction's and one is 2 mm from it.
//! assert_eq!(distances.hausdorff(), 2.0);
//! assert_eq!(distances.average_symmetric(), 4.0 / 15.0);
//! assert_eq!(distances.surface_dice(1.0)?, 14.0 / 15.0);
//! assert_eq!(distances.truth_to_prediction().average(), 4.0 / 9.0);
//! # Ok::<(), segloss_surface::Error>(())
//! ```
//!
//! Masks are functions of a voxel's number, so a class of a label map needs no copy: `|i| labels[i] == class`.

mod crop;
mod definition;
mod directed;
mod distances;
mod envelope;
mod error;
mod grid;
mod sum;
mod surface;
mod surfel;
mod transform;

pub use definition::Definition;
pub use directed::{DirectedDistances, SurfaceElement};
pub use distances::SurfaceDistances;
pub use error::Error;
pub use grid::Grid;
