//! What evaluates a case: the GPU with each of its reducers, and the reference.

use segloss::peers::{Peer, Recipe};
use segloss::{Batch, Gpu, Reducer, reference};

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
        let problem = batch.problem();
        let own_shape = loss.result_shape(problem);
        let values = match map {
            Some(map) => loss.map_of_classes(problem, &map),
            None if own_shape.is_empty() => vec![value],
            None => groups,
        };
        Ok(Numbers { shape: recipe.result_shape(problem).unwrap_or(own_shape), values, gradient })
    }
}
