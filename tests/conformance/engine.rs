//! What evaluates a case: the GPU with each of its reducers, and the reference.

use segloss::loss::Classes;
use segloss::peers::{Peer, Recipe};
use segloss::{Batch, Gpu, Loss, Problem, Reducer, Reduction, Shape, reference};

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
            Some(map) if loss.map_reduction() == Some(Reduction::PerVoxel) => {
                (without_classes(batch.shape().dims()), map)
            }
            Some(map) => of_classes(&loss.terms[0].classes, batch.problem(), &map),
            None => group_shape(loss, batch.shape()).map_or((vec![], vec![value]), |shape| (shape, groups)),
        };
        Ok(Numbers { shape: recipe.result_shape(batch.problem()).unwrap_or(own_shape), values, gradient })
    }
}

/// `[N, spatial…]` of `[N, C, spatial…]`.
fn without_classes(dims: &[usize]) -> Vec<usize> {
    [&dims[..1], &dims[2..]].concat()
}

/// The part of a map that belongs to some classes, and its shape.
fn of_classes(classes: &Classes, problem: &Problem, map: &[f64]) -> (Vec<usize>, Vec<f64>) {
    let mut kept = vec![false; map.len()];
    for row in (0..problem.shape.rows()).filter(|row| classes.contains(row % problem.shape.classes())) {
        (0..problem.shape.voxels()).for_each(|voxel| kept[problem.element(row, voxel)] = true);
    }
    let mut dims = problem.shape.dims().to_vec();
    dims[1] = classes.number(dims[1]);
    (dims, map.iter().zip(kept).filter_map(|(&value, kept)| kept.then_some(value)).collect())
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
