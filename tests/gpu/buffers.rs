//! The plan API on buffers of the caller's: pooled, offset, windowed, on a device with default limits.

use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{BufferRange, Buffers, Error, Gpu, Loss, Output, Pool, Problem, reference};

use crate::data::{Tensors, assert_gradient, assert_matches, gpu, losses, takes_probabilities, turn};

/// What every word of an output holds before it is written: a NaN that no kernel produces.
const POISON: u32 = 0x7fff_abcd;

/// All tensors of a problem in one buffer, as a framework's pooled allocator would have them.
pub(crate) struct Arena<'a> {
    pub(crate) tensors: &'a Tensors,
    parts: u32,
    words: Vec<u32>,
    /// First word of logits, targets, mask, weights, gradient.
    places: [usize; 5],
}

impl<'a> Arena<'a> {
    /// The tensors one after the other, in an order that depends on `parts`, at offsets that fit no alignment.
    pub(crate) fn new(tensors: &'a Tensors, parts: u32) -> Self {
        let poison = vec![f32::from_bits(POISON); tensors.shape.elements()];
        let sources = [&tensors.logits, &tensors.targets, &tensors.mask, &tensors.weights, &poison];
        let mut words = vec![POISON; 3];
        let mut places = [0; 5];
        for step in 0..5 {
            let source = (step + parts as usize) % 5;
            places[source] = words.len();
            words.extend(sources[source].iter().map(|v| v.to_bits()));
            words.push(POISON);
        }
        Self { tensors, parts, words, places }
    }

    fn upload(&self, gpu: &Gpu) -> wgpu::Buffer {
        use wgpu::util::DeviceExt;
        gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("arena"),
            contents: &self.words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>(),
            usage: Usage::STORAGE | Usage::COPY_SRC,
        })
    }

    fn range<'b>(&self, buffer: &'b wgpu::Buffer, part: usize, elements: usize) -> BufferRange<'b> {
        BufferRange { buffer, offset: 4 * self.places[part] as u64, length: 4 * elements as u64 }
    }

    fn problem(&self) -> Problem {
        let mut problem = Problem::new(self.tensors.shape.clone()).with_gradient();
        problem.mask = self.parts & 1 != 0;
        problem.voxel_weights = self.parts & 2 != 0;
        problem
    }

    fn buffers<'b>(&self, buffer: &'b wgpu::Buffer) -> Buffers<'b> {
        let (n, mask) = (self.tensors.shape.elements(), self.tensors.shape.mask_elements());
        let mut buffers = Buffers::new(self.range(buffer, 0, n), self.range(buffer, 1, n));
        buffers.gradient = Some(self.range(buffer, 4, n));
        buffers.mask = (self.parts & 1 != 0).then(|| self.range(buffer, 2, mask));
        buffers.voxel_weights = (self.parts & 2 != 0).then(|| self.range(buffer, 3, n));
        buffers
    }
}

/// Evaluates a loss on an arena and returns the numbers and the gradient, having checked that every word outside the
/// gradient is untouched.
pub(crate) fn run(gpu: &Gpu, loss: &Loss, arena: &Arena) -> (Result<Output, Error>, Vec<f32>) {
    let buffer = arena.upload(gpu);
    let plan = gpu.plan(loss, &arena.problem()).unwrap();
    let scratch = scratch(gpu, plan.scratch_size());
    let bound = plan.bind(&arena.buffers(&buffer), (&scratch).into()).unwrap();
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    let after = download(gpu, &buffer);
    let place = arena.places[4]..arena.places[4] + arena.tensors.shape.elements();
    for (i, (before, after)) in arena.words.iter().zip(&after).enumerate() {
        assert!(before == after || place.contains(&i), "word {i} was overwritten");
    }
    let gradient = after[place].iter().map(|&w| f32::from_bits(w)).collect();
    (bound.read_blocking(), gradient)
}

pub(crate) fn scratch(gpu: &Gpu, size: u64) -> wgpu::Buffer {
    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let buffer =
        gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    gpu.queue().write_buffer(&buffer, 0, &POISON.to_le_bytes().repeat(size as usize / 4));
    buffer
}

pub(crate) fn download(gpu: &Gpu, buffer: &wgpu::Buffer) -> Vec<u32> {
    let usage = Usage::MAP_READ | Usage::COPY_DST;
    let descriptor = wgpu::BufferDescriptor { label: None, size: buffer.size(), usage, mapped_at_creation: false };
    let staging = gpu.device().create_buffer(&descriptor);
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
    gpu.queue().submit([encoder.finish()]);
    staging.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
    staging
        .get_mapped_range(..)
        .unwrap()
        .chunks_exact(4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

fn assert_arena(gpu: &Gpu, name: &str, loss: &Loss, dims: &[usize], parts: u32) {
    let tensors = Tensors::random(dims, 21 + parts, takes_probabilities(name));
    let (output, gradient) = run(gpu, loss, &Arena::new(&tensors, parts));
    let name = format!("{name} {dims:?} parts {parts}");
    assert!(gradient.iter().all(|g| g.to_bits() != POISON), "{name}: an element was not written");
    let output = output.unwrap().with_gradient(gradient);
    assert_matches(&name, loss, &tensors.batch(parts).with_gradient(), &output);
}

#[test]
fn everything_may_lie_in_one_buffer_at_any_offset() {
    let _turn = turn();
    for parts in 0..4 {
        for dims in [&[1, 1, 1][..], &[2, 3, 5], &[1, 2, 5000], &[3, 2, 70]] {
            for (name, loss) in losses().into_iter().filter(|(_, loss)| !loss.is_voxel_map()) {
                assert_arena(gpu(), name, &loss, dims, parts);
            }
        }
    }
}

/// A device of the chosen adapter with its limits changed.
fn limited(change: impl FnOnce(&mut wgpu::Limits)) -> Gpu {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.flags = wgpu::InstanceFlags::default();
    let backends = descriptor.backends;
    let adapters = pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends));
    let wanted = gpu().adapter_info();
    let same = |a: &&wgpu::Adapter| a.get_info().name == wanted.name && a.get_info().backend == wanted.backend;
    let adapter = adapters.iter().find(same).unwrap();
    let mut limits = wgpu::Limits::default();
    change(&mut limits);
    let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    Gpu::from_wgpu(device, queue).unwrap()
}

#[test]
fn a_device_with_default_limits_and_no_features_is_enough() {
    let _turn = turn();
    let gpu = limited(|_| ());
    assert_eq!(gpu.reducer(), segloss::Reducer::Tree);
    for parts in 0..4 {
        assert_arena(&gpu, "default limits", &Loss::dice().smooth(1.0).with(0.5, Loss::bce()), &[2, 3, 1000], parts);
    }
}

#[test]
fn tensors_beyond_the_binding_limit_are_bound_in_windows() {
    let _turn = turn();
    // 256 KiB a binding: 65,536 elements, or 13,107 where five ranges of one buffer must fit together.
    let gpu = limited(|limits| limits.max_storage_buffer_binding_size = 1 << 18);
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    for dims in [&[1, 1, 100_003][..], &[3, 4, 9000], &[2, 3, 3000], &[40, 3, 500], &[900, 2, 60]] {
        for parts in [0, 1, 3] {
            let tensors = Tensors::random(dims, 31 + parts, false);
            let batch = tensors.batch(parts).with_gradient();
            let output = gpu.evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("windows {dims:?} {parts}"), &loss, &batch, &output);
        }
    }
    for dims in [&[1, 2, 50_001][..], &[3, 4, 9000], &[40, 3, 500], &[900, 2, 60]] {
        assert_arena(&gpu, "windows of one buffer", &loss, dims, 3);
    }
    let map = Loss::bce().reduction(segloss::Reduction::None);
    let tensors = Tensors::random(&[2, 1, 50_000], 7, false);
    let batch = tensors.batch(1);
    let output = gpu.evaluate(&map, &batch).unwrap();
    assert_matches("map in windows", &map, &batch, &output);
}

#[test]
fn sums_may_be_added_up_between_the_halves() {
    let _turn = turn();
    // Two halves of a batch on "two devices", pooled over the batch: the sums of both go into the first.
    let tensors = Tensors::random(&[4, 3, 500], 41, false);
    let loss = Loss::dice().smooth(1.0).pool(Pool::All);
    let half = tensors.shape.elements() / 2;
    let shape = segloss::Shape::new(&[2, 3, 500]).unwrap();
    let halves = [0, half].map(|from| Tensors {
        shape: shape.clone(),
        logits: tensors.logits[from..from + half].to_vec(),
        targets: tensors.targets[from..from + half].to_vec(),
        mask: vec![1.0; shape.mask_elements()],
        weights: vec![1.0; half],
    });
    let arenas = halves.each_ref().map(|half| Arena::new(half, 0));
    let buffers = arenas.each_ref().map(|arena| arena.upload(gpu()));
    let plan = gpu().plan(&loss, &arenas[0].problem()).unwrap();
    let scratches = [0, 1].map(|_| scratch(gpu(), plan.scratch_size()));
    let bounds = [0, 1].map(|i| plan.bind(&arenas[i].buffers(&buffers[i]), (&scratches[i]).into()).unwrap());
    let submit = |record: &dyn Fn(&mut wgpu::CommandEncoder)| {
        let mut encoder = gpu().device().create_command_encoder(&Default::default());
        record(&mut encoder);
        gpu().queue().submit([encoder.finish()]);
    };
    submit(&|encoder| bounds.iter().for_each(|bound| bound.encode_sums(encoder)));
    let range = plan.sums_range();
    let words = scratches.each_ref().map(|scratch| download(gpu(), scratch));
    let span = range.start as usize / 4..range.end as usize / 4;
    let mut sums = vec![];
    for (i, (&a, &b)) in words[0][span.clone()].iter().zip(&words[1][span]).enumerate() {
        let float = f32::from_bits(a) + f32::from_bits(b);
        sums.extend(if i % 4 == 3 { a + b } else { float.to_bits() }.to_le_bytes());
    }
    gpu().queue().write_buffer(&scratches[0], range.start, &sums);
    submit(&|encoder| bounds[0].encode_loss(encoder));
    let value = bounds[0].read_blocking().unwrap().value();
    let expected = reference::evaluate(&loss, &tensors.batch(0)).unwrap().value;
    assert!((f64::from(value) - expected).abs() <= 1e-6, "{value} instead of {expected}");
}

#[test]
fn upstream_and_weights_change_without_a_new_plan() {
    let _turn = turn();
    let tensors = Tensors::random(&[2, 2, 300], 51, false);
    let arena = Arena::new(&tensors, 0);
    let buffer = arena.upload(gpu());
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    let plan = gpu().plan(&loss, &arena.problem()).unwrap();
    let scratch = scratch(gpu(), plan.scratch_size());
    let mut bound = plan.bind(&arena.buffers(&buffer), (&scratch).into()).unwrap();
    let next = Loss::dice().smooth(2.0).with(0.125, Loss::bce());
    bound.set_loss(&next).unwrap();
    bound.set_upstream(-3.0);
    let mut encoder = gpu().device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder);
    gpu().queue().submit([encoder.finish()]);
    let expected = reference::evaluate(&next, &tensors.batch(0).with_gradient()).unwrap();
    assert!((f64::from(bound.read_blocking().unwrap().value()) - expected.value).abs() <= 1e-6);
    let words = download(gpu(), &buffer);
    let got: Vec<f32> =
        words[arena.places[4]..][..tensors.shape.elements()].iter().map(|&w| f32::from_bits(w)).collect();
    let want: Vec<f64> = expected.gradient.unwrap().iter().map(|g| -3.0 * g).collect();
    assert_gradient("upstream", &got, &want, 0.0);
    assert!(bound.set_loss(&Loss::dice()).unwrap_err().to_string().contains("structure"));
}
