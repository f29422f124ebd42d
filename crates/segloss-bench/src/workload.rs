//! A case's data on the device, proven.

use segloss::wgpu::{self, BufferUsages as Usage, CommandEncoder};
use segloss::{Bound, BufferRange, Buffers, Error, Gpu, Output, Problem, Shape};

use crate::clock::read;
use crate::data::{Expected, loss_scale};
use crate::{Case, Direction, Failure, storage};

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
        let shape = Shape::new(&[1, case.classes, voxels])?;
        let tensor = |what, bytes: u64, usage| {
            let limit = gpu.device().limits().max_buffer_size;
            let whole_words = bytes.next_multiple_of(4);
            if whole_words > limit {
                Err(Failure::DoesNotFit { what, bytes, limit })
            } else {
                Ok(buffer(gpu, whole_words, usage))
            }
        };
        // All of them: planes of classes that a binding does not hold are copied in chunks, both ways.
        let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let logits = tensor("the logits", case.logits_bytes(voxels), usage)?;
        let targets = tensor("the targets", case.targets_bytes(voxels), usage)?;
        let gradient = tensor("the gradient", case.logits_bytes(voxels), usage)?;
        // Before the reference is asked, which takes longer.
        let workload = Self::bound(gpu, case, &shape, [&logits, &targets, &gradient])?;
        let expected = Expected::new(case, voxels)?;
        fill(gpu, case, &expected, [&logits, &targets]);
        workload.prove(gpu, case, &expected, &gradient)?;
        Ok(workload)
    }

    fn bound(gpu: &Gpu, case: &Case, shape: &Shape, tensors: [&wgpu::Buffer; 3]) -> Result<Self, Error> {
        let start = std::time::Instant::now();
        let mut problem = Problem::new(shape.clone());
        (problem.logits, problem.targets) = (case.logits, case.targets);
        let plans = [gpu.plan(&case.loss, &problem)?, gpu.plan(&case.loss, &problem.with_gradient())?];
        let first_use_ms = start.elapsed().as_secs_f64() * 1e3;
        let scratch_bytes = plans[1].scratch_size();
        let scratch = buffer(gpu, scratch_bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
        let range = |buffer, length| BufferRange { buffer, offset: 0, length };
        let (bytes, targets_bytes) = (case.logits_bytes(shape.voxels()), case.targets_bytes(shape.voxels()));
        let [logits, targets, gradient] = tensors;
        let buffers = Buffers::new(range(logits, bytes), range(targets, targets_bytes));
        let forward = plans[0].bind(&buffers, (&scratch).into())?;
        let mut with_gradient = plans[1].bind(&buffers.with_gradient(range(gradient, bytes)), (&scratch).into())?;
        with_gradient.set_upstream(loss_scale(shape.voxels()))?;
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
        let element = u64::from(case.logits.bits() / 8);
        let staging = buffer(gpu, element * CHUNK as u64, Usage::MAP_READ | Usage::COPY_DST);
        let elements = expected.shape.elements();
        for first in (0..elements).step_by(CHUNK) {
            let count = (elements - first).min(CHUNK);
            let (from, bytes) = (element * first as u64, (element * count as u64).next_multiple_of(4));
            submit(gpu, |encoder| encoder.copy_buffer_to_buffer(gradient, from, &staging, 0, bytes));
            let got = read(gpu, &staging, bytes, |bytes| storage::gradient(case.logits, bytes))?;
            // Beyond what storing it costs.
            let errors = got
                .into_iter()
                .zip(expected.repeated(&expected.gradient, first))
                .map(|(got, want)| (got - want).abs() - storage::rounding(case.logits, want));
            // A NaN is wrong, too.
            let error =
                errors.fold(0.0_f64, |worst, error| if worst.is_nan() || error <= worst { worst } else { error });
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

/// Uploads logits and targets.
fn fill(gpu: &Gpu, case: &Case, expected: &Expected, [logits, targets]: [&wgpu::Buffer; 2]) {
    let upload = |tensor: &wgpu::Buffer, bits: u32, first: usize, mut bytes: Vec<u8>| {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        gpu.queue().write_buffer(tensor, first as u64 * u64::from(bits) / 8, &bytes);
        // Lest the uploads of a large tensor wait in memory together.
        gpu.queue().submit([]);
    };
    for first in (0..expected.shape.elements()).step_by(CHUNK) {
        let chunk = expected.repeated(&expected.logits, first).take(CHUNK);
        upload(logits, case.logits.bits(), first, storage::logits(case.logits, chunk));
    }
    let elements = if case.targets.is_labels() { expected.shape.voxels() } else { expected.shape.elements() };
    for first in (0..elements).step_by(CHUNK) {
        let chunk = expected.repeated(&expected.targets, first).take(CHUNK);
        upload(targets, case.targets.bits(), first, storage::targets(case.targets, chunk));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not the reference's number is not timed.
    #[test]
    fn a_wrong_number_is_found() {
        let gpu = Gpu::new().expect("the tests need an adapter");
        // Two periods and a part of one, of dense targets, bits and labels.
        let voxels = 40_003;
        for case in [2, 3, 4, 5, 6].map(|case| crate::cases().swap_remove(case)) {
            let mut expected = Expected::new(&case, voxels).unwrap();
            let sizes = [case.logits_bytes(voxels), case.targets_bytes(voxels), case.logits_bytes(voxels)];
            let tensors = sizes
                .map(|size| buffer(&gpu, size.next_multiple_of(4), Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC));
            let [logits, targets, gradient] = tensors.each_ref();
            fill(&gpu, &case, &expected, [logits, targets]);
            let workload = Workload::bound(&gpu, &case, &expected.shape, [logits, targets, gradient]).unwrap();
            workload.prove(&gpu, &case, &expected, gradient).unwrap();

            let peak = expected.gradient.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
            let last = expected.gradient.len() - 1;
            let right = expected.gradient[last];
            for wrong in [f64::NAN, 2e-5 * peak + 2.0 * storage::rounding(case.logits, peak)] {
                expected.gradient[last] = right + wrong;
                let failure = workload.prove(&gpu, &case, &expected, gradient).unwrap_err();
                assert!(matches!(failure, Failure::Wrong { what: "the gradient", .. }), "{failure}");
            }
            expected.gradient[last] = right;
            expected.outcome.value += 2e-6 * expected.outcome.value.max(1.0);
            let failure = workload.prove(&gpu, &case, &expected, gradient).unwrap_err();
            assert!(matches!(failure, Failure::Wrong { what: "the loss", .. }), "{failure}");
        }
    }
}
