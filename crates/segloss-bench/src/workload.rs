//! A case's data on the device, proven.

use segloss::wgpu::{self, BufferUsages as Usage, CommandEncoder};
use segloss::{Bound, Buffers, Error, Gpu, Output, Problem, Shape};

use crate::clock::read;
use crate::data::Expected;
use crate::{Case, Direction, Failure};

/// Elements that cross between host and device at a time.
const CHUNK: usize = 1 << 22;

/// A case's data on the device, bound for every direction. It has been compared with the reference.
pub struct Workload {
    forward: Bound,
    with_gradient: Bound,
    scratch_bytes: u64,
    first_use_ms: f64,
}

impl Workload {
    /// Puts the data of a case on the device, evaluates it, and compares value and gradient with the reference.
    ///
    /// # Errors
    /// [`Failure`]: if it does not fit, is wrong, or cannot be evaluated.
    pub fn new(gpu: &Gpu, case: &Case, voxels: usize) -> Result<Self, Failure> {
        let expected = Expected::new(case, voxels)?;
        let bytes = 4 * expected.shape.elements() as u64;
        let tensor = |what, usage| {
            let limit = gpu.device().limits().max_buffer_size;
            if bytes > limit { Err(Failure::DoesNotFit { what, bytes, limit }) } else { Ok(buffer(gpu, bytes, usage)) }
        };
        let logits = tensor("the logits", Usage::STORAGE | Usage::COPY_DST)?;
        let targets = tensor("the targets", Usage::STORAGE | Usage::COPY_DST)?;
        let gradient = tensor("the gradient", Usage::STORAGE | Usage::COPY_SRC)?;
        fill(gpu, &logits, &expected, &expected.logits);
        fill(gpu, &targets, &expected, &expected.targets);

        let workload = Self::bound(gpu, case, &expected.shape, [&logits, &targets, &gradient])?;
        workload.prove(gpu, case, &expected, &gradient)?;
        Ok(workload)
    }

    fn bound(gpu: &Gpu, case: &Case, shape: &Shape, tensors: [&wgpu::Buffer; 3]) -> Result<Self, Error> {
        let [logits, targets, gradient] = tensors;
        let start = std::time::Instant::now();
        let mut problem = Problem::new(shape.clone());
        (problem.logits, problem.targets) = (case.logits, case.targets);
        let plans = [gpu.plan(&case.loss, &problem)?, gpu.plan(&case.loss, &problem.with_gradient())?];
        let first_use_ms = start.elapsed().as_secs_f64() * 1e3;
        let scratch_bytes = plans[1].scratch_size();
        let scratch = buffer(gpu, scratch_bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
        let buffers = Buffers::new(logits, targets);
        let forward = plans[0].bind(&buffers, (&scratch).into())?;
        let with_gradient = plans[1].bind(&buffers.with_gradient(gradient), (&scratch).into())?;
        Ok(Self { forward, with_gradient, scratch_bytes, first_use_ms })
    }

    fn prove(&self, gpu: &Gpu, case: &Case, expected: &Expected, gradient: &wgpu::Buffer) -> Result<(), Failure> {
        let wrong = |what, error, allowed| {
            let voxels = expected.shape.voxels() as u64;
            if error <= allowed {
                Ok(())
            } else {
                Err(Failure::Wrong { case: case.name, voxels, what, error, allowed })
            }
        };
        for direction in [Direction::Forward, Direction::Both] {
            submit(gpu, |encoder| self.record(direction, encoder));
            let mut output = Output::default();
            self.read(direction, &mut output)?;
            let magnitude = expected.outcome.terms.iter().fold(1.0_f64, |most, term| most.max(term.abs()));
            let error = (f64::from(output.value()) - expected.outcome.value).abs();
            wrong("the loss", error, 1e-6 * magnitude)?;
        }
        let peak = expected.gradient.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
        let staging = buffer(gpu, 4 * CHUNK as u64, Usage::MAP_READ | Usage::COPY_DST);
        let elements = expected.shape.elements();
        for first in (0..elements).step_by(CHUNK) {
            let bytes = 4 * (elements - first).min(CHUNK) as u64;
            submit(gpu, |encoder| encoder.copy_buffer_to_buffer(gradient, 4 * first as u64, &staging, 0, bytes));
            let error = read(gpu, &staging, bytes, |bytes| {
                let got = bytes.chunks_exact(4).map(|b| f64::from(f32::from_ne_bytes([b[0], b[1], b[2], b[3]])));
                let errors =
                    got.zip(expected.repeated(&expected.gradient, first)).map(|(got, want)| (got - want).abs());
                // A NaN is wrong, too.
                errors.fold(0.0_f64, |worst, error| if worst.is_nan() || error <= worst { worst } else { error })
            })?;
            wrong("the gradient", error, 1e-5 * peak)?;
        }
        Ok(())
    }

    /// Records the evaluation in a direction. [`Direction::Gradient`] starts from the sums that an earlier one left.
    pub fn record(&self, direction: Direction, encoder: &mut CommandEncoder) {
        match direction {
            Direction::Forward => self.forward.encode(encoder),
            Direction::Gradient => self.with_gradient.encode_loss(encoder),
            Direction::Both => self.with_gradient.encode(encoder),
        }
    }

    /// Waits for what was recorded and submitted, and reads its numbers.
    ///
    /// # Errors
    /// As [`Bound::read`].
    pub fn read(&self, direction: Direction, output: &mut Output) -> Result<(), Error> {
        match direction {
            Direction::Forward => self.forward.read_into_blocking(output),
            Direction::Gradient | Direction::Both => self.with_gradient.read_into_blocking(output),
        }
    }

    /// The device memory that an evaluation takes beyond inputs and gradient, in bytes.
    #[must_use]
    pub fn extra_device_bytes(&self, direction: Direction) -> u64 {
        let bound = if direction == Direction::Forward { &self.forward } else { &self.with_gradient };
        self.scratch_bytes + bound.own_bytes()
    }

    /// How long planning took, in milliseconds: where nothing like it was planned before, the making of its pipelines.
    #[must_use]
    pub fn first_use_ms(&self) -> f64 {
        self.first_use_ms
    }
}

pub(crate) fn buffer(gpu: &Gpu, size: u64, usage: Usage) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

pub(crate) fn submit(gpu: &Gpu, record: impl Fn(&mut CommandEncoder)) {
    let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    record(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
}

fn fill(gpu: &Gpu, tensor: &wgpu::Buffer, expected: &Expected, period: &[f32]) {
    let elements = expected.shape.elements();
    for first in (0..elements).step_by(CHUNK) {
        let chunk: Vec<f32> = expected.repeated(period, first).take(CHUNK).collect();
        gpu.queue().write_buffer(tensor, 4 * first as u64, bytemuck::cast_slice(&chunk));
        // Lest the uploads of a large tensor wait in memory together.
        gpu.queue().submit([]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not the reference's number is not timed.
    #[test]
    fn a_wrong_number_is_found() {
        let gpu = Gpu::new().expect("the tests need an adapter");
        let case = &crate::cases()[2];
        // Two periods and a part of one.
        let voxels = 40_000;
        let mut expected = Expected::new(case, voxels).unwrap();
        let bytes = 4 * expected.shape.elements() as u64;
        let [logits, targets, gradient] =
            [0, 1, 2].map(|_| buffer(&gpu, bytes, Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC));
        fill(&gpu, &logits, &expected, &expected.logits);
        fill(&gpu, &targets, &expected, &expected.targets);
        let workload = Workload::bound(&gpu, case, &expected.shape, [&logits, &targets, &gradient]).unwrap();
        workload.prove(&gpu, case, &expected, &gradient).unwrap();

        let peak = expected.gradient.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
        for (wrong, what) in [(f64::NAN, "the gradient"), (2e-5 * peak, "the gradient")] {
            let right = expected.gradient[50_000];
            expected.gradient[50_000] += wrong;
            let failure = workload.prove(&gpu, case, &expected, &gradient).unwrap_err();
            assert!(matches!(failure, Failure::Wrong { what: found, .. } if found == what), "{failure}");
            expected.gradient[50_000] = right;
        }
        expected.outcome.value += 2e-6;
        let failure = workload.prove(&gpu, case, &expected, &gradient).unwrap_err();
        assert!(matches!(failure, Failure::Wrong { what: "the loss", .. }), "{failure}");
    }
}
