//! The horizontal axis of a box plot.

/// How many steps an axis has at most.
const STEPS: f64 = 6.0;

/// How much of the width the finite numbers take where others are infinite, in percent.
const BESIDE_INFINITY: f64 = 92.0;

/// Ends at round numbers, with a place for ∞ on its right if need be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    step: f64,
    steps: usize,
    has_infinity: bool,
}

impl Axis {
    /// Up to 1, from a round number below all that is finite.
    pub(super) fn up_to_one(values: impl Iterator<Item = f64>) -> Self {
        let lowest = values.filter(|value| value.is_finite()).fold(1.0, f64::min);
        // The best of models would else be magnified until noise looks like a difference.
        let step = round_step((1.0 - lowest).max(0.1) / STEPS);
        let steps = ((1.0 - lowest.min(0.9)) / step - 1e-9).ceil();
        Self { low: 1.0 - steps * step, step, steps: steps as usize, has_infinity: false }
    }

    /// From 0 to a round number above all that is finite.
    pub(super) fn from_zero(values: impl Iterator<Item = f64> + Clone) -> Self {
        let highest = values.clone().filter(|value| value.is_finite()).fold(0.0, f64::max);
        let highest = if highest < 1e-6 { 1.0 } else { highest };
        let step = round_step(highest / STEPS);
        let steps = (highest / step - 1e-9).ceil() as usize;
        Self { low: 0.0, step, steps, has_infinity: values.into_iter().any(f64::is_infinite) }
    }

    /// Where a number lies, in percent of the width.
    pub(super) fn place(&self, value: f64) -> f64 {
        let width = if self.has_infinity { BESIDE_INFINITY } else { 100.0 };
        if value.is_infinite() {
            return 98.0;
        }
        (value - self.low) / (self.step * self.steps as f64) * width
    }

    /// The round numbers along it, and how they are written.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let digits = (-self.step.log10().floor()).clamp(0.0, 9.0) as usize;
        let tick = |index: usize| self.low + index as f64 * self.step;
        let mut ticks: Vec<_> =
            (0..=self.steps).map(|index| (tick(index), format!("{:.digits$}", tick(index).max(0.0)))).collect();
        if self.has_infinity {
            ticks.push((f64::INFINITY, "∞".to_owned()));
        }
        ticks
    }
}

/// The next larger of 1, 2 and 5 by a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn shares_end_at_one() {
        assert_eq!(
            labels(Axis::up_to_one([0.03, 0.9, f64::NAN].into_iter())),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            labels(Axis::up_to_one([0.71, 0.9].into_iter())),
            ["0.70", "0.75", "0.80", "0.85", "0.90", "0.95", "1.00"]
        );
        let perfect = Axis::up_to_one([1.0].into_iter());
        assert_eq!(labels(perfect), ["0.90", "0.92", "0.94", "0.96", "0.98", "1.00"]);
        assert!((perfect.place(1.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn distances_begin_at_zero() {
        let axis = Axis::from_zero([3.0, 41.5, f64::NAN].into_iter());
        assert_eq!(labels(axis), ["0", "10", "20", "30", "40", "50"]);
        assert_eq!((axis.place(0.0), axis.place(25.0), axis.place(50.0)), (0.0, 50.0, 100.0));
        assert_eq!(labels(Axis::from_zero([0.0].into_iter())), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    }

    #[test]
    fn infinity_has_a_place_of_its_own() {
        let axis = Axis::from_zero([10.0, f64::INFINITY].into_iter());
        assert_eq!(labels(axis), ["0", "2", "4", "6", "8", "10", "∞"]);
        assert_eq!((axis.place(10.0), axis.place(f64::INFINITY)), (92.0, 98.0));
    }
}
