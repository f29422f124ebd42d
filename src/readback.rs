//! From the device back to the host.

use crate::layout::{HEADER_WORDS, SUMS_WORDS};
use crate::{BadValues, Error, Output, Plan, Sums};

/// A host-visible copy of the front of the scratch memory.
#[derive(Debug)]
pub(crate) struct Readback {
    staging: wgpu::Buffer,
}

impl Readback {
    pub(crate) fn new(plan: &Plan) -> Result<Self, Error> {
        Ok(Self { staging: staging(plan, plan.layout.readback_bytes())? })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.staging.size()
    }

    pub(crate) fn encode(&self, encoder: &mut wgpu::CommandEncoder, scratch: &wgpu::Buffer, offset: u64) {
        encoder.copy_buffer_to_buffer(scratch, offset, &self.staging, 0, self.staging.size());
    }

    pub(crate) async fn read(&self, plan: &Plan) -> Result<Output, Error> {
        let words: Vec<u32> = map(plan, &self.staging, self.staging.size()).await?;
        if words[6] == 0 {
            return Err(Error::NotEvaluated);
        }
        let bad = BadValues { logits: words[0], targets: words[1], mask: words[2], voxel_weights: words[3] };
        if !bad.is_empty() {
            return Err(Error::BadValues(bad));
        }
        Ok(decode(plan, &words))
    }
}

/// A buffer that results are copied to and mapped from.
pub(crate) fn staging(plan: &Plan, bytes: u64) -> Result<wgpu::Buffer, Error> {
    plan.gpu.guarded(|device| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("segloss result"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    })
}

/// Maps the first `bytes` of a staging buffer once the work submitted so far is done.
pub(crate) async fn map<T: bytemuck::Pod>(plan: &Plan, staging: &wgpu::Buffer, bytes: u64) -> Result<Vec<T>, Error> {
    let slice = staging.slice(..bytes);
    let (sender, receiver) = futures_intrusive::channel::shared::oneshot_channel();
    slice.map_async(wgpu::MapMode::Read, move |result| {
        // The receiver is gone if the caller dropped the future: nobody to tell.
        let _ = sender.send(result);
    });
    // Native devices make progress when polled; on the web this does nothing and the browser calls back.
    plan.gpu
        .device()
        .poll(wgpu::PollType::wait_indefinitely())
        .map_err(|error| Error::Device(format!("waiting for the result failed: {error}")))?;
    match receiver.receive().await {
        Some(Ok(())) => {}
        other => {
            return Err(Error::Device(format!("the result cannot be mapped ({other:?}); is another read under way?")));
        }
    }
    let view = slice.get_mapped_range().map_err(|error| Error::Device(error.to_string()))?;
    let data = bytemuck::pod_collect_to_vec(&view[..]);
    drop(view);
    staging.unmap();
    Ok(data)
}

fn decode(plan: &Plan, words: &[u32]) -> Output {
    let (layout, statistics) = (&plan.layout, plan.loss.statistics());
    let body = &words[HEADER_WORDS as usize..];
    let floats =
        |from: u64, count: u64| body[from as usize..][..count as usize].iter().copied().map(f32::from_bits).collect();
    let mut first = layout.group_values;
    let groups = (0..plan.loss.terms.len())
        .map(|term| {
            let count = crate::layout::groups(&plan.loss, &plan.problem, term);
            first += count;
            let is_overlap = matches!(plan.loss.terms[term].measure, crate::loss::Measure::Overlap(_));
            floats(first - count, if is_overlap { count } else { 0 })
        })
        .collect();
    let rows = &body[layout.sums as usize..layout.slopes as usize];
    let sums = (0..statistics.len())
        .map(|statistic| {
            let records = rows.chunks_exact(SUMS_WORDS as usize).skip(statistic).step_by(statistics.len());
            let is_count = statistics[statistic].is_count();
            let has_excess = statistics[statistic].sums_excess();
            let number = |word: u32| if is_count { f64::from(word) } else { f64::from(f32::from_bits(word)) };
            let values = |w: &[u32]| {
                let [i, p, t] = [number(w[0]), number(w[1]), number(w[2])];
                if has_excess { [i, i + p, i + t] } else { [i, p, t] }
            };
            records.map(|w| Sums { values: values(w), count: w[3].into() }).collect()
        })
        .collect();
    Output {
        value: f32::from_bits(words[5]),
        terms: floats(layout.term_values, plan.loss.terms.len() as u64),
        groups,
        sums,
        gradient_peak: plan.problem.gradient.then(|| f32::from_bits(words[4])),
        gradient: None,
        voxel_map: None,
    }
}
