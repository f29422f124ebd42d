//! The part of a map that is the loss's own.

use super::{Loss, Reduction};
use crate::Problem;

impl Loss {
    /// What belongs to the loss's classes of its [map](crate::Output::voxel_map), in the same order: all of it, unless a term
    /// has [classes](super::Term::classes) that leave some out. Those are 0 in the map, and not there in a peer's.
    ///
    /// ```
    /// # use segloss::{Batch, Shape, peers::{Peer, monai}, reference};
    /// let shape = Shape::new(&[1, 3, 2])?;
    /// let batch = Batch::new(&shape, &[0.0; 6], &[1.0, 1.0, 0.0, 0.0, 0.0, 0.0])?;
    /// let reduction = monai::LossReduction::None;
    /// let focal = monai::FocalLoss { include_background: false, gamma: 0.0, reduction, ..Default::default() };
    /// let loss = focal.loss(batch.problem())?;
    /// let map = reference::evaluate(&loss, &batch)?.voxel_map.unwrap();
    /// assert_eq!(map.len(), 6);
    /// assert_eq!(loss.map_of_classes(batch.problem(), &map), [2f64.ln(); 4]);
    /// assert_eq!(loss.map_shape(batch.problem()), Some(vec![1, 2, 2]));
    /// # Ok::<(), segloss::Error>(())
    /// ```
    #[must_use]
    pub fn map_of_classes<T: Copy>(&self, problem: &Problem, map: &[T]) -> Vec<T> {
        if self.map_reduction() == Some(Reduction::PerVoxel) {
            return map.to_vec();
        }
        let mut kept = vec![false; map.len()];
        for row in (0..problem.shape.rows()).filter(|row| self.has_class(row % problem.shape.classes())) {
            (0..problem.shape.voxels()).for_each(|voxel| kept[problem.element(row, voxel)] = true);
        }
        map.iter().zip(kept).filter_map(|(&value, kept)| kept.then_some(value)).collect()
    }

    pub(super) fn has_class(&self, class: usize) -> bool {
        self.terms.iter().any(|term| term.classes.contains(class))
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::Classes;
    use crate::{AxisOrder, Loss, Problem, Reduction, Shape};

    #[test]
    fn classes_leave_a_map_wherever_they_lie() {
        let loss = Loss::bce().reduction(Reduction::None).classes(Classes::Only(vec![2, 0]));
        let mut problem = Problem::new(Shape::new(&[2, 3, 2]).unwrap());
        let map: Vec<usize> = (0..12).collect();
        assert_eq!(loss.map_of_classes(&problem, &map), [0, 1, 4, 5, 6, 7, 10, 11]);
        problem.axes = AxisOrder::ChannelLast;
        assert_eq!(loss.map_of_classes(&problem, &map), [0, 2, 3, 5, 6, 8, 9, 11]);
        assert_eq!(loss.map_shape(&problem), Some(vec![2, 2, 2]));
        let of_voxels = loss.reduction(Reduction::PerVoxel);
        assert_eq!(of_voxels.map_of_classes(&problem, &map[..4]), [0, 1, 2, 3]);
        assert_eq!(of_voxels.map_shape(&problem), Some(vec![2, 2]));
        assert_eq!(Loss::bce().map_shape(&problem), None);
    }
}
