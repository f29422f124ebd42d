//! What a box of a box plot is drawn from.

/// The quartiles of some numbers, and how far the whiskers reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) quartiles: [f64; 3],
    /// The furthest numbers within 1.5 interquartile ranges of the box.
    pub(super) whiskers: [f64; 2],
}

impl Spread {
    /// Of the finite among the numbers; `None` without any.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<_> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let quartiles = [quantile(&sorted, 0.25)?, quantile(&sorted, 0.5)?, quantile(&sorted, 0.75)?];
        let [lower, _, upper] = quartiles;
        let reach = 1.5 * (upper - lower);
        let within = |value: &&f64| (lower - reach..=upper + reach).contains(*value);
        // Interpolated quartiles may lie beyond all numbers within reach; a whisker never ends inside of its box.
        let lowest = sorted.iter().find(within).map_or(lower, |value| value.min(lower));
        let highest = sorted.iter().rfind(within).map_or(upper, |value| value.max(upper));
        Some(Self { quartiles, whiskers: [lowest, highest] })
    }
}

/// Of all numbers that are not NaN; infinite if more than half of them are, NaN of none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<_> = values.filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5).unwrap_or(f64::NAN)
}

/// Linear between the two numbers next to it, as NumPy's and R's default is.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    // The difference of infinite numbers is NaN.
    Some(if below == above { below } else { below + (above - below) * place.fract() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_eight_numbers() {
        let spread = Spread::of(&[7.0, 1.0, 3.0, 5.0, 2.0, 100.0, 4.0, 6.0]).unwrap();
        // Places 1.75, 3.5 and 5.25 of 1 2 3 4 5 6 7 100; the fences are −2.5 and 11.5.
        assert_eq!(spread, Spread { quartiles: [2.75, 4.5, 6.25], whiskers: [1.0, 7.0] });
    }

    #[test]
    fn of_few() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[f64::NAN, f64::INFINITY]), None);
        assert_eq!(Spread::of(&[0.5, f64::NAN]), Some(Spread { quartiles: [0.5; 3], whiskers: [0.5; 2] }));
        let two = Spread::of(&[1.0, 0.0]).unwrap();
        assert_eq!(two, Spread { quartiles: [0.25, 0.5, 0.75], whiskers: [0.0, 1.0] });
    }

    #[test]
    fn the_median_knows_infinite_numbers() {
        let infinite = f64::INFINITY;
        assert_eq!(median([infinite, 1.0, f64::NAN, 3.0].into_iter()), 3.0);
        assert_eq!(median([infinite, infinite, 3.0, infinite].into_iter()), infinite);
        assert!(median([f64::NAN].into_iter()).is_nan());
    }

    #[test]
    fn a_whisker_does_not_end_in_the_box() {
        // The lower quartile is 7.5, the fence 3.75, so that 0 is an outlier and 10 the lowest number within.
        let spread = Spread::of(&[0.0, 10.0, 10.0, 10.0]).unwrap();
        assert_eq!(spread, Spread { quartiles: [7.5, 10.0, 10.0], whiskers: [7.5, 10.0] });
    }
}
