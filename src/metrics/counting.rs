//! Counting on the GPU.

use super::CountTable;
use crate::{Batch, Error, Gpu, Loss, Statistic};

impl Gpu {
    /// The counts of a batch, which are the sums of the first term with a [threshold](Loss::hard).
    ///
    /// Where a loss's other numbers are wanted as well, call [`evaluate`](Self::evaluate) and give the sums to
    /// [`CountTable::from_sums`].
    ///
    /// # Errors
    /// Those of [`evaluate`](Self::evaluate); [`Error::Loss`] if no term has a threshold.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn counts(&self, loss: &Loss, batch: &Batch) -> Result<CountTable, Error> {
        let statistic = counting_statistic(loss)?;
        CountTable::from_sums(&self.evaluate(loss, batch)?.sums()[statistic], batch.shape())
    }

    /// The async twin of [`counts`](Self::counts).
    ///
    /// # Errors
    /// As [`counts`](Self::counts).
    pub async fn counts_async(&self, loss: &Loss, batch: &Batch<'_>) -> Result<CountTable, Error> {
        let statistic = counting_statistic(loss)?;
        CountTable::from_sums(&self.evaluate_async(loss, batch).await?.sums()[statistic], batch.shape())
    }
}

/// The index of a loss's first statistic that counts.
pub(crate) fn counting_statistic(loss: &Loss) -> Result<usize, Error> {
    let index = loss.statistics().iter().position(Statistic::is_count);
    index
        .ok_or_else(|| Error::Loss("no term has a threshold, so there is nothing to count; give it one by hard".into()))
}
