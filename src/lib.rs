//! segloss
mod batch;
mod error;
pub mod loss;
pub mod peers;
mod plan;
mod problem;
pub mod reference;
mod shape;
mod sums;

pub use batch::Batch;
pub use error::{BadValues, Error};
pub use loss::{Activation, Loss, Map, Overlap, Pool, Reduction, Statistic};
pub use problem::{LogitsFormat, Problem, TargetFormat};
pub use shape::Shape;
pub use sums::Sums;
