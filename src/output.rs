//! The numbers of an evaluation.

use crate::Sums;

/// What an evaluation found. [`Output::default`] is one that nothing was read into yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    pub(crate) value: f32,
    pub(crate) terms: Vec<f32>,
    pub(crate) groups: Vec<Vec<f32>>,
    pub(crate) sums: Vec<Vec<Sums>>,
    pub(crate) gradient_peak: Option<f32>,
    pub(crate) gradient: Option<Vec<f32>>,
    pub(crate) voxel_map: Option<Vec<f32>>,
}

impl Output {
    /// The loss: Σ weight × the term's value. Of a loss without a reduction, the sum over all its values, which is
    /// what the gradient is the derivative of.
    #[must_use]
    pub fn value(&self) -> f32 {
        self.value
    }

    /// Every term's reduced value, before its weight.
    #[must_use]
    pub fn terms(&self) -> &[f32] {
        &self.terms
    }

    /// For every term the values of its groups before the reduction: per sample and class, per class, per sample or
    /// one, as its [`Pool`](crate::Pool) says. Empty for cross-entropy.
    #[must_use]
    pub fn groups(&self) -> &[Vec<f32>] {
        &self.groups
    }

    /// For every one of the loss's [statistics](crate::Loss::statistics) the sums of every row.
    #[must_use]
    pub fn sums(&self) -> &[Vec<Sums>] {
        &self.sums
    }

    /// The largest magnitude in the gradient, if a gradient was planned.
    #[must_use]
    pub fn gradient_peak(&self) -> Option<f32> {
        self.gradient_peak
    }

    /// The gradient, where [`Gpu::evaluate`](crate::Gpu::evaluate) was asked for it. (A plan leaves it in the
    /// caller's buffer.)
    #[must_use]
    pub fn gradient(&self) -> Option<&[f32]> {
        self.gradient.as_deref()
    }

    /// The same with a gradient: one that the caller copied from the buffer a plan left it in.
    #[must_use]
    pub fn with_gradient(mut self, gradient: Vec<f32>) -> Self {
        self.gradient = Some(gradient);
        self
    }

    /// The same with a voxel map that the caller copied.
    #[must_use]
    pub fn with_voxel_map(mut self, map: Vec<f32>) -> Self {
        self.voxel_map = Some(map);
        self
    }

    /// The voxel map, where [`Gpu::evaluate`](crate::Gpu::evaluate) was given a loss that
    /// [is one](crate::Loss::is_voxel_map). Classes that are not the loss's are 0 in it; [`map_of_classes`](crate::Loss::map_of_classes)
    /// leaves them out.
    #[must_use]
    pub fn voxel_map(&self) -> Option<&[f32]> {
        self.voxel_map.as_deref()
    }
}
