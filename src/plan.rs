//! A loss planned for a problem.

use crate::dispatch::block_iterations;
use crate::geometry::{Tiling, Walk, grid, is_few};
use crate::kernel::{
    Data, MapShape, Stage, Variant,
    slot::{Reach, Width},
};
use crate::layout::{COUNTER_WORDS, HEADER_WORDS, Layout, groups};
use crate::loss::{Formula, Measure, Overlap};
use crate::{Activation, Bound, BufferRange, Buffers, Error, Gpu, LabelFormat, LogitsFormat, Loss, Problem, Statistic};

/// A loss planned for a problem: validated, sized and compiled, without data.
///
/// Made by [`Gpu::plan`]; [`bind`](Self::bind) gives it buffers.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) gpu: Gpu,
    pub(crate) loss: Loss,
    pub(crate) problem: Problem,
    pub(crate) tiling: Tiling,
    pub(crate) layout: Layout,
    pub(crate) data: Data,
    /// Those of the loss, whose list it makes anew each time.
    pub(crate) statistics: Vec<Statistic>,
}

impl Plan {
    pub(crate) fn new(gpu: &Gpu, loss: &Loss, problem: &Problem) -> Result<Self, Error> {
        check(loss, problem)?;
        let tiling = Tiling::new(&problem.shape, Walk::of(loss), gpu.widths().grain);
        let layout = Layout::new(loss, problem);
        let data = Data::new(loss, problem);
        let (loss, problem, statistics) = (loss.clone(), problem.clone(), loss.statistics());
        let plan = Self { gpu: gpu.for_plan(), loss, problem, tiling, layout, data, statistics };
        let limit = gpu.limits().max_storage_buffer_binding_size.min(4 * (1 << 32) - 4);
        if layout.bytes() > limit {
            return Err(Error::TooLarge {
                what: "the scratch memory",
                needed: layout.bytes(),
                limit,
                unit: "bytes",
                advice: "split the batch into parts of fewer rows",
            });
        }
        let most = u64::from(gpu.limits().max_compute_workgroups_per_dimension);
        if grid(tiling.tiles(), most as u32).is_none() {
            return Err(Error::TooLarge {
                what: "the grid of workgroups",
                needed: tiling.tiles(),
                limit: most * most,
                unit: "workgroups",
                advice: "split the batch",
            });
        }
        let iterations = block_iterations(&plan, plan.gpu.widths().data_workgroup);
        if plan.walks_columns() && iterations > plan.gpu.widths().iterations {
            return Err(Error::TooLarge {
                what: "a voxel's classes, in loop iterations,",
                needed: iterations,
                limit: plan.gpu.widths().iterations,
                unit: "iterations",
                advice: "software adapters leave longer loops; take another adapter, or fewer classes",
            });
        }
        plan.compile()?;
        Ok(plan)
    }

    /// Compiles what every binding of this plan will use, unless its buffers are shared.
    fn compile(&self) -> Result<(), Error> {
        let (gpu, short) = (&self.gpu, self.tiling.has_short_tiles());
        let widest = self.tiling.widths(self.tiling.rows, self.widest()).next();
        let apart = Reach::apart(widest.unwrap_or(Width::Word));
        if self.is_small() {
            gpu.pipeline(self.small_variant(apart))?;
            return Ok(());
        }
        gpu.pipeline(gpu.variant(Stage::Combine, self.tiling.has_few_partials(), None, apart))?;
        for term in 0..self.loss.terms.len() {
            gpu.pipeline(gpu.variant(Stage::Score, self.has_few_members(term), None, apart))?;
        }
        gpu.pipeline(gpu.variant(Stage::Finalize, self.has_few_groups(), None, apart))?;
        let [accumulate, gradient] = self.data_stages();
        gpu.pipeline(gpu.variant(accumulate, short, Some(self.data), apart))?;
        if self.problem.gradient {
            gpu.pipeline(gpu.variant(gradient, short, Some(self.data), apart))?;
            if self.walks_columns() {
                gpu.pipeline(gpu.variant(Stage::Coefficients, true, None, apart))?;
            }
        }
        Ok(())
    }

    /// Whether classes are seen together.
    pub(crate) fn walks_columns(&self) -> bool {
        self.tiling.walk != Walk::Rows
    }

    /// The stages that read the data: the first and the last.
    pub(crate) fn data_stages(&self) -> [Stage; 2] {
        if self.walks_columns() {
            [Stage::AccumulateColumns, Stage::GradientColumns]
        } else {
            [Stage::Accumulate, Stage::Gradient]
        }
    }

    /// The widest access: one by one where the classes lie last.
    pub(crate) fn widest(&self) -> Width {
        if self.problem.voxel_step() > 1 { Width::Word } else { self.gpu.widths().access }
    }

    /// Whether one dispatch does it all, unless it must be cut into windows. It has one output only, and needs more
    /// bindings than any stage.
    pub(crate) fn is_small(&self) -> bool {
        let bindings = self.small_variant(Reach::apart(Width::Word)).storage_buffers();
        let has_room = bindings <= self.gpu.limits().max_storage_buffers_per_shader_stage;
        self.tiling.is_small() && self.data.map == MapShape::None && has_room
    }

    fn small_variant(&self, reach: Reach) -> Variant {
        self.gpu.variant(Stage::Evaluate, true, Some(self.data), reach)
    }

    /// Whether a lane adds up the groups of every term by itself.
    pub(crate) fn has_few_groups(&self) -> bool {
        (0..self.loss.terms.len()).all(|term| is_few(groups(&self.loss, &self.problem, term)))
    }

    /// Whether a lane adds up the rows of a group of a term by itself.
    pub(crate) fn has_few_members(&self, term: usize) -> bool {
        let groups = groups(&self.loss, &self.problem, term);
        is_few(u64::from(self.tiling.rows).checked_div(groups).unwrap_or_default())
    }

    /// The loss.
    #[must_use]
    pub fn loss(&self) -> &Loss {
        &self.loss
    }

    /// The problem.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The bytes of scratch memory that [`bind`](Self::bind) needs. They depend on loss and problem only:
    /// see [`scratch_size`].
    #[must_use]
    pub fn scratch_size(&self) -> u64 {
        self.layout.bytes()
    }

    /// Where the rows' sums lie in the scratch memory, as bytes from its start: per row, per statistic of the loss,
    /// three sums (f32; u32 for a hard statistic) and a count (u32). Of a plain or hard overlap they are I, P − I and T − I, of
    /// a squared one I, P and T, of cross-entropy A and B.
    ///
    /// Between [`Bound::encode_sums`] and [`Bound::encode_loss`] they may be added up across devices: "batch Dice"
    /// under data parallelism.
    #[must_use]
    pub fn sums_range(&self) -> std::ops::Range<u64> {
        4 * (HEADER_WORDS + self.layout.sums)..4 * (HEADER_WORDS + self.layout.slopes)
    }

    /// Where the counters of bad values lie in the scratch memory after an evaluation, as bytes from its start: four u32, of
    /// logits (or predicted labels), targets (or labels), mask and voxel weights. For those who never read.
    #[must_use]
    pub fn counters_range(&self) -> std::ops::Range<u64> {
        0..4 * COUNTER_WORDS
    }

    /// Where the gradient's largest magnitude lies, an f32: see [`counters_range`](Self::counters_range).
    #[must_use]
    pub fn peak_range(&self) -> std::ops::Range<u64> {
        4 * COUNTER_WORDS..4 * (COUNTER_WORDS + 1)
    }

    /// Where the loss lies, an f32: see [`counters_range`](Self::counters_range).
    #[must_use]
    pub fn value_range(&self) -> std::ops::Range<u64> {
        4 * (COUNTER_WORDS + 1)..4 * (COUNTER_WORDS + 2)
    }

    /// Gives the plan its buffers: bind groups and constants, once per set of buffers.
    ///
    /// The scratch memory takes [`scratch_size`](Self::scratch_size) bytes in a buffer that nothing else of the plan lies in,
    /// at a multiple of the device's `min_storage_buffer_offset_alignment`, with the usages `STORAGE`, `COPY_SRC` and
    /// `COPY_DST`. Its contents do not matter. Bound plans may share it if they run one after the other.
    ///
    /// # Errors
    /// [`Error::Part`], [`Error::Length`], [`Error::Range`], [`Error::Usage`], [`Error::TooLarge`] or
    /// [`Error::Device`].
    pub fn bind(&self, buffers: &Buffers, scratch: BufferRange) -> Result<Bound, Error> {
        let _turn = self.gpu.turn();
        Bound::new(self, buffers, scratch)
    }
}

/// The bytes of scratch memory that a plan of this loss and problem needs, without a device: at most
/// 1 MiB + 64 B × rows × terms.
///
/// # Errors
/// [`Error::Loss`], [`Error::NotDifferentiable`], [`Error::NoGradientOfLabels`] or [`Error::ActivationOfLabels`], as
/// [`Gpu::plan`].
pub fn scratch_size(loss: &Loss, problem: &Problem) -> Result<u64, Error> {
    check(loss, problem)?;
    Ok(Layout::new(loss, problem).bytes())
}

/// Checks a loss against a prediction of labels: its probabilities are 0 and 1, and do not move.
fn check_label_map(loss: &Loss, problem: &Problem, format: LabelFormat) -> Result<(), Error> {
    if problem.gradient {
        return Err(Error::NoGradientOfLabels { format });
    }
    let active = loss.terms.iter().position(|term| term.activation != Activation::None);
    active
        .map_or(Ok(()), |term| Err(Error::ActivationOfLabels { term, activation: loss.terms[term].activation, format }))
}

/// Checks a loss against a problem.
pub(crate) fn check(loss: &Loss, problem: &Problem) -> Result<(), Error> {
    loss.validate()?;
    if let LogitsFormat::Labels(format) = problem.logits {
        check_label_map(loss, problem, format)?;
    }
    if let Some(index) = problem.unreachable_label(loss.ignore_index) {
        return Err(Error::Loss(format!(
            "the ignore index is {index}; of labels of 32 or 64 bits with a sign it must lie between {} and {}",
            i32::MIN + 1,
            i32::MAX
        )));
    }
    for (index, term) in loss.terms.iter().enumerate() {
        let fits = term.fits(problem.shape.classes());
        fits.map_err(|reason| Error::Loss(format!("term {index}: {reason}")))?;
        let reason = match &term.measure {
            Measure::Overlap(Overlap { formula: Formula::Matthews { .. }, .. }) if problem.voxel_weights.is_some() => {
                "the Matthews correlation is one of counts; leave out the voxel weights"
            }
            Measure::Wasserstein(_) if problem.voxel_weights.is_some() => {
                "distances are those of a voxel's classes together; leave out the voxel weights"
            }
            Measure::Overlap(_) | Measure::BinaryCrossEntropy(_) | Measure::Focal(_)
                if problem.targets.is_labels() && problem.shape.classes() == 1 =>
            {
                "of one class a label map says where class 0 is, the opposite of a mask; give a mask as numbers, bytes or bits"
            }
            Measure::Wasserstein(_) if !problem.targets.is_labels() => {
                "a prediction is at a distance from a label; give labels for targets"
            }
            _ => "",
        };
        if !reason.is_empty() {
            return Err(Error::Loss(format!("term {index}: {reason}")));
        }
        if problem.gradient && term.statistic().is_count() {
            return Err(Error::NotDifferentiable { term: index });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Classes, Focal};
    use crate::{Activation, LabelFormat, LogitsFormat, Pool, Shape, TargetFormat};

    /// On a device that only validates.
    fn gpu() -> Gpu {
        let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
        Gpu::from_wgpu(device, queue).unwrap()
    }

    fn problem(dims: &[usize]) -> Problem {
        Problem::new(Shape::new(dims).unwrap())
    }

    #[test]
    fn a_problem_compiles_what_it_needs_and_no_more() {
        let (dice, coupled) = (Loss::dice(), Loss::dice().softmax().with(1.0, Loss::cross_entropy()));
        for (name, loss, problem, pipelines) in [
            ("one dispatch", &dice, problem(&[1, 1, 64, 64]).with_gradient(), 1),
            ("accumulate, combine, score, finalize", &dice, problem(&[1, 1, 1 << 20]), 4),
            ("and gradient", &dice, problem(&[1, 1, 1 << 20]).with_gradient(), 5),
            ("the same of columns", &coupled, problem(&[1, 4, 1 << 20]), 4),
            ("and coefficients, gradient", &coupled, problem(&[1, 4, 1 << 20]).with_gradient(), 6),
        ] {
            let gpu = gpu();
            gpu.plan(loss, &problem).unwrap();
            assert_eq!(gpu.pipelines(), pipelines, "{name}");
            gpu.plan(loss, &problem).unwrap();
            assert_eq!(gpu.pipelines(), pipelines, "{name}, once more");
        }
    }

    /// Shapes, smoothing, weights and exponents are parameters; only who adds up, a lane or a workgroup, follows from sizes.
    #[test]
    fn numbers_compile_nothing() {
        let gpu = gpu();
        let of = |gamma: f64, weight: f64| {
            let focal = Measure::Focal(Focal { gamma, class_weights: vec![weight], ..Focal::default() });
            let focal = Loss::of(vec![crate::loss::Term::new(Activation::Sigmoid, focal)]);
            Loss::dice().smooth(weight).pool(Pool::Batch).with(weight, focal)
        };
        gpu.plan(&of(2.0, 1.0), &problem(&[2, 4, 400_000]).with_gradient()).unwrap();
        let pipelines = gpu.pipelines();
        gpu.plan(&of(0.5, 0.25), &problem(&[3, 2, 200_000]).with_gradient()).unwrap();
        gpu.plan(&of(1.5, 2.0).classes(Classes::Foreground), &problem(&[2, 5, 64, 64, 64]).with_gradient()).unwrap();
        assert_eq!(gpu.pipelines(), pipelines);
        // Other columns: classes, samples, distances between planes.
        let coupled = Loss::dice().softmax().with(1.0, Loss::cross_entropy());
        gpu.plan(&coupled, &problem(&[1, 20, 1 << 20]).with_gradient()).unwrap();
        let pipelines = gpu.pipelines();
        gpu.plan(&coupled.clone().smooth(1.0), &problem(&[1, 30, 64, 128, 128]).with_gradient()).unwrap();
        assert_eq!(gpu.pipelines(), pipelines);
    }

    /// A format is a loader: what sees sums only is compiled once for all of them.
    #[test]
    fn formats_compile_what_reads_data() {
        let gpu = gpu();
        let mut problem = problem(&[1, 4, 1 << 20]).with_gradient();
        gpu.plan(&Loss::dice(), &problem).unwrap();
        let pipelines = gpu.pipelines();
        problem.logits = LogitsFormat::F16;
        gpu.plan(&Loss::dice(), &problem).unwrap();
        assert_eq!(gpu.pipelines(), pipelines + 2);
        problem.targets = TargetFormat::Labels(LabelFormat::U8);
        gpu.plan(&Loss::dice(), &problem).unwrap();
        assert_eq!(gpu.pipelines(), pipelines + 4);
    }

    /// Of one class label 0 would be the foreground. Cross-entropy over it is 0, as in PyTorch.
    #[test]
    fn labels_of_one_class_are_refused() {
        let gpu = gpu();
        let mut problem = problem(&[2, 1, 64]);
        problem.targets = TargetFormat::Labels(LabelFormat::U8);
        for loss in
            [Loss::dice(), Loss::bce(), Loss::focal(2.0), Loss::dice().softmax().with(1.0, Loss::cross_entropy())]
        {
            let refused = gpu.plan(&loss, &problem).unwrap_err().to_string();
            assert!(refused.contains("the opposite of a mask"), "{refused}");
        }
        gpu.plan(&Loss::cross_entropy(), &problem).unwrap();
    }
}
