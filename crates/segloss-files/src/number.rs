//! Types of numbers that files store, and the narrowest that holds them.

use crate::{Bytes, Error, Values, memory};

/// Numbers that are looked at together: enough for vectors, and soon at an end where one of them does not fit.
const BLOCK: usize = 4096;

/// A type of numbers that files store.
pub(crate) trait Number: Copy {
    /// The number as a byte, or another one where it is none.
    fn byte(self) -> u8;

    /// Whether it is the number that a byte is.
    fn is(self, byte: u8) -> bool;

    /// The number as an integer, if it is one, fits, and its type tells it from its neighbours.
    fn integer(self) -> Option<i32>;

    /// Rounded, but never to a whole number which it is not.
    fn float(self) -> f32;
}

macro_rules! integers {
    ($($number:ty: $of_bytes:ty),+ $(,)?) => {
        $(impl Number for $number {
            fn byte(self) -> u8 {
                self as u8
            }

            fn is(self, byte: u8) -> bool {
                // In a type that has the numbers of both.
                <$of_bytes>::from(self) == <$of_bytes>::from(byte)
            }

            fn integer(self) -> Option<i32> {
                i32::try_from(self).ok()
            }

            fn float(self) -> f32 {
                self as f32
            }
        })+
    };
}

integers! { u8: u8, i8: i16, u16: u16, i16: i16, u32: u32, i32: i32, u64: u64, i64: i64 }

impl Number for f32 {
    fn byte(self) -> u8 {
        // 2^23 + n has n in its last bits. A conversion, which has to look for NaN and for what is too large, takes longer.
        (self + 8_388_608.0).to_bits() as u8
    }

    fn is(self, byte: u8) -> bool {
        self == Self::from(byte)
    }

    fn integer(self) -> Option<i32> {
        const BEYOND: f32 = 16_777_216.0;
        (self.fract() == 0.0 && self.abs() <= BEYOND).then_some(self as i32)
    }

    fn float(self) -> f32 {
        self
    }
}

impl Number for f64 {
    fn byte(self) -> u8 {
        // As of f32, 2^52 + n.
        (self + 4_503_599_627_370_496.0).to_bits() as u8
    }

    fn is(self, byte: u8) -> bool {
        self == Self::from(byte)
    }

    fn integer(self) -> Option<i32> {
        let integer = self as i32;
        (Self::from(integer) == self).then_some(integer)
    }

    fn float(self) -> f32 {
        let rounded = self as f32;
        match (rounded.fract() == 0.0 && self.fract() != 0.0, self > Self::from(rounded)) {
            (false, _) => rounded,
            (true, true) => rounded.next_up(),
            (true, false) => rounded.next_down(),
        }
    }
}

impl Values {
    /// Numbers as they are stored, in the narrowest type that holds them all, which take so many bytes at most.
    pub(crate) fn of<S: Copy, N: Number>(
        stored: &[S],
        number: impl Fn(S) -> N + Copy,
        most: u64,
    ) -> Result<Self, Error> {
        memory::check(stored.len(), 1, most)?;
        if let Some(bytes) = bytes(stored, number)? {
            return Ok(Self::U8(bytes));
        }
        memory::check(stored.len(), 4, most)?;
        if let Some(integers) = integers(stored, number)? {
            return Ok(Self::I32(integers));
        }
        memory::collected(stored.iter().map(|&stored| number(stored).float())).map(Self::F32)
    }
}

/// Whole numbers up to 255, if there are no others.
fn bytes<S: Copy, N: Number>(stored: &[S], number: impl Fn(S) -> N) -> Result<Option<Bytes>, Error> {
    let mut bytes = Bytes::of_length(stored.len())?;
    for (bytes, stored) in bytes.as_mut().chunks_mut(BLOCK).zip(stored.chunks(BLOCK)) {
        let mut are_bytes = true;
        for (byte, &stored) in bytes.iter_mut().zip(stored) {
            let number = number(stored);
            *byte = number.byte();
            are_bytes &= number.is(*byte);
        }
        if !are_bytes {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}

/// Whole numbers that fit, if there are no others.
fn integers<S: Copy, N: Number>(stored: &[S], number: impl Fn(S) -> N) -> Result<Option<Vec<i32>>, Error> {
    let mut integers = memory::room(stored.len())?;
    for &stored in stored {
        let Some(integer) = number(stored).integer() else { return Ok(None) };
        integers.push(integer);
    }
    Ok(Some(integers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_numbers<N: Number>(numbers: &[N]) -> Values {
        Values::of(numbers, |number| number, u64::MAX).unwrap()
    }

    fn u8s(bytes: &[u8]) -> Values {
        Values::U8(bytes.to_vec().into())
    }

    #[test]
    fn the_narrowest_type_that_holds_them_all() {
        assert_eq!(of_numbers(&[0_i64, 255]), u8s(&[0, 255]));
        assert_eq!(of_numbers(&[0_i64, 256]), Values::I32(vec![0, 256]));
        assert_eq!(of_numbers(&[7_i64, 1 << 31]), Values::F32(vec![7.0, 2_147_483_648.0]));
        assert_eq!(of_numbers(&[u64::MAX]), Values::F32(vec![18_446_744_073_709_551_616.0]));
        assert_eq!(of_numbers(&[-1_i8, 127]), Values::I32(vec![-1, 127]));
        assert_eq!(of_numbers(&[-1_i16, -256]), Values::I32(vec![-1, -256]));
        assert_eq!(of_numbers(&[u32::MAX - 255]), Values::F32(vec![4_294_967_040.0]));
        assert_eq!(of_numbers::<u16>(&[]), u8s(&[]));
    }

    #[test]
    fn what_is_kept_counts() {
        let of = |numbers: &[u16], most| Values::of(numbers, |number| number, most).map_err(|error| error.to_string());
        assert_eq!(of(&[1, 255, 3], 3), Ok(u8s(&[1, 255, 3])));
        assert_eq!(of(&[1, 256, 3], 12), Ok(Values::I32(vec![1, 256, 3])));
        assert_eq!(of(&[1, 256, 3], 11), Err("its 3 numbers take 12 bytes; at most 11 are read".to_owned()));
        assert_eq!(of(&[1, 255, 3], 2), Err("its 3 numbers take 3 bytes; at most 2 are read".to_owned()));
    }

    #[test]
    fn whole_floats_are_bytes_and_no_others_are() {
        assert_eq!(of_numbers(&[0.0_f32, -0.0, 1.0, 255.0]), u8s(&[0, 0, 1, 255]));
        assert_eq!(of_numbers(&[0.0_f64, -0.0, 1.0, 255.0]), u8s(&[0, 0, 1, 255]));
        for other in [0.5, 1e-40, 254.999_98, f32::INFINITY, 16_777_218.0] {
            assert_eq!(of_numbers(&[1.0, other]), Values::F32(vec![1.0, other]));
            assert_eq!(of_numbers(&[0.5, f64::from(other)]), Values::F32(vec![0.5, other]));
        }
        for other in [-1, 256, 16_777_216] {
            assert_eq!(of_numbers(&[1.0, other as f32]), Values::I32(vec![1, other]));
            assert_eq!(of_numbers(&[1.0, f64::from(other)]), Values::I32(vec![1, other]));
        }
        let Values::F32(nan) = of_numbers(&[0.0, f32::NAN]) else { panic!("NaN is no byte") };
        assert!(nan[1].is_nan());
    }

    #[test]
    fn doubles_keep_labels_apart_and_fractions_fractions() {
        assert_eq!(of_numbers(&[16_777_217.0, -2_147_483_648.0]), Values::I32(vec![16_777_217, i32::MIN]));
        let rounded = |number: f64| match of_numbers(&[number]) {
            Values::F32(numbers) => numbers[0],
            other => panic!("{number} is {other:?}"),
        };
        assert_eq!(rounded(1.000_000_000_1), 1.0_f32.next_up());
        assert_eq!(rounded(0.999_999_999_9), 1.0_f32.next_down());
        assert_eq!(rounded(-1e-60), -f32::from_bits(1));
        assert_eq!((rounded(0.1), rounded(4e9)), (0.1, 4e9));
    }

    /// The only number that is no byte, on either side of the ends of blocks.
    #[test]
    fn every_number_is_looked_at() {
        let length = 2 * BLOCK + 3;
        for at in [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, length - 1] {
            let mut numbers = vec![3_i16; length];
            numbers[at] = 300;
            let Values::I32(found) = of_numbers(&numbers) else { panic!("300 at {at} is no byte") };
            assert_eq!((found[at], found.len()), (300, length));
        }
    }
}
