//! The devices that cases are recorded on.

use std::path::Path;

use segloss::{Gpu, Reducer, Tuning};

/// What a case is planned for.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    reducer: Reducer,
    tuning: Tuning,
    binding_limit: u64,
}

impl Context {
    /// The reducers and tunings in turn.
    pub(crate) fn nth(index: usize) -> Self {
        let reducer = [Reducer::Tree, Reducer::Subgroup][index % 2];
        let tuning = [Tuning::Gpu, Tuning::Cpu][index / 2 % 2];
        Self { reducer, tuning, binding_limit: wgpu::Limits::default().max_storage_buffer_binding_size }
    }

    /// The same with 256 KiB a binding, so that tensors of a test's size take several.
    pub(crate) fn narrow(self) -> Self {
        Self { binding_limit: 1 << 18, ..self }
    }

    /// A device with WebGPU's default limits that runs nothing and leaves what it is asked to do in a folder. 64-bit integers
    /// are none of its features, since WebGPU has none.
    pub(crate) fn recording(self, folder: &Path) -> Gpu {
        let subgroups = self.reducer == Reducer::Subgroup;
        let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor {
            required_features: if subgroups { wgpu::Features::SUBGROUP } else { wgpu::Features::empty() },
            required_limits: wgpu::Limits {
                max_storage_buffer_binding_size: self.binding_limit,
                ..wgpu::Limits::default()
            },
            trace: wgpu::Trace::Directory(folder.to_owned()),
            ..Default::default()
        });
        let gpu = Gpu::from_wgpu(device, queue).expect("the default limits are enough");
        gpu.with_reducer(self.reducer).expect("the device has what its reducer needs").with_tuning(self.tuning)
    }
}
