//! `Gpu::evaluate` on host data: what the plan API does, in one call, any number of times.

use segloss::{Gpu, Loss};

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
