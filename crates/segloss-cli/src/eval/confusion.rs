//! How often every pair of labels occurs.

use std::collections::{BTreeMap, BTreeSet};

use segloss::metrics::Counts;

use super::case::Class;
use super::labels::Labels;
use super::tally::Tally;
use super::volume::Meaning;

/// The number of voxels with each pair of labels, of the prediction and of the truth.
///
/// Counts of all classes follow from it, of unions of labels too, by one read of both masks. It is made on the CPU: the masks
/// lie in its memory, and a pass over them takes less time than their way to a GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Confusion(BTreeMap<[i32; 2], u64>);

impl Confusion {
    /// Of two masks with as many voxels.
    pub(crate) fn new(prediction: &Labels, truth: &Labels) -> Self {
        match (prediction, truth) {
            (Labels::Narrow(prediction), Labels::Narrow(truth)) => Self::of_bytes(prediction, truth),
            _ => Self::of_any(prediction.iter().zip(truth.iter())),
        }
    }

    fn of_bytes(prediction: &[u8], truth: &[u8]) -> Self {
        let mut tally = Tally::default();
        tally.take(prediction, truth);
        Self(tally.finish().into_iter().map(|(pair, count)| (pair.map(i32::from), count)).collect())
    }

    /// Of labels of any size: a run of one pair is looked up once.
    fn of_any(pairs: impl Iterator<Item = (i32, i32)>) -> Self {
        let mut counts = BTreeMap::new();
        let mut run = ([0, 0], 0_u64);
        for (p, t) in pairs {
            if run.0 != [p, t] {
                *counts.entry(run.0).or_default() += run.1;
                run = ([p, t], 0);
            }
            run.1 += 1;
        }
        *counts.entry(run.0).or_default() += run.1;
        counts.retain(|_, count: &mut u64| *count > 0);
        Self(counts)
    }

    /// Without the voxels whose true label is this.
    pub(crate) fn without(mut self, ignored: Option<i32>) -> Self {
        self.0.retain(|[_, truth], _| Some(*truth) != ignored);
        self
    }

    /// All labels of either mask.
    pub(crate) fn labels(&self) -> BTreeSet<i32> {
        self.0.keys().flatten().copied().collect()
    }

    /// Every pair that occurs, the predicted label first, and how often.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = ([i32; 2], u64)> + '_ {
        self.0.iter().map(|(pair, count)| (*pair, *count))
    }

    /// The same with other labels in the prediction.
    pub(crate) fn with_predictions(&self, label: impl Fn(i32) -> i32) -> Self {
        let mut counts = BTreeMap::new();
        for ([predicted, actual], count) in self.pairs() {
            *counts.entry([label(predicted), actual]).or_default() += count;
        }
        Self(counts)
    }

    pub(crate) fn voxels(&self) -> u64 {
        self.0.values().sum()
    }

    /// The counts of a class.
    pub(crate) fn counts(&self, class: &Class, meaning: Meaning) -> Counts {
        self.0.iter().fold(Counts::default(), |mut sum, (labels, count)| {
            let [predicted, actual] = labels.map(|label| meaning.is_of(label, class));
            *match (predicted, actual) {
                (true, true) => &mut sum.true_positives,
                (true, false) => &mut sum.false_positives,
                (false, true) => &mut sum.false_negatives,
                (false, false) => &mut sum.true_negatives,
            } += count;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(labels: &[i32]) -> Class {
        Class { name: String::new(), labels: labels.to_vec(), is_region: true }
    }

    fn counts(true_positives: u64, false_positives: u64, false_negatives: u64, true_negatives: u64) -> Counts {
        Counts { true_positives, false_positives, false_negatives, true_negatives }
    }

    /// Bytes and words, few labels and many, and runs that end within and at the ends of blocks.
    #[test]
    fn every_pair_is_counted_once() {
        let sizes = [1, 2, 31, 63, 64, 65, 128, 1000, 1023, 1024, 1025, 4099, 9000];
        for (n, many) in sizes.into_iter().flat_map(|n| [(n, 1), (n, 80)]) {
            let label = |i: usize, step: usize| ((i / step + i / 7 * step) % 4 * many) as u8;
            let prediction: Vec<u8> = (0..n).map(|i| label(i, 50)).collect();
            let truth: Vec<u8> = (0..n).map(|i| label(i, 31)).collect();
            let wide = |narrow: &[u8]| Labels::Wide(narrow.iter().map(|&label| label.into()).collect());
            let words = Confusion::new(&wide(&prediction), &wide(&truth));
            for c in (0..4).map(|c| c * many as i32) {
                let with = |p: bool, t: bool| {
                    let pairs = prediction.iter().zip(&truth);
                    pairs.filter(|(a, b)| ((i32::from(**a) == c) == p) && ((i32::from(**b) == c) == t)).count() as u64
                };
                let expected = counts(with(true, true), with(true, false), with(false, true), with(false, false));
                assert_eq!(words.counts(&class(&[c]), Meaning::Labels), expected, "{n} {c}");
            }
            assert_eq!(words.voxels(), n as u64);
            assert_eq!(Confusion::new(&Labels::Narrow(prediction.into()), &Labels::Narrow(truth.into())), words);
        }
    }

    /// A volume with few labels in some places and many in others, in every order.
    #[test]
    fn places_with_few_labels_and_with_many_add_up() {
        let part = |labels: usize| (0..3000).map(move |i| (i * i / 7 % labels) as u8);
        for order in [[2, 3, 4, 9, 256], [256, 9, 4, 3, 2], [3, 9, 2, 256, 4], [4, 2, 256, 3, 9]] {
            let prediction: Vec<u8> = order.into_iter().flat_map(part).collect();
            let truth: Vec<u8> =
                prediction.iter().enumerate().map(|(i, &p)| if i % 5 == 0 { p / 2 } else { p }).collect();
            let mut expected = BTreeMap::new();
            for (&p, &t) in prediction.iter().zip(&truth) {
                *expected.entry([p, t].map(i32::from)).or_default() += 1;
            }
            let [prediction, truth] = [prediction, truth].map(|labels| Labels::Narrow(labels.into()));
            assert_eq!(Confusion::new(&prediction, &truth), Confusion(expected), "{order:?}");
        }
    }

    #[test]
    fn unions_channels_and_ignored_labels() {
        let confusion = Confusion::of_any([(0, 0), (1, 2), (2, 1), (3, 3), (1, 9), (0, 9)].into_iter());
        assert_eq!(confusion.labels().into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 9]);
        assert_eq!(confusion.counts(&class(&[1, 2]), Meaning::Labels), counts(2, 1, 0, 3));
        let kept = confusion.without(Some(9));
        assert_eq!((kept.voxels(), kept.counts(&class(&[1]), Meaning::Labels)), (4, counts(0, 1, 1, 2)));
        // As bits, 1 is the first channel, 2 the second and 3 both.
        assert_eq!(kept.counts(&class(&[0]), Meaning::Channels), counts(1, 1, 1, 1));
        assert_eq!(kept.counts(&class(&[1]), Meaning::Channels), counts(1, 1, 1, 1));
    }
}
