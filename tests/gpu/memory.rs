//! Device memory beyond inputs and gradient: at most 1 MiB + 64 B × rows × terms.

use segloss::wgpu::BufferUsages as Usage;
use segloss::{Buffers, Loss, Problem, Shape, scratch_size};

use crate::buffers::scratch;
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
