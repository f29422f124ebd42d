//! temporary
use crate::{Error, Loss, Problem, loss::Measure};

/// Checks a loss against a problem.
pub(crate) fn check(loss: &Loss, problem: &Problem) -> Result<(), Error> {
    loss.validate()?;
    for (index, term) in loss.terms.iter().enumerate() {
        if let Measure::BinaryCrossEntropy(bce) = &term.measure
            && !bce.fits(problem.shape.classes())
        {
            return Err(Error::Loss(format!(
                "term {index}: {} positive weights for {} classes; give none, one, or one per class",
                bce.positive_weights.len(),
                problem.shape.classes()
            )));
        }
        if problem.gradient && term.statistic().is_count() {
            return Err(Error::NotDifferentiable { term: index });
        }
    }
    Ok(())
}
