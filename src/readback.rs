//! From the device back to the host.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::layout::{HEADER_WORDS, SUMS_WORDS};
use crate::loss::Term;
use crate::{BadValues, Error, Gpu, Output, Plan, Pool, Problem, Sums};

/// A host-visible buffer that results are copied to and mapped from.
#[derive(Debug)]
pub(crate) struct Staging {
    buffer: wgpu::Buffer,
    is_read: AtomicBool,
}

/// A staging buffer that has been asked for and is not mapped yet.
pub(crate) struct Reading<'a> {
    gpu: &'a Gpu,
    staging: &'a Staging,
    bytes: u64,
    is_mapped: bool,
    #[cfg(target_arch = "wasm32")]
    mapped: futures_intrusive::channel::shared::OneshotReceiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Staging {
    pub(crate) fn new(gpu: &Gpu, bytes: u64) -> Result<Self, Error> {
        let descriptor = wgpu::BufferDescriptor {
            label: Some("segloss result"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        };
        let buffer = gpu.guarded(|device| device.create_buffer(&descriptor))?;
        Ok(Self { buffer, is_read: AtomicBool::new(false) })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.buffer.size()
    }

    /// Records the copy of the first `bytes` from `offset` of a buffer on.
    pub(crate) fn encode(&self, encoder: &mut wgpu::CommandEncoder, source: &wgpu::Buffer, offset: u64, bytes: u64) {
        encoder.copy_buffer_to_buffer(source, offset, &self.buffer, 0, bytes);
    }

    /// Asks for the first `bytes` once the work submitted so far is done. It fails while another reading is under way.
    pub(crate) fn request<'a>(&'a self, gpu: &'a Gpu, bytes: u64) -> Result<Reading<'a>, Error> {
        if self.is_read.swap(true, Ordering::Acquire) {
            return Err(Error::BeingRead);
        }
        // Native devices map while they are polled, and say so when the range is taken: there is nothing to be told.
        #[cfg(not(target_arch = "wasm32"))]
        let told = |_| ();
        #[cfg(target_arch = "wasm32")]
        let (sender, mapped) = futures_intrusive::channel::shared::oneshot_channel();
        // The receiver is gone if the caller dropped the future: nobody to tell.
        #[cfg(target_arch = "wasm32")]
        let told = move |result| drop(sender.send(result));
        let reading = Reading {
            gpu,
            staging: self,
            bytes,
            is_mapped: true,
            #[cfg(target_arch = "wasm32")]
            mapped,
        };
        // Unguarded, since scopes allocate: the buffer is this one's own and not mapped, so that only a lost device can refuse,
        // and of that wgpu says nothing here.
        self.buffer.map_async(wgpu::MapMode::Read, ..bytes, told);
        Ok(reading)
    }
}

impl Reading<'_> {
    /// Hands the words over. On native devices the [wait](wait) must be over; on the web it happens here.
    pub(crate) async fn finish<T>(mut self, decode: impl FnOnce(&[u32]) -> T) -> Result<T, Error> {
        #[cfg(target_arch = "wasm32")]
        if !matches!(self.mapped.receive().await, Some(Ok(()))) {
            return Err(Error::Device("the result cannot be mapped".to_owned()));
        }
        let buffer = &self.staging.buffer;
        let view = buffer.get_mapped_range(..self.bytes).map_err(|error| self.gpu.failure(error.to_string()))?;
        let decoded = bytemuck::try_cast_slice(&view).map(decode).map_err(|error| Error::Device(error.to_string()));
        drop(view);
        buffer.unmap();
        self.is_mapped = false;
        decoded
    }
}

impl Drop for Reading<'_> {
    /// What was asked for and is not wanted any more, such as the others' results after one that failed.
    fn drop(&mut self) {
        if self.is_mapped {
            let _turn = self.gpu.turn();
            // It fails where mapping has: then there is nothing to undo.
            let _ = self.gpu.guarded(|_| self.staging.buffer.unmap());
        }
        self.staging.is_read.store(false, Ordering::Release);
    }
}

/// Waits until the work submitted so far is done. On the web nothing can wait; there the browser calls back.
pub(crate) fn wait(gpu: &Gpu) -> Result<(), Error> {
    let waited = gpu.device().poll(wgpu::PollType::wait_indefinitely());
    waited.map(drop).map_err(|error| gpu.failure(format!("waiting for the result failed: {error}")))
}

/// Fills an output with the numbers of the words that the host reads. Its vectors are used again.
pub(crate) fn decode(plan: &Plan, words: &[u32], output: &mut Output) -> Result<(), Error> {
    if words[6] == 0 {
        return Err(Error::NotEvaluated);
    }
    let (labels_predicted, has_labels) = (plan.problem.logits.is_labels(), plan.problem.targets.is_labels());
    let either = |word: usize, is_it: bool| if is_it { words[word] } else { 0 };
    let bad = BadValues {
        logits: either(0, !labels_predicted),
        predicted_labels: either(0, labels_predicted),
        targets: either(1, !has_labels),
        labels: either(1, has_labels),
        mask: words[2],
        voxel_weights: words[3],
    };
    if !bad.is_empty() {
        return Err(Error::BadValues(bad));
    }
    let (layout, body) = (&plan.layout, &words[HEADER_WORDS as usize..]);
    let region = |from: u64, to: u64| &body[from as usize..to as usize];
    let floats = |from, to| region(from, to).iter().copied().map(f32::from_bits);
    output.value = f32::from_bits(words[5]);
    output.gradient_peak = plan.problem.gradient.then(|| f32::from_bits(words[4]));
    (output.gradient, output.voxel_map) = (None, None);
    refill(&mut output.terms, floats(layout.term_values, layout.group_values));

    output.groups.resize_with(plan.loss.terms.len(), Vec::new);
    let mut first = layout.group_values;
    for (term, values) in output.groups.iter_mut().enumerate() {
        let end = first + crate::layout::groups(&plan.loss, &plan.problem, term);
        refill(values, group_values(&plan.loss.terms[term], &plan.problem, floats(first, end)));
        first = end;
    }

    let records = region(layout.sums, layout.slopes).chunks_exact(SUMS_WORDS as usize);
    output.sums.resize_with(plan.statistics.len(), Vec::new);
    for (index, (rows, statistic)) in output.sums.iter_mut().zip(&plan.statistics).enumerate() {
        let number = |word| if statistic.is_count() { f64::from(word) } else { f64::from(f32::from_bits(word)) };
        let values = |w: &[u32]| {
            let [i, p, t] = [number(w[0]), number(w[1]), number(w[2])];
            if statistic.sums_excess() { [i, i + p, i + t] } else { [i, p, t] }
        };
        let own = records.clone().skip(index).step_by(plan.statistics.len());
        refill(rows, own.map(|w| Sums { values: values(w), count: w[3].into() }));
    }
    Ok(())
}

/// The values of a term's groups with their weights; none for a sum over voxels.
fn group_values(term: &Term, problem: &Problem, values: impl Iterator<Item = f32>) -> impl Iterator<Item = f32> {
    let classes = problem.shape.classes();
    let has_class = matches!(term.pool(), Pool::None | Pool::Batch);
    let is_listed = !term.is_pointwise();
    values.enumerate().filter(move |_| is_listed).filter_map(move |(group, value)| {
        let weight = if has_class { term.group_weight(group % classes)? } else { 1.0 };
        Some(weight as f32 * value)
    })
}

fn refill<T>(values: &mut Vec<T>, with: impl Iterator<Item = T>) {
    values.clear();
    values.extend(with);
}
