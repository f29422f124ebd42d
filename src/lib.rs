//! segloss
mod adapter;
mod batch;
mod bound;
mod buffers;
mod error;
mod evaluate;
mod geometry;
mod gpu;
mod kernel;
mod layout;
pub mod loss;
mod output;
mod params;
pub mod peers;
mod plan;
mod problem;
mod readback;
pub mod reference;
mod shape;
mod sums;

#[cfg(not(target_arch = "wasm32"))]
pub use adapter::adapters;
pub use adapter::{AdapterChoice, Choice, choose};
pub use batch::Batch;
pub use bound::Bound;
pub use buffers::{BufferRange, Buffers};
pub use error::{BadValues, Error};
pub use gpu::{Gpu, Reducer};
pub use loss::{Activation, Loss, Map, Overlap, Pool, Reduction, Statistic};
pub use output::Output;
pub use plan::{Plan, scratch_size};
pub use problem::{LogitsFormat, Problem, TargetFormat};
pub use shape::Shape;
pub use sums::Sums;
pub use wgpu;
