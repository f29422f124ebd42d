//! Sums that round as NumPy's do.

/// The sum of a number of each element, 0 of none, by halves: its rounding error grows with the logarithm of how many there are.
///
/// The order is that of NumPy 1.9 and later, which decides what the share of some elements rounds to: below 8 elements one after the
/// other; up to 128 in eight sums, every eighth element each, then the rest; above that in halves, the first a multiple of 8
/// long.
pub(crate) fn pairwise<T>(elements: &[T], number: &impl Fn(&T) -> f64) -> f64 {
    if elements.len() > 128 {
        let half = elements.len() / 2;
        let (first, second) = elements.split_at(half - half % 8);
        return pairwise(first, number) + pairwise(second, number);
    }
    let (eights, rest) = elements.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        for (sum, element) in sums.iter_mut().zip(eight) {
            *sum += number(element);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, element| sum + number(element))
}

#[cfg(test)]
mod tests {
    use super::pairwise;

    #[test]
    fn every_element_is_summed_once() {
        for n in (0..300).chain([1000, 4097]) {
            let numbers: Vec<u32> = (0..n).collect();
            assert_eq!(pairwise(&numbers, &|&number| f64::from(number)), f64::from(n) * (f64::from(n) - 1.0) / 2.0);
        }
    }

    /// Of ten tenths, eight are summed in a tree, without a rounding error, and two after them.
    #[test]
    fn rounding_is_numpy_s() {
        assert_eq!(pairwise(&[0.1; 8], &|&number| number), 0.8);
        assert_eq!(pairwise(&[0.1; 10], &|&number| number), 0.8 + 0.1 + 0.1);
        assert_eq!(pairwise(&[0.1; 7], &|&number| number), 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1);
    }
}
