//! A plan with its buffers.

use crate::batch::check_row_upstream;
use crate::dispatch::{Copy, Dispatch, Step, Steps};
use crate::kernel::MapShape;
use crate::layout::{COUNTER_WORDS, HEADER_WORDS, Layout, groups};
use crate::params;
use crate::plan::Plan;
use crate::readback::{self, Staging};
use crate::{BufferRange, Buffers, Error, Loss, Output};

/// A plan with its buffers, ready to be recorded any number of times.
///
/// It has one scratch memory and one result, and so one evaluation at a time. Threads may share it, but work must not be submitted while
/// another thread [reads](Self::read) its result: wgpu refuses such a submission, which is the caller's, by the device's handler of
/// uncaptured errors, a panic unless it has been set. A bound plan for each thread shares pipelines with the others and takes little
/// more than its buffers.
#[derive(Debug)]
pub struct Bound {
    plan: Plan,
    scratch: wgpu::Buffer,
    scratch_offset: u64,
    loss: wgpu::Buffer,
    class_weights: wgpu::Buffer,
    upstream: f32,
    steps: Steps,
    staging: Staging,
}

impl Bound {
    pub(crate) fn new(plan: &Plan, buffers: &Buffers, scratch: BufferRange) -> Result<Self, Error> {
        buffers.check(&plan.problem, plan.data.map, &scratch, plan.scratch_size())?;
        let alignment = u64::from(plan.gpu.limits().min_storage_buffer_offset_alignment);
        if !scratch.offset.is_multiple_of(alignment) {
            let reason = format!("does not begin at a multiple of {alignment}, the device's alignment");
            return Err(Error::Range { what: "scratch", offset: scratch.offset, length: scratch.length, reason });
        }
        let upstream = 1.0;
        let loss_bytes = params::loss_bytes(&plan.loss, &plan.problem, upstream);
        let mut class_weights = params::class_weights(&plan.loss, &plan.problem);
        if plan.problem.row_upstream {
            class_weights.resize(class_weights.len() + plan.problem.shape.rows().div_ceil(4), [1.0; 4]);
        }
        let staging = Staging::new(&plan.gpu, plan.layout.readback_bytes())?;
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let loss = plan.gpu.filled("segloss loss", &loss_bytes, storage)?;
        let class_weights = plan.gpu.filled("segloss class weights", bytemuck::cast_slice(&class_weights), storage)?;
        let steps = Steps::new(plan, buffers, scratch, &loss, &class_weights)?;
        Ok(Self {
            plan: plan.clone(),
            scratch: scratch.buffer.clone(),
            scratch_offset: scratch.offset,
            loss,
            class_weights,
            upstream,
            steps,
            staging,
        })
    }

    /// Records the whole evaluation: value and, if planned, gradient and voxel map. Nothing else happens: no allocation
    /// by this crate, no submission, no queue write, no wait.
    ///
    /// The encoder must be of the plan's device and have no pass open: wgpu panics of others, here or when it is finished. Buffers
    /// that were destroyed or mapped since they were bound are found by the submission.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        match &self.steps.whole {
            Some(whole) => record(encoder, std::slice::from_ref(whole)),
            None => {
                self.clear(encoder, 0);
                record(encoder, &self.steps.all);
            }
        }
        self.staging.encode(encoder, &self.scratch, self.scratch_offset, self.staging.bytes());
    }

    /// Records the first half, up to the rows' sums (and the voxel map): [`Plan::sums_range`] says where they lie.
    pub fn encode_sums(&self, encoder: &mut wgpu::CommandEncoder) {
        self.clear(encoder, 0);
        record(encoder, self.steps.sums());
    }

    /// Records the second half: from the rows' sums to value and gradient, and the copy that
    /// [`read`](Self::read) maps. Of sums that nobody has made it makes numbers like any others.
    pub fn encode_loss(&self, encoder: &mut wgpu::CommandEncoder) {
        // Of an earlier evaluation of these sums: the peak would be the larger of both.
        self.clear(encoder, COUNTER_WORDS);
        record(encoder, self.steps.loss());
        self.staging.encode(encoder, &self.scratch, self.scratch_offset, self.staging.bytes());
    }

    /// Clears the header from a word on.
    fn clear(&self, encoder: &mut wgpu::CommandEncoder, from: u64) {
        encoder.clear_buffer(&self.scratch, self.scratch_offset + 4 * from, Some(4 * (HEADER_WORDS - from)));
    }

    /// Waits for the work that was submitted and returns its numbers: those of the latest evaluation.
    ///
    /// On the web the future waits; on native devices it blocks the thread that polls it, since only polling a device
    /// brings its work forward. Await it where blocking is fine, such as a thread for that purpose. (It can be sent there.)
    ///
    /// # Errors
    /// [`Error::NotEvaluated`] if none was submitted;
    /// [`Error::BadValues`] if the inputs held values that are not usable numbers; [`Error::Device`] if the
    /// result cannot be mapped; [`Error::DeviceLost`]; [`Error::BeingRead`] by another thread.
    pub async fn read(&self) -> Result<Output, Error> {
        let mut output = Output::default();
        self.read_into(&mut output).await?;
        Ok(output)
    }

    /// [`read`](Self::read) into an output that exists: from the second time on nothing is allocated for it.
    ///
    /// # Errors
    /// As [`read`](Self::read); the output then holds what it held before.
    pub async fn read_into(&self, output: &mut Output) -> Result<(), Error> {
        let _turn = self.plan.gpu.turn();
        let reading = self.staging.request(&self.plan.gpu, self.staging.bytes())?;
        readback::wait(&self.plan.gpu)?;
        reading.finish(|words| readback::decode(&self.plan, words, output)).await?
    }

    /// [`read`](Self::read) of many evaluations, which waits once for all that was submitted to a device.
    ///
    /// # Errors
    /// As [`read`](Self::read), of the first that fails.
    pub async fn read_all(bounds: &[Self]) -> Result<Vec<Output>, Error> {
        // A turn for each, never two at once: they may be of several devices, and other threads read in another order.
        let readings = bounds.iter().map(|bound| {
            let _turn = bound.plan.gpu.turn();
            bound.staging.request(&bound.plan.gpu, bound.staging.bytes())
        });
        let readings = readings.collect::<Result<Vec<_>, _>>()?;
        for alike in bounds.chunk_by(|one, next| one.plan.gpu.shares_device(&next.plan.gpu)) {
            let _turn = alike[0].plan.gpu.turn();
            readback::wait(&alike[0].plan.gpu)?;
        }
        let mut outputs = Vec::with_capacity(bounds.len());
        for (bound, reading) in bounds.iter().zip(readings) {
            let _turn = bound.plan.gpu.turn();
            let mut output = Output::default();
            reading.finish(|words| readback::decode(&bound.plan, words, &mut output)).await??;
            outputs.push(output);
        }
        Ok(outputs)
    }

    /// The blocking twin of [`read`](Self::read).
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read_blocking(&self) -> Result<Output, Error> {
        pollster::block_on(self.read())
    }

    /// The blocking twin of [`read_into`](Self::read_into).
    ///
    /// # Errors
    /// As [`read_into`](Self::read_into).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read_into_blocking(&self, output: &mut Output) -> Result<(), Error> {
        pollster::block_on(self.read_into(output))
    }

    /// The blocking twin of [`read_all`](Self::read_all).
    ///
    /// # Errors
    /// As [`read_all`](Self::read_all).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read_all_blocking(bounds: &[Self]) -> Result<Vec<Output>, Error> {
        pollster::block_on(Self::read_all(bounds))
    }

    /// The plan it was made of, with the loss as it is [set](Self::set_loss) now.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Sets the gradient that arrives from outside, 1 at first, for the work submitted from now on.
    ///
    /// # Errors
    /// [`Error::Upstream`] if it is not finite.
    pub fn set_upstream(&mut self, upstream: f32) -> Result<(), Error> {
        if !upstream.is_finite() {
            return Err(Error::Upstream { row: None, found: upstream.to_string() });
        }
        self.upstream = upstream;
        self.write_loss();
        Ok(())
    }

    /// Sets the gradient that arrives from outside for every row (sample and class), 1 at first, for the work submitted from
    /// now on. It multiplies [`set_upstream`](Self::set_upstream)'s. A voxel's own is its voxel weight.
    ///
    /// # Errors
    /// [`Error::Part`] if the [problem](crate::Problem::row_upstream) was planned without; [`Error::Length`] if there are not N·C;
    /// [`Error::Upstream`] for one that is not finite.
    pub fn set_row_upstream(&self, upstream: &[f32]) -> Result<(), Error> {
        let Plan { gpu, loss, problem, .. } = &self.plan;
        let _turn = gpu.turn();
        if !problem.row_upstream {
            return Err(Error::Part { what: "row upstream", found: "given", planned: "without" });
        }
        let (found, expected) = (upstream.len() as u64, problem.shape.rows() as u64);
        if found != expected {
            return Err(Error::Length { what: "row upstream", found, expected });
        }
        check_row_upstream(upstream)?;
        let offset = params::row_upstream(loss, problem) * size_of::<[f32; 4]>() as u64;
        gpu.guarded(|_| gpu.queue().write_buffer(&self.class_weights, offset, bytemuck::cast_slice(upstream)))
    }

    /// Replaces weights, smoothing constants and all other numbers of the loss, for the work submitted from now on.
    ///
    /// # Errors
    /// [`Error::Loss`] if the new loss is not usable or differs in structure: it must need the same statistics and
    /// pool the same rows, term by term, and ignore the same label.
    pub fn set_loss(&mut self, loss: &Loss) -> Result<(), Error> {
        crate::plan::check(loss, &self.plan.problem)?;
        let structure = |loss: &Loss| {
            let pools = loss.terms.iter().enumerate().map(|(i, _)| groups(loss, &self.plan.problem, i));
            let kinds: Vec<_> = loss.statistics().iter().map(params::kind).collect();
            let ignored = self.plan.problem.ignoring(loss.ignore_index).ignored_bits();
            (kinds, ignored, loss.first_coupled(), pools.collect::<Vec<_>>(), Layout::new(loss, &self.plan.problem))
        };
        if structure(loss) != structure(&self.plan.loss) || MapShape::of(loss) != self.plan.data.map {
            return Err(Error::Loss("it differs in structure from the planned one; plan it anew".to_owned()));
        }
        self.plan.loss = loss.clone();
        self.write_loss();
        Ok(())
    }

    fn write_loss(&self) {
        let Plan { gpu, loss, problem, .. } = &self.plan;
        let class_weights = params::class_weights(loss, problem);
        let _turn = gpu.turn();
        // It fails where the device is lost: then the next reading says so.
        let _ = gpu.guarded(|_| {
            gpu.queue().write_buffer(&self.loss, 0, &params::loss_bytes(loss, problem, self.upstream));
            gpu.queue().write_buffer(&self.class_weights, 0, bytemuck::cast_slice(&class_weights));
        });
    }

    /// The device memory this binding created for itself, in bytes, the host-visible result apart. With the scratch
    /// memory it is all that an evaluation takes beyond inputs and output.
    #[must_use]
    pub fn own_bytes(&self) -> u64 {
        self.loss.size() + self.class_weights.size() + self.steps.own_bytes
    }

    /// The host-visible memory that results are copied to, in bytes.
    #[must_use]
    pub fn readback_bytes(&self) -> u64 {
        self.staging.bytes()
    }
}

/// Records steps: neighbouring dispatches in one compute pass.
fn record(encoder: &mut wgpu::CommandEncoder, steps: &[Step]) {
    let alike = |a: &Step, b: &Step| matches!((a, b), (Step::Dispatch(_), Step::Dispatch(_)));
    for steps in steps.chunk_by(alike) {
        if let [Step::Copy(copy)] = steps {
            let Copy { source, source_offset, target, target_offset, bytes } = copy;
            encoder.copy_buffer_to_buffer(source, *source_offset, target, *target_offset, *bytes);
            continue;
        }
        // Without a label, which wgpu would copy to the heap.
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for step in steps {
            let Step::Dispatch(Dispatch { pipeline, bindings, grid }) = step else { continue };
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bindings, &[]);
            pass.dispatch_workgroups(grid[0], grid[1], 1);
        }
    }
}
