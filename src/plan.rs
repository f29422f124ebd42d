//! A loss planned for a problem.

use crate::geometry::{Tiling, grid, is_few};
use crate::kernel::{
    Data, Stage, Variant,
    slot::{Reach, Width},
};
use crate::layout::{COUNTER_WORDS, HEADER_WORDS, Layout, groups};
use crate::loss::{Formula, Measure, Overlap};
use crate::{Bound, BufferRange, Buffers, Error, Gpu, Loss, Problem, Statistic};

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
        let tiling = Tiling::new(&problem.shape, gpu.widths().grain);
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
        gpu.pipeline(gpu.variant(Stage::Accumulate, short, Some(self.data), apart))?;
        if self.problem.gradient {
            gpu.pipeline(gpu.variant(Stage::Gradient, short, Some(self.data), apart))?;
        }
        Ok(())
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
        self.tiling.is_small() && !self.data.map && has_room
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

    /// Where the counters of bad values lie in the scratch memory after an evaluation, as bytes from its start: four u32,
    /// in the order of [`BadValues`](crate::BadValues)' fields. For those who never read.
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
        Bound::new(self, buffers, scratch)
    }
}

/// The bytes of scratch memory that a plan of this loss and problem needs, without a device: at most
/// 1 MiB + 64 B × rows × terms.
///
/// # Errors
/// [`Error::Loss`] or [`Error::NotDifferentiable`], as [`Gpu::plan`].
pub fn scratch_size(loss: &Loss, problem: &Problem) -> Result<u64, Error> {
    check(loss, problem)?;
    Ok(Layout::new(loss, problem).bytes())
}

/// Checks a loss against a problem.
pub(crate) fn check(loss: &Loss, problem: &Problem) -> Result<(), Error> {
    loss.validate()?;
    for (index, term) in loss.terms.iter().enumerate() {
        let fits = term.fits(problem.shape.classes());
        fits.map_err(|reason| Error::Loss(format!("term {index}: {reason}")))?;
        if let Measure::Overlap(Overlap { formula: Formula::Matthews { .. }, .. }) = term.measure
            && problem.voxel_weights
        {
            let reason = "the Matthews correlation is one of counts; leave out the voxel weights";
            return Err(Error::Loss(format!("term {index}: {reason}")));
        }
        if problem.gradient && term.statistic().is_count() {
            return Err(Error::NotDifferentiable { term: index });
        }
    }
    Ok(())
}
