//! The device that tests run on: of the adapter that `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose, as `SEGLOSS_DEVICE` says.

use segloss::{Gpu, wgpu};

/// The context of a test: with all that the adapter has; with `webgpu`, with the limits that every WebGPU device has and no
/// features; with `no-subgroups`, with all but those.
pub(crate) fn gpu() -> Result<Gpu, segloss::Error> {
    let full = Gpu::new()?;
    let kind = std::env::var("SEGLOSS_DEVICE").unwrap_or_default();
    let adapter = || adapter(full.adapter_info());
    let gpu = match kind.as_str() {
        "" => full,
        "webgpu" => with(&adapter(), wgpu::Features::empty(), wgpu::Limits::default()),
        "no-subgroups" => {
            let (adapter, subgroups) = (adapter(), wgpu::Features::SUBGROUP | wgpu::Features::SUBGROUP_BARRIER);
            with(&adapter, full.device().features() - subgroups, adapter.limits())
        }
        other => panic!("SEGLOSS_DEVICE is {other:?}; expected webgpu, no-subgroups or nothing"),
    };
    let info = gpu.adapter_info();
    let device = if kind.is_empty() { "all it has".to_owned() } else { kind };
    println!("adapter: {} ({}, {}), device: {device}", info.name, info.backend, info.driver_info);
    Ok(gpu)
}

/// A context on a device of this adapter with these features and limits.
pub(crate) fn with(adapter: &wgpu::Adapter, features: wgpu::Features, limits: wgpu::Limits) -> Gpu {
    let descriptor =
        wgpu::DeviceDescriptor { required_features: features, required_limits: limits, ..Default::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    Gpu::from_wgpu(device, queue).unwrap()
}

/// The adapter of a context.
pub(crate) fn adapter(info: &wgpu::AdapterInfo) -> wgpu::Adapter {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.flags = wgpu::InstanceFlags::default();
    let backends = descriptor.backends;
    let adapters = pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends));
    let is_same = |adapter: &wgpu::Adapter| {
        let other = adapter.get_info();
        (other.name, other.backend) == (info.name.clone(), info.backend)
    };
    adapters.into_iter().find(is_same).expect("the adapter is still there")
}
