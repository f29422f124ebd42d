//! What a metric gives, and means over what there is.

/// The values of a metric in the shape that its peer gives them, row-major. `[]` is one number.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// The values, NaN where the peer gives NaN.
    pub values: Vec<f64>,
}

impl Values {
    /// One number.
    pub(crate) fn scalar(value: f64) -> Self {
        Self { shape: vec![], values: vec![value] }
    }

    /// A list of numbers.
    pub(crate) fn list(values: Vec<f64>) -> Self {
        Self { shape: vec![values.len()], values }
    }
}

/// The sum of those that are not NaN, and how many there are.
pub(crate) fn sum_of_present(values: impl IntoIterator<Item = f64>) -> (f64, usize) {
    let present = values.into_iter().filter(|value| !value.is_nan());
    present.fold((0.0, 0), |(sum, number), value| (sum + value, number + 1))
}

/// The mean of those that are not NaN; NaN if all are.
pub(crate) fn mean_of_present(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, number) = sum_of_present(values);
    sum / number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_takes_no_part() {
        assert_eq!(sum_of_present([1.0, f64::NAN, 4.0]), (5.0, 2));
        assert_eq!(mean_of_present([1.0, f64::NAN, 4.0]), 2.5);
        assert!(mean_of_present([f64::NAN]).is_nan() && mean_of_present([]).is_nan());
        assert_eq!(sum_of_present([f64::NAN]), (0.0, 0));
    }
}
