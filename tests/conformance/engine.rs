//! What evaluates a case: the GPU with each of its reducers, and the reference.

use segloss::peers::{Peer, Recipe};
use segloss::{Batch, Gpu, Loss, Reducer, Reduction, Shape, reference};

use crate::device;

/// The numbers of an evaluation, in the shape the peers return them.
pub(crate) struct Numbers {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f64>,
    pub(crate) gradient: Option<Vec<f64>>,
}

/// Something that evaluates losses.
pub(crate) enum Engine {
    Gpu(Gpu),
    Reference,
}

impl Engine {
    /// All there are on the device that the environment chooses.
    pub(crate) fn all() -> Result<Vec<Self>, segloss::Error> {
        let gpu = device::gpu()?;
        let mut engines = vec![];
        for reducer in [Reducer::Tree, Reducer::Subgroup] {
            match gpu.with_reducer(reducer) {
                Some(gpu) => engines.push(Self::Gpu(gpu)),
                None => println!("skipped: the {reducer:?} reducer, which {} lacks", gpu.adapter_info().name),
            }
        }
        engines.push(Self::Reference);
        Ok(engines)
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Gpu(gpu) => {
                let info = gpu.adapter_info();
                format!("{} ({}, {:?} reducer)", info.name, info.backend, gpu.reducer())
            }
            Self::Reference => "reference".to_owned(),
        }
    }

    pub(crate) fn evaluate(&self, recipe: &Recipe, batch: &Batch) -> Result<Numbers, segloss::Error> {
        let loss = &recipe.loss(batch.problem())?;
        let wide = |narrow: &[f32]| narrow.iter().copied().map(f64::from).collect::<Vec<_>>();
        let (value, groups, map, gradient) = match self {
            Self::Gpu(gpu) => {
                let output = gpu.evaluate(loss, batch)?;
                let (map, gradient) = (output.voxel_map().map(wide), output.gradient().map(wide));
                (f64::from(output.value()), wide(&output.groups()[0]), map, gradient)
            }
            Self::Reference => {
                let mut output = reference::evaluate(loss, batch)?;
                (output.value, output.groups.remove(0), output.voxel_map, output.gradient)
            }
        };
        let (own_shape, values) = match map {
            Some(map) => {
                let problem = batch.problem();
                (loss.map_shape(problem).unwrap_or_default(), loss.map_of_classes(problem, &map))
            }
            None => group_shape(loss, batch.shape()).map_or((vec![], vec![value]), |shape| (shape, groups)),
        };
        Ok(Numbers { shape: recipe.result_shape(batch.problem()).unwrap_or(own_shape), values, gradient })
    }
}

/// The shape of a result that is neither a number nor a voxel map.
fn group_shape(loss: &Loss, shape: &Shape) -> Option<Vec<usize>> {
    use segloss::{Pool, loss::Measure};
    let term = &loss.terms[0];
    let classes = term.classes.number(shape.classes());
    match &term.measure {
        Measure::Overlap(_) | Measure::Wasserstein(_) if term.reduction() == Reduction::None => {
            Some(match term.pool() {
                Pool::None => vec![shape.samples(), classes],
                Pool::Batch => vec![classes],
                Pool::Classes => vec![shape.samples()],
                Pool::All => vec![],
            })
        }
        _ => None,
    }
}
