//! Problems of the sizes that medical images have: planes beyond the binding limit, a hundred classes, a mask of 2^26 voxels.
//!
//! Takes an optimised build and 2 GB: `cargo test --release --test large -- --ignored`.

use segloss::half::f16;
use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{Batch, Buffers, Gpu, LabelFormat, Labels, Loss, Problem, Shape, Sums, TargetFormat, Targets, reference};

fn gpu() -> Gpu {
    let gpu = Gpu::new().expect("the GPU tests need an adapter");
    println!("adapter: {} ({})", gpu.adapter_info().name, gpu.adapter_info().backend);
    gpu
}

/// An integer hash (murmur3's finaliser).
fn hash(index: usize) -> u32 {
    let mut h = index as u32 ^ 0x9e37_79b9;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// Logits in ±10 and labels, of which one in 16 is 255.
struct Tensors {
    shape: Shape,
    logits: Vec<f32>,
    labels: Vec<u8>,
}

impl Tensors {
    fn new(dims: &[usize]) -> Self {
        let shape = Shape::new(dims).unwrap();
        let label = |h: u32| if h.is_multiple_of(16) { 255 } else { ((h >> 8) % dims[1] as u32) as u8 };
        Self {
            logits: (0..shape.elements()).map(|i| (hash(i) >> 8) as f32 / (1 << 24) as f32 * 20.0 - 10.0).collect(),
            labels: (0..shape.mask_elements()).map(|i| label(hash(!i))).collect(),
            shape,
        }
    }

    fn batch(&self) -> Batch<'_> {
        Batch::new(&self.shape, &self.logits, Labels::U8(&self.labels)).unwrap()
    }

    /// Some voxels of a sample with all their classes.
    fn part(&self, sample: usize, voxels: std::ops::Range<usize>) -> Self {
        let (classes, all) = (self.shape.classes(), self.shape.voxels());
        let plane = |class: usize| (sample * classes + class) * all;
        let logits = (0..classes).flat_map(|c| &self.logits[plane(c) + voxels.start..plane(c) + voxels.end]);
        Self {
            logits: logits.copied().collect(),
            labels: self.labels[sample * all..][voxels.clone()].to_vec(),
            shape: Shape::new(&[1, classes, voxels.len()]).unwrap(),
        }
    }

    /// The sums of every row by the reference, on every core.
    fn sums(&self, loss: &Loss) -> Vec<Vec<Sums>> {
        let (statistics, classes, voxels) = (loss.statistics(), self.shape.classes(), self.shape.voxels());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut sums = vec![vec![]; statistics.len()];
        for sample in 0..self.shape.samples() {
            let share = voxels.div_ceil(cores);
            let parts: Vec<_> = std::thread::scope(|scope| {
                let work = |first: usize| {
                    let part = self.part(sample, first..(first + share).min(voxels));
                    reference::accumulate(&loss.statistics(), &part.batch().with_ignore_index(255))
                };
                let threads: Vec<_> =
                    (0..voxels).step_by(share).map(|first| scope.spawn(move || work(first))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for (statistic, rows) in sums.iter_mut().enumerate() {
                let row = |class: usize| reference::combine(parts.iter().map(|part| part[statistic][class]));
                rows.extend((0..classes).map(row));
            }
        }
        sums
    }

    /// Asserts that the GPU evaluates and differentiates as the reference does; the gradient of some voxels of the last sample.
    fn check(&self, gpu: &Gpu, loss: &Loss) {
        let batch = self.batch().with_ignore_index(255).with_gradient();
        let output = gpu.evaluate(loss, &batch).unwrap();
        let expected = reference::finalize(loss, &self.shape, &self.sums(loss));
        let error = (f64::from(output.value()) - expected.value).abs();
        println!("value {}, off by {error:.1e}", output.value());
        assert!(error <= 1e-6 * expected.value.abs().max(1.0), "{}, not {}", output.value(), expected.value);

        let (gradient, classes, voxels) = (output.gradient().unwrap(), self.shape.classes(), self.shape.voxels());
        let sample = self.shape.samples() - 1;
        let peak = f64::from(output.gradient_peak().unwrap());
        let own = |rows: &Vec<[f64; 3]>| rows[sample * classes..].to_vec();
        let coefficients: Vec<_> = expected.coefficients.iter().map(own).collect();
        for first in [0, voxels / 2 - 1000, voxels - 5000] {
            let part = self.part(sample, first..first + 5000);
            let want = reference::gradient(&loss.statistics(), &coefficients, &part.batch().with_ignore_index(255));
            for (class, want) in want.chunks(5000).enumerate() {
                let got = &gradient[(sample * classes + class) * voxels + first..][..5000];
                for (&got, &want) in got.iter().zip(want) {
                    assert!((f64::from(got) - want).abs() <= 1e-5 * peak, "{got}, not {want} (peak {peak})");
                }
            }
        }
    }
}

/// The bytes in buffers as the device counts them, once uploads are done; 0 where it counts none.
fn counted_bytes(gpu: &Gpu) -> u64 {
    gpu.queue().submit([]);
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
    gpu.device().get_internal_counters().hal.buffer_memory.read() as u64
}

fn dice_and_cross_entropy() -> Loss {
    Loss::dice().smooth(1e-5).softmax().with(1.0, Loss::cross_entropy())
}

/// A sample's planes are 268 MB, of which an adapter may bind 128 MiB at once.
#[test]
#[ignore = "takes 2 GB and an optimised build; CI runs it once"]
fn four_planes_of_256_cubed() {
    let gpu = gpu();
    println!("binds {} MiB", gpu.device().limits().max_storage_buffer_binding_size >> 20);
    Tensors::new(&[1, 4, 256, 256, 256]).check(&gpu, &dice_and_cross_entropy());
}

#[test]
#[ignore = "takes 2 GB and an optimised build; CI runs it once"]
fn a_hundred_and_five_classes_stay_within_the_memory_bound() {
    let (gpu, loss) = (gpu(), dice_and_cross_entropy());
    let tensors = Tensors::new(&[2, 105, 64, 64, 64]);
    let mut problem = Problem::new(tensors.shape.clone()).with_gradient();
    problem.targets = TargetFormat::Labels(LabelFormat::U8);
    let buffer = |size: u64, usage| {
        let size = size.next_multiple_of(32);
        gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    };
    let plan = gpu.plan(&loss, &problem).unwrap();
    let [logits, gradient] = [0, 1].map(|_| buffer(4 * tensors.shape.elements() as u64, Usage::STORAGE));
    let targets = buffer(tensors.labels.len() as u64, Usage::STORAGE);
    let before = counted_bytes(&gpu);
    let scratch = buffer(plan.scratch_size(), Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
    let exact = |buffer, length: usize| segloss::BufferRange { buffer, offset: 0, length: length as u64 };
    let [logits, gradient] = [&logits, &gradient].map(|buffer| exact(buffer, 4 * tensors.shape.elements()));
    let buffers = Buffers::new(logits, exact(&targets, tensors.labels.len())).with_gradient(gradient);
    let bound = plan.bind(&buffers, (&scratch).into()).unwrap();
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    bound.read_blocking().unwrap();
    let said = plan.scratch_size() + bound.own_bytes();
    let most = (1 << 20) + 64 * tensors.shape.rows() as u64 * loss.terms.len() as u64;
    assert!(said <= most, "{said} bytes, promised are {most}");
    let after = counted_bytes(&gpu);
    if after == 0 {
        println!("skipped: {} does not count bytes", gpu.adapter_info().backend);
    } else {
        // The numbers to be read are apart from what is promised.
        let seen = after - before - bound.readback_bytes();
        println!("{seen} bytes of the device beyond inputs and gradient, of at most {most}; {said} were said");
        assert!(seen <= most, "{seen} bytes, promised are {most}");
    }
    tensors.check(&gpu, &loss);
}

/// Beyond 2^24 an f32 counts no further by ones.
#[test]
#[ignore = "takes 2 GB and an optimised build; CI runs it once"]
fn a_mask_of_2_to_the_26_voxels_sums_exactly() {
    let gpu = gpu();
    let shape = Shape::new(&[1, 1, 1 << 26]).unwrap();
    let n = shape.voxels();
    let bytes: Vec<u8> = (0..n).map(|i| u8::from(i != 12_345_678)).collect();
    let bits: Vec<u32> =
        bytes.chunks(32).map(|c| c.iter().rev().fold(0, |word, &bit| 2 * word + u32::from(bit))).collect();
    let logits: Vec<f16> = (0..n).map(|i| if i % 3 == 0 { f16::NEG_ONE } else { f16::ONE }).collect();
    let want = [n - n.div_ceil(3), n - n.div_ceil(3), n - 1].map(|count| count as f64);
    // 12,345,678 is a multiple of 3, so what is not in the mask is not predicted either.
    for targets in [Targets::U8(&bytes, segloss::ByteScale::One), Targets::Bits(&bits)] {
        let batch = Batch::new(&shape, &logits, targets).unwrap();
        let output = gpu.evaluate(&Loss::dice().hard(0.5), &batch).unwrap();
        assert_eq!((output.sums()[0][0].values, output.sums()[0][0].count), (want, n as u64));
    }
}
