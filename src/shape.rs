//! Shapes: `[N, C, spatial…]`, C-contiguous.

use crate::Error;

/// Voxels of a row. A lane counts them in u32 and looks ahead by at most the strides of a workgroup, 8 elements for each of
/// 256 lanes, rounded up twice: below 2^16, so that nothing wraps.
const MAX_VOXELS: u64 = (1 << 32) - (1 << 16);

/// The shape `[N, C, spatial…]` of logits, dense targets and gradients, C-contiguous.
///
/// The spatial axes, zero or more, are flattened into *voxels*; one (sample, class) is a *row*.
///
/// ```
/// let shape = segloss::Shape::new(&[2, 3, 64, 64])?;
/// assert_eq!((shape.samples(), shape.classes(), shape.voxels()), (2, 3, 4096));
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: Vec<usize>,
    /// Their product from the third on, which the reference asks for with every element.
    voxels: usize,
}

impl Shape {
    /// A shape from its dimensions, `[N, C, spatial…]`. A dimension may be 0.
    ///
    /// # Errors
    /// [`Error::Shape`] for fewer than two dimensions, for more than 2³² − 2¹⁶ voxels in a row or 2³² − 1
    /// rows in all, or if the tensor's size in bytes would not fit in 63 bits.
    pub fn new(dims: &[usize]) -> Result<Self, Error> {
        let fail = |reason| Error::Shape { dims: dims.to_vec(), reason };
        if dims.len() < 2 {
            return Err(fail("give [N, C, spatial…]; a plain image is [1, 1, height, width]"));
        }
        // Zeros are set aside so that a huge dimension cannot hide behind one.
        let product = |dims: &[usize]| dims.iter().try_fold(1_u64, |size, &d| size.checked_mul((d as u64).max(1)));
        let rows = product(&dims[..2]).filter(|&rows| rows <= u64::from(u32::MAX));
        let voxels = product(&dims[2..]).filter(|&voxels| voxels <= MAX_VOXELS);
        let bytes = product(dims).and_then(|elements| elements.checked_mul(8)).filter(|&b| b < 1 << 63);
        match (rows, voxels, bytes) {
            (None, ..) => Err(fail("N × C must be below 2^32")),
            (_, None, _) => Err(fail("the product of the spatial axes must be at most 2^32 - 2^16")),
            (.., None) => Err(fail("the tensor is too large to address")),
            _ => Ok(Self { dims: dims.to_vec(), voxels: dims[2..].iter().product() }),
        }
    }

    /// The dimensions as given.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// N, the number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.dims[0]
    }

    /// C, the number of classes (channels).
    #[must_use]
    pub fn classes(&self) -> usize {
        self.dims[1]
    }

    /// The number of voxels of a row: the product of the spatial axes, 1 if there are none.
    #[must_use]
    pub fn voxels(&self) -> usize {
        self.voxels
    }

    /// The number of rows, N·C.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.samples() * self.classes()
    }

    /// The number of elements, N·C·voxels.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.rows() * self.voxels()
    }

    /// The number of elements of a `[N, 1, spatial…]` mask.
    #[must_use]
    pub fn mask_elements(&self) -> usize {
        self.samples() * self.voxels()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let shape = Shape::new(&[2, 3, 5, 7]).unwrap();
        assert_eq!((shape.rows(), shape.voxels(), shape.elements(), shape.mask_elements()), (6, 35, 210, 70));
        assert_eq!(Shape::new(&[4, 5]).unwrap().voxels(), 1);
        assert_eq!(Shape::new(&[4, 0, 9]).unwrap().elements(), 0);
    }

    #[test]
    fn refuses_what_cannot_be_addressed() {
        Shape::new(&[1, 1, (1 << 32) - (1 << 16)]).unwrap();
        let one_more = (1 << 32) - (1 << 16) + 1;
        for dims in [&[][..], &[3], &[1 << 33, 0], &[1, 1, one_more], &[1, 1, 0, usize::MAX, 2], &[1 << 31, 1, 1 << 31]]
        {
            assert!(matches!(Shape::new(dims), Err(Error::Shape { .. })), "{dims:?}");
        }
    }
}
