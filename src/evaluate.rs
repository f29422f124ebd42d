//! From host memory to numbers in one call.

use wgpu::BufferUsages as Usage;

use crate::gpu::whole_octets;
use crate::{Batch, Buffers, Error, Gpu, Loss, Output, Plan, readback};

impl Gpu {
    /// Evaluates a loss on data in host memory: uploads it, runs one submission, reads the numbers back.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), [`Plan::bind`] and [`Bound::read`](crate::Bound::read);
    /// [`Error::TooLarge`] if a tensor does not fit in one buffer of the device.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn evaluate(&self, loss: &Loss, batch: &Batch) -> Result<Output, Error> {
        let _turn = self.turn();
        pollster::block_on(self.evaluate_async(loss, batch))
    }

    /// The async twin of [`evaluate`](Self::evaluate).
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub async fn evaluate_async(&self, loss: &Loss, batch: &Batch<'_>) -> Result<Output, Error> {
        let plan = self.plan(loss, batch.problem())?;
        let bytes = 4 * batch.shape().elements() as u64;
        let logits = upload(&plan, "logits", batch.logits())?;
        let targets = upload(&plan, "targets", batch.targets())?;
        let mask = batch.mask().map(|mask| upload(&plan, "mask", mask)).transpose()?;
        let weights = batch.voxel_weights().map(|weights| upload(&plan, "voxel weights", weights)).transpose()?;
        let output = |what, wanted: bool| {
            wanted.then(|| create(&plan, what, bytes, Usage::STORAGE | Usage::COPY_SRC)).transpose()
        };
        let gradient = output("gradient", batch.problem().gradient)?;
        let map = output("voxel map", loss.is_voxel_map())?;
        let scratch_usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let scratch = create(&plan, "scratch", plan.scratch_size(), scratch_usage)?;
        let exact = |buffer, length| crate::BufferRange { buffer, offset: 0, length };
        let buffers = Buffers {
            logits: exact(&logits, bytes),
            targets: exact(&targets, bytes),
            mask: mask.as_ref().map(|mask| exact(mask, 4 * batch.shape().mask_elements() as u64)),
            voxel_weights: weights.as_ref().map(|weights| exact(weights, bytes)),
            gradient: gradient.as_ref().map(|gradient| exact(gradient, bytes)),
            voxel_map: map.as_ref().map(|map| exact(map, bytes)),
        };
        let bound = plan.bind(&buffers, (&scratch).into())?;
        let gradient = gradient.map(|buffer| Download::new(&plan, buffer, bytes)).transpose()?;
        let map = map.map(|buffer| Download::new(&plan, buffer, bytes)).transpose()?;
        let mut encoder =
            self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("segloss") });
        bound.encode(&mut encoder);
        for download in [&gradient, &map].into_iter().flatten() {
            download.encode(&mut encoder);
        }
        self.guarded(|_| self.queue().submit([encoder.finish()]))?;
        let mut output = bound.read().await?;
        if let Some(gradient) = gradient {
            output.gradient = Some(gradient.read(&plan).await?);
        }
        if let Some(map) = map {
            output.voxel_map = Some(map.read(&plan).await?);
        }
        Ok(output)
    }
}

fn create(plan: &Plan, what: &'static str, bytes: u64, usage: Usage) -> Result<wgpu::Buffer, Error> {
    fits(plan, what, bytes)?;
    let size = whole_octets(bytes);
    let descriptor = wgpu::BufferDescriptor { label: Some(what), size, usage, mapped_at_creation: false };
    plan.gpu.guarded(|device| device.create_buffer(&descriptor))
}

fn upload(plan: &Plan, what: &'static str, data: &[f32]) -> Result<wgpu::Buffer, Error> {
    fits(plan, what, size_of_val(data) as u64)?;
    plan.gpu.filled(what, bytemuck::cast_slice(data), Usage::STORAGE)
}

fn fits(plan: &Plan, what: &'static str, needed: u64) -> Result<(), Error> {
    let limit = plan.gpu.limits().max_buffer_size;
    let advice = "split the batch, or plan it over buffers of your own";
    let needed = whole_octets(needed);
    if needed > limit { Err(Error::TooLarge { what, needed, limit, unit: "bytes", advice }) } else { Ok(()) }
}

/// A voxel-sized result on its way to the host.
struct Download {
    source: wgpu::Buffer,
    staging: wgpu::Buffer,
    bytes: u64,
}

impl Download {
    fn new(plan: &Plan, source: wgpu::Buffer, bytes: u64) -> Result<Self, Error> {
        let staging = readback::staging(plan, bytes.max(4))?;
        Ok(Self { source, staging, bytes })
    }

    fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        if self.bytes > 0 {
            encoder.copy_buffer_to_buffer(&self.source, 0, &self.staging, 0, self.bytes);
        }
    }

    async fn read(&self, plan: &Plan) -> Result<Vec<f32>, Error> {
        if self.bytes == 0 { Ok(vec![]) } else { readback::map(plan, &self.staging, self.bytes).await }
    }
}
