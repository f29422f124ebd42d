//! GB/s of an evaluation, forward and forward with gradient, beside a plain copy of as many bytes.
//!
//! `cargo bench` on the adapter that `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose. Every result is compared with the
//! reference before it is timed. Bytes are those that must move: forward reads logits and targets, the gradient
//! reads them again and is written; the copy reads one half of as many and writes the other. A time runs from recording to
//! the end of the work on the device.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use segloss::wgpu::{self, BufferUsages as Usage, util::DeviceExt};
use segloss::{Batch, Bound, Buffers, Gpu, Loss, Shape, reference};

/// Logits in ±10 and binary targets, from a fixed multiplicative sequence.
fn tensors(voxels: usize) -> (Vec<f32>, Vec<f32>) {
    let random = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(15).wrapping_mul(0x85eb_ca6b) >> 8;
    let logits = (0..voxels).map(|i| random(2 * i) as f32 * (20.0 / (1 << 24) as f32) - 10.0).collect();
    (logits, (0..voxels).map(|i| (random(2 * i + 1) % 2) as f32).collect())
}

fn buffer(gpu: &Gpu, size: u64, usage: Usage) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

fn upload(gpu: &Gpu, data: &[f32]) -> wgpu::Buffer {
    let contents = &data.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage: Usage::STORAGE })
}

/// Records, submits and waits.
fn run(gpu: &Gpu, record: impl Fn(&mut wgpu::CommandEncoder)) {
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    record(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device is alive");
}

/// Binds a loss to data, evaluates it once and compares value and gradient with the reference.
fn proven(gpu: &Gpu, loss: &Loss, batch: &Batch, buffers: &Buffers, gradient: &wgpu::Buffer) -> Bound {
    let problem = batch.problem();
    let plan = gpu.plan(loss, problem).expect("the loss can be planned");
    let scratch = buffer(gpu, plan.scratch_size(), Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
    let bound = plan.bind(buffers, (&scratch).into()).expect("the buffers fit");
    run(gpu, |encoder| bound.encode(encoder));
    let output = bound.read_blocking().expect("the data is finite");
    let expected = reference::evaluate(loss, batch).expect("the data is finite");
    let error = (f64::from(output.value()) - expected.value).abs();
    assert!(error <= 1e-6, "the loss is {}, not {}", output.value(), expected.value);
    if let Some(want) = expected.gradient {
        let staging = buffer(gpu, gradient.size(), Usage::MAP_READ | Usage::COPY_DST);
        run(gpu, |encoder| encoder.copy_buffer_to_buffer(gradient, 0, &staging, 0, gradient.size()));
        staging.map_async(wgpu::MapMode::Read, .., |result| result.expect("the gradient can be read"));
        gpu.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device is alive");
        let bytes = staging.get_mapped_range(..).expect("the gradient can be read");
        let got = bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        let peak = want.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
        let error = got.zip(&want).fold(0.0_f64, |worst, (got, want)| worst.max((got - want).abs()));
        assert!(error <= 1e-5 * peak, "the gradient is off by {error}, its peak is {peak}");
    }
    bound
}

fn evaluate(criterion: &mut Criterion) {
    let gpu = Gpu::new().expect("the benchmark needs an adapter");
    let info = gpu.adapter_info();
    println!("adapter: {} ({}, {}), {:?} reducer\n", info.name, info.backend, info.driver_info, gpu.reducer());
    let losses = [("dice", Loss::dice()), ("dice + bce", Loss::dice().with(1.0, Loss::bce()))];
    for exponent in [20, 24] {
        let voxels = 1 << exponent;
        let shape = Shape::new(&[1, 1, voxels]).expect("a small shape");
        let (logits, targets) = tensors(voxels);
        let batch = Batch::new(&shape, &logits, &targets).expect("data of this shape");
        let [logits, targets] = [&logits, &targets].map(|data| upload(&gpu, data));
        let gradient = buffer(&gpu, 4 * voxels as u64, Usage::STORAGE | Usage::COPY_SRC);
        let forward = Buffers::new(&logits, &targets);
        let both = forward.with_gradient(&gradient);
        let directions =
            [("forward", 8, batch.clone(), forward), ("forward + gradient", 20, batch.with_gradient(), both)];
        for (direction, bytes_per_voxel, batch, buffers) in directions {
            let mut group = criterion.benchmark_group(format!("{direction}, 2^{exponent} voxels"));
            group.sample_size(20);
            let bytes = bytes_per_voxel * voxels as u64;
            group.throughput(Throughput::BytesDecimal(bytes));
            for (name, loss) in &losses {
                let bound = proven(&gpu, loss, &batch, &buffers, &gradient);
                group.bench_function(*name, |bencher| bencher.iter(|| run(&gpu, |encoder| bound.encode(encoder))));
            }
            let [from, to] = [Usage::COPY_SRC, Usage::COPY_DST].map(|usage| buffer(&gpu, bytes / 2, usage));
            let copy = |encoder: &mut wgpu::CommandEncoder| encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes / 2);
            group.bench_function("copy", |bencher| bencher.iter(|| run(&gpu, copy)));
            group.finish();
        }
    }
}

criterion_group!(benches, evaluate);
criterion_main!(benches);
