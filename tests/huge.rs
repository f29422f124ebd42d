//! 300 million voxels: the promised precision where rounding has had the most chances, and windows on adapters that bind
//! no more than 128 MiB.
//!
//! The inputs come from an integer hash that host and GPU compute bit-equally, so that neither uploads them; the
//! reference works through them in chunks. Takes 4 GB of memory and, unless optimised, an hour:
//! `cargo test --release --test huge -- --ignored`.

use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{Batch, Buffers, Gpu, Loss, Problem, Reducer, Shape, Sums, reference};

const VOXELS: usize = 300_000_007;
const CHUNK: usize = 1 << 21;

/// z = ±20 in steps of 5/2^18, t = 0, 1 or a multiple of 2^-16: every step exact in f32, so fused or reordered
/// arithmetic gives the same bits. The hash is murmur3's finaliser.
const FILL: &str = "
    struct Window { first: u32, count: u32 }
    @group(0) @binding(0) var<uniform> window: Window;
    @group(0) @binding(1) var<storage, read_write> logits: array<f32>;
    @group(0) @binding(2) var<storage, read_write> targets: array<f32>;

    fn hash(index: u32) -> u32 {
        var h = index ^ 0x9e3779b9u;
        h = (h ^ (h >> 16u)) * 0x85ebca6bu;
        h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
        return h ^ (h >> 16u);
    }

    @compute @workgroup_size(256)
    fn fill(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>) {
        for (var i = id.x; i < window.count; i = i + 256u * grid.x) {
            let index = window.first + i;
            logits[i] = f32(i32(hash(2u * index) >> 11u) - 1048576) * (5.0 / 262144.0);
            let h = hash(2u * index + 1u);
            targets[i] = select(f32(h >> 31u), f32(h >> 16u) / 65536.0, (h & 1u) == 1u);
        }
    }
";

fn hash(index: u32) -> u32 {
    let mut h = index ^ 0x9e37_79b9;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

fn logit(index: usize) -> f32 {
    ((hash(2 * index as u32) >> 11) as i32 - (1 << 20)) as f32 * (5.0 / 262_144.0)
}

fn target(index: usize) -> f32 {
    let h = hash(2 * index as u32 + 1);
    if h & 1 == 1 { (h >> 16) as f32 / 65536.0 } else { (h >> 31) as f32 }
}

/// Voxels `first..first + CHUNK` (or up to the end) as host data.
struct Chunk {
    first: usize,
    shape: Shape,
    logits: Vec<f32>,
    targets: Vec<f32>,
}

impl Chunk {
    fn new(first: usize) -> Self {
        let indices = first..(first + CHUNK).min(VOXELS);
        let shape = Shape::new(&[1, 1, indices.len()]).unwrap();
        Self { first, shape, logits: indices.clone().map(logit).collect(), targets: indices.map(target).collect() }
    }

    fn batch(&self) -> Batch<'_> {
        Batch::new(&self.shape, &self.logits, &self.targets).unwrap()
    }

    /// All of them, on every core.
    fn map<T: Send>(work: impl Fn(Self) -> T + Sync) -> Vec<T> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let firsts: Vec<_> = (0..VOXELS).step_by(CHUNK).collect();
        let work = &work;
        std::thread::scope(|scope| {
            let share = |firsts: &[usize]| firsts.iter().map(|&first| work(Self::new(first))).collect::<Vec<_>>();
            let shares = firsts.chunks(firsts.len().div_ceil(cores));
            let threads: Vec<_> = shares.map(|firsts| scope.spawn(move || share(firsts))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }
}

fn tensor(gpu: &Gpu, usage: Usage) -> wgpu::Buffer {
    let size = 4 * VOXELS as u64;
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

/// Logits and targets, filled window by window.
fn fill(gpu: &Gpu) -> [wgpu::Buffer; 2] {
    use wgpu::util::DeviceExt;
    let device = gpu.device();
    let source = wgpu::ShaderSource::Wgsl(FILL.into());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("fill"),
        compilation_options: Default::default(),
        cache: None,
    });
    let tensors = [tensor(gpu, Usage::STORAGE), tensor(gpu, Usage::STORAGE)];
    for first in (0..VOXELS).step_by(1 << 24) {
        let count = (VOXELS - first).min(1 << 24);
        let window = [(first as u32).to_le_bytes(), (count as u32).to_le_bytes(), [0; 4], [0; 4]].concat();
        let descriptor = wgpu::util::BufferInitDescriptor { label: None, contents: &window, usage: Usage::UNIFORM };
        let window = device.create_buffer_init(&descriptor);
        let size = std::num::NonZero::new(4 * count as u64);
        let part = |buffer| wgpu::BufferBinding { buffer, offset: 4 * first as u64, size };
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: window.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Buffer(part(&tensors[0])) },
                wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::Buffer(part(&tensors[1])) },
            ],
        });
        let mut encoder = device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bind_group, &[]);
        pass.dispatch_workgroups(1024, 1, 1);
        drop(pass);
        gpu.queue().submit([encoder.finish()]);
    }
    tensors
}

/// `count` floats from element `first` on.
fn download(gpu: &Gpu, buffer: &wgpu::Buffer, first: usize, count: usize) -> Vec<f32> {
    let usage = Usage::MAP_READ | Usage::COPY_DST;
    let size = 4 * count as u64;
    let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
    let staging = gpu.device().create_buffer(&descriptor);
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 4 * first as u64, &staging, 0, size);
    gpu.queue().submit([encoder.finish()]);
    staging.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let bytes = staging.get_mapped_range(..).unwrap();
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[test]
#[ignore = "takes 4 GB and an optimised build; CI runs it once"]
fn three_hundred_million_voxels_keep_the_promised_precision() {
    let gpu = Gpu::new().expect("the GPU tests need an adapter");
    println!("adapter: {} ({})", gpu.adapter_info().name, gpu.adapter_info().backend);
    let shape = Shape::new(&[1, 1, VOXELS]).unwrap();
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    let statistics = loss.statistics();

    let parts = Chunk::map(|chunk| reference::accumulate(&statistics, &chunk.batch()));
    let sums: Vec<Vec<Sums>> =
        (0..statistics.len()).map(|s| vec![reference::combine(parts.iter().map(|part| part[s][0]))]).collect();
    let expected = reference::finalize(&loss, &shape, &sums);

    let [logits, targets] = fill(&gpu);
    let gradient = tensor(&gpu, Usage::STORAGE | Usage::COPY_SRC);
    for reducer in [Reducer::Tree, Reducer::Subgroup] {
        let Some(gpu) = gpu.with_reducer(reducer) else {
            println!("skipped: the {reducer:?} reducer, which this device lacks");
            continue;
        };
        println!("reducer: {reducer:?}");
        let plan = gpu.plan(&loss, &Problem::new(shape.clone()).with_gradient()).unwrap();
        let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let size = plan.scratch_size();
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        let scratch = gpu.device().create_buffer(&descriptor);
        let bound = plan.bind(&Buffers::new(&logits, &targets).with_gradient(&gradient), (&scratch).into()).unwrap();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        bound.encode(&mut encoder);
        gpu.queue().submit([encoder.finish()]);
        let output = bound.read_blocking().unwrap();

        for (s, rows) in sums.iter().enumerate() {
            assert_eq!(output.sums()[s][0].count, VOXELS as u64);
            for (got, want) in output.sums()[s][0].values.iter().zip(rows[0].values) {
                assert!((got - want).abs() <= 1e-6 * want, "a sum of statistic {s} is {got}, not {want}");
            }
        }
        for (got, want) in output.terms().iter().zip(&expected.terms) {
            assert!((f64::from(*got) - want).abs() <= 1e-6, "a term is {got}, not {want}");
        }
        assert!((f64::from(output.value()) - expected.value).abs() <= 1e-6 * expected.value.abs().max(1.0));

        let (errors, peaks): (Vec<f64>, Vec<f64>) = Chunk::map(|chunk| {
            let want = reference::gradient(&statistics, &expected.coefficients, &chunk.batch());
            let got = download(&gpu, &gradient, chunk.first, want.len());
            let error = |(&got, &want): (&f32, &f64)| (f64::from(got) - want).abs();
            let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
            (largest(&mut got.iter().zip(&want).map(error)), largest(&mut want.iter().map(|g| g.abs())))
        })
        .into_iter()
        .unzip();
        let (error, peak) = (errors.into_iter().fold(0.0, f64::max), peaks.into_iter().fold(0.0, f64::max));
        println!("value {}, largest gradient {peak:.3e}, largest error {:.1e} of it", output.value(), error / peak);
        assert!(error <= 1e-5 * peak, "an element of the gradient is off by {error}; the largest is {peak}");
        let reported = f64::from(output.gradient_peak().unwrap());
        assert!((reported - peak).abs() <= 1e-5 * peak, "the peak is {reported}, not {peak}");
    }
}
