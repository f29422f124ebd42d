//! What everything is compared with.

use segloss::Gpu;
use segloss::wgpu::{self, BufferUsages as Usage, CommandEncoder};

use crate::workload::buffer;

/// What no cache holds.
const MOST_COPIED: u64 = 1 << 28;

/// A copy that moves so many bytes: it reads one half of them and writes the other. What no cache holds is copied again
/// where there is more.
#[derive(Debug)]
pub struct Copy {
    from: wgpu::Buffer,
    to: wgpu::Buffer,
    half: u64,
}

impl Copy {
    /// Buffers for it.
    #[must_use]
    pub fn new(gpu: &Gpu, bytes: u64) -> Self {
        let half = (bytes / 2).next_multiple_of(4);
        let [from, to] = [Usage::COPY_SRC, Usage::COPY_DST].map(|usage| buffer(gpu, half.min(MOST_COPIED), usage));
        Self { from, to, half }
    }

    /// Records it.
    pub fn record(&self, encoder: &mut CommandEncoder) {
        for first in (0..self.half).step_by(MOST_COPIED as usize) {
            encoder.copy_buffer_to_buffer(&self.from, 0, &self.to, 0, MOST_COPIED.min(self.half - first));
        }
    }
}
