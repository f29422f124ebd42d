//! The soft Dice loss by Burn and by segloss, by turns on the same adapter.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [EXPONENT…]`, on the adapter that `WGPU_BACKEND` and
//! `WGPU_ADAPTER_NAME` choose, for 2^EXPONENT voxels (2^20 and 2^24 without arguments). The loss is that of sigmoid
//! logits, 1 − (2I + 1)/(P + T + 1), of one sample and class, in f32.
//!
//! * **Burn** evaluates it as one writes it there, from tensor operations, on its wgpu backend with fusion; the
//!   gradient comes from its autodiff. `--features autotune`, which Burn's own default features include, lets it try
//!   several kernels and keep the fastest; without, it takes them unseen.
//! * **segloss** evaluates a plan that is bound already.
//!
//! Each has a device of its own, made its own way. The run fails where these are not on the same adapter.
//!
//! # What is timed
//!
//! Logits and targets lie on the device. A time runs from the first operation, or from recording, until the host has
//! the loss and, for forward + gradient, the gradient lies on the device. Burn computes lazily, so there the device is
//! synchronised once the loss is read, while the gradient is held; segloss's loss is read after the one submission
//! that computes both. Uploading, compiling, binding and reading the gradient are not timed.
//!
//! After rounds to warm up the two take turns; the table gives the medians of their times. Rounds alternate between
//! two sets of logits and each loss is compared with the host's, so one kept from the round before would not pass.
//! Gradients are compared in every round before those that count, and in the last of them.

mod by_burn;
mod by_segloss;
mod host;

use std::time::{Duration, Instant};

use host::{Expected, Inputs};

/// Rounds before those that count: in them Burn decides what to fuse, and tunes.
const WARM_UP: usize = 6;
/// Rounds that count.
const ROUNDS: usize = 15;

/// What is evaluated.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Forward,
    ForwardAndGradient,
}

/// One side of the comparison, with a problem's data on its device.
trait Peer {
    /// Returns the loss of a set of logits, once its gradient, if asked for, lies on the device.
    fn evaluate(&mut self, direction: Direction, set: usize) -> f32;

    /// Reads the gradient of the latest evaluation that had one.
    fn gradient(&self) -> Vec<f32>;
}

/// A side by turns: how far off it may be, how far off it was, and how long it took.
struct Contestant<'a> {
    name: &'static str,
    peer: &'a mut dyn Peer,
    value_tolerance: f64,
    gradient_tolerance: f64,
    value_error: f64,
    gradient_error: Option<f64>,
    times: Vec<Duration>,
}

impl<'a> Contestant<'a> {
    fn new(name: &'static str, peer: &'a mut dyn Peer, value_tolerance: f64, gradient_tolerance: f64) -> Self {
        let (value_error, gradient_error, times) = (0.0, None, Vec::new());
        Self { name, peer, value_tolerance, gradient_tolerance, value_error, gradient_error, times }
    }

    /// One evaluation, its loss proven.
    fn evaluate(&mut self, direction: Direction, set: usize, expected: &Expected) -> Duration {
        let start = Instant::now();
        let value = self.peer.evaluate(direction, set);
        let time = start.elapsed();
        let error = (f64::from(value) - expected.value).abs();
        assert!(error <= self.value_tolerance, "{}'s loss is {value}, not {}", self.name, expected.value);
        self.value_error = self.value_error.max(error);
        time
    }

    /// Proves the gradient of the latest evaluation, if it had one. Errors are relative to the largest gradient.
    fn prove_gradient(&mut self, direction: Direction, expected: &Expected) {
        if direction == Direction::ForwardAndGradient {
            let error = expected.gradient_error(&self.peer.gradient());
            assert!(error <= self.gradient_tolerance, "{}'s gradient is off by {error} of its peak", self.name);
            self.gradient_error = Some(self.gradient_error.unwrap_or_default().max(error));
        }
    }

    fn milliseconds(&mut self) -> f64 {
        self.times.sort_unstable();
        self.times[self.times.len() / 2].as_secs_f64() * 1e3
    }
}

/// Proves both sides, times them by turns, and prints their row.
fn compare(exponent: u32, direction: Direction, expected: &[Expected], mut sides: [Contestant; 2]) {
    for round in 0..WARM_UP + ROUNDS {
        let set = round % expected.len();
        let expected = &expected[set];
        for side in &mut sides {
            let time = side.evaluate(direction, set, expected);
            if round >= WARM_UP {
                side.times.push(time);
            }
            if round < WARM_UP || round + 1 == WARM_UP + ROUNDS {
                side.prove_gradient(direction, expected);
            }
        }
    }
    let name = match direction {
        Direction::Forward => "forward",
        Direction::ForwardAndGradient => "forward + gradient",
    };
    let [burn, segloss] = &mut sides;
    let [burn_ms, segloss_ms] = [burn.milliseconds(), segloss.milliseconds()];
    let off = |error: Option<f64>| error.map_or("–".to_owned(), |error| format!("{error:.1e}"));
    println!(
        "{:>6}  {name:<18}  {:>8} {:>8}  {:>8} {:>8}  {burn_ms:>9.3} {segloss_ms:>9.3}  {:>6.2}",
        format!("2^{exponent}"),
        off(Some(burn.value_error)),
        off(Some(segloss.value_error)),
        off(burn.gradient_error),
        off(segloss.gradient_error),
        burn_ms / segloss_ms
    );
}

/// The exponents of the numbers of voxels.
fn exponents() -> Result<Vec<u32>, String> {
    let parse = |argument: String| match argument.parse() {
        Ok(exponent @ 0..=28) => Ok(exponent),
        _ => Err(format!("{argument:?} is no exponent of the number of voxels: give 0 to 28, or several")),
    };
    let given = std::env::args().skip(1).map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(if given.is_empty() { vec![20, 24] } else { given })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exponents = exponents()?;
    let gpu = segloss::Gpu::new()?;
    let (device, burn_adapter) = by_burn::device_on(gpu.adapter_info())?;
    for (name, info) in [("Burn", &burn_adapter), ("segloss", gpu.adapter_info())] {
        let driver = format!("{} {}", info.driver, info.driver_info);
        println!("{name:<8} on {} ({}, {})", info.name, info.backend, driver.trim());
    }
    if burn_adapter != *gpu.adapter_info() {
        return Err("these are different adapters".into());
    }
    let autotune = if cfg!(feature = "autotune") { "with" } else { "without" };
    println!("\nBurn {autotune} autotune; medians of {ROUNDS} rounds by turns; errors are the largest seen\n");
    println!("{:26}  {:^17}  {:^17}  {:>19}", "", "error of the loss", "… of its gradient", "milliseconds");
    println!(
        "voxels  {:<18}  {:>8} {:>8}  {:>8} {:>8}  {:>9} {:>9}  {:>6}",
        "direction", "Burn", "segloss", "Burn", "segloss", "Burn", "segloss", "ratio"
    );
    for exponent in exponents {
        let inputs = Inputs::new(1 << exponent);
        let expected = inputs.expected();
        for direction in [Direction::Forward, Direction::ForwardAndGradient] {
            let mut burn = by_burn::Burn::new(&device, &inputs, direction);
            let mut segloss = by_segloss::Segloss::new(&gpu, &inputs, direction)?;
            let sides =
                [Contestant::new("Burn", &mut burn, 1e-4, 1e-3), Contestant::new("segloss", &mut segloss, 1e-6, 1e-5)];
            compare(exponent, direction, &expected, sides);
        }
    }
    Ok(())
}
