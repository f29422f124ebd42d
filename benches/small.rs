//! What a small evaluation costs beside a bare dispatch and read-back of one number through the same device.
//!
//! `cargo bench --bench small` on the adapter that `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose. The two take turns, call
//! by call, so that what else the machine does meets both; printed are the medians and their ratio.

use std::time::{Duration, Instant};

use segloss::wgpu::{self, BufferUsages as Usage, CommandEncoder};
use segloss::{Gpu, Output};
use segloss_bench::{Case, Direction, Workload, cases};

const CALLS: usize = 4000;

fn buffer(gpu: &Gpu, size: u64, usage: Usage) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

fn submit(gpu: &Gpu, record: impl FnOnce(&mut CommandEncoder)) {
    let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    record(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
}

/// One dispatch of one invocation that writes one number, which is copied and mapped.
fn bare(gpu: &Gpu) -> impl Fn() -> u32 {
    let source = "@group(0) @binding(0) var<storage, read_write> number: u32;
        @compute @workgroup_size(1) fn count() { number = number + 1u; }";
    let module = gpu.device().create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = gpu.device().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let number = buffer(gpu, 4, Usage::STORAGE | Usage::COPY_SRC);
    let result = buffer(gpu, 4, Usage::MAP_READ | Usage::COPY_DST);
    let bindings = gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: number.as_entire_binding() }],
    });
    let gpu = gpu.clone();
    move || {
        submit(&gpu, |encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bindings, &[]);
            pass.dispatch_workgroups(1, 1, 1);
            drop(pass);
            encoder.copy_buffer_to_buffer(&number, 0, &result, 0, 4);
        });
        result.map_async(wgpu::MapMode::Read, .., |_| ());
        gpu.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device is alive");
        let view = result.get_mapped_range(..).expect("the number can be read");
        let counted = u32::from_ne_bytes([view[0], view[1], view[2], view[3]]);
        drop(view);
        result.unmap();
        counted
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn compare(gpu: &Gpu, case: &Case, direction: Direction, calls: usize) {
    let workload = Workload::new(gpu, case, 64 * 64).expect("the case is right");
    let bare = bare(gpu);
    let mut output = Output::default();
    let (mut own, mut least, mut last) = (vec![], vec![], bare());
    for _ in 0..calls {
        let start = Instant::now();
        submit(gpu, |encoder| workload.record(direction, encoder));
        workload.read(direction, &mut output).expect("the data is finite");
        own.push(start.elapsed());
        let start = Instant::now();
        let number = bare();
        least.push(start.elapsed());
        assert_eq!(number, last + 1, "every dispatch has run");
        last = number;
    }
    let (own, least) = (median(own), median(least));
    println!(
        "{:<32}{:<10}{own:>9.1} µs{least:>9.1} µs{:>8.2}",
        case.name,
        format!("{direction:?}").to_lowercase(),
        own / least
    );
}

fn main() {
    // What `cargo bench -- --test` asks for: that it runs, not how fast.
    let calls = if std::env::args().any(|arg| arg == "--test") { 10 } else { CALLS };
    let gpu = Gpu::new().expect("the benchmark needs an adapter");
    let info = gpu.adapter_info();
    println!("adapter: {} ({}, {})\n", info.name, info.backend, info.driver_info);
    println!("{:<32}{:<10}{:>12}{:>12}{:>8}", "1×1×64×64", "", "evaluation", "bare", "ratio");
    for case in &cases()[..2] {
        for direction in [Direction::Forward, Direction::Both] {
            compare(&gpu, case, direction, calls);
        }
    }
}
