//! The loss by segloss.

use segloss::wgpu::{self, BufferUsages as Usage, util::DeviceExt};
use segloss::{Bound, Buffers, Error, Gpu, Loss, Output, Problem, Shape};

use crate::host::Inputs;
use crate::{Direction, Peer};

/// segloss with a problem's data on its device and a plan bound to either set of logits.
pub(crate) struct Segloss {
    gpu: Gpu,
    bounds: [Bound; 2],
    gradient: wgpu::Buffer,
    output: Output,
}

impl Segloss {
    /// Uploads the data, plans and binds.
    pub(crate) fn new(gpu: &Gpu, inputs: &Inputs, direction: Direction) -> Result<Self, Error> {
        let voxels = inputs.targets.len();
        let problem = Problem::new(Shape::new(&[1, 1, voxels])?);
        let problem = if direction == Direction::Forward { problem } else { problem.with_gradient() };
        let plan = gpu.plan(&Loss::dice().smooth(1.0), &problem)?;
        let targets = upload(gpu, &inputs.targets);
        let gradient = buffer(gpu, 4 * voxels as u64, Usage::STORAGE | Usage::COPY_SRC);
        let bind = |logits: &Vec<f32>| {
            let logits = upload(gpu, logits);
            let scratch = buffer(gpu, plan.scratch_size(), Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
            let buffers = Buffers::new(&logits, &targets);
            let buffers = if direction == Direction::Forward { buffers } else { buffers.with_gradient(&gradient) };
            plan.bind(&buffers, (&scratch).into())
        };
        let [first, second] = &inputs.logits;
        let bounds = [bind(first)?, bind(second)?];
        Ok(Self { gpu: gpu.clone(), bounds, gradient, output: Output::default() })
    }
}

impl Peer for Segloss {
    fn evaluate(&mut self, _: Direction, set: usize) -> f32 {
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.bounds[set].encode(&mut encoder);
        self.gpu.queue().submit([encoder.finish()]);
        self.output = self.bounds[set].read_blocking().expect("the data is finite");
        self.output.value()
    }

    fn gradient(&self) -> Vec<f32> {
        let staging = buffer(&self.gpu, self.gradient.size(), Usage::MAP_READ | Usage::COPY_DST);
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&self.gradient, 0, &staging, 0, self.gradient.size());
        self.gpu.queue().submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |result| result.expect("the gradient can be read"));
        self.gpu.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device is alive");
        let bytes = staging.get_mapped_range(..).expect("the gradient can be read");
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }
}

fn buffer(gpu: &Gpu, size: u64, usage: Usage) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

fn upload(gpu: &Gpu, data: &[f32]) -> wgpu::Buffer {
    let contents = &data.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage: Usage::STORAGE })
}
