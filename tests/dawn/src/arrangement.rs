//! Where a case's tensors lie: each in a buffer of its own, or some of them in one.

use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{Batch, BufferRange, Buffers, Gpu, Labels, Logits, Loss, Reduction, Targets};

/// What lies there before anything is written: as f32, f16 or bf16 no number.
const POISON: u8 = 0xff;

/// The tensors of a case, and the labels of their buffers.
const TENSORS: [&str; 5] = ["logits", "targets", "mask", "voxel weights", "output"];
const OUTPUT: usize = 4;

/// Where tensors lie.
#[derive(Clone, Copy)]
pub(crate) struct Arrangement {
    /// Which of logits, targets, mask, voxel weights and output lie in one buffer.
    pooled: [bool; 5],
    /// There each begins at a multiple of so many bytes, or of its elements if that is more.
    multiple: usize,
    /// At least so many bytes behind the one before.
    gap: usize,
    /// The one that comes first.
    first: usize,
}

/// A tensor's bytes, and those of one of its elements.
struct Tensor {
    bytes: Vec<u8>,
    element: usize,
}

/// Where a tensor lies.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    buffer: usize,
    pub(crate) begin: u64,
    pub(crate) length: u64,
}

/// The buffers of a case, filled.
pub(crate) struct Arranged {
    buffers: Vec<(&'static str, wgpu::Buffer)>,
    places: [Option<Place>; 5],
}

impl Arrangement {
    /// A buffer each.
    pub(crate) const APART: Self = Self { pooled: [false; 5], multiple: 1, gap: 0, first: 0 };

    /// All in one buffer, as a framework's pooled allocator would have them, in an order that depends on `first`.
    pub(crate) const fn pooled(multiple: usize, first: usize) -> Self {
        Self { pooled: [true; 5], multiple, gap: 1, first }
    }

    /// Only these in one buffer.
    pub(crate) const fn only(self, pooled: [bool; 5]) -> Self {
        Self { pooled, ..self }
    }

    /// So far apart that no binding of one reaches another.
    pub(crate) const fn far(self) -> Self {
        Self { gap: 1024, ..self }
    }

    /// Makes the buffers and fills them.
    pub(crate) fn fill(self, gpu: &Gpu, loss: &Loss, batch: &Batch) -> Arranged {
        let (mut pool, mut buffers, mut places) = (vec![], vec![], [None; 5]);
        let tensors = tensors(loss, batch);
        let order = (0..TENSORS.len()).map(|step| (step + self.first) % TENSORS.len());
        for (index, tensor) in order.filter_map(|index| Some((index, tensors[index].as_ref()?))) {
            let length = tensor.bytes.len() as u64;
            if !self.pooled[index] {
                places[index] = Some(Place { buffer: buffers.len(), begin: 0, length });
                buffers.push((TENSORS[index], filled(gpu, TENSORS[index], tensor.bytes.clone())));
                continue;
            }
            let begin = (pool.len() + self.gap).next_multiple_of(self.multiple.max(tensor.element));
            pool.resize(begin, POISON);
            pool.extend_from_slice(&tensor.bytes);
            // The pool's buffer comes behind those of the others.
            let buffer = self.pooled.iter().zip(&tensors).filter(|(pooled, t)| !**pooled && t.is_some()).count();
            places[index] = Some(Place { buffer, begin: begin as u64, length });
        }
        if !pool.is_empty() {
            pool.resize((pool.len() + self.gap).next_multiple_of(self.multiple), POISON);
            buffers.push(("pool", filled(gpu, "pool", pool)));
        }
        Arranged { buffers, places }
    }
}

impl Arranged {
    /// The buffers as a plan of this loss and batch takes them.
    pub(crate) fn buffers(&self, loss: &Loss, batch: &Batch) -> Buffers<'_> {
        let range = |index: usize| {
            let Place { buffer, begin, length } = self.places[index]?;
            Some(BufferRange { buffer: &self.buffers[buffer].1, offset: begin, length })
        };
        let always = |index| range(index).expect("every problem has logits and targets");
        let is_map = loss.is_voxel_map();
        Buffers {
            mask: range(2),
            voxel_weights: range(3),
            gradient: range(OUTPUT).filter(|_| batch.problem().gradient),
            voxel_map: range(OUTPUT).filter(|_| is_map),
            ..Buffers::new(always(0), always(1))
        }
    }

    /// The label of the buffer that the output lies in, and where; none where there is no output.
    pub(crate) fn output(&self) -> Option<(&'static str, Place)> {
        self.places[OUTPUT].map(|place| (self.buffers[place.buffer].0, place))
    }

    /// The labels of all buffers.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.buffers.iter().map(|(label, _)| *label)
    }
}

/// A buffer of these bytes, as long as every adapter copies and binds.
fn filled(gpu: &Gpu, label: &str, mut bytes: Vec<u8>) -> wgpu::Buffer {
    bytes.resize(bytes.len().max(1).next_multiple_of(4), POISON);
    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let size = bytes.len() as u64;
    let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
    let buffer = gpu.device().create_buffer(&descriptor);
    gpu.queue().write_buffer(&buffer, 0, &bytes);
    buffer
}

/// What the tensors of a batch are made of, in the order of [`TENSORS`].
fn tensors(loss: &Loss, batch: &Batch) -> [Option<Tensor>; 5] {
    let (problem, shape) = (batch.problem(), batch.shape());
    let (logits, targets) = (problem.logits.bits() as usize / 8, problem.targets.bits().div_ceil(8) as usize);
    let floats = |data: &[f32]| Tensor { bytes: bytemuck::cast_slice(data).to_vec(), element: 4 };
    let output = match (loss.map_reduction(), problem.gradient) {
        (Some(Reduction::PerVoxel), _) => Some(4 * shape.mask_elements()),
        (Some(_), _) => Some(4 * shape.elements()),
        (None, true) => Some(logits * shape.elements()),
        (None, false) => None,
    };
    [
        Some(Tensor { bytes: bytes_of_logits(batch.logits()), element: logits }),
        Some(Tensor { bytes: bytes_of_targets(batch.targets(), shape.elements()), element: targets }),
        batch.mask().map(floats),
        batch.voxel_weights().map(floats),
        output.map(|length| Tensor { bytes: vec![POISON; length], element: 4 }),
    ]
}

fn bytes_of_logits(logits: Logits) -> Vec<u8> {
    match logits {
        Logits::F32(data) => bytemuck::cast_slice(data).to_vec(),
        Logits::F16(data) => bytemuck::cast_slice(data).to_vec(),
        Logits::Bf16(data) => bytemuck::cast_slice(data).to_vec(),
        Logits::Labels(labels) => bytes_of_labels(labels),
        other => panic!("{other:?} is new and has no bytes here yet"),
    }
}

/// Of bits no more bytes than hold them.
fn bytes_of_targets(targets: Targets, elements: usize) -> Vec<u8> {
    match targets {
        Targets::F32(data) => bytemuck::cast_slice(data).to_vec(),
        Targets::U8(data, _) => data.to_vec(),
        Targets::Bits(words) => bytemuck::cast_slice::<u32, u8>(words)[..elements.div_ceil(8)].to_vec(),
        Targets::Labels(labels) => bytes_of_labels(labels),
        other => panic!("{other:?} is new and has no bytes here yet"),
    }
}

fn bytes_of_labels(labels: Labels) -> Vec<u8> {
    match labels {
        Labels::U8(data) => data.to_vec(),
        Labels::U16(data) => bytemuck::cast_slice(data).to_vec(),
        Labels::U32(data) => bytemuck::cast_slice(data).to_vec(),
        Labels::I32(data) => bytemuck::cast_slice(data).to_vec(),
        Labels::I64(data) => bytemuck::cast_slice(data).to_vec(),
    }
}
