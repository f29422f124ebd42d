//! What a small evaluation costs beside a bare dispatch and read-back of one number through the same device.
//!
//! `cargo bench --bench small` on the adapter that `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose. The two take turns, call
//! by call, so that what else the machine does meets both; printed are the medians and their ratio.

use std::time::{Duration, Instant};

use segloss::wgpu::{CommandEncoder, CommandEncoderDescriptor};
use segloss::{Gpu, Output};
use segloss_bench::{Bare, Case, Direction, Workload, cases};

const CALLS: usize = 4000;

fn submit(gpu: &Gpu, record: impl FnOnce(&mut CommandEncoder)) {
    let mut encoder = gpu.device().create_command_encoder(&CommandEncoderDescriptor::default());
    record(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn compare(gpu: &Gpu, case: &Case, direction: Direction, calls: usize) {
    let workload = Workload::new(gpu, case, 64 * 64).expect("the case is right");
    let bare = Bare::new(gpu, 0, 0);
    let count = || {
        submit(gpu, |encoder| bare.record(encoder));
        bare.read().expect("the number can be read")
    };
    let mut output = Output::default();
    let (mut own, mut least, mut last) = (vec![], vec![], count());
    for _ in 0..calls {
        let start = Instant::now();
        submit(gpu, |encoder| workload.record(direction, encoder));
        workload.read(direction, &mut output).expect("the data is finite");
        own.push(start.elapsed());
        let start = Instant::now();
        let number = count();
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
