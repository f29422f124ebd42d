//! What computes: the GPU or, on a machine without any adapter, the reference.

use segloss::{AdapterChoice, Batch, Gpu, Loss, Sums, reference};

use crate::failure::Failure;
use crate::progress::Progress;

/// The label of numbers that the reference computed.
const REFERENCE: &str = "none (reference on the CPU)";

pub(crate) enum Engine {
    Gpu(Gpu),
    Reference,
}

/// The numbers of an evaluation, whoever computed them.
pub(crate) struct Numbers {
    pub(crate) value: f64,
    pub(crate) terms: Vec<f64>,
    pub(crate) groups: Vec<Vec<f64>>,
    pub(crate) sums: Vec<Vec<Sums>>,
    pub(crate) gradient_peak: Option<f64>,
    pub(crate) gradient: Option<Vec<f32>>,
    pub(crate) voxel_map: Option<Vec<f32>>,
}

/// How `--adapter` is to be understood: the index of an adapter, or else a part of a name, such as 4090.
pub(crate) fn choice(adapter: Option<&str>) -> Result<AdapterChoice, Failure> {
    let Some(text) = adapter else {
        return Ok(AdapterChoice::Auto);
    };
    let by_name = AdapterChoice::Name(text.to_owned());
    let Ok(index) = text.parse() else { return Ok(by_name) };
    let adapters = segloss::adapters()?;
    match adapters.len() {
        count if index < count => Ok(AdapterChoice::Index(index)),
        count if count > 0 && !adapters.iter().any(|info| info.name.contains(text)) => Err(Failure::new(format!(
            "there is no GPU adapter with index {text} or whose name contains {text:?}; expected at most {}, as `segloss \
             adapters` lists them",
            count - 1
        ))),
        _ => Ok(by_name),
    }
}

impl Engine {
    /// The adapter that was asked for or the best one. Only where there is none at all, and none was asked for, the
    /// reference, which is said on stderr.
    pub(crate) fn choose(adapter: Option<&str>) -> Result<Self, Failure> {
        match Gpu::with_adapter(&choice(adapter)?) {
            Ok(gpu) => Ok(Self::Gpu(gpu)),
            Err(segloss::Error::NoAdapter { wanted, .. }) if adapter.is_none() && segloss::adapters()?.is_empty() => {
                eprintln!("segloss: no GPU adapter {wanted}; computing on the CPU with the reference");
                Ok(Self::Reference)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The adapter's name and backend.
    pub(crate) fn adapter(&self) -> String {
        match self {
            Self::Gpu(gpu) => format!("{} ({})", gpu.adapter_info().name, gpu.adapter_info().backend),
            Self::Reference => REFERENCE.to_owned(),
        }
    }

    /// `gpu` or `reference`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Gpu(_) => "gpu",
            Self::Reference => "reference",
        }
    }

    pub(crate) fn evaluate(&self, loss: &Loss, batch: &Batch) -> Result<Numbers, Failure> {
        let _progress = Progress::new(format!("evaluating on {}", self.adapter()));
        self.evaluate_one_of_many(loss, batch)
    }

    /// The same where somebody else shows the progress.
    pub(crate) fn evaluate_one_of_many(&self, loss: &Loss, batch: &Batch) -> Result<Numbers, Failure> {
        match self {
            Self::Gpu(gpu) => Ok(on_gpu(gpu, loss, batch)?),
            Self::Reference => Ok(on_reference(loss, batch)?),
        }
    }
}

fn on_gpu(gpu: &Gpu, loss: &Loss, batch: &Batch) -> Result<Numbers, segloss::Error> {
    let output = gpu.evaluate(loss, batch)?;
    let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
    Ok(Numbers {
        value: output.value().into(),
        terms: wide(output.terms()),
        groups: output.groups().iter().map(|values| wide(values)).collect(),
        sums: output.sums().to_vec(),
        gradient_peak: output.gradient_peak().map(f64::from),
        gradient: output.gradient().map(<[f32]>::to_vec),
        voxel_map: output.voxel_map().map(<[f32]>::to_vec),
    })
}

fn on_reference(loss: &Loss, batch: &Batch) -> Result<Numbers, segloss::Error> {
    let evaluation = reference::evaluate(loss, batch)?;
    let narrow = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect::<Vec<_>>();
    let peak = |gradient: &Vec<f64>| gradient.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
    Ok(Numbers {
        value: evaluation.value,
        terms: evaluation.terms,
        groups: evaluation.groups,
        sums: evaluation.sums,
        gradient_peak: evaluation.gradient.as_ref().map(peak),
        gradient: evaluation.gradient.map(narrow),
        voxel_map: evaluation.voxel_map.map(narrow),
    })
}
