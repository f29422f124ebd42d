//! Device memory beyond inputs and gradient: at most 1 MiB + 64 B × rows × terms.

use segloss::wgpu::BufferUsages as Usage;
use segloss::{Buffers, Loss, Problem, Shape, scratch_size};

use crate::buffers::{limited, scratch};
use crate::data::{gpu, turn};

#[test]
fn own_buffers_and_scratch_stay_within_the_bound() {
    let _turn = turn();
    let losses = [Loss::dice(), Loss::dice().smooth(1.0).with(0.5, Loss::bce())];
    for dims in [&[1, 1, 64, 64][..], &[1, 1, 1 << 22], &[3, 7, 10_000], &[1_000_000, 1, 2], &[1000, 1000]] {
        let problem = Problem::new(Shape::new(dims).unwrap()).with_gradient();
        for loss in &losses {
            let plan = gpu().plan(loss, &problem).unwrap();
            assert_eq!(plan.scratch_size(), scratch_size(loss, &problem).unwrap());
            let tensor = || {
                let descriptor = segloss::wgpu::BufferDescriptor {
                    label: None,
                    size: 4 * problem.shape.elements() as u64,
                    usage: Usage::STORAGE,
                    mapped_at_creation: false,
                };
                gpu().device().create_buffer(&descriptor)
            };
            let (logits, targets, gradient) = (tensor(), tensor(), tensor());
            let scratch = scratch(gpu(), plan.scratch_size());
            let buffers = Buffers::new(&logits, &targets).with_gradient(&gradient);
            let bound = plan.bind(&buffers, (&scratch).into()).unwrap();
            let bytes = bound.own_bytes() + scratch.size();
            let limit = (1 << 20) + 64 * problem.shape.rows() as u64 * loss.terms.len() as u64;
            assert!(bytes <= limit, "{dims:?}: {bytes} bytes, promised are {limit}");
            println!("{dims:?}, {} terms: {bytes} of {limit} bytes", loss.terms.len());
        }
    }
}

/// What a binding says it takes is what the device sees it take, but for the rounding of three small buffers.
#[test]
fn own_bytes_are_those_that_the_device_counts() {
    let _turn = turn();
    let gpu = limited(|_| ());
    let problem = Problem::new(Shape::new(&[50, 400, 65]).unwrap()).with_gradient();
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    let plan = gpu.plan(&loss, &problem).unwrap();
    let scratch = scratch(&gpu, plan.scratch_size());
    let tensor = || {
        let size = 4 * problem.shape.elements() as u64;
        let descriptor =
            segloss::wgpu::BufferDescriptor { label: None, size, usage: Usage::STORAGE, mapped_at_creation: false };
        gpu.device().create_buffer(&descriptor)
    };
    let (logits, targets, gradient) = (tensor(), tensor(), tensor());
    let buffers = Buffers::new(&logits, &targets).with_gradient(&gradient);
    // Uploads under way would count, too.
    let counted = || {
        gpu.queue().submit([]);
        gpu.device().poll(segloss::wgpu::PollType::wait_indefinitely()).unwrap();
        let counters = gpu.device().get_internal_counters().hal;
        (counters.buffers.read(), counters.buffer_memory.read() as u64)
    };
    let (buffers_before, bytes_before) = counted();
    let bound = plan.bind(&buffers, (&scratch).into()).unwrap();
    let (buffers_after, bytes_after) = counted();
    assert_eq!(buffers_after - buffers_before, 4, "the loss, its class weights, the parameters and the result");
    if bytes_before == 0 {
        println!("skipped: {} does not count bytes", gpu.adapter_info().backend);
        return;
    }
    let (said, seen) = (bound.own_bytes() + bound.readback_bytes(), bytes_after - bytes_before);
    assert!((said..said + 4096).contains(&seen), "{said} bytes, {seen} of the device's memory");
}
