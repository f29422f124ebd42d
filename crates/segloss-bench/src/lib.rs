//! How segloss is measured.
//!
//! A [`Case`] is a loss and the format of its data. [`measure`] gives it data on the device, compares its value and every
//! element of its gradient with the f64 reference, and only then times it, in turns with a copy that moves as many bytes.
//! The command `segloss bench` and the benchmarks of the library print what comes out.

mod bare;
mod case;
mod clock;
mod copy;
mod data;
mod row;
mod storage;
mod workload;

pub use bare::Bare;
pub use case::{Case, cases};
pub use copy::Copy;
pub use row::{Direction, Measured, Row, measure};
pub use workload::Workload;

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The library refused or the device failed.
    #[error(transparent)]
    Library(#[from] segloss::Error),
    /// The device does not hold the tensors.
    #[error("{what} of {bytes} bytes does not fit in a buffer of the device, which has at most {limit} bytes")]
    DoesNotFit {
        /// Which tensor.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The device's limit.
        limit: u64,
    },
    /// The tensors take more memory than was granted.
    #[error("its tensors take {bytes} bytes, more than the {memory} allowed")]
    Memory {
        /// The size of logits, targets and gradient.
        bytes: u64,
        /// What they may take.
        memory: u64,
    },
    /// An evaluation is not what the reference says, so its time means nothing.
    #[error("{case} of {voxels} voxels is wrong: {what} is off by {error:.1e}, at most {allowed:.1e} is promised")]
    Wrong {
        /// The case.
        case: &'static str,
        /// Its voxels.
        voxels: u64,
        /// The number that is wrong.
        what: &'static str,
        /// By how much.
        error: f64,
        /// By how much it may be.
        allowed: f64,
    },
}

impl Failure {
    /// Whether there is only too much data for the device or the memory allowed: fewer voxels would do.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        let library = |error: &_| matches!(error, segloss::Error::TooLarge { .. });
        matches!(self, Self::DoesNotFit { .. } | Self::Memory { .. })
            || matches!(self, Self::Library(error) if library(error))
    }
}
