//! 10,000 evaluations of mixed sizes by 8 threads through one context: the bits of one thread, and neither memory nor wgpu
//! objects grow.
//!
//! A test binary of its own, since it measures the memory of the whole process.

use segloss::{Batch, Gpu, Loss, Output, Shape, wgpu};

const THREADS: usize = 8;

/// Around the edges of the short tile, the workgroup and the problem of one dispatch.
const SIZES: [usize; 7] = [1, 63, 64, 65, 1000, 4096, 20_000];

/// Logits in ±8 and targets of two in five, both by a multiplicative hash.
fn tensors(n: usize) -> (Shape, Vec<f32>, Vec<f32>) {
    let hash = |i: usize| (i as u32 ^ n as u32).wrapping_mul(0x9e37_79b9) >> 16;
    let logits = (0..n).map(|i| hash(i) as f32 / 4096.0 - 8.0).collect();
    let targets = (0..n).map(|i| f32::from(u8::from(hash(i + n) % 5 < 2))).collect();
    (Shape::new(&[1, 1, n]).unwrap(), logits, targets)
}

#[test]
fn ten_thousand_evaluations_by_eight_threads() {
    let gpu = Gpu::new().expect("the GPU tests need an adapter");
    let loss = Loss::dice().with(0.5, Loss::bce());
    let cases: Vec<_> = SIZES.into_iter().map(tensors).collect();
    let evaluate = |case: usize| {
        let (shape, logits, targets) = &cases[case];
        gpu.evaluate(&loss, &Batch::new(shape, logits, targets).unwrap().with_gradient()).unwrap()
    };
    let bits = |output: &Output| {
        let gradient: Vec<_> = output.gradient().unwrap().iter().map(|value| value.to_bits()).collect();
        (output.value().to_bits(), output.sums().to_vec(), gradient)
    };
    let expected: Vec<_> = (0..cases.len()).map(|case| bits(&evaluate(case))).collect();
    let round = |evaluations: usize| {
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (expected, evaluate, bits) = (&expected, &evaluate, &bits);
                scope.spawn(move || {
                    for index in 0..evaluations / THREADS {
                        let case = (index * 5 + thread) % expected.len();
                        assert!(bits(&evaluate(case)) == expected[case], "thread {thread}, evaluation {index}");
                    }
                });
            }
        });
        gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
        (resident(), objects(&gpu))
    };
    let (memory, before) = round(2000);
    let (memory_after, after) = round(8000);
    println!("resident: {memory} KiB after 2,000 evaluations, {memory_after} KiB after 10,000; objects {after:?}");
    // Eight plans are kept, of whichever sizes were last: at most a dozen buffers and as many bind groups each.
    for (before, after) in before.into_iter().zip(after) {
        assert!(after <= before.max(8 * 12), "{before} objects, then {after}");
    }
    assert!(memory_after <= memory + 16 * 1024, "{memory} KiB, then {memory_after} KiB");
}

/// Live buffers, bind groups and pipelines.
fn objects(gpu: &Gpu) -> [isize; 3] {
    let hal = gpu.device().get_internal_counters().hal;
    [&hal.buffers, &hal.bind_groups, &hal.compute_pipelines].map(|counter| counter.read())
}

/// The memory that this process holds, in KiB, where the system says so.
fn resident() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
