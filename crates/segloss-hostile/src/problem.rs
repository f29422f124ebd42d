//! Problems of any size, and ranges of buffers to bind.

use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{
    AxisOrder, Bound, BufferRange, Buffers, ByteScale, Gpu, LabelFormat, LogitsFormat, Loss, Plan, Pool, Problem,
    Reduction, Shape, TargetFormat, VoxelWeights, scratch_size,
};

/// Sizes at the edges: of words and windows, of u32, i64 and usize.
const SIZES: [usize; 16] = [
    0,
    1,
    2,
    3,
    32,
    33,
    255,
    4096,
    65_536,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - (1 << 16),
    (1 << 32) - 1,
    1 << 32,
    1 << 61,
    usize::MAX,
];

/// Bytes of the buffers that ranges lie in.
const BUFFER_BYTES: u64 = 1 << 16;

/// A context on wgpu's noop device, which validates like any other.
pub(crate) fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| {
        let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
        Gpu::from_wgpu(device, queue).expect("the default limits suffice")
    })
}

/// Plans a problem and binds ranges to it: an error, or commands that wgpu takes.
pub fn problem(bytes: &[u8]) {
    // What the bytes do not suffice for is not tried.
    let _ = tried(&mut Unstructured::new(bytes));
}

fn tried(bytes: &mut Unstructured) -> Result<()> {
    let Some(problem) = described(bytes)? else { return Ok(()) };
    let loss = loss(bytes)?;
    let Ok(plan) = gpu().plan(&loss, &problem) else { return Ok(()) };
    assert_eq!(scratch_size(&loss, &problem), Ok(plan.scratch_size()));
    bind(&plan, bytes)
}

fn bind(plan: &Plan, bytes: &mut Unstructured) -> Result<()> {
    let storage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let usages = [storage, storage, storage, Usage::STORAGE, Usage::UNIFORM | Usage::COPY_DST, Usage::COPY_SRC];
    let buffer = |bytes: &mut Unstructured, size| -> Result<wgpu::Buffer> {
        let usage = *bytes.choose(&usages)?;
        Ok(gpu().device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        }))
    };
    let small = 4 * bytes.int_in_range(0..=70)?;
    let shared = [buffer(bytes, BUFFER_BYTES)?, buffer(bytes, small)?];
    let scratch = buffer(bytes, plan.scratch_size().clamp(4, BUFFER_BYTES).next_multiple_of(4))?;
    let problem = plan.problem();
    let (elements, entries) = (problem.shape.elements(), problem.shape.mask_elements());
    let range = |bytes: &mut Unstructured, elements: usize, bits: u32| -> Result<BufferRange> {
        // The right length three times of four, at places that are right, or near.
        let right = (elements as u64).saturating_mul(bits.into()).div_ceil(8);
        let length = if bytes.ratio(3, 4)? { right } else { any_u64(bytes)? };
        let offset = if bytes.ratio(3, 4)? { 256 * bytes.int_in_range(0..=255)? } else { any_u64(bytes)? };
        Ok(BufferRange { buffer: bytes.choose(&shared)?, offset, length })
    };
    let (logits, targets) = (problem.logits.bits(), problem.targets.bits());
    let mut buffers = Buffers::new(
        range(bytes, problem.logit_elements(), logits)?,
        range(bytes, problem.target_elements(), targets)?,
    );
    // Nearly always what the problem has.
    let mut part = |is_planned: bool, elements, bits| -> Result<Option<BufferRange>> {
        let is_given = is_planned != bytes.ratio(1, 50)?;
        if is_given { range(bytes, elements, bits).map(Some) } else { Ok(None) }
    };
    buffers.mask = part(problem.mask, entries, 32)?;
    buffers.voxel_weights = part(problem.voxel_weights.is_some(), problem.voxel_weights.elements(&problem.shape), 32)?;
    buffers.gradient = part(problem.gradient, elements, logits)?;
    buffers.voxel_map = part(plan.loss().is_voxel_map(), elements, 32)?;
    let scratch = match bytes.ratio(9, 10)? {
        true => (&scratch).into(),
        false => BufferRange { buffer: &scratch, offset: any_u64(bytes)?, length: any_u64(bytes)? },
    };
    if let Ok(bound) = plan.bind(&buffers, scratch) {
        submit(&bound);
    }
    Ok(())
}

/// Where wgpu finds something wrong with the commands, it panics.
fn submit(bound: &Bound) {
    let mut encoder = gpu().device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    bound.encode(&mut encoder);
    bound.encode_sums(&mut encoder);
    bound.encode_loss(&mut encoder);
    gpu().queue().submit([encoder.finish()]);
}

fn described(bytes: &mut Unstructured) -> Result<Option<Problem>> {
    let rank = bytes.int_in_range(0..=5)?;
    let small = bytes.ratio(2, 3)?;
    let size = |bytes: &mut Unstructured| {
        if small { bytes.int_in_range(0..=9) } else { bytes.choose(&SIZES).copied() }
    };
    let dims = (0..rank).map(|_| size(bytes)).collect::<Result<Vec<usize>>>()?;
    let Ok(shape) = Shape::new(&dims) else { return Ok(None) };
    let labels = [LabelFormat::U8, LabelFormat::U16, LabelFormat::U32, LabelFormat::I32, LabelFormat::I64];
    let label = *bytes.choose(&labels)?;
    let mut problem = Problem::new(shape);
    problem.axes = *bytes.choose(&[AxisOrder::ChannelFirst, AxisOrder::ChannelLast])?;
    let predicted = LogitsFormat::Labels(*bytes.choose(&labels)?);
    problem.logits = *bytes.choose(&[LogitsFormat::F32, LogitsFormat::F16, LogitsFormat::Bf16, predicted])?;
    problem.targets = *bytes.choose(&[
        TargetFormat::F32,
        TargetFormat::U8(ByteScale::One),
        TargetFormat::U8(ByteScale::Inverse255),
        TargetFormat::Bits,
        TargetFormat::Labels(label),
    ])?;
    problem.ignore_index = *bytes.choose(&[None, Some(-100), Some(255), Some(i64::MIN), Some(i64::MAX)])?;
    problem.mask = bytes.arbitrary()?;
    problem.voxel_weights = *bytes.choose(&[VoxelWeights::None, VoxelWeights::PerElement, VoxelWeights::PerVoxel])?;
    problem.gradient = bytes.arbitrary()?;
    problem.row_upstream = bytes.ratio(1, 5)?;
    Ok(Some(problem))
}

fn loss(bytes: &mut Unstructured) -> Result<Loss> {
    let losses = [
        Loss::dice(),
        Loss::dice().probabilities().hard(0.5),
        Loss::dice().softmax().with(1.0, Loss::cross_entropy()),
        Loss::bce().reduction(Reduction::None),
        Loss::dice().pool(Pool::Batch).reduction(Reduction::None),
        Loss::jaccard().squared().smooth(1.0).with(0.5, Loss::bce()),
    ];
    Ok(bytes.choose(&losses)?.clone())
}

fn any_u64(bytes: &mut Unstructured) -> Result<u64> {
    Ok(match bytes.arbitrary()? {
        true => bytes.choose(&SIZES).map(|&size| size as u64)?,
        false => bytes.arbitrary()?,
    })
}
