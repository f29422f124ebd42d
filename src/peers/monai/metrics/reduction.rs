//! From the scores of every sample and class to fewer.

use crate::metrics::{CountTable, Counts, Values, sum_of_present};

/// MONAI's names for how scores are reduced. Those that are NaN take no part, and a mean of nothing is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum MetricReduction {
    /// They are not: `[N, C]`.
    None,
    /// The mean over the samples, of those that have a score, of each one's mean over its classes: `[1]`.
    #[default]
    Mean,
    /// Their sum: one number.
    Sum,
    /// The mean over the samples: `[C]`.
    MeanBatch,
    /// The sum over the samples: `[C]`.
    SumBatch,
    /// The mean over the classes: `[N]`.
    MeanChannel,
    /// The sum over the classes: `[N]`.
    SumChannel,
}

/// Numbers for every sample and class.
pub(super) struct Grid {
    samples: usize,
    classes: usize,
    values: Vec<f64>,
}

/// What is left of a grid, and how many numbers that were not NaN it is made of.
pub(super) struct Reduced {
    pub(super) values: Values,
    pub(super) not_nans: Values,
}

impl Grid {
    /// A number for every row of a table.
    pub(super) fn of(table: &CountTable, number: impl Fn(&Counts) -> f64) -> Self {
        Self { samples: table.samples(), classes: table.classes(), values: table.rows().iter().map(number).collect() }
    }

    /// A number for every sample, in place of one for each of its classes.
    pub(super) fn of_samples(values: Vec<f64>) -> Self {
        Self { samples: values.len(), classes: 1, values }
    }

    pub(super) fn reduce(self, reduction: MetricReduction) -> Reduced {
        match reduction {
            MetricReduction::None => self.unreduced(),
            MetricReduction::Mean => self.mean(),
            MetricReduction::Sum => {
                let (sum, number) = sum_of_present(self.values);
                Reduced { values: Values::scalar(sum), not_nans: Values::scalar(number as f64) }
            }
            MetricReduction::MeanBatch => listed(self.per_class().map(mean)),
            MetricReduction::SumBatch => listed(self.per_class()),
            MetricReduction::MeanChannel => listed(self.per_sample().map(mean)),
            MetricReduction::SumChannel => listed(self.per_sample()),
        }
    }

    fn unreduced(self) -> Reduced {
        let shape = vec![self.samples, self.classes];
        let present = self.values.iter().map(|value| f64::from(u8::from(!value.is_nan()))).collect();
        let not_nans = Values { shape: shape.clone(), values: present };
        Reduced { values: Values { shape, values: self.values }, not_nans }
    }

    fn mean(&self) -> Reduced {
        let scored = self.per_sample().filter(|&(_, number)| number > 0);
        let (sum, number) = sum_of_present(scored.map(|scores| mean(scores).0));
        // The mean has an axis of length 1 and its number none, as MONAI's broadcasting gives them.
        Reduced { values: Values::list(vec![mean((sum, number)).0]), not_nans: Values::scalar(number as f64) }
    }

    /// For every class, the sum of the numbers of all samples, and how many there are.
    fn per_class(&self) -> impl Iterator<Item = (f64, usize)> {
        (0..self.classes).map(|class| {
            let of_class = self.values.iter().skip(class).step_by(self.classes);
            sum_of_present(of_class.copied())
        })
    }

    /// For every sample, the sum of the numbers of its classes, and how many there are.
    fn per_sample(&self) -> impl Iterator<Item = (f64, usize)> {
        (0..self.samples).map(|sample| {
            let of_sample = &self.values[sample * self.classes..(sample + 1) * self.classes];
            sum_of_present(of_sample.iter().copied())
        })
    }
}

fn mean((sum, number): (f64, usize)) -> (f64, usize) {
    (if number > 0 { sum / number as f64 } else { 0.0 }, number)
}

fn listed(numbers: impl Iterator<Item = (f64, usize)>) -> Reduced {
    let (values, not_nans) = numbers.map(|(value, number)| (value, number as f64)).unzip();
    Reduced { values: Values::list(values), not_nans: Values::list(not_nans) }
}
