//! From host memory to numbers in one call.

use wgpu::BufferUsages as Usage;

use crate::gpu::whole_octets;
use crate::kernel::MapShape;
use crate::readback::{Reading, Staging};
use crate::{Batch, Bound, BufferRange, Buffers, Error, Gpu, LogitsFormat, Loss, Output, Plan};

/// What `evaluate` keeps for problems it may meet again: so many, and so many bytes in all.
const KEPT: usize = 8;
const KEPT_BYTES: u64 = 64 << 20;

impl Gpu {
    /// Evaluates a loss on data in host memory: uploads it, runs one submission, reads the numbers back.
    ///
    /// Plans and buffers of the last problems are kept (up to 8, and up to 64 MiB), so that in a loop a call costs what
    /// [`Bound::encode`] costs and the copies.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), [`Plan::bind`] and [`Bound::read`](crate::Bound::read);
    /// [`Error::TooLarge`] if a tensor does not fit in one buffer of the device. Where there is no memory for a problem that is new,
    /// that is [`Error::OutOfMemory`], and the context works on; where none is left for the copies of a later upload, wgpu gives the device
    /// up, [`Error::DeviceLost`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn evaluate(&self, loss: &Loss, batch: &Batch) -> Result<Output, Error> {
        pollster::block_on(self.evaluate_async(loss, batch))
    }

    /// The async twin of [`evaluate`](Self::evaluate).
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub async fn evaluate_async(&self, loss: &Loss, batch: &Batch<'_>) -> Result<Output, Error> {
        let _turn = self.turn();
        let kept = self.kept().take(self, loss, batch);
        let prepared = match kept {
            Some(prepared) => prepared,
            None => Prepared::new(self.plan(loss, batch.problem())?)?,
        };
        let output = prepared.run(batch).await?;
        self.kept().keep(prepared);
        Ok(output)
    }
}

/// What `evaluate` keeps, the latest last. Each is taken out while it is in use, so that threads do not wait for each other.
#[derive(Debug, Default)]
pub(crate) struct Kept(Vec<Prepared>);

impl Kept {
    fn take(&mut self, gpu: &Gpu, loss: &Loss, batch: &Batch) -> Option<Prepared> {
        let same = |prepared: &Prepared| {
            let plan = prepared.bound.plan();
            let is_alike = plan.gpu.reducer() == gpu.reducer() && plan.gpu.tuning() == gpu.tuning();
            is_alike && plan.loss() == loss && plan.problem() == batch.problem()
        };
        self.0.iter().rposition(same).map(|index| self.0.remove(index))
    }

    fn keep(&mut self, prepared: Prepared) {
        self.0.push(prepared);
        while self.0.len() > KEPT || self.0.iter().map(Prepared::bytes).sum::<u64>() > KEPT_BYTES {
            self.0.remove(0);
        }
    }
}

/// A plan with buffers of its own.
#[derive(Debug)]
struct Prepared {
    logits: wgpu::Buffer,
    targets: wgpu::Buffer,
    mask: Option<wgpu::Buffer>,
    voxel_weights: Option<wgpu::Buffer>,
    gradient: Option<Download>,
    voxel_map: Option<Download>,
    scratch: wgpu::Buffer,
    bound: Bound,
}

impl Prepared {
    fn new(plan: Plan) -> Result<Self, Error> {
        let (problem, plan) = (plan.problem(), &plan);
        let bits = |elements: usize, bits: u32| (elements as u64 * u64::from(bits)).div_ceil(8);
        let elements = problem.shape.elements();
        let logit_bytes = bits(problem.logit_elements(), problem.logits.bits());
        let target_bytes = bits(problem.target_elements(), problem.targets.bits());
        let mask_bytes = bits(problem.shape.mask_elements(), 32);
        let weight_bytes = bits(problem.voxel_weights.elements(&problem.shape), 32);
        // Copied from where planes are copied in chunks.
        let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let input = |what, bytes| create(plan, what, bytes, usage);
        let logits = input("logits", logit_bytes)?;
        let targets = input("targets", target_bytes)?;
        let mask = problem.mask.then(|| input("mask", mask_bytes)).transpose()?;
        let voxel_weights =
            problem.voxel_weights.is_some().then(|| input("voxel weights", weight_bytes)).transpose()?;
        let output = |what, wanted: bool, bytes| wanted.then(|| Download::new(plan, what, bytes)).transpose();
        let gradient = output("gradient", problem.gradient, logit_bytes)?;
        let map_bytes = if plan.data.map == MapShape::Voxels { mask_bytes } else { bits(elements, 32) };
        let voxel_map = output("voxel map", plan.data.map != MapShape::None, map_bytes)?;
        let inputs = [Some(&logits), Some(&targets), mask.as_ref(), voxel_weights.as_ref()];
        check_room(plan, inputs.into_iter().flatten())?;
        let scratch = create(plan, "scratch", plan.scratch_size(), Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)?;
        let exact = |buffer, length| BufferRange { buffer, offset: 0, length };
        let buffers = Buffers {
            logits: exact(&logits, logit_bytes),
            targets: exact(&targets, target_bytes),
            mask: mask.as_ref().map(|mask| exact(mask, mask_bytes)),
            voxel_weights: voxel_weights.as_ref().map(|weights| exact(weights, weight_bytes)),
            gradient: gradient.as_ref().map(|download| exact(&download.source, logit_bytes)),
            voxel_map: voxel_map.as_ref().map(|download| exact(&download.source, map_bytes)),
        };
        let bound = plan.bind(&buffers, (&scratch).into())?;
        Ok(Self { logits, targets, mask, voxel_weights, gradient, voxel_map, scratch, bound })
    }

    async fn run(&self, batch: &Batch<'_>) -> Result<Output, Error> {
        let gpu = &self.bound.plan().gpu;
        batch.row_upstream().map_or(Ok(()), |upstream| self.bound.set_row_upstream(upstream))?;
        let downloads = || [&self.gradient, &self.voxel_map].into_iter().flatten();
        gpu.guarded(|device| {
            let write = |buffer, bytes| upload(gpu, buffer, bytes);
            write(&self.logits, batch.logits().bytes());
            write(&self.targets, batch.targets().bytes());
            let floats = |buffer, data| write(buffer, bytemuck::cast_slice::<f32, u8>(data));
            self.mask.iter().zip(batch.mask()).for_each(|(buffer, data)| floats(buffer, data));
            self.voxel_weights.iter().zip(batch.voxel_weights()).for_each(|(buffer, data)| floats(buffer, data));
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("segloss") });
            self.bound.encode(&mut encoder);
            downloads().for_each(|download| download.encode(&mut encoder));
            gpu.queue().submit([encoder.finish()]);
        })?;
        // Asked for before the one wait, which is that of the numbers.
        let gradient = self.gradient.as_ref().map(|download| download.request(gpu)).transpose()?;
        let voxel_map = self.voxel_map.as_ref().map(|download| download.request(gpu)).transpose()?;
        let mut output = self.bound.read().await?;
        let elements = batch.shape().elements();
        let map_elements = match self.bound.plan().data.map {
            MapShape::Voxels => batch.shape().mask_elements(),
            _ => elements,
        };
        let numbers = |words: &[u32]| words.iter().take(map_elements).copied().map(f32::from_bits).collect();
        if let Some(reading) = gradient {
            let format = batch.problem().logits;
            output.gradient = Some(reading.finish(|words| widened(words, format, elements)).await?);
        }
        if let Some(reading) = voxel_map {
            output.voxel_map = Some(reading.finish(numbers).await?);
        }
        Ok(output)
    }

    /// The device memory it holds.
    fn bytes(&self) -> u64 {
        let inputs = [Some(&self.logits), Some(&self.targets), self.mask.as_ref(), self.voxel_weights.as_ref()];
        let outputs = [&self.gradient, &self.voxel_map].into_iter().flatten();
        let outputs = outputs.map(|download| download.source.size() + download.staging.bytes());
        let inputs = inputs.into_iter().flatten().map(wgpu::Buffer::size);
        let own = self.scratch.size() + self.bound.own_bytes() + self.bound.readback_bytes();
        own + inputs.chain(outputs).sum::<u64>()
    }
}

/// Writes bytes into a buffer, whose copies are of whole words.
fn upload(gpu: &Gpu, buffer: &wgpu::Buffer, bytes: &[u8]) {
    let (words, rest) = bytes.split_at(bytes.len() / 4 * 4);
    gpu.queue().write_buffer(buffer, 0, words);
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        gpu.queue().write_buffer(buffer, words.len() as u64, &last);
    }
}

/// The numbers of a gradient, whatever their format.
fn widened(words: &[u32], format: LogitsFormat, elements: usize) -> Vec<f32> {
    let bits = |index: usize| (words[index / 2] >> (16 * (index % 2))) as u16;
    match format {
        // A label map has no gradient: the plan refuses it.
        LogitsFormat::F32 | LogitsFormat::Labels(_) => {
            words.iter().take(elements).copied().map(f32::from_bits).collect()
        }
        LogitsFormat::F16 => (0..elements).map(|index| half::f16::from_bits(bits(index)).to_f32()).collect(),
        LogitsFormat::Bf16 => (0..elements).map(|index| half::bf16::from_bits(bits(index)).to_f32()).collect(),
    }
}

/// wgpu copies what is uploaded through buffers like these, and gives the device up where it gets none. Here it is refused. (Browsers
/// tell of no refusal in time.)
fn check_room<'a>(plan: &Plan, inputs: impl Iterator<Item = &'a wgpu::Buffer>) -> Result<(), Error> {
    if cfg!(target_arch = "wasm32") {
        return Ok(());
    }
    let upload = |input: &wgpu::Buffer| create(plan, "upload", input.size(), Usage::MAP_WRITE | Usage::COPY_SRC);
    // All of them at once, before any goes.
    inputs.map(upload).collect::<Result<Vec<_>, _>>().map(drop)
}

fn create(plan: &Plan, what: &'static str, bytes: u64, usage: Usage) -> Result<wgpu::Buffer, Error> {
    let (size, limit) = (whole_octets(bytes), plan.gpu.limits().max_buffer_size);
    if size > limit {
        let advice = "split the batch, or plan it over buffers of your own";
        return Err(Error::TooLarge { what, needed: size, limit, unit: "bytes", advice });
    }
    let descriptor = wgpu::BufferDescriptor { label: Some(what), size, usage, mapped_at_creation: false };
    plan.gpu.guarded(|device| device.create_buffer(&descriptor))
}

/// A voxel-sized result and its way to the host.
#[derive(Debug)]
struct Download {
    source: wgpu::Buffer,
    staging: Staging,
}

impl Download {
    fn new(plan: &Plan, what: &'static str, bytes: u64) -> Result<Self, Error> {
        let source = create(plan, what, bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)?;
        let staging = Staging::new(&plan.gpu, source.size())?;
        Ok(Self { source, staging })
    }

    fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        self.staging.encode(encoder, &self.source, 0, self.source.size());
    }

    fn request<'a>(&'a self, gpu: &'a Gpu) -> Result<Reading<'a>, Error> {
        self.staging.request(gpu, self.source.size())
    }
}
