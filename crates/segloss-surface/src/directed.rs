//! Distances from one surface to another.

use crate::sum::pairwise;
use crate::{Definition, Error};

/// An element of a surface and how far the other surface is from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurfaceElement {
    /// The distance to the nearest point of the other surface, in the unit of the grid's spacing; infinite if there is none.
    pub distance: f64,
    /// Its share in averages and percentiles: 1 for each voxel of [`Definition::Monai`], for
    /// [`Definition::DeepMind`] an area (a length on two axes, 1 on one) in that unit.
    pub weight: f64,
}

/// The distances from all elements of one surface to another surface.
///
/// What each method gives if a mask is empty stands at [`Definition`].
#[derive(Clone, Debug, PartialEq)]
pub struct DirectedDistances {
    definition: Definition,
    /// By distance, then by weight.
    elements: Vec<SurfaceElement>,
}

impl DirectedDistances {
    pub(crate) fn new(definition: Definition, distances: Vec<f64>, weights: &[f64]) -> Self {
        let pairs = distances.into_iter().zip(weights);
        let mut elements: Vec<_> = pairs.map(|(distance, &weight)| SurfaceElement { distance, weight }).collect();
        elements.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance).then(a.weight.total_cmp(&b.weight)));
        Self { definition, elements }
    }

    /// The elements, from the nearest to the farthest.
    #[must_use]
    pub fn elements(&self) -> &[SurfaceElement] {
        &self.elements
    }

    /// The greatest distance.
    #[must_use]
    pub fn hausdorff(&self) -> f64 {
        match self.elements.last() {
            Some(farthest) => farthest.distance,
            None => self.definition.hausdorff_of_nothing(),
        }
    }

    /// A percentile of the distances.
    ///
    /// # Errors
    /// [`Error::Percentile`] unless it is from 0 to 100.
    pub fn hausdorff_percentile(&self, percentile: f64) -> Result<f64, Error> {
        if !(0.0..=100.0).contains(&percentile) {
            return Err(Error::Percentile { percentile });
        }
        Ok(match self.definition {
            Definition::Monai => self.interpolated(percentile),
            Definition::DeepMind => self.least_with_share(percentile),
        })
    }

    /// The distance at the rank q·(n − 1), between two neighbours on the straight line. MONAI takes 0 for no percentile at
    /// all, and gives the maximum.
    fn interpolated(&self, percentile: f64) -> f64 {
        let Some(last) = self.elements.len().checked_sub(1).filter(|_| percentile != 0.0) else {
            return self.hausdorff();
        };
        let rank = percentile / 100.0 * last as f64;
        let below = self.elements[(rank as usize).min(last)].distance;
        let above = self.elements[(rank.ceil() as usize).min(last)].distance;
        // Of two infinite neighbours, too, the difference is taken: NaN.
        let share = rank.fract();
        if share < 0.5 { below + (above - below) * share } else { above - (above - below) * (1.0 - share) }
    }

    /// The least distance that, with all below it, has this share of the weight. Where a share is the percentile exactly, rounding
    /// decides: as in DeepMind's package, by the sum of NumPy and a running sum.
    fn least_with_share(&self, percentile: f64) -> f64 {
        let weight = self.weight();
        let mut up_to_here = 0.0;
        let reached = self.elements.iter().find(|element| {
            up_to_here += element.weight;
            up_to_here / weight >= percentile / 100.0
        });
        reached.map_or(self.hausdorff(), |element| element.distance)
    }

    /// The average of the distances, each with its element's weight.
    #[must_use]
    pub fn average(&self) -> f64 {
        self.weighted_sum() / self.weight()
    }

    /// The sum of all weights.
    pub(crate) fn weight(&self) -> f64 {
        pairwise(&self.elements, &|element| element.weight)
    }

    /// The sum of the distances, each times its weight.
    pub(crate) fn weighted_sum(&self) -> f64 {
        pairwise(&self.elements, &|element| element.distance * element.weight)
    }

    /// The sum of the weights of the elements within a distance.
    pub(crate) fn weight_within(&self, tolerance: f64) -> f64 {
        let near = self.elements.partition_point(|element| self.definition.is_within(element.distance, tolerance));
        pairwise(&self.elements[..near], &|element| element.weight)
    }
}
