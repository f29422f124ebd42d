//! The counts of many rows.

use super::Counts;
use crate::{Error, Shape, Sums};

/// The counts of every sample and class, N × C of them, samples first.
///
/// ```
/// # use segloss::metrics::{Counts, CountTable};
/// # let [first, second] = [Counts::default(); 2];
/// let mut table = CountTable::new(0, 2, vec![])?; // two classes, no samples yet
/// table.append(&CountTable::new(1, 2, vec![first, second])?)?;
/// assert_eq!((table.samples(), table.classes()), (1, 2));
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountTable {
    samples: usize,
    classes: usize,
    rows: Vec<Counts>,
    is_classification: bool,
}

impl CountTable {
    /// A table of `samples` × `classes` counts, samples first.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of rows.
    pub fn new(samples: usize, classes: usize, rows: Vec<Counts>) -> Result<Self, Error> {
        let expected = samples.saturating_mul(classes);
        if rows.len() != expected {
            return Err(Error::Length { what: "a count table", found: rows.len() as u64, expected: expected as u64 });
        }
        Ok(Self { samples, classes, rows, is_classification: false })
    }

    /// The table of one hard statistic: `&output.sums()[i]` of an [`Output`](crate::Output), `&evaluation.sums[i]` of an
    /// [`Evaluation`](crate::reference::Evaluation), for data of this shape.
    ///
    /// # Errors
    /// [`Error::Length`] where there are not N·C sums; [`Error::NotCounts`] where they are those of another statistic.
    pub fn from_sums(sums: &[Sums], shape: &Shape) -> Result<Self, Error> {
        let rows = sums.iter().map(Counts::from_sums).collect::<Result<_, _>>()?;
        let spatial = &shape.dims()[2..];
        let is_classification = spatial.is_empty() || spatial == [1];
        Ok(Self { is_classification, ..Self::new(shape.samples(), shape.classes(), rows)? })
    }

    /// N.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The counts of every row, in the order of the sums.
    #[must_use]
    pub fn rows(&self) -> &[Counts] {
        &self.rows
    }

    /// For every sample, the counts of its classes.
    pub fn by_sample(&self) -> impl Iterator<Item = &[Counts]> {
        (0..self.samples).map(|sample| &self.rows[sample * self.classes..(sample + 1) * self.classes])
    }

    /// For every class, the counts of all samples together.
    #[must_use]
    pub fn per_class(&self) -> Vec<Counts> {
        self.by_sample().fold(vec![Counts::default(); self.classes], |sums, sample| {
            sums.into_iter().zip(sample).map(|(sum, &counts)| sum.combine(counts)).collect()
        })
    }

    /// Whether the samples are single items rather than images: the shape has no spatial axes, or one of length 1.
    #[must_use]
    pub fn is_classification(&self) -> bool {
        self.is_classification
    }

    /// Adds the samples of a further batch, as the peers' `update` does. One batch of [single
    /// items](Self::is_classification) makes the whole one of them.
    ///
    /// # Errors
    /// [`Error::Length`] if its classes are not as many.
    pub fn append(&mut self, other: &Self) -> Result<(), Error> {
        if other.classes != self.classes {
            let (found, expected) = (other.classes as u64, self.classes as u64);
            return Err(Error::Length { what: "a sample of the appended count table", found, expected });
        }
        self.samples += other.samples;
        self.rows.extend_from_slice(&other.rows);
        self.is_classification |= other.is_classification;
        Ok(())
    }

    /// The table of some of the classes only.
    pub(crate) fn select(&self, keeps: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<_> = (0..self.classes).filter(|&class| keeps(class)).collect();
        let rows = self.by_sample().flat_map(|sample| kept.iter().map(|&class| sample[class])).collect();
        Self { classes: kept.len(), rows, ..*self }
    }

    /// The table with every row's counts replaced.
    pub(crate) fn map(&self, replace: impl Fn(usize, Counts) -> Counts) -> Self {
        let rows = self.rows.iter().enumerate().map(|(row, &counts)| replace(row % self.classes, counts)).collect();
        Self { rows, ..*self }
    }

    /// The table without class 0, unless that is the only one: then the peers keep it.
    pub(crate) fn without_background(&self) -> Self {
        self.select(|class| class > 0 || self.classes == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(true_positives: u64) -> Counts {
        Counts { true_positives, ..Counts::default() }
    }

    #[test]
    fn rows_are_those_of_samples_and_classes() {
        let table = CountTable::new(2, 3, (0..6).map(row).collect()).unwrap();
        assert_eq!((table.samples(), table.classes(), table.rows().len()), (2, 3, 6));
        let second = table.by_sample().nth(1).unwrap();
        assert_eq!(second, [row(3), row(4), row(5)]);
        assert_eq!(table.per_class(), [row(3), row(5), row(7)]);
        assert_eq!(table.without_background().rows(), [row(1), row(2), row(4), row(5)]);
        let one = CountTable::new(2, 1, vec![row(8), row(9)]).unwrap();
        assert_eq!(one.without_background(), one);
    }

    #[test]
    fn tables_of_batches_are_appended() {
        let mut table = CountTable::new(0, 2, vec![]).unwrap();
        for batch in [[1, 2], [3, 4]] {
            table.append(&CountTable::new(1, 2, batch.map(row).to_vec()).unwrap()).unwrap();
        }
        assert_eq!(table, CountTable::new(2, 2, (1..5).map(row).collect()).unwrap());
        let error = table.append(&CountTable::new(1, 3, vec![row(1); 3]).unwrap()).unwrap_err();
        let what = "a sample of the appended count table";
        assert_eq!(error, Error::Length { what, found: 3, expected: 2 });
        assert!(matches!(CountTable::new(usize::MAX, 2, vec![]), Err(Error::Length { .. })));
    }

    #[test]
    fn sums_become_a_table() {
        let sums = |intersection| Sums { values: [intersection, 4.0, 5.0], count: 10 };
        let shape = |dims: &[usize]| Shape::new(dims).unwrap();
        let table = CountTable::from_sums(&[sums(1.0), sums(2.0)], &shape(&[1, 2, 10])).unwrap();
        assert_eq!(table.rows().iter().map(|row| row.true_positives).collect::<Vec<_>>(), [1, 2]);
        assert!(matches!(CountTable::from_sums(&[sums(0.5)], &shape(&[1, 1, 10])), Err(Error::NotCounts { .. })));
        assert!(matches!(CountTable::from_sums(&[sums(1.0)], &shape(&[1, 2, 10])), Err(Error::Length { .. })));
        for (dims, is_classification) in
            [(&[0, 2][..], true), (&[0, 2, 1], true), (&[0, 2, 3], false), (&[0, 2, 1, 1], false)]
        {
            let table = CountTable::from_sums(&[], &shape(dims)).unwrap();
            assert_eq!(table.is_classification(), is_classification, "{dims:?}");
        }
    }

    #[test]
    fn no_classes_are_no_rows() {
        let table = CountTable::new(3, 0, vec![]).unwrap();
        assert_eq!((table.by_sample().count(), table.per_class().len()), (3, 0));
    }
}
