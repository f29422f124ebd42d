//! Threads that share a plan, each with buffers of its own, and threads that panic while they wait for the device.
//!
//! On GL every test here holds the tests' turn, too, though its own threads get in each other's way: they wait for the one
//! context of GL for as long as a small evaluation takes, those of another test for as long as its kernels compile, which wgpu's
//! GL backend stands for some seconds only.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{AdapterChoice, Bound, Buffers, Gpu, Loss, Output, Plan, Problem, Shape};

use crate::buffers::{download, scratch};
use crate::data::{Tensors, assert_matches, gpu, turn};

const THREADS: usize = 4;
const ROUNDS: usize = 50;

/// An odd row, so that the second begins within a quad.
const DIMS: [usize; 3] = [1, 2, 701];

fn loss(smooth: f64) -> Loss {
    Loss::dice().smooth(smooth).with(0.5, Loss::bce())
}

fn tensors(thread: usize, round: usize) -> Tensors {
    Tensors::random(&DIMS, (1000 + ROUNDS * thread + round) as u32, false)
}

/// What a thread has of its own.
struct Own {
    bound: Bound,
    logits: wgpu::Buffer,
    targets: wgpu::Buffer,
    gradient: wgpu::Buffer,
}

impl Own {
    fn new(plan: &Plan) -> Self {
        let size = 4 * plan.problem().shape.elements() as u64;
        let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        let [logits, targets, gradient] = [(); 3].map(|()| gpu().device().create_buffer(&descriptor));
        let scratch = scratch(gpu(), plan.scratch_size());
        let buffers = Buffers::new(&logits, &targets).with_gradient(&gradient);
        let bound = plan.bind(&buffers, (&scratch).into()).unwrap();
        Self { bound, logits, targets, gradient }
    }

    /// The numbers, the gradient among them.
    fn evaluate(&self, tensors: &Tensors) -> Output {
        for (buffer, data) in [(&self.logits, &tensors.logits), (&self.targets, &tensors.targets)] {
            let bytes: Vec<u8> = data.iter().flat_map(|number| number.to_le_bytes()).collect();
            gpu().queue().write_buffer(buffer, 0, &bytes);
        }
        let mut encoder = gpu().device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.bound.encode(&mut encoder);
        gpu().queue().submit([encoder.finish()]);
        let output = self.bound.read_blocking().unwrap();
        output.with_gradient(download(gpu(), &self.gradient).into_iter().map(f32::from_bits).collect())
    }
}

fn plan() -> Plan {
    gpu().plan(&loss(1.0), &Problem::new(Shape::new(&DIMS).unwrap()).with_gradient()).unwrap()
}

/// The bits of a value and its gradient.
fn bits(output: &Output) -> Vec<u32> {
    [output.value()].iter().chain(output.gradient().unwrap()).map(|number| number.to_bits()).collect()
}

/// Runs what each thread does in each round side by side, and one after the other with one set of buffers: the same bits.
#[track_caller]
fn assert_same_side_by_side(evaluate: impl Fn(&mut Own, usize, usize) -> Output + Sync) {
    let plan = plan();
    let mut one = Own::new(&plan);
    let rounds = |own: &mut Own, thread| (0..ROUNDS).map(|round| bits(&evaluate(own, thread, round))).collect();
    let expected: Vec<Vec<Vec<u32>>> = (0..THREADS)
        .map(|thread| {
            one.bound.set_loss(&loss(1.0)).unwrap();
            one.bound.set_upstream(1.0).unwrap();
            rounds(&mut one, thread)
        })
        .collect();
    let found: Vec<Vec<Vec<u32>>> = std::thread::scope(|scope| {
        let (plan, rounds) = (&plan, &rounds);
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || rounds(&mut Own::new(plan), thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (thread, (found, expected)) in found.iter().zip(&expected).enumerate() {
        for (round, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(found == expected, "thread {thread}, round {round}");
        }
    }
    // All of them are different, or it would not show if they were mixed up.
    let mut all = expected.concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), THREADS * ROUNDS);
}

#[test]
fn threads_share_a_plan() {
    let _turn = turn();
    assert_same_side_by_side(|own, thread, round| {
        let tensors = tensors(thread, round);
        let output = own.evaluate(&tensors);
        if round == 0 {
            assert_matches(&format!("thread {thread}"), &loss(1.0), &tensors.batch(0).with_gradient(), &output);
        }
        output
    });
}

/// A thread's loss and upstream gradient are those of its own bound plan, though the plan is everybody's. A power of two scales
/// every element exactly.
#[test]
fn what_a_thread_sets_is_its_own() {
    let _turn = turn();
    assert_same_side_by_side(|own, thread, round| {
        let tensors = tensors(thread, round);
        if thread > 0 {
            let output = own.evaluate(&tensors);
            assert_eq!(own.bound.plan().loss(), &loss(1.0));
            return output;
        }
        let set = loss(0.25 * (round % 7) as f64);
        own.bound.set_loss(&set).unwrap();
        own.bound.set_upstream(1.0).unwrap();
        let once = own.evaluate(&tensors);
        let upstream = 2_f32.powi(round as i32 % 9 - 4);
        own.bound.set_upstream(upstream).unwrap();
        let output = own.evaluate(&tensors);
        assert_eq!(output.value().to_bits(), once.value().to_bits(), "round {round}");
        for (scaled, plain) in output.gradient().unwrap().iter().zip(once.gradient().unwrap()) {
            assert_eq!(*scaled, upstream * plain, "round {round}");
        }
        if round % 10 == 0 {
            assert_matches(&format!("round {round}"), &set, &tensors.batch(0).with_gradient(), &once);
        }
        output
    });
}

/// What the device is to call when work is done is called by whichever thread polls it, in the middle of an evaluation. If that
/// panics, so does the evaluation; no lock that it holds stays poisoned for those that come after, or are there already.
#[test]
fn a_panic_in_an_evaluation_is_its_own() {
    let _turn = turn();
    let own = Gpu::with_adapter(&AdapterChoice::Auto).unwrap();
    let tensors = tensors(0, 0);
    let batch = tensors.batch(0).with_gradient();
    let loss = loss(1.0);
    let expected = own.evaluate(&loss, &batch).unwrap();
    assert_matches("before", &loss, &batch, &expected);
    let panics = AtomicUsize::new(0);
    let evaluate = || match catch_unwind(AssertUnwindSafe(|| own.evaluate(&loss, &batch))) {
        Ok(output) => assert_eq!(output.unwrap(), expected),
        Err(panic) => {
            assert_eq!(panic.downcast_ref(), Some(&"a callback of the caller's"));
            panics.fetch_add(1, Ordering::Relaxed);
        }
    };
    // By one thread, then another.
    own.queue().on_submitted_work_done(|| panic!("a callback of the caller's"));
    std::thread::scope(|scope| scope.spawn(evaluate).join().unwrap());
    assert_eq!(panics.load(Ordering::Relaxed), 1);
    evaluate();
    std::thread::scope(|scope| scope.spawn(evaluate).join().unwrap());
    assert_eq!(panics.load(Ordering::Relaxed), 1);
    // Side by side: whichever it is that panics.
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (own, evaluate) = (&own, &evaluate);
            scope.spawn(move || {
                for round in 0..10 {
                    if (round + thread) % 3 == 0 {
                        own.queue().on_submitted_work_done(|| panic!("a callback of the caller's"));
                    }
                    evaluate();
                }
            });
        }
    });
    assert!(panics.load(Ordering::Relaxed) > 1);
    evaluate();
}
