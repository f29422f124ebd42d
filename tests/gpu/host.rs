//! `Gpu::evaluate` on host data: what the plan API does, in one call, any number of times.

use segloss::{Bound, Buffers, Gpu, Loss, Problem, wgpu};

use crate::data::{Tensors, assert_matches, gpu, turn};

#[test]
fn evaluating_in_a_loop_and_from_many_threads_gives_the_same_numbers() {
    let _turn = turn();
    let tensors = Tensors::random(&[2, 2, 1000], 71, false);
    let loss = Loss::dice().with(0.5, Loss::bce());
    let first = gpu().evaluate(&loss, &tensors.batch(3).with_gradient()).unwrap();
    assert_matches("first", &loss, &tensors.batch(3).with_gradient(), &first);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let gpu: Gpu = gpu().clone();
                for _ in 0..5 {
                    assert_eq!(gpu.evaluate(&loss, &tensors.batch(3).with_gradient()).unwrap(), first);
                }
            });
        }
    });
}

/// What is kept of one problem is found by the same problem only, and holds nothing of the data before.
#[test]
fn problems_may_alternate() {
    let _turn = turn();
    let losses = [Loss::dice(), Loss::dice().smooth(1.0), Loss::bce().reduction(segloss::Reduction::None)];
    for round in 0..3 {
        for (index, dims) in [&[1, 1, 64, 64][..], &[2, 2, 5000], &[1, 1, 64, 63], &[0, 1, 4], &[40, 1, 9]]
            .into_iter()
            .cycle()
            .take(15)
            .enumerate()
        {
            let tensors = Tensors::random(dims, 100 * round + index as u32, false);
            let loss = &losses[index % 3];
            let batch = tensors.batch(index as u32 % 4).with_gradient();
            assert_matches(&format!("{dims:?}, round {round}"), loss, &batch, &gpu().evaluate(loss, &batch).unwrap());
        }
    }
    // An evaluation that fails leaves nothing behind.
    let mut tensors = Tensors::random(&[1, 1, 64, 64], 3, false);
    let sound = gpu().evaluate(&losses[0], &tensors.batch(0).with_gradient()).unwrap();
    let kept = std::mem::replace(&mut tensors.logits[7], f32::NAN);
    assert!(matches!(gpu().evaluate(&losses[0], &tensors.batch(0).with_gradient()), Err(segloss::Error::BadValues(_))));
    tensors.logits[7] = kept;
    assert_eq!(gpu().evaluate(&losses[0], &tensors.batch(0).with_gradient()).unwrap(), sound);
}

/// Many small evaluations in one submission, read with one wait.
#[test]
fn many_evaluations_are_read_at_once() {
    let _turn = turn();
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
    let tensors: Vec<_> = (0..20).map(|seed| Tensors::random(&[1, 1, 8, 7 + seed], seed as u32, false)).collect();
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let filled = |data: &[f32]| {
        let size = 4 * data.len() as u64;
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        let buffer = gpu().device().create_buffer(&descriptor);
        let bytes: Vec<u8> = data.iter().flat_map(|v| v.to_le_bytes()).collect();
        gpu().queue().write_buffer(&buffer, 0, &bytes);
        buffer
    };
    let bounds: Vec<Bound> = tensors
        .iter()
        .map(|tensors| {
            let plan = gpu().plan(&loss, &Problem::new(tensors.shape.clone())).unwrap();
            let [logits, targets] = [&tensors.logits, &tensors.targets].map(|data| filled(data));
            let scratch = filled(&vec![f32::NAN; plan.scratch_size() as usize / 4]);
            plan.bind(&Buffers::new(&logits, &targets), (&scratch).into()).unwrap()
        })
        .collect();
    assert_eq!(Bound::read_all_blocking(&bounds), Err(segloss::Error::NotEvaluated));
    for _ in 0..2 {
        let mut encoder = gpu().device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        bounds.iter().for_each(|bound| bound.encode(&mut encoder));
        gpu().queue().submit([encoder.finish()]);
        let outputs = Bound::read_all_blocking(&bounds).unwrap();
        assert_eq!(outputs.len(), tensors.len());
        for (tensors, output) in tensors.iter().zip(&outputs) {
            assert_matches(&format!("{:?}", tensors.shape), &loss, &tensors.batch(0), output);
        }
    }
}
