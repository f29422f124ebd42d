//! Problems of any size, and ranges of buffers to bind.

use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{
    AxisOrder, Bound, BufferRange, Buffers, ByteScale, Error, Gpu, LabelFormat, LogitsFormat, Loss, Plan, Pool,
    Problem, Reduction, Shape, TargetFormat, VoxelWeights, scratch_size,
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

/// The most bytes of a buffer that ranges lie in: small problems fit, large ones end outside.
const MOST_BYTES: u64 = 1 << 21;

const STORAGE: Usage = Usage::STORAGE.union(Usage::COPY_SRC).union(Usage::COPY_DST);

/// How far bytes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Their shape was refused, so that there is no problem.
    Nothing,
    /// A problem that was refused with its loss.
    Problem,
    /// A plan whose buffers were refused.
    Plan,
    /// Commands that wgpu took.
    Submission,
}

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
    reached(bytes);
}

/// The same, and how far it came: what is refused too early tests nothing that comes later.
pub fn reached(bytes: &[u8]) -> Reached {
    // What the bytes do not suffice for is not tried.
    tried(&mut Unstructured::new(bytes)).unwrap_or(Reached::Nothing)
}

fn tried(bytes: &mut Unstructured) -> Result<Reached> {
    let Some(problem) = described(bytes)? else { return Ok(Reached::Nothing) };
    let loss = loss(&problem, bytes)?;
    let Ok(plan) = gpu().plan(&loss, &problem) else { return Ok(Reached::Problem) };
    assert_eq!(scratch_size(&loss, &problem), Ok(plan.scratch_size()));
    let mut binding = Binding::sound(&plan, bytes)?;
    // Half of them as they are.
    let spoils = if bytes.ratio(1, 2)? { 0 } else { bytes.int_in_range(1..=2)? };
    for _ in 0..spoils {
        binding.spoil(bytes)?;
    }
    let is_bound = binding.try_on(&plan, spoils == 0 && binding.fits());
    Ok(if is_bound { Reached::Submission } else { Reached::Plan })
}

/// A range of one of the buffers, by its index.
#[derive(Clone, Copy, Debug)]
struct Place {
    buffer: usize,
    offset: u64,
    length: u64,
}

/// What a plan is given, before there are buffers.
#[derive(Debug)]
struct Binding {
    /// Logits, targets, mask, voxel weights, gradient, voxel map: those that are given.
    parts: [Option<Place>; 6],
    scratch: Place,
    /// Sizes and usages: of two buffers that parts lie in, of the scratch memory's, and of one that is small.
    buffers: [(u64, Usage); 4],
}

const SCRATCH: usize = 2;

impl Binding {
    /// What the problem has, one part behind the other at multiples of its elements, with and without gaps.
    fn sound(plan: &Plan, bytes: &mut Unstructured) -> Result<Self> {
        let (problem, loss) = (plan.problem(), plan.loss());
        let (elements, entries) = (problem.shape.elements(), problem.shape.mask_elements());
        let (logits, targets) = (problem.logits.bits(), problem.targets.bits());
        let weights = problem.voxel_weights;
        let map = if loss.map_reduction() == Some(Reduction::PerVoxel) { entries } else { elements };
        let wanted = [
            (true, problem.logit_elements(), logits),
            (true, problem.target_elements(), targets),
            (problem.mask, entries, 32),
            (weights.is_some(), weights.elements(&problem.shape), 32),
            (problem.gradient, elements, logits),
            (loss.is_voxel_map(), map, 32),
        ];
        let (mut parts, mut ends) = ([None; 6], [0; 2]);
        let first = bytes.choose_index(6)?;
        for part in (first..6).chain(0..first) {
            let (is_wanted, elements, bits) = wanted[part];
            if !is_wanted {
                continue;
            }
            let length = (elements as u64).saturating_mul(bits.into()).div_ceil(8);
            // An output begins at a word.
            let unit = if part < 4 { u64::from(bits.div_ceil(8)) } else { 4 };
            let buffer = usize::from(!bytes.ratio(2, 3)?);
            let end: &mut u64 = &mut ends[buffer];
            let gap = if bytes.ratio(1, 2)? { 0 } else { unit * bytes.int_in_range(1..=70)? };
            let offset = (*end + gap).next_multiple_of(unit.max(*bytes.choose(&[1, 16, 256])?));
            *end = offset + length.min(MOST_BYTES);
            parts[part] = Some(Place { buffer, offset, length });
        }
        let mut buffers = [(0, STORAGE); 4];
        for (buffer, end) in buffers.iter_mut().zip(ends) {
            let behind = 4 * bytes.int_in_range(0..=4)?;
            buffer.0 = (end.next_multiple_of(4) + behind).clamp(4, MOST_BYTES);
        }
        let offset = 256 * bytes.int_in_range(0..=2)?;
        let scratch = Place { buffer: SCRATCH, offset, length: plan.scratch_size() };
        buffers[SCRATCH].0 = (offset + scratch.length.min(MOST_BYTES)).next_multiple_of(4).min(MOST_BYTES);
        buffers[3].0 = 4 * bytes.int_in_range(1..=70)?;
        Ok(Self { parts, scratch, buffers })
    }

    /// Whether everything ends within its buffer, which a large problem's parts do not.
    fn fits(&self) -> bool {
        let end = |place: &Place| place.offset.saturating_add(place.length).saturating_add(3) / 4 * 4;
        self.parts.iter().flatten().chain([&self.scratch]).all(|place| end(place) <= self.buffers[place.buffer].0)
    }

    /// Makes one thing wrong, or another that is right.
    fn spoil(&mut self, bytes: &mut Unstructured) -> Result<()> {
        let usages = [Usage::STORAGE, STORAGE - Usage::STORAGE, Usage::UNIFORM | Usage::COPY_DST, Usage::COPY_SRC];
        let kind = bytes.int_in_range(0..=7)?;
        if kind == 0 {
            let at = bytes.choose_index(3)?;
            self.buffers[at].1 = *bytes.choose(&usages)?;
            return Ok(());
        }
        if kind == 1 {
            // Missing, or superfluous.
            let superfluous =
                Place { buffer: bytes.choose_index(4)?, offset: 0, length: 4 * bytes.int_in_range(0..=9)? };
            // Logits and targets cannot be missing.
            let part = &mut self.parts[bytes.int_in_range(2..=5)?];
            *part = if part.is_some() { None } else { Some(superfluous) };
            return Ok(());
        }
        let mut given: Vec<&mut Place> = self.parts.iter_mut().flatten().chain([&mut self.scratch]).collect();
        let (at, from) = (bytes.choose_index(given.len())?, bytes.choose_index(given.len())?);
        let other = *given[from];
        let place = &mut given[at];
        let near = |number: u64, bytes: &mut Unstructured| -> Result<u64> {
            let by = *bytes.choose(&[1, 2, 4, 8, 256])?;
            Ok(if bytes.arbitrary()? { number.wrapping_add(by) } else { number.wrapping_sub(by) })
        };
        match kind {
            2 => place.offset = any_u64(bytes)?,
            3 => place.length = any_u64(bytes)?,
            4 => place.offset = near(place.offset, bytes)?,
            5 => place.length = near(place.length, bytes)?,
            // Where another one lies, from its beginning or its end on.
            6 => {
                let end = other.offset.wrapping_add(other.length);
                let offset = if bytes.arbitrary()? { other.offset } else { near(end, bytes)? };
                (place.buffer, place.offset) = (other.buffer, offset);
            }
            _ => place.buffer = bytes.choose_index(4)?,
        }
        Ok(())
    }

    /// Makes the buffers and binds the ranges: whether they were taken. If they `must_be`, a refusal is a failure.
    fn try_on(&self, plan: &Plan, must_be: bool) -> bool {
        let buffers = self.buffers.map(|(size, usage)| {
            let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
            gpu().device().create_buffer(&descriptor)
        });
        let range =
            |place: Place| BufferRange { buffer: &buffers[place.buffer], offset: place.offset, length: place.length };
        let [Some(logits), Some(targets), mask, voxel_weights, gradient, voxel_map] =
            self.parts.map(|place| place.map(range))
        else {
            unreachable!("logits and targets are never missing")
        };
        let bound =
            plan.bind(&Buffers { logits, targets, mask, voxel_weights, gradient, voxel_map }, range(self.scratch));
        match &bound {
            Ok(bound) => submit(bound),
            // What wgpu finds wrong with a range, the library was to find before.
            Err(Error::Device(complaint)) => panic!("{complaint}: {self:?}"),
            Err(error) => assert!(!must_be, "{error}: {self:?} of {:?}, {:?}", plan.problem(), plan.loss()),
        }
        bound.is_ok()
    }
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
    let rank = if bytes.ratio(9, 10)? { bytes.int_in_range(2..=5)? } else { bytes.int_in_range(0..=6)? };
    let small = bytes.ratio(5, 6)?;
    let size = |bytes: &mut Unstructured| match small {
        true if bytes.ratio(29, 30)? => bytes.int_in_range(1..=9),
        true => Ok(0),
        false => bytes.choose(&SIZES).copied(),
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
    // Labels have none.
    problem.gradient = bytes.arbitrary()? && (!problem.logits.is_labels() || !bytes.ratio(9, 10)?);
    problem.row_upstream = !bytes.ratio(4, 5)?;
    Ok(Some(problem))
}

/// A loss, nine times of ten one that suits the problem if there is any.
fn loss(problem: &Problem, bytes: &mut Unstructured) -> Result<Loss> {
    let losses = [
        Loss::dice(),
        Loss::dice().probabilities().hard(0.5),
        Loss::dice().softmax().with(1.0, Loss::cross_entropy()),
        Loss::bce().reduction(Reduction::None),
        Loss::cross_entropy().reduction(Reduction::PerVoxel),
        Loss::dice().pool(Pool::Batch).reduction(Reduction::None),
        Loss::jaccard().squared().smooth(1.0).with(0.5, Loss::bce()),
        Loss::focal(2.0).with(0.5, Loss::tversky(0.3, 0.7).pool(Pool::All)),
    ];
    let is_asked = bytes.ratio(9, 10)?;
    let suits: Vec<&Loss> = losses.iter().filter(|loss| is_asked && scratch_size(loss, problem).is_ok()).collect();
    Ok(if !suits.is_empty() { (*bytes.choose(&suits)?).clone() } else { bytes.choose(&losses)?.clone() })
}

fn any_u64(bytes: &mut Unstructured) -> Result<u64> {
    Ok(match bytes.arbitrary()? {
        true => bytes.choose(&SIZES).map(|&size| size as u64)?,
        false => bytes.arbitrary()?,
    })
}
