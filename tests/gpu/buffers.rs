//! The plan API on buffers of the caller's: pooled, offset, windowed, on a device with default limits.

use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{BufferRange, Buffers, Error, Gpu, Loss, Output, Pool, Problem, Reduction, reference};

use segloss::loss::Measure;

use crate::data::{Tensors, assert_gradient, assert_matches, gpu, losses, takes_probabilities, turn};
use crate::device;

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
        Self::aligned(tensors, parts, 1)
    }

    /// The same at multiples of so many words, with as many behind the last.
    pub(crate) fn aligned(tensors: &'a Tensors, parts: u32, multiple: usize) -> Self {
        let poison = vec![f32::from_bits(POISON); tensors.shape.elements()];
        let weights = if parts & 4 != 0 { &tensors.shared_weights } else { &tensors.weights };
        let sources = [&tensors.logits, &tensors.targets, &tensors.mask, weights, &poison];
        let mut words = vec![POISON; 3];
        let mut places = [0; 5];
        for step in 0..5 {
            let source = (step + parts as usize) % 5;
            words.resize(words.len().next_multiple_of(multiple), POISON);
            places[source] = words.len();
            words.extend(sources[source].iter().map(|v| v.to_bits()));
            words.push(POISON);
        }
        words.resize((words.len() + multiple).next_multiple_of(multiple), POISON);
        Self { tensors, parts, words, places }
    }

    fn upload(&self, gpu: &Gpu) -> wgpu::Buffer {
        use wgpu::util::DeviceExt;
        gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("arena"),
            contents: &self.words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>(),
            usage: Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
        })
    }

    fn range<'b>(&self, buffer: &'b wgpu::Buffer, part: usize, elements: usize) -> BufferRange<'b> {
        BufferRange { buffer, offset: 4 * self.places[part] as u64, length: 4 * elements as u64 }
    }

    fn problem(&self) -> Problem {
        self.tensors.batch(self.parts).problem().clone().with_gradient()
    }

    fn buffers<'b>(&self, buffer: &'b wgpu::Buffer) -> Buffers<'b> {
        let (problem, shape) = (self.problem(), &self.tensors.shape);
        let (n, weights) = (shape.elements(), problem.voxel_weights.elements(shape));
        let mut buffers = Buffers::new(self.range(buffer, 0, n), self.range(buffer, 1, n));
        buffers.gradient = Some(self.range(buffer, 4, n));
        buffers.mask = problem.mask.then(|| self.range(buffer, 2, shape.mask_elements()));
        buffers.voxel_weights = problem.voxel_weights.is_some().then(|| self.range(buffer, 3, weights));
        buffers
    }
}

/// Evaluates a loss on an arena and returns the numbers and the gradient or voxel map, having checked that every word
/// outside it is untouched.
pub(crate) fn run(gpu: &Gpu, loss: &Loss, arena: &Arena) -> (Result<Output, Error>, Vec<f32>) {
    let buffer = arena.upload(gpu);
    let (mut problem, mut buffers) = (arena.problem(), arena.buffers(&buffer));
    let shape = &arena.tensors.shape;
    let is_shared = loss.map_reduction() == Some(Reduction::PerVoxel);
    let written = if is_shared { shape.mask_elements() } else { shape.elements() };
    if loss.is_voxel_map() {
        // Where the gradient would go: one output at a time.
        problem.gradient = false;
        buffers.gradient = None;
        buffers.voxel_map = Some(arena.range(&buffer, 4, written));
    }
    let plan = gpu.plan(loss, &problem).unwrap();
    let scratch = scratch(gpu, plan.scratch_size());
    let bound = plan.bind(&buffers, (&scratch).into()).unwrap();
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    let after = download(gpu, &buffer);
    let place = arena.places[4]..arena.places[4] + written;
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

pub(crate) fn assert_arena(gpu: &Gpu, name: &str, loss: &Loss, arena: &Arena) {
    let (tensors, parts) = (arena.tensors, arena.parts);
    let (output, written) = run(gpu, loss, arena);
    let name = format!("{name} {:?} parts {parts} at {:?}", tensors.shape.dims(), arena.places);
    assert!(written.iter().all(|g| g.to_bits() != POISON), "{name}: an element was not written");
    let batch = tensors.batch(parts);
    if loss.is_voxel_map() {
        assert_matches(&name, loss, &batch, &output.unwrap().with_voxel_map(written));
    } else {
        assert_matches(&name, loss, &batch.with_gradient(), &output.unwrap().with_gradient(written));
    }
}

/// At offsets that fit no alignment, a quad or an octet: every width of access, with ends within one.
#[test]
fn everything_may_lie_in_one_buffer_at_any_offset() {
    let _turn = turn();
    let mut case = 0;
    for (parts, dims) in (0..4)
        .flat_map(|parts| [&[1, 1, 1][..], &[2, 3, 5], &[1, 2, 5000], &[3, 2, 70], &[3, 2, 72]].map(|d| (parts, d)))
    {
        // One of every output and number of statistics: where data lies does not depend on what is made of it.
        let names = ["dice", "bce, probabilities, map", "dice + bce/2", "four statistics, probabilities"];
        for (name, loss) in losses().into_iter().filter(|(name, _)| names.contains(name)) {
            let tensors = Tensors::random(dims, 21 + parts, takes_probabilities(name));
            // In turn: each meets every size, every loss and all parts, if not every three of them.
            let multiple = [1, 4, 8][case % 3];
            case += 1;
            assert_arena(gpu(), name, &loss, &Arena::aligned(&tensors, parts, multiple));
        }
    }
}

/// The same around the sizes of octets, strides and tiles.
#[test]
fn accesses_may_end_anywhere() {
    let _turn = turn();
    let map = Loss::bce().reduction(Reduction::None);
    let both = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    for n in [
        3, 4, 5, 7, 8, 9, 13, 63, 64, 65, 66, 71, 127, 129, 2047, 2049, 4095, 16_383, 16_384, 16_385, 20_479, 20_481,
        20_485, 70_003,
    ] {
        let tensors = Tensors::random(&[1, 1, n], 5, false);
        for (parts, multiple) in [(0, 1), (1, 4), (2, 8), (3, 8), (0, 64), (3, 64)] {
            for gpu in crate::data::reducers() {
                for loss in [&both, &map] {
                    assert_arena(&gpu, "ends", loss, &Arena::aligned(&tensors, parts, multiple));
                }
            }
        }
    }
}

/// A device of the chosen adapter with its limits changed, and no features.
pub(crate) fn limited(change: impl FnOnce(&mut wgpu::Limits)) -> Gpu {
    limited_with(wgpu::Features::empty(), change)
}

/// The same with those of these features that the adapter has.
pub(crate) fn limited_with(features: wgpu::Features, change: impl FnOnce(&mut wgpu::Limits)) -> Gpu {
    let mut limits = wgpu::Limits::default();
    change(&mut limits);
    // No more than the tests' own device has.
    device::with(&device::adapter(gpu().adapter_info()), features & gpu().device().features(), limits)
}

#[test]
fn a_device_with_default_limits_and_no_features_is_enough() {
    let _turn = turn();
    let gpu = limited(|_| ());
    assert_eq!(gpu.reducer(), segloss::Reducer::Tree);
    for dims in [&[2, 3, 1000], &[2, 3, 4000]] {
        let tensors = Tensors::random(dims, 21, false);
        for (parts, multiple) in (0..4).flat_map(|parts| [1, 4, 8].map(|multiple| (parts, multiple))) {
            let arena = Arena::aligned(&tensors, parts, multiple);
            assert_arena(&gpu, "default limits", &Loss::dice().smooth(1.0).with(0.5, Loss::bce()), &arena);
        }
    }
}

/// The least that `Gpu::from_wgpu` takes gives every value; two storage buffers more, every gradient and voxel map.
#[test]
fn the_smallest_device_is_enough() {
    let _turn = turn();
    for buffers in [4, 6] {
        let gpu = limited(|limits| {
            limits.max_compute_invocations_per_workgroup = 64;
            limits.max_compute_workgroup_size_x = 64;
            limits.max_compute_workgroup_storage_size = 8192;
            limits.max_storage_buffers_per_shader_stage = buffers;
        });
        for (name, loss) in losses().into_iter().filter(|(_, loss)| buffers == 6 || !loss.is_voxel_map()) {
            for dims in [&[2, 3, 1000][..], &[1, 1, 70_001], &[300, 1, 7], &[3, 40, 65]] {
                let tensors = Tensors::random(dims, 23, takes_probabilities(name));
                let batch = tensors.batch(0);
                let batch = if buffers == 6 { batch.with_gradient() } else { batch };
                let output = gpu.evaluate(&loss, &batch).unwrap();
                assert_matches(&format!("{buffers} buffers, {name} {dims:?}"), &loss, &batch, &output);
            }
        }
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
    for dims in [&[1, 1, 16_000][..], &[1, 2, 50_001], &[3, 4, 9000], &[40, 3, 500], &[900, 2, 60]] {
        let tensors = Tensors::random(dims, 24, false);
        for multiple in [1, 4, 8] {
            assert_arena(&gpu, "windows of one buffer", &loss, &Arena::aligned(&tensors, 3, multiple));
        }
    }
    let map = Loss::bce().reduction(Reduction::None);
    let tensors = Tensors::random(&[2, 1, 50_000], 7, false);
    let batch = tensors.batch(1);
    let output = gpu.evaluate(&map, &batch).unwrap();
    assert_matches("map in windows", &map, &batch, &output);
}

/// The two halves, one after the other, leave the bits of the whole: in one dispatch or several, with sums or counts.
#[test]
fn halves_are_the_whole() {
    let _turn = turn();
    let losses = [Loss::dice().with(0.5, Loss::bce()), Loss::jaccard().smooth(1.0).hard(0.4)];
    for (gpu, loss) in crate::data::reducers().iter().flat_map(|gpu| losses.iter().map(move |loss| (gpu, loss))) {
        for dims in [&[1, 1, 64, 64][..], &[3, 2, 700], &[3, 2, 9001], &[60, 1, 40], &[1, 1, 140_001]] {
            let tensors = Tensors::random(dims, 43, false);
            let problem = Problem::new(tensors.shape.clone());
            let problem = if loss.statistics()[0].is_count() { problem } else { problem.with_gradient() };
            let arena = Arena::new(&tensors, 0);
            let buffer = arena.upload(gpu);
            let buffers = arena.buffers(&buffer);
            let buffers = Buffers { gradient: buffers.gradient.filter(|_| problem.gradient), ..buffers };
            let plan = gpu.plan(loss, &problem).unwrap();
            let scratch = scratch(gpu, plan.scratch_size());
            let bound = plan.bind(&buffers, (&scratch).into()).unwrap();
            let run = |record: &[&dyn Fn(&mut wgpu::CommandEncoder)]| {
                for record in record {
                    let mut encoder = gpu.device().create_command_encoder(&Default::default());
                    record(&mut encoder);
                    gpu.queue().submit([encoder.finish()]);
                }
                (bound.read_blocking().unwrap(), download(gpu, &buffer))
            };
            let whole = run(&[&|encoder| bound.encode(encoder)]);
            let (mut batch, mut output) = (tensors.batch(0), whole.0.clone());
            if problem.gradient {
                let gradient = &whole.1[arena.places[4]..][..tensors.shape.elements()];
                output = output.with_gradient(gradient.iter().map(|&w| f32::from_bits(w)).collect());
                batch = batch.with_gradient();
            }
            assert_matches(&format!("{dims:?}"), loss, &batch, &output);
            let halves = run(&[&|encoder| bound.encode_sums(encoder), &|encoder| bound.encode_loss(encoder)]);
            assert!(halves == whole, "{dims:?}, {loss:?}");
        }
    }
}

#[test]
fn sums_may_be_added_up_between_the_halves() {
    let _turn = turn();
    [500, 5000].into_iter().for_each(assert_sums_add_up);
}

fn assert_sums_add_up(voxels: usize) {
    // Two halves of a batch on "two devices", pooled over the batch: the sums of both go into the first.
    let tensors = Tensors::random(&[4, 3, voxels], 41, false);
    let loss = Loss::dice().smooth(1.0).pool(Pool::All);
    let half = tensors.shape.elements() / 2;
    let shape = segloss::Shape::new(&[2, 3, voxels]).unwrap();
    let halves = [0, half].map(|from| Tensors {
        shape: shape.clone(),
        logits: tensors.logits[from..from + half].to_vec(),
        targets: tensors.targets[from..from + half].to_vec(),
        mask: vec![1.0; shape.mask_elements()],
        weights: vec![1.0; half],
        shared_weights: vec![1.0; shape.mask_elements()],
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
    [300, 6000].into_iter().for_each(assert_changes);
}

fn assert_changes(voxels: usize) {
    let tensors = Tensors::random(&[2, 2, voxels], 51, false);
    let arena = Arena::new(&tensors, 0);
    let buffer = arena.upload(gpu());
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    let plan = gpu().plan(&loss, &arena.problem()).unwrap();
    let scratch = scratch(gpu(), plan.scratch_size());
    let mut bound = plan.bind(&arena.buffers(&buffer), (&scratch).into()).unwrap();
    let mut next = Loss::dice().smooth(2.0).with(0.125, Loss::bce());
    if let Measure::BinaryCrossEntropy(bce) = &mut next.terms[1].measure {
        bce.positive_weights = vec![0.5, 3.0];
    }
    bound.set_loss(&next).unwrap();
    bound.set_upstream(-3.0).unwrap();
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

    // The second half alone, from the same sums: the smaller gradient's peak is its own. Whoever never reads finds it, too.
    bound.set_upstream(0.5).unwrap();
    let mut encoder = gpu().device().create_command_encoder(&Default::default());
    bound.encode_loss(&mut encoder);
    gpu().queue().submit([encoder.finish()]);
    let output = bound.read_blocking().unwrap();
    let peak = got.iter().fold(0.0_f32, |peak, g| peak.max(g.abs())) / 6.0;
    assert!((output.gradient_peak().unwrap() - peak).abs() <= 1e-6 * peak, "{:?}, not {peak}", output.gradient_peak());
    let words = download(gpu(), &scratch);
    let word = |range: std::ops::Range<u64>| f32::from_bits(words[range.start as usize / 4]);
    assert_eq!((word(plan.value_range()), Some(word(plan.peak_range()))), (output.value(), output.gradient_peak()));
    assert_eq!(words[..plan.counters_range().end as usize / 4], [0; 4]);
    assert!(bound.set_loss(&Loss::dice()).unwrap_err().to_string().contains("structure"));
}
