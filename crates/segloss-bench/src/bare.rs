//! The least that a round trip to the device costs.

use segloss::wgpu::{self, BufferUsages as Usage, CommandEncoder};
use segloss::{Error, Gpu};

use crate::clock::read;
use crate::workload::buffer;

/// One dispatch of one invocation that counts, and the way of its count to the host.
#[derive(Debug)]
pub struct Bare {
    gpu: Gpu,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    count: wgpu::Buffer,
    result: wgpu::Buffer,
}

impl Bare {
    /// A dispatch that binds, beside its count, so many buffers to read and so many to write.
    #[must_use]
    pub fn new(gpu: &Gpu, inputs: u32, outputs: u32) -> Self {
        let others = 1..1 + inputs + outputs;
        let declare = |i| {
            let mode = if i > inputs { "read_write" } else { "read" };
            format!("@group(0) @binding({i}) var<storage, {mode}> other_{i}: u32;")
        };
        let source = format!(
            "{} @group(0) @binding(0) var<storage, read_write> number: u32;
            @compute @workgroup_size(1) fn count() {{ number = number + 1u{}; }}",
            others.clone().map(declare).collect::<String>(),
            others.clone().map(|i| format!(" + other_{i}")).collect::<String>()
        );
        let device = gpu.device();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let count = buffer(gpu, 4, Usage::STORAGE | Usage::COPY_SRC);
        let result = buffer(gpu, 4, Usage::MAP_READ | Usage::COPY_DST);
        let buffers: Vec<_> =
            std::iter::once(count.clone()).chain(others.map(|_| buffer(gpu, 4, Usage::STORAGE))).collect();
        let resources = buffers.iter().map(wgpu::Buffer::as_entire_binding).zip(0..);
        let entries: Vec<_> = resources.map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource }).collect();
        let layout = &pipeline.get_bind_group_layout(0);
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
        Self { gpu: gpu.clone(), pipeline, bindings, count, result }
    }

    /// Records it.
    pub fn record(&self, encoder: &mut CommandEncoder) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(1, 1, 1);
        drop(pass);
        encoder.copy_buffer_to_buffer(&self.count, 0, &self.result, 0, 4);
    }

    /// How often it has run, once what was submitted is done.
    ///
    /// # Errors
    /// [`Error::Device`] if the device fails.
    pub fn read(&self) -> Result<u32, Error> {
        read(&self.gpu, &self.result, 4, |bytes| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
