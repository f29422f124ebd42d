//! What one pass over the data leaves behind.

/// The sums of one [`Statistic`](crate::Statistic) over the voxels of a row or a pool of rows.
///
/// Sums form a commutative monoid: [`Sums::default`] is the identity, [`Sums::combine`] the operation. Sums
/// of parts of a tensor (tiles, windows, devices, machines) combine to the sums of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// The three sums, in the order of the statistic's formulas: I, P, T of an overlap; A, B (and 0) of
    /// cross-entropy.
    pub values: [f64; 3],
    /// Σm: the number of voxels that count.
    pub count: u64,
}

impl Sums {
    /// The sums of two disjoint sets of voxels together.
    #[must_use]
    pub fn combine(self, other: Self) -> Self {
        Self { values: std::array::from_fn(|i| self.values[i] + other.values[i]), count: self.count + other.count }
    }

    /// I of an overlap statistic.
    #[must_use]
    pub fn intersection(&self) -> f64 {
        self.values[0]
    }

    /// P of an overlap statistic, the cardinality of the prediction.
    #[must_use]
    pub fn prediction(&self) -> f64 {
        self.values[1]
    }

    /// T of an overlap statistic, the cardinality of the target.
    #[must_use]
    pub fn target(&self) -> f64 {
        self.values[2]
    }
}
