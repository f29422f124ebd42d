//! Distances between two surfaces, in both directions.

use crate::crop::Crop;
use crate::surface::{Lattice, Surface};
use crate::{Definition, DirectedDistances, Error, Grid, transform};

/// The distances between the surfaces of a prediction and of a truth, in both directions.
///
/// What each method gives if a mask is empty stands at [`Definition`].
#[derive(Clone, Debug, PartialEq)]
pub struct SurfaceDistances {
    prediction_to_truth: DirectedDistances,
    truth_to_prediction: DirectedDistances,
    definition: Definition,
}

impl SurfaceDistances {
    /// The distances between the surfaces of two masks on a grid, each given as whether a voxel belongs to it, by the voxel's
    /// number in C order, below [`Grid::voxels`].
    ///
    /// No voxel is asked for more than three times. The rest of the work is linear in the size of the least box that holds both
    /// masks and, but for sorting, in the number of elements; it takes up to 6 bytes a voxel of the box.
    #[must_use]
    pub fn new(
        grid: &Grid,
        definition: Definition,
        prediction: impl Fn(usize) -> bool,
        truth: impl Fn(usize) -> bool,
    ) -> Self {
        let Some(crop) = Crop::around(grid, |voxel| prediction(voxel) || truth(voxel)) else {
            let nothing = DirectedDistances::new(definition, vec![], &[]);
            return Self { prediction_to_truth: nothing.clone(), truth_to_prediction: nothing, definition };
        };
        let lattice = Lattice::new(grid, definition, &crop);
        let prediction = Surface::new(grid, definition, &lattice, &crop.copy(grid, prediction));
        let truth = Surface::new(grid, definition, &lattice, &crop.copy(grid, truth));
        Self {
            prediction_to_truth: directed(definition, &lattice, &prediction, &truth),
            truth_to_prediction: directed(definition, &lattice, &truth, &prediction),
            definition,
        }
    }

    /// The distances from the elements of the prediction's surface to the truth's.
    #[must_use]
    pub fn prediction_to_truth(&self) -> &DirectedDistances {
        &self.prediction_to_truth
    }

    /// The distances from the elements of the truth's surface to the prediction's.
    #[must_use]
    pub fn truth_to_prediction(&self) -> &DirectedDistances {
        &self.truth_to_prediction
    }

    /// The definition they follow.
    #[must_use]
    pub fn definition(&self) -> Definition {
        self.definition
    }

    /// The Hausdorff distance: the greatest distance of either direction, in the unit of the grid's spacing.
    #[must_use]
    pub fn hausdorff(&self) -> f64 {
        self.prediction_to_truth.hausdorff().max(self.truth_to_prediction.hausdorff())
    }

    /// The robust Hausdorff distance: the greater of the two directions' percentiles, in the unit of the grid's spacing.
    /// HD95 is that of 95.
    ///
    /// # Errors
    /// [`Error::Percentile`] unless the percentile is from 0 to 100.
    pub fn hausdorff_percentile(&self, percentile: f64) -> Result<f64, Error> {
        let there = self.prediction_to_truth.hausdorff_percentile(percentile)?;
        let back = self.truth_to_prediction.hausdorff_percentile(percentile)?;
        Ok(there.max(back))
    }

    /// The average symmetric surface distance, in the unit of the grid's spacing: the weighted average over the elements of
    /// both surfaces together, so that the larger surface counts for more.
    ///
    /// The averages of one direction are those of [`prediction_to_truth`](Self::prediction_to_truth) and
    /// [`truth_to_prediction`](Self::truth_to_prediction).
    #[must_use]
    pub fn average_symmetric(&self) -> f64 {
        let (there, back) = (&self.prediction_to_truth, &self.truth_to_prediction);
        (there.weighted_sum() + back.weighted_sum()) / (there.weight() + back.weight())
    }

    /// The surface Dice, also called normalized surface distance (NSD): how much of both surfaces, by weight, is within a
    /// tolerance of the other, from 0 to 1.
    ///
    /// The tolerance has the unit of the grid's spacing. From Nikolov et al., "Deep learning to achieve clinically applicable
    /// segmentation of head and neck anatomy for radiotherapy", 2018.
    ///
    /// # Errors
    /// [`Error::Tolerance`] unless the tolerance is finite and at least 0.
    pub fn surface_dice(&self, tolerance: f64) -> Result<f64, Error> {
        if !(tolerance.is_finite() && tolerance >= 0.0) {
            return Err(Error::Tolerance { tolerance });
        }
        let (there, back) = (&self.prediction_to_truth, &self.truth_to_prediction);
        let within = there.weight_within(tolerance) + back.weight_within(tolerance);
        Ok(within / (there.weight() + back.weight()))
    }
}

/// The distances from one surface to another.
fn directed(definition: Definition, lattice: &Lattice, from: &Surface, to: &Surface) -> DirectedDistances {
    if definition == Definition::Monai && from.points.is_empty() {
        // MONAI puts the other surface in its place, infinitely far away.
        return DirectedDistances::new(definition, vec![f64::INFINITY; to.points.len()], &to.weights);
    }
    DirectedDistances::new(definition, transform::distances(lattice, &to.points, &from.points), &from.weights)
}
