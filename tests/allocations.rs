//! A planned evaluation allocates no more on the host than a bare dispatch and read-back, and makes no wgpu objects.
//!
//! A test binary of its own, since it counts what the whole process allocates.

use std::alloc::System;

use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{Buffers, Gpu, Loss, Output, Problem, Shape};
use segloss_bench::Bare;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The fewest allocations of a call, of many.
fn allocations(mut call: impl FnMut()) -> usize {
    let mut count = || {
        let before = ALLOCATOR.stats();
        call();
        let made = ALLOCATOR.stats() - before;
        made.allocations + made.reallocations
    };
    (0..200).map(|_| count()).min().unwrap()
}

/// Submits and waits: what wgpu allocates for a result depends on whether the device is done when it is asked for.
fn submit(gpu: &Gpu, encoder: wgpu::CommandEncoder) {
    gpu.queue().submit([encoder.finish()]);
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
}

fn buffer(gpu: &Gpu, size: u64, usage: Usage) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

/// Live objects of every kind but command encoders, which wgpu pools.
fn objects(gpu: &Gpu) -> [isize; 6] {
    let hal = gpu.device().get_internal_counters().hal;
    [&hal.buffers, &hal.bind_groups, &hal.bind_group_layouts, &hal.compute_pipelines, &hal.shader_modules, &hal.fences]
        .map(|counter| counter.read())
}

#[test]
fn an_evaluation_allocates_no_more_than_a_bare_dispatch() {
    let gpu = Gpu::new().expect("the GPU tests need an adapter");
    let tensor = || buffer(&gpu, 4 * 4096, Usage::STORAGE);
    let (logits, targets, gradient) = (tensor(), tensor(), tensor());
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    let problem = Problem::new(Shape::new(&[1, 1, 64, 64]).unwrap());
    for (problem, buffers, outputs) in [
        (problem.clone(), Buffers::new(&logits, &targets), 0),
        (problem.with_gradient(), Buffers::new(&logits, &targets).with_gradient(&gradient), 1),
    ] {
        // As many inputs and outputs as the evaluation has: GL records a command for each.
        let bare = Bare::new(&gpu, 5, outputs);
        let expected = allocations(|| {
            let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            bare.record(&mut encoder);
            submit(&gpu, encoder);
            assert!(bare.read().unwrap() > 0);
        });
        let plan = gpu.plan(&loss, &problem).unwrap();
        let scratch = buffer(&gpu, plan.scratch_size(), Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
        let bound = plan.bind(&buffers, (&scratch).into()).unwrap();
        let mut output = Output::default();
        let mut evaluate = || {
            let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            bound.encode(&mut encoder);
            submit(&gpu, encoder);
            bound.read_into_blocking(&mut output).unwrap();
        };
        evaluate();
        let before = objects(&gpu);
        let counted = allocations(&mut evaluate);
        assert_eq!(objects(&gpu), before);
        println!("{counted} allocations, {expected} of the bare dispatch and read-back");
        assert!(counted <= expected, "{counted} allocations, the bare dispatch and read-back makes {expected}");
        // Of zeros: p = ½ and nothing to find, 1 − 1/(2048 + 1), and ln 2 of cross-entropy.
        let value = 1.0 - 1.0 / 2049.0 + 0.5 * std::f32::consts::LN_2;
        assert!((output.value() - value).abs() <= 1e-6, "{}", output.value());
    }
}
