//! How long recorded work takes.

use std::time::Instant;

use segloss::wgpu::{self, BufferUsages as Usage, CommandEncoder, Features};
use segloss::{Error, Gpu};

/// A stopwatch of the device, where it has one.
pub(crate) struct Clock {
    gpu: Gpu,
    device: Option<DeviceClock>,
}

struct DeviceClock {
    stamps: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    result: wgpu::Buffer,
}

impl Clock {
    pub(crate) fn new(gpu: &Gpu) -> Self {
        let device = gpu.device();
        let buffer = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size: 16, usage, mapped_at_creation: false })
        };
        let has_stamps =
            device.features().contains(Features::TIMESTAMP_QUERY | Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);
        let clock = has_stamps.then(|| DeviceClock {
            stamps: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer(Usage::QUERY_RESOLVE | Usage::COPY_SRC),
            result: buffer(Usage::MAP_READ | Usage::COPY_DST),
        });
        Self { gpu: gpu.clone(), device: clock }
    }

    /// Milliseconds from recording until `wait` has what it waits for.
    pub(crate) fn wall<E>(
        &self,
        record: impl Fn(&mut CommandEncoder),
        wait: impl FnOnce() -> Result<(), E>,
    ) -> Result<f64, E> {
        let start = Instant::now();
        let mut encoder = self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        record(&mut encoder);
        self.gpu.queue().submit([encoder.finish()]);
        wait()?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }

    /// Milliseconds that the device needs, `None` where it has no clock.
    pub(crate) fn device(&self, record: impl Fn(&mut CommandEncoder)) -> Result<Option<f64>, Error> {
        let Some(clock) = &self.device else { return Ok(None) };
        let mut encoder = self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.write_timestamp(&clock.stamps, 0);
        record(&mut encoder);
        encoder.write_timestamp(&clock.stamps, 1);
        encoder.resolve_query_set(&clock.stamps, 0..2, &clock.resolved, 0);
        encoder.copy_buffer_to_buffer(&clock.resolved, 0, &clock.result, 0, 16);
        self.gpu.queue().submit([encoder.finish()]);
        let stamps = read(&self.gpu, &clock.result, 16, bytemuck::pod_collect_to_vec::<u8, u64>)?;
        let ticks = stamps[1].saturating_sub(stamps[0]);
        Ok(Some(ticks as f64 * f64::from(self.gpu.queue().get_timestamp_period()) * 1e-6))
    }
}

/// Waits for all submitted work.
pub(crate) fn wait(gpu: &Gpu) -> Result<(), Error> {
    let waited = gpu.device().poll(wgpu::PollType::wait_indefinitely());
    waited.map(drop).map_err(|error| Error::Device(error.to_string()))
}

/// The first bytes of a buffer that can be mapped, once all submitted work is done.
pub(crate) fn read<T>(
    gpu: &Gpu,
    buffer: &wgpu::Buffer,
    bytes: u64,
    decode: impl FnOnce(&[u8]) -> T,
) -> Result<T, Error> {
    buffer.map_async(wgpu::MapMode::Read, ..bytes, |_| ());
    wait(gpu)?;
    let view = buffer.get_mapped_range(..bytes).map_err(|error| Error::Device(error.to_string()))?;
    let decoded = decode(&view);
    drop(view);
    buffer.unmap();
    Ok(decoded)
}
