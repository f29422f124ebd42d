//! What two masks have in common.

use crate::{Error, Sums};

/// Whole numbers up to here are exact in the f64 of [`Sums`].
const EXACT: f64 = 9_007_199_254_740_992.0;

/// How the voxels of a row fall into the four cells of prediction and target; masked voxels fall into none.
///
/// Counts form a commutative monoid: [`Counts::default`] is the identity, [`Counts::combine`] the operation.
///
/// ```
/// # use segloss::metrics::Counts;
/// let counts = Counts { true_positives: 3, false_positives: 1, false_negatives: 2, true_negatives: 4 };
/// assert_eq!((counts.predicted(), counts.actual(), counts.total()), (4, 5, 10));
/// assert_eq!((counts.dice(), counts.iou()), (6.0 / 9.0, 3.0 / 6.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    /// In both, I.
    pub true_positives: u64,
    /// In the prediction alone, P − I.
    pub false_positives: u64,
    /// In the target alone, T − I.
    pub false_negatives: u64,
    /// In neither, Σm − P − T + I.
    pub true_negatives: u64,
}

impl Counts {
    /// The counts that the sums of a [hard statistic](crate::Statistic::HardOverlap) are.
    ///
    /// # Errors
    /// [`Error::NotCounts`] for sums that are not whole numbers, or that no two masks have.
    pub fn from_sums(sums: &Sums) -> Result<Self, Error> {
        Self::cells(sums).ok_or(Error::NotCounts { sums: *sums })
    }

    fn cells(sums: &Sums) -> Option<Self> {
        let whole = |sum: f64| ((0.0..=EXACT).contains(&sum) && sum.fract() == 0.0).then_some(sum as u64);
        let [intersection, prediction, target] = sums.values.map(whole);
        let true_positives = intersection?;
        let false_positives = prediction?.checked_sub(true_positives)?;
        let false_negatives = target?.checked_sub(true_positives)?;
        let true_negatives = sums.count.checked_sub(true_positives + false_positives + false_negatives)?;
        Some(Self { true_positives, false_positives, false_negatives, true_negatives })
    }

    /// The counts of two disjoint sets of voxels together.
    #[must_use]
    pub fn combine(self, other: Self) -> Self {
        Self {
            true_positives: self.true_positives.saturating_add(other.true_positives),
            false_positives: self.false_positives.saturating_add(other.false_positives),
            false_negatives: self.false_negatives.saturating_add(other.false_negatives),
            true_negatives: self.true_negatives.saturating_add(other.true_negatives),
        }
    }

    /// P = TP + FP, the voxels of the prediction.
    #[must_use]
    pub fn predicted(&self) -> u64 {
        self.true_positives.saturating_add(self.false_positives)
    }

    /// T = TP + FN, the voxels of the target.
    #[must_use]
    pub fn actual(&self) -> u64 {
        self.true_positives.saturating_add(self.false_negatives)
    }

    /// Σm, all voxels that count.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.predicted().saturating_add(self.false_negatives).saturating_add(self.true_negatives)
    }

    /// 2·TP/(2·TP + FP + FN), the Dice coefficient or F₁ score; NaN of two empty masks.
    #[must_use]
    pub fn dice(&self) -> f64 {
        let [tp, fp, fn_, _] = self.wide();
        ratio(2 * tp, 2 * tp + fp + fn_)
    }

    /// TP/(TP + FP + FN), intersection over union or the Jaccard index; NaN of two empty masks.
    #[must_use]
    pub fn iou(&self) -> f64 {
        let [tp, fp, fn_, _] = self.wide();
        ratio(tp, tp + fp + fn_)
    }

    /// TP/(TP + FP), or positive predictive value; NaN if nothing is predicted.
    #[must_use]
    pub fn precision(&self) -> f64 {
        let [tp, fp, ..] = self.wide();
        ratio(tp, tp + fp)
    }

    /// TP/(TP + FN), or sensitivity; NaN of an empty target.
    #[must_use]
    pub fn recall(&self) -> f64 {
        let [tp, _, fn_, _] = self.wide();
        ratio(tp, tp + fn_)
    }

    /// TN/(TN + FP); NaN if the target leaves nothing out.
    #[must_use]
    pub fn specificity(&self) -> f64 {
        let [_, fp, _, tn] = self.wide();
        ratio(tn, tn + fp)
    }

    /// (TP + TN)/(TP + FP + FN + TN); NaN of no voxels.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let [tp, fp, fn_, tn] = self.wide();
        ratio(tp + tn, tp + fp + fn_ + tn)
    }

    /// TP, FP, FN, TN in integers whose sums and doubles cannot overflow.
    fn wide(&self) -> [u128; 4] {
        [self.true_positives, self.false_positives, self.false_negatives, self.true_negatives].map(u128::from)
    }
}

fn ratio(part: u128, whole: u128) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(true_positives: u64, false_positives: u64, false_negatives: u64, true_negatives: u64) -> Counts {
        Counts { true_positives, false_positives, false_negatives, true_negatives }
    }

    #[test]
    fn sums_of_hard_masks_are_counts() {
        let sums = Sums { values: [3.0, 4.0, 5.0], count: 10 };
        assert_eq!(Counts::from_sums(&sums), Ok(counts(3, 1, 2, 4)));
        assert_eq!(Counts::from_sums(&Sums::default()), Ok(Counts::default()));
        let large = Sums { values: [(1_u64 << 40) as f64, (3_u64 << 40) as f64, (1_u64 << 41) as f64], count: 1 << 43 };
        assert_eq!(Counts::from_sums(&large), Ok(counts(1 << 40, 1 << 41, 1 << 40, 1 << 42)));
    }

    #[test]
    fn other_sums_are_not() {
        for values in [[2.5, 4.0, 5.0], [3.0, 2.0, 5.0], [3.0, 4.0, 1.0], [-1.0, 4.0, 5.0], [1e16, 1e16, 1e16]] {
            let sums = Sums { values, count: 10 };
            assert_eq!(Counts::from_sums(&sums), Err(Error::NotCounts { sums }));
        }
        let nan = Sums { values: [f64::NAN; 3], count: 10 };
        let message = Counts::from_sums(&nan).unwrap_err().to_string();
        assert!(message.contains("NaN") && message.contains("Loss::hard"), "{message}");
        // 3 + 1 + 2 voxels are in one of the masks.
        assert!(Counts::from_sums(&Sums { values: [3.0, 4.0, 5.0], count: 5 }).is_err());
    }

    #[test]
    fn the_usual_ratios() {
        let some = counts(3, 1, 2, 4);
        assert_eq!(some.dice(), 6.0 / 9.0);
        assert_eq!(some.iou(), 3.0 / 6.0);
        assert_eq!(some.precision(), 3.0 / 4.0);
        assert_eq!(some.recall(), 3.0 / 5.0);
        assert_eq!(some.specificity(), 4.0 / 5.0);
        assert_eq!(some.accuracy(), 7.0 / 10.0);
    }

    #[test]
    fn nothing_by_nothing_is_nan() {
        let empty = counts(0, 0, 0, 9);
        assert!(empty.dice().is_nan() && empty.iou().is_nan() && empty.precision().is_nan() && empty.recall().is_nan());
        assert_eq!((empty.specificity(), empty.accuracy()), (1.0, 1.0));
        let full = counts(9, 0, 0, 0);
        assert!(full.specificity().is_nan() && Counts::default().accuracy().is_nan());
        assert_eq!((full.dice(), full.iou()), (1.0, 1.0));
    }

    #[test]
    fn counts_combine_like_sums() {
        let (a, b, c) = (counts(1, 2, 3, 4), counts(5, 6, 7, 8), counts(9, 10, 11, 12));
        assert_eq!(a.combine(b), counts(6, 8, 10, 12));
        assert_eq!(a.combine(b).combine(c), a.combine(b.combine(c)));
        assert_eq!(a.combine(Counts::default()), a);
    }

    /// One voxel more or less is seen beyond the integers of f32, and nothing wraps at the end of u64.
    #[test]
    fn counts_are_exact_beyond_32_bits() {
        let large = counts(1 << 33, 1, 0, 1 << 33);
        assert_eq!(large.predicted(), (1 << 33) + 1);
        assert_eq!(large.actual(), 1 << 33);
        assert_eq!(large.total(), (1 << 34) + 1);
        assert!(large.dice() < 1.0 && large.precision() < 1.0 && large.recall() == 1.0);
        assert_eq!(large.iou(), 8_589_934_592.0 / 8_589_934_593.0);
        let most = counts(u64::MAX, u64::MAX, u64::MAX, u64::MAX);
        assert_eq!(most.combine(most), most);
        assert_eq!((most.dice(), most.iou(), most.accuracy()), (0.5, 1.0 / 3.0, 0.5));
        assert_eq!((most.predicted(), most.total()), (u64::MAX, u64::MAX));
    }
}
