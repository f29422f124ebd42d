//! The shape of what a loss gives.

use super::{Loss, Measure, Reduction};
use crate::{Pool, Problem};

impl Loss {
    /// The shape of the loss: `[]` of a number; of a term that is not reduced that of its [groups](crate::Output::groups), `[N, C]`,
    /// `[C]`, `[N]` or `[]` as its [`Pool`] says, C being the number of its classes; of a map [`map_shape`](Self::map_shape).
    ///
    /// Of several terms one of which is not reduced, the loss is the sum of all values, a number.
    ///
    /// ```
    /// use segloss::{Loss, Pool, Problem, Reduction, Shape};
    ///
    /// let problem = Problem::new(Shape::new(&[2, 3, 8, 8])?);
    /// let dice = Loss::dice().reduction(Reduction::None);
    /// assert_eq!(dice.result_shape(&problem), [2, 3]);
    /// assert_eq!(dice.pool(Pool::Batch).result_shape(&problem), [3]);
    /// assert_eq!(Loss::bce().reduction(Reduction::None).result_shape(&problem), [2, 3, 8, 8]);
    /// assert_eq!(Loss::dice().result_shape(&problem), [0; 0]);
    /// # Ok::<(), segloss::Error>(())
    /// ```
    #[must_use]
    pub fn result_shape(&self, problem: &Problem) -> Vec<usize> {
        let of_groups = || match &self.terms[..] {
            [term] if term.reduction() == Reduction::None => match term.measure {
                Measure::Overlap(_) | Measure::Wasserstein(_) => {
                    let (samples, classes) = (problem.shape.samples(), term.classes.number(problem.shape.classes()));
                    match term.pool() {
                        Pool::None => vec![samples, classes],
                        Pool::Batch => vec![classes],
                        Pool::Classes => vec![samples],
                        Pool::All => vec![],
                    }
                }
                _ => vec![],
            },
            _ => vec![],
        };
        self.map_shape(problem).unwrap_or_else(of_groups)
    }

    /// The shape of a loss that [is a map](Loss::is_voxel_map), of the [part](Self::map_of_classes) that belongs to its classes:
    /// `[N, C, spatial…]`, C being their number, or `[N, spatial…]`; whatever the order of the axes in memory.
    #[must_use]
    pub fn map_shape(&self, problem: &Problem) -> Option<Vec<usize>> {
        let dims = problem.shape.dims();
        Some(match self.map_reduction()? {
            Reduction::PerVoxel => [&dims[..1], &dims[2..]].concat(),
            _ => {
                let classes = (0..dims[1]).filter(|&class| self.has_class(class)).count();
                [&[dims[0], classes], &dims[2..]].concat()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use crate::loss::Classes;

    #[test]
    fn every_pool_has_its_shape() {
        let problem = Problem::new(Shape::new(&[2, 4, 5]).unwrap());
        let dice = Loss::dice().reduction(Reduction::None).classes(Classes::Foreground);
        for (pool, shape) in
            [(Pool::None, vec![2, 3]), (Pool::Batch, vec![3]), (Pool::Classes, vec![2]), (Pool::All, vec![])]
        {
            assert_eq!(dice.clone().pool(pool).result_shape(&problem), shape);
        }
        assert_eq!(dice.clone().with(1.0, Loss::dice()).result_shape(&problem), [0; 0]);
        assert_eq!(dice.reduction(Reduction::Sum).result_shape(&problem), [0; 0]);
        let map = Loss::cross_entropy().softmax().reduction(Reduction::PerVoxel);
        assert_eq!(map.result_shape(&problem), [2, 5]);
    }
}
