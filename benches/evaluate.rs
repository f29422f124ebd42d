//! GB/s of every case in every direction, beside a plain copy of as many bytes.
//!
//! `cargo bench` on the adapter that `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose. Every result is compared with the
//! reference before it is timed. Bytes are those that must move: forward reads logits and targets in their formats, the gradient
//! reads them again and is written (of a softmax over more than 32 classes, each counts its logits twice); the copy reads one
//! half of as many and writes the other. A time runs from recording to the end of the work on the device. What takes more than
//! 4 GiB or does not fit in the device's buffers is left out, and said. `segloss bench` measures the same cases on the device's
//! own clock.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use segloss::{Gpu, wgpu};
use segloss_bench::{Copy, Direction, Workload, cases};

/// What the tensors of a case may take.
const MEMORY: u64 = 4 << 30;

/// Records, submits and waits.
fn run(gpu: &Gpu, record: impl Fn(&mut wgpu::CommandEncoder)) {
    let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    record(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device is alive");
}

fn evaluate(criterion: &mut Criterion) {
    let gpu = Gpu::new().expect("the benchmark needs an adapter");
    let info = gpu.adapter_info();
    println!("adapter: {} ({}, {}), {:?} reducer\n", info.name, info.backend, info.driver_info, gpu.reducer());
    for (case, exponent) in cases().iter().flat_map(|case| [16, 20, 24].map(|exponent| (case, exponent))) {
        let workload = match case.fits(1 << exponent, MEMORY).and_then(|()| Workload::new(&gpu, case, 1 << exponent)) {
            Err(failure) if failure.is_too_large() => {
                println!("{} at 2^{exponent} voxels is left out: {failure}", case.name);
                continue;
            }
            workload => workload.expect("the case is right"),
        };
        let mut group = criterion.benchmark_group(format!("{}, 2^{exponent} voxels", case.name));
        group.sample_size(20);
        for direction in Direction::ALL {
            let bytes = direction.bytes(case, 1 << exponent);
            let copy = Copy::new(&gpu, bytes);
            group.throughput(Throughput::BytesDecimal(bytes));
            let name = format!("{direction:?}").to_lowercase();
            let record = |encoder: &mut wgpu::CommandEncoder| workload.record(direction, encoder);
            group.bench_function(&name, |bencher| bencher.iter(|| run(&gpu, record)));
            let record = |encoder: &mut wgpu::CommandEncoder| copy.record(encoder);
            group.bench_function(format!("{name}, a copy"), |bencher| bencher.iter(|| run(&gpu, record)));
        }
        group.finish();
    }
}

criterion_group!(benches, evaluate);
criterion_main!(benches);
