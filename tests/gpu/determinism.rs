//! Same device, same input, same bits.

use segloss::Loss;

use crate::buffers::{Arena, run};
use crate::data::{Tensors, reducers, turn};

#[test]
fn two_runs_give_the_same_bits() {
    let _turn = turn();
    let loss = Loss::dice().with(0.5, Loss::bce()).with(0.1, Loss::dice().squared());
    for gpu in reducers() {
        for dims in [&[1, 1, 1_000_003][..], &[40, 3, 700], &[5000, 2, 9]] {
            let tensors = Tensors::random(dims, 61, false);
            let arena = Arena::new(&tensors, 3);
            let bits = |(output, gradient): (Result<segloss::Output, _>, Vec<f32>)| {
                let output: segloss::Output = output.unwrap();
                let sums: Vec<_> = (0..3).flat_map(|s| output.sums()[s].to_vec()).collect();
                let gradient: Vec<u32> = gradient.iter().map(|g| g.to_bits()).collect();
                (output.value().to_bits(), sums, output.gradient_peak().map(f32::to_bits), gradient)
            };
            let first = bits(run(&gpu, &loss, &arena));
            for _ in 0..4 {
                assert!(bits(run(&gpu, &loss, &arena)) == first, "{dims:?} {:?}", gpu.reducer());
            }
        }
    }
}
