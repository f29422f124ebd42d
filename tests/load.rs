//! 10,000 evaluations of mixed losses, formats and sizes by 8 threads through one context: the bits of one thread, as many
//! wgpu objects as before, and memory that does not grow steadily.
//!
//! A test binary of its own, since it measures the memory of the whole process.

use segloss::{Batch, Gpu, Labels, Loss, Output, Shape, Targets, wgpu};

const THREADS: usize = 8;
/// Evaluations of a window: the first warms up, until all threads have met all cases, and the others are compared.
const WINDOW: usize = 1000;
const WINDOWS: usize = 10;

/// What the best of the windows may leave behind, in bytes an evaluation: whole pages that the allocator keeps. Of some windows it is
/// hundreds; what leaks does so in all.
const MOST_GROWTH: i64 = 128;
/// What all of them may leave behind.
const MOST_OF_ALL: i64 = 2048;

/// Targets of one of the formats.
enum Stored {
    Numbers(Vec<f32>),
    Bits(Vec<u32>),
    Labels(Vec<u8>),
}

struct Case {
    loss: Loss,
    shape: Shape,
    logits: Vec<f32>,
    targets: Stored,
    mask: Option<Vec<f32>>,
}

impl Case {
    /// Logits in ±8, targets of two in five, labels of which all classes are some, and a mask that keeps three of four: all by
    /// a multiplicative hash.
    fn new(loss: Loss, dims: &[usize], targets: fn(Vec<u32>, &Shape) -> Stored, is_masked: bool) -> Self {
        let shape = Shape::new(dims).unwrap();
        let (elements, entries) = (shape.elements(), shape.mask_elements());
        let hash = |i: usize| (i as u32 ^ elements as u32).wrapping_mul(0x9e37_79b9) >> 16;
        let logits = (0..elements).map(|i| hash(i) as f32 / 4096.0 - 8.0).collect();
        let targets = targets((elements..2 * elements).map(hash).collect(), &shape);
        let mask = is_masked.then(|| (0..entries).map(|i| f32::from(u8::from(hash(i + 7) % 4 > 0))).collect());
        Self { loss, shape, logits, targets, mask }
    }

    fn batch(&self) -> Batch<'_> {
        let targets = match &self.targets {
            Stored::Numbers(numbers) => numbers.into(),
            Stored::Bits(words) => Targets::Bits(words),
            Stored::Labels(labels) => Labels::U8(labels).into(),
        };
        let batch = Batch::new(&self.shape, &self.logits, targets).unwrap().with_gradient();
        self.mask.iter().fold(batch, |batch, mask| batch.with_mask(mask).unwrap())
    }
}

fn is_foreground(hash: u32) -> bool {
    hash % 5 < 2
}

fn numbers(hashes: Vec<u32>, _: &Shape) -> Stored {
    Stored::Numbers(hashes.into_iter().map(|hash| f32::from(u8::from(is_foreground(hash)))).collect())
}

fn bits(hashes: Vec<u32>, _: &Shape) -> Stored {
    let word = |hashes: &[u32]| hashes.iter().rev().fold(0, |word, &hash| word << 1 | u32::from(is_foreground(hash)));
    Stored::Bits(hashes.chunks(32).map(word).collect())
}

fn labels(hashes: Vec<u32>, shape: &Shape) -> Stored {
    let entries = hashes.into_iter().take(shape.mask_elements());
    Stored::Labels(entries.map(|hash| (hash % shape.classes() as u32) as u8).collect())
}

/// Around the edges of the short tile, the workgroup and the problem of one dispatch; rows and columns. As many as a context keeps
/// plans, so that after one of each it keeps these.
fn cases() -> [Case; 8] {
    let sigmoid = || Loss::dice().with(0.5, Loss::bce());
    let softmax = || Loss::dice().softmax().with(0.5, Loss::cross_entropy());
    [
        Case::new(sigmoid(), &[1, 1, 1], numbers, false),
        Case::new(sigmoid(), &[1, 1, 64], numbers, false),
        Case::new(sigmoid(), &[3, 1, 65], bits, true),
        Case::new(sigmoid(), &[1, 5, 819], bits, false),
        Case::new(sigmoid(), &[1, 1, 20_000], numbers, false),
        Case::new(softmax(), &[2, 3, 63], labels, false),
        Case::new(softmax(), &[1, 4, 1000], labels, true),
        Case::new(softmax(), &[1, 4, 5000], labels, true),
    ]
}

#[test]
fn ten_thousand_evaluations_by_eight_threads() {
    let gpu = Gpu::new().expect("the GPU tests need an adapter");
    let cases = cases();
    let evaluate = |case: usize| gpu.evaluate(&cases[case].loss, &cases[case].batch()).unwrap();
    let bits = |output: &Output| {
        let words = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        (words(&[output.value()]), words(output.terms()), output.sums().to_vec(), words(output.gradient().unwrap()))
    };
    let expected: Vec<_> = (0..cases.len()).map(|case| bits(&evaluate(case))).collect();
    let window = || {
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (expected, evaluate, bits) = (&expected, &evaluate, &bits);
                scope.spawn(move || {
                    for index in 0..WINDOW / THREADS {
                        let case = (index * 5 + thread) % expected.len();
                        assert!(bits(&evaluate(case)) == expected[case], "thread {thread}, evaluation {index}");
                    }
                });
            }
        });
        // What is kept depends on which thread came last, until each case has been evaluated once more, by one.
        (0..cases.len()).for_each(|case| assert!(bits(&evaluate(case)) == expected[case], "case {case}"));
        gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
        (objects(&gpu), resident())
    };
    let windows: Vec<_> = (0..WINDOWS).map(|_| window()).collect();
    for (index, (objects, _)) in windows.iter().enumerate() {
        assert_eq!(*objects, windows[0].0, "objects after window {index}, and after the first");
    }
    let Some(kib) = windows.iter().map(|window| window.1).collect::<Option<Vec<i64>>>() else {
        println!("skipped: how much memory a process holds, which is not known here");
        return;
    };
    let growths: Vec<_> = kib.windows(2).map(|pair| 1024 * (pair[1] - pair[0]) / WINDOW as i64).collect();
    println!("objects: {:?}; {kib:?} KiB, {growths:?} bytes an evaluation", windows[0].0);
    assert!(growths.iter().any(|&growth| growth <= MOST_GROWTH), "{growths:?} bytes an evaluation");
    assert!(growths.iter().sum::<i64>() <= MOST_OF_ALL * growths.len() as i64, "{growths:?} bytes an evaluation");
}

/// Live objects of every kind but command encoders, which wgpu pools.
fn objects(gpu: &Gpu) -> [isize; 6] {
    let hal = gpu.device().get_internal_counters().hal;
    [&hal.buffers, &hal.bind_groups, &hal.bind_group_layouts, &hal.compute_pipelines, &hal.shader_modules, &hal.fences]
        .map(|counter| counter.read())
}

/// The memory that this process holds, in KiB, where the system says so.
fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
