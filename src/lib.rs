//! Segmentation losses and overlap metrics on any GPU.
//!
//! segloss evaluates Dice and its family, cross-entropies and focal losses through [`wgpu`] and WGSL compute shaders: the loss, its
//! gradient with respect to the logits, and the sums both are made of, from one read of the data per direction and in one
//! submission.
//!
//! ```
//! use segloss::{Batch, Gpu, Loss, Shape};
//!
//! # #[rustfmt::skip]
//! let prediction = [
//!     0.01, 0.03, 0.02, 0.02,
//!     0.05, 0.12, 0.09, 0.07,
//!     0.89, 0.85, 0.88, 0.91,
//!     0.99, 0.97, 0.95, 0.97,
//! ];
//! let truth = [[0.0; 8], [1.0; 8]].concat();
//!
//! let gpu = Gpu::new()?;
//! let shape = Shape::new(&[1, 1, 4, 4])?;
//! let loss = Loss::dice().probabilities();
//! let out = gpu.evaluate(&loss, &Batch::new(&shape, &prediction, &truth)?.with_gradient())?;
//!
//! // 1 − 2I/(P + T) with I = 7.41, P = 7.82, T = 8.
//! assert!((out.value() - (1.0 - 2.0 * 7.41 / 15.82)).abs() < 1e-6);
//! assert!((out.sums()[0][0].intersection() - 7.41).abs() < 1e-6);
//! assert_eq!(out.gradient().map(<[f32]>::len), Some(16));
//! # Ok::<(), segloss::Error>(())
//! ```
//!
//! # Losses
//!
//! A [`Loss`] is plain data: a weighted sum of terms, each an [`Overlap`] or a sum over voxels. Nearly all overlap losses are one
//! formula,
//!
//! ```text
//! s = (f·I + smooth_numerator) / max(f·(I + α(P−I) + β(T−I)) + smooth_denominator, floor)
//! ```
//!
//! of the intersection I = Σ p·t and the cardinalities P = Σ pᵏ and T = Σ tᵏ, k = 1 or 2, taken per sample and class or
//! over a [`Pool`] of them, [mapped](Map) to 1 − s, s, −s, −ln s or (1 − s)^γ and [reduced](Reduction) to one number.
//!
//! ```
//! use segloss::{Loss, Pool};
//!
//! let batch_dice = Loss::dice().smooth(1e-5).pool(Pool::Batch);
//! let compound = Loss::dice().smooth(1.0).with(0.5, Loss::bce());
//! let focal_tversky = Loss::tversky(0.7, 0.3).map(segloss::Map::Power { gamma: 0.75 });
//! # let _ = (batch_dice, compound, focal_tversky);
//! ```
//!
//! The losses of other libraries stand in [`peers`] under their own names, with their own arguments and defaults, and
//! give their numbers. Its page shows class by class how their conventions differ; `docs/porting.md` has each line in Python
//! beside the one in Rust.
//!
//! Rows may be weighted before they are pooled, values after it; classes selected; empty targets given a rule of their own; means
//! taken by weights or over what is left; see [`loss`]. [`Focal`](loss::Focal) losses and cross-entropies are sums over voxels with
//! as many choices.
//!
//! # Metrics
//!
//! A loss with a [threshold](Loss::hard) compares hard masks, and its sums are exact counts. [`Gpu::counts`] gives them per
//! sample and class, and [`metrics`] says what is made of them; the metrics of other libraries stand in [`peers`], too.
//!
//! # Formats
//!
//! [`Logits`] and [`Targets`] say how tensors are stored: floats of 32 and 16 bits, bytes, bits, label maps. Everything is computed in
//! f32. Labels are compared with the class of the row that reads them, never expanded.
//!
//! ```
//! use segloss::{Batch, Gpu, Labels, Loss, Shape};
//!
//! let shape = Shape::new(&[1, 2, 4])?;
//! let logits = [2.0, -1.0, 0.5, 3.0, -2.0, 1.0, 0.5, -3.0];
//! let batch = Batch::new(&shape, &logits, Labels::I64(&[0, 1, -100, 0]))?;
//! let loss = Loss::dice().smooth(1.0).ignore_index(-100);
//! let out = Gpu::new()?.evaluate(&loss, &batch)?;
//! assert_eq!(out.sums()[0][1].count, 3);
//! # Ok::<(), segloss::Error>(())
//! ```
//!
//! # Gradients
//!
//! An overlap loss is a function of each row's sums alone, so by the chain rule its gradient is linear in the data,
//!
//! ```text
//! dL/dp = ∂L/∂I · t + ∂L/∂P · k·pᵏ⁻¹          dp/dz = σ(z)·σ(−z)
//! ```
//!
//! with two numbers per row that are known once the sums are. Cross-entropy adds (p − t)·∂L/∂ℓ. The gradient pass reads
//! the logits once more and writes each element once; it does not know which loss it serves. Dice's gradients are large
//! where the structure to find is small: the example `gradient_diagnostics` shows how large, and every evaluation with a gradient
//! reports its [peak](Output::gradient_peak).
//!
//! # Data on the GPU
//!
//! [`Gpu::evaluate`] takes host memory. Where the data lies in GPU buffers already, [`Gpu::plan`] and [`Plan::bind`] do the
//! work once and [`Bound::encode`] records it into your own encoder as often as you like:
//!
//! ```
//! use segloss::wgpu::{self, BufferUsages};
//! use segloss::{Buffers, Gpu, Loss, Problem, Shape};
//!
//! let gpu = Gpu::new()?; // or Gpu::from_wgpu(device, queue)?
//! let buffer = |size, usage| {
//!     let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
//!     gpu.device().create_buffer(&descriptor)
//! };
//! // Yours: f32, row-major, filled by earlier work or by `gpu.queue().write_buffer`.
//! let [logits, targets] = [0, 1].map(|_| buffer(4 * 8192, BufferUsages::STORAGE | BufferUsages::COPY_DST));
//! let gradient = buffer(4 * 8192, BufferUsages::STORAGE); // and COPY_SRC, to copy it back to the host
//!
//! let problem = Problem::new(Shape::new(&[2, 1, 64, 64])?).with_gradient();
//! let plan = gpu.plan(&Loss::dice().smooth(1.0), &problem)?;
//! let scratch = buffer(plan.scratch_size(), BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST);
//! let bound = plan.bind(&Buffers::new(&logits, &targets).with_gradient(&gradient), (&scratch).into())?;
//!
//! let mut encoder = gpu.device().create_command_encoder(&Default::default());
//! bound.encode(&mut encoder); // records, nothing else
//! gpu.queue().submit([encoder.finish()]);
//! let out = bound.read_blocking()?; // only when the host wants the numbers; the gradient stays in its buffer
//! # // All zeros: p = ½ everywhere and nothing to find.
//! # assert!((out.value() - (1.0 - 1.0 / 2049.0)).abs() < 1e-6);
//! # Ok::<(), segloss::Error>(())
//! ```
//!
//! # Promises
//!
//! * **Determinism.** The same device, driver and input give the same bits, run after run, if the buffers are placed alike: data at
//!   multiples of 16 or 32 bytes is read by wider accesses, and added up in another order. No float atomics.
//! * **Precision.** For |z| ≤ 20 (or p in [0, 1]), t in [0, 1] and up to 2³⁰ voxels, sums lie within 1e-6 relative of the f64 [`mod@reference`], overlap losses
//!   within 1e-6 absolute, gradients within 1e-5 of their largest element. Counts of hard masks are exact. With squared
//!   cardinalities, and of the Matthews correlation, an element of the gradient is the difference of two summands, which may cancel (a·t and 2b·p as p comes near t): it lies within
//!   1e-7 of those. What overflows an f32 is infinite, or NaN.
//! * **Memory.** Beyond inputs and gradient: at most 1 MiB + 64 B × rows × terms, whatever the number of voxels up to 2³⁴.
//!   [`scratch_size`] says how much before there is a device. Apart stand the chunks of planes that exceed a binding, at most 16 MiB, and
//!   what tells their dispatches apart.
//! * **Size.** Tensors beyond the device's binding limit are bound in windows. A row has at most 2³² − 2¹⁶ voxels; there are
//!   as many rows as have room for their sums and groups in one binding, [`scratch_size`] in all: 2.7 million of Dice in 128 MiB.
//! * **Bad input.** What is not a finite number is counted, wherever it lies (masked and ignored voxels, too), left out of the sums, has gradient 0 and becomes
//!   [`Error::BadValues`] when the result is read.
//! * **Nothing hidden.** No fallback to the CPU, no submission that was not asked for, no global state.
//!
//! # Features
//!
//! * `serde`: (de)serialisation of [`Loss`] and of the [`peers`].
//!
//! The crate is coupled with wgpu 30 and re-exports it.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/porting.md")]
struct Porting;

mod adapter;
mod batch;
mod bound;
mod buffers;
mod chunks;
mod data;
mod dispatch;
mod error;
mod evaluate;
mod format;
mod geometry;
mod gpu;
mod guard;
mod kernel;
mod layout;
pub mod loss;
pub mod metrics;
mod output;
mod params;
pub mod peers;
mod plan;
mod problem;
mod readback;
pub mod reference;
mod shape;
mod sharing;
mod sums;
mod turn;

#[cfg(not(target_arch = "wasm32"))]
pub use adapter::adapters;
pub use adapter::{AdapterChoice, Choice, choose};
pub use batch::Batch;
pub use bound::Bound;
pub use buffers::{BufferRange, Buffers};
pub use data::{Labels, Logits, Targets};
pub use error::{BadValues, Error};
pub use format::{AxisOrder, ByteScale, LabelFormat, LogitsFormat, TargetFormat};
pub use gpu::{Gpu, Reducer, Tuning};
pub use half;
pub use loss::{Activation, Loss, Map, Overlap, Pool, Reduction, Statistic};
pub use output::Output;
pub use plan::{Plan, scratch_size};
pub use problem::{Problem, VoxelWeights};
pub use shape::Shape;
pub use sums::Sums;
pub use wgpu;
