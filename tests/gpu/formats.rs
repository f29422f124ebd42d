//! Every format of logits with every format of targets, against the reference.

use segloss::half::{bf16, f16};
use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{
    BadValues, Batch, BufferRange, Buffers, ByteScale, Error, Gpu, Labels, Logits, LogitsFormat, Loss, Output, Pool,
    Reduction, Shape, TargetFormat, Targets, reference,
};

use crate::buffers::{download, limited, scratch};
use crate::data::{gpu, hash, turn};
use crate::label_maps::{LabelMaps, bytes_of_labels};

/// One tensor in all formats.
pub(crate) struct Formats {
    shape: Shape,
    logits: (Vec<f32>, Vec<f16>, Vec<bf16>),
    soft: Vec<f32>,
    bytes: Vec<u8>,
    bits: Vec<u32>,
    labels: LabelMaps,
    mask: Vec<f32>,
    weights: Vec<f32>,
}

pub(crate) const TARGETS: usize = 9;
/// What is ignored: a byte, so that every format of labels has it.
const IGNORED: i64 = 200;

impl Formats {
    /// Logits in ±6; soft targets in quarters, so that one of them may be ignored; labels of which one in eight is
    /// [`IGNORED`], if `ignores`.
    pub(crate) fn random(dims: &[usize], seed: u32, ignores: bool) -> Self {
        Self::within(dims, seed, ignores, [-6.0, 6.0])
    }

    /// The same with logits in other bounds.
    pub(crate) fn within(dims: &[usize], seed: u32, ignores: bool, [least, most]: [f32; 2]) -> Self {
        let shape = Shape::new(dims).unwrap();
        let (n, voxels) = (shape.elements(), shape.mask_elements());
        let unit = |seed: u32, i: usize| (hash(seed, i as u32) >> 8) as f32 / (1 << 24) as f32;
        let logits: Vec<f32> = (0..n).map(|i| (most - least) * unit(seed, i) + least).collect();
        let label = |i: usize| match hash(seed + 1, i as u32) {
            h if ignores && h.is_multiple_of(8) => IGNORED as u8,
            h => ((h >> 8) % shape.classes().max(1) as u32) as u8,
        };
        let labels: Vec<u8> = (0..voxels).map(label).collect();
        Self {
            logits: (
                logits.clone(),
                logits.iter().map(|&z| f16::from_f32(z)).collect(),
                logits.iter().map(|&z| bf16::from_f32(z)).collect(),
            ),
            soft: (0..n)
                .map(|i| {
                    if ignores && hash(seed + 2, i as u32).is_multiple_of(8) {
                        IGNORED as f32
                    } else {
                        (hash(seed + 2, i as u32) % 5) as f32 / 4.0
                    }
                })
                .collect(),
            bytes: (0..n).map(|i| (hash(seed + 3, i as u32) % 2) as u8).collect(),
            bits: (0..n.div_ceil(32)).map(|i| hash(seed + 4, i as u32)).collect(),
            labels: LabelMaps::new(&labels),
            mask: (0..voxels).map(|i| f32::from(u8::from(!hash(seed + 5, i as u32).is_multiple_of(4)))).collect(),
            weights: (0..n).map(|i| 2.0 * unit(seed + 6, i)).collect(),
            shape,
        }
    }

    fn logits(&self, format: LogitsFormat) -> Logits<'_> {
        match format {
            LogitsFormat::F16 => Logits::F16(&self.logits.1),
            LogitsFormat::Bf16 => Logits::Bf16(&self.logits.2),
            _ => Logits::F32(&self.logits.0),
        }
    }

    fn targets(&self, index: usize) -> Targets<'_> {
        match index {
            0 => Targets::F32(&self.soft),
            1 => Targets::U8(&self.bytes, ByteScale::One),
            2 => Targets::U8(&self.bytes, ByteScale::Inverse255),
            3 => Targets::Bits(&self.bits),
            _ => self.labels.labels(index - 4).into(),
        }
    }

    /// With the parts that the bits select: 1 mask, 2 weights, 4 an ignore index, 8 classes last.
    fn batch(&self, logits: LogitsFormat, targets: usize, parts: u32) -> Batch<'_> {
        self.without_gradient(logits, targets, parts).with_gradient()
    }

    /// The same without a gradient; 16 are weights one a voxel.
    pub(crate) fn without_gradient(&self, logits: LogitsFormat, targets: usize, parts: u32) -> Batch<'_> {
        let mut batch = Batch::new(&self.shape, self.logits(logits), self.targets(targets)).unwrap();
        if parts & 1 != 0 {
            batch = batch.with_mask(&self.mask).unwrap();
        }
        if parts & 2 != 0 {
            batch = batch.with_voxel_weights(&self.weights).unwrap();
        }
        if parts & 16 != 0 {
            batch = batch.with_weights_per_voxel(&self.weights[..self.mask.len()]).unwrap();
        }
        if parts & 4 != 0 {
            // One that there is: bits and bytes are masks.
            let there = match batch.problem().targets {
                TargetFormat::Bits | TargetFormat::U8(ByteScale::Inverse255) => 0,
                TargetFormat::U8(ByteScale::One) => 1,
                _ => IGNORED,
            };
            batch = batch.with_ignore_index(there);
        }
        if parts & 8 != 0 { batch.channel_last() } else { batch }
    }
}

pub(crate) const LOGITS: [LogitsFormat; 3] = [LogitsFormat::F32, LogitsFormat::F16, LogitsFormat::Bf16];

/// Sums and value within 1e-6; the gradient within 1e-5 of its largest element and half a unit of its format.
pub(crate) fn assert_same(name: &str, loss: &Loss, batch: &Batch, output: &Output) {
    let expected = reference::evaluate(loss, batch).unwrap();
    for (got, want) in output.sums().iter().flatten().zip(expected.sums.iter().flatten()) {
        assert_eq!(got.count, want.count, "{name}");
        for (got, want) in got.values.iter().zip(want.values) {
            assert!((got - want).abs() <= 1e-6 * want.abs(), "{name}: the sum is {got}, not {want}");
        }
    }
    let error = (f64::from(output.value()) - expected.value).abs();
    assert!(error <= 1e-6 * expected.value.abs().max(1.0), "{name}: {} instead of {}", output.value(), expected.value);
    let Some(want) = expected.gradient else { return };
    let got = output.gradient().unwrap();
    // The unit of the last place, by half; below 2^-14 an f16 has steps of 2^-24.
    let (relative, least) = match batch.problem().logits {
        LogitsFormat::F16 => (2_f64.powi(-11), 2_f64.powi(-25)),
        LogitsFormat::Bf16 => (2_f64.powi(-8), 0.0),
        _ => (0.0, 0.0),
    };
    let peak = want.iter().fold(0.0_f64, |peak, g| peak.max(g.abs()));
    for (i, (&got, &want)) in got.iter().zip(&want).enumerate() {
        let allowed = 1e-5 * peak + (relative * want.abs()).max(least);
        assert!((f64::from(got) - want).abs() <= allowed, "{name}: gradient[{i}] is {got}, not {want} (peak {peak})");
    }
    let largest = got.iter().fold(0.0_f32, |peak, g| peak.max(g.abs()));
    assert_eq!(output.gradient_peak(), Some(largest), "{name}");
}

/// Of labels everything that pools, and counts.
#[test]
fn labels_give_what_dense_targets_give() {
    let _turn = turn();
    let formats = Formats::random(&[3, 4, 501], 7, false);
    let dense: Vec<f32> = (0..3 * 4 * 501)
        .map(|i| f32::from(u8::from(usize::from(formats.labels.u8[i / (4 * 501) * 501 + i % 501]) == i / 501 % 4)))
        .collect();
    let losses = [Loss::dice().pool(Pool::Batch), Loss::generalized_dice(), Loss::focal(2.0), Loss::matthews()];
    for loss in losses.into_iter().chain([Loss::dice().hard(0.5)]) {
        let by_labels = Batch::new(&formats.shape, &formats.logits.0, Labels::U8(&formats.labels.u8)).unwrap();
        let by_values = Batch::new(&formats.shape, &formats.logits.0, &dense).unwrap();
        let [got, want] = [by_labels, by_values].map(|batch| gpu().evaluate(&loss, &batch).unwrap());
        assert_eq!(got, want);
    }
}

/// Labels beyond the classes are counted once, whatever the classes, and no class is one of them.
#[test]
fn labels_that_are_no_class_are_counted() {
    let _turn = turn();
    let formats = Formats::random(&[2, 3, 700], 3, false);
    let (mut wide, mut signed) = (formats.labels.i64.clone(), formats.labels.i32.clone());
    // One each: just beyond, negative, the two's complement of -100 as a positive number, a class by its lower half.
    for (voxel, label) in [(0, 3), (5, -1), (700, 0xffff_ff9c), (1399, 1 << 32)] {
        wide[voxel] = label;
    }
    (signed[1], signed[2], signed[3]) = (-100, i32::MIN, 3);
    let loss = Loss::dice().smooth(1.0).with(1.0, Loss::bce());
    let bad = |labels| Err(Error::BadValues(BadValues { labels, ..BadValues::default() }));
    let batch = Batch::new(&formats.shape, &formats.logits.0, Labels::I64(&wide)).unwrap();
    assert_eq!(gpu().evaluate(&loss, &batch), bad(4));
    assert_eq!(gpu().evaluate(&loss.clone().ignore_index(-100), &batch), bad(4));
    let batch = Batch::new(&formats.shape, &formats.logits.0, Labels::I32(&signed)).unwrap();
    assert_eq!(gpu().evaluate(&loss, &batch), bad(3));
    // The loss's ignore index, unless the batch has its own.
    assert_eq!(gpu().evaluate(&loss.clone().ignore_index(-100), &batch), bad(2));
    assert_eq!(gpu().evaluate(&loss.clone().ignore_index(-100), &batch.with_ignore_index(3)), bad(2));
}

/// An ignore index is compared with what a target is worth, however it is stored.
#[test]
fn an_ignore_index_is_a_value() {
    let _turn = turn();
    let shape = Shape::new(&[1, 1, 6]).unwrap();
    let logits = [0.5_f32, 0.25, 1.0, 0.75, 0.125, 0.0625];
    let bytes = [0, 255, 1, 255, 0, 200];
    let (floats, bits) = ([0.0_f32, 1.0, -0.0, 255.0, 200.0, 0.25], [0b11_0010_u32]);
    let (whole, scaled) = (Targets::U8(&bytes, ByteScale::One), Targets::U8(&bytes, ByteScale::Inverse255));
    let (floats, bits) = (Targets::F32(&floats), Targets::Bits(&bits));
    // P, and how many count.
    for (targets, index, sum, count) in [
        (scaled, 255, 2.6875, 6),
        (scaled, 1, 1.6875, 4),
        (scaled, 0, 2.0625, 4),
        (scaled, -1, 2.6875, 6),
        (whole, 255, 1.6875, 4),
        (whole, 1, 1.6875, 5),
        (bits, 1, 2.25, 3),
        (bits, 0, 0.4375, 3),
        (bits, 255, 2.6875, 6),
        (floats, 0, 1.1875, 4),
        (floats, 255, 1.9375, 5),
    ] {
        let batch = Batch::new(&shape, &logits, targets).unwrap().with_ignore_index(index).with_gradient();
        let loss = Loss::dice().smooth(1.0).probabilities();
        let output = gpu().evaluate(&loss, &batch).unwrap();
        let name = format!("{targets:?} without {index}");
        let sums = output.sums()[0][0];
        assert_eq!(sums.count, count, "{name}");
        assert!((sums.values[1] - sum).abs() <= 1e-6 * sum, "{name}: P is {}, not {sum}", sums.values[1]);
        assert_same(&name, &loss, &batch, &output);
    }
}

/// The largest f16 is 65,504: sums of a thousand of them are no problem of theirs, and a gradient beyond is infinite.
#[test]
fn half_floats_do_not_overflow_sums() {
    let _turn = turn();
    let shape = Shape::new(&[1, 1, 5000]).unwrap();
    let (logits, targets) = (vec![f16::MAX; 5000], vec![1.0_f32; 5000]);
    let loss = Loss::dice().squared().smooth(1.0).probabilities();
    let batch = Batch::new(&shape, &logits, &targets).unwrap().with_gradient();
    let output = gpu().evaluate(&loss, &batch).unwrap();
    assert_same("largest halves", &loss, &batch, &output);
    let mut scaled = Loss::bce().reduction(Reduction::Sum);
    scaled.terms[0].weight = 1e6;
    let zeros = vec![f16::ZERO; 5000];
    let batch = Batch::new(&shape, &zeros, &targets).unwrap().with_gradient();
    let output = gpu().evaluate(&scaled, &batch).unwrap();
    assert!(output.gradient().unwrap().iter().all(|&g| g == f32::NEG_INFINITY));
    assert_eq!(output.gradient_peak(), Some(f32::INFINITY));
}

/// A bf16 has the range of an f32, in which sums are kept. Of probabilities, given or made of any finite logits, none overflows;
/// others are infinite where those of the same f32 are: a cross-entropy, which is |z| of a logit that is wrong, where Σ|z| is,
/// and numbers beyond 1 given as probabilities where their sum is.
#[test]
fn wide_halves_overflow_where_f32_does() {
    let _turn = turn();
    let shape = Shape::new(&[1, 2, 2500]).unwrap();
    let wide = |number: f32| vec![bf16::from_f32(number); 5000];
    let extremes: Vec<bf16> =
        (0..5000).map(|i| if hash(1, i).is_multiple_of(2) { bf16::MAX } else { bf16::MIN }).collect();
    let targets: Vec<f32> = (0..5000).map(|i| (hash(2, i) % 2) as f32).collect();
    let evaluate = |name: &str, loss: &Loss, logits: &[bf16]| {
        let narrow: Vec<f32> = logits.iter().map(|z| z.to_f32()).collect();
        let of = |batch: Batch| gpu().evaluate(loss, &batch).unwrap();
        let output = of(Batch::new(&shape, logits, &targets).unwrap());
        let same = of(Batch::new(&shape, &narrow, &targets).unwrap());
        assert_eq!(format!("{:?}", output.sums()), format!("{:?}", same.sums()), "{name}");
        output
    };
    let dice = Loss::dice().smooth(1.0).with(0.5, Loss::dice().squared().smooth(1.0));
    for (name, loss, logits) in [
        ("sigmoid", dice.clone(), &extremes),
        ("softmax", dice.clone().softmax(), &extremes),
        ("ones", dice.clone().probabilities(), &wide(1.0)),
    ] {
        evaluate(name, &loss, logits);
        let batch = Batch::new(&shape, logits, &targets).unwrap().with_gradient();
        assert_same(name, &loss, &batch, &gpu().evaluate(&loss, &batch).unwrap());
    }
    // Of probabilities so near 0 the other part is e^-87, not 0; the value is all that can be compared.
    let much = wide(-bf16::MAX.to_f32() / 8192.0);
    let expected = f64::from(-much[0].to_f32()) * targets.iter().map(|&t| f64::from(t)).sum::<f64>() / 5000.0;
    let value = f64::from(evaluate("wrong by much", &Loss::bce(), &much).value());
    assert!((value - expected).abs() <= 1e-6 * expected, "{value}, not {expected}");
    let wrong = evaluate("wrong by most", &Loss::bce().reduction(Reduction::Sum), &wide(bf16::MIN.to_f32()));
    assert_eq!(wrong.value(), f32::INFINITY);
    let beyond = evaluate("no probabilities", &dice.probabilities(), &wide(bf16::MAX.to_f32()));
    assert!(beyond.sums().iter().all(|rows| rows[0].values[1] == f64::INFINITY), "{:?}", beyond.sums());
}

/// Logits, targets and gradient in one buffer, each behind an element of something else: nothing but the gradient is written,
/// to the byte.
#[test]
fn formats_share_one_buffer_at_odd_offsets() {
    let _turn = turn();
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce()).reduction(Reduction::Sum);
    for (index, &format) in LOGITS.iter().enumerate() {
        for targets in 0..TARGETS {
            for (position, dims) in [&[1, 3, 33][..], &[2, 3, 5001]].into_iter().enumerate() {
                let parts = if (targets + position) % 2 == 0 { 0 } else { 8 };
                let formats = Formats::random(dims, (targets + 10 * index) as u32, false);
                let batch = formats.batch(format, targets, parts);
                let name = format!("{format:?}, {:?}, {dims:?}, parts {parts}", batch.problem().targets);
                let output = in_one_buffer(gpu(), &name, &loss, &batch, &formats);
                assert_same(&name, &loss, &batch, &output);
            }
        }
    }
}

/// Evaluates a batch whose tensors lie in one buffer, and checks that the rest of the buffer is untouched.
pub(crate) fn in_one_buffer(gpu: &Gpu, name: &str, loss: &Loss, batch: &Batch, formats: &Formats) -> Output {
    let (logits, targets) = (bytes_of_logits(batch.logits()), bytes_of_targets(batch.targets(), formats));
    let element = batch.problem().logits.bits() as usize / 8;
    let target = batch.problem().targets.bits().div_ceil(8) as usize;
    let mut bytes = vec![];
    let mut place = |data: &[u8], multiple: usize, behind: usize| {
        let begin = bytes.len().next_multiple_of(multiple) + behind;
        bytes.resize(begin, 0xa5);
        bytes.extend_from_slice(data);
        begin..bytes.len()
    };
    let poison = vec![0xa5; element * batch.shape().elements()];
    let places = [place(&logits, element, element), place(&poison, 4, 4), place(&targets, target, target)];
    bytes.resize(bytes.len().next_multiple_of(32) + 32, 0xa5);

    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let size = bytes.len() as u64;
    let buffer =
        gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    gpu.queue().write_buffer(&buffer, 0, &bytes);
    let [logits, gradient, targets] = places.clone().map(|place| BufferRange {
        buffer: &buffer,
        offset: place.start as u64,
        length: place.len() as u64,
    });
    let plan = gpu.plan(loss, batch.problem()).unwrap();
    let scratch = scratch(gpu, plan.scratch_size());
    let bound = plan.bind(&Buffers::new(logits, targets).with_gradient(gradient), (&scratch).into()).unwrap();
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    let after: Vec<u8> = download(gpu, &buffer).into_iter().flat_map(u32::to_le_bytes).collect();
    for (i, (before, after)) in bytes.iter().zip(&after).enumerate() {
        assert!(before == after || places[1].contains(&i), "{name}: byte {i} was overwritten");
    }
    let gradient = after[places[1].clone()].chunks_exact(element).map(|b| match batch.problem().logits {
        LogitsFormat::F16 => f16::from_le_bytes([b[0], b[1]]).to_f32(),
        LogitsFormat::Bf16 => bf16::from_le_bytes([b[0], b[1]]).to_f32(),
        _ => f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
    });
    bound.read_blocking().unwrap().with_gradient(gradient.collect())
}

fn bytes_of_logits(logits: Logits) -> Vec<u8> {
    match logits {
        Logits::F16(data) => data.iter().flat_map(|z| z.to_le_bytes()).collect(),
        Logits::Bf16(data) => data.iter().flat_map(|z| z.to_le_bytes()).collect(),
        Logits::F32(data) => data.iter().flat_map(|z| z.to_le_bytes()).collect(),
        other => panic!("{other:?}"),
    }
}

/// Of bits no more bytes than hold them.
fn bytes_of_targets(targets: Targets, formats: &Formats) -> Vec<u8> {
    match targets {
        Targets::F32(data) => data.iter().flat_map(|t| t.to_le_bytes()).collect(),
        Targets::U8(data, _) => data.to_vec(),
        Targets::Bits(words) => {
            let bytes = words.iter().flat_map(|w| w.to_le_bytes());
            bytes.take(formats.shape.elements().div_ceil(8)).collect()
        }
        Targets::Labels(labels) => bytes_of_labels(labels),
        other => panic!("{other:?}"),
    }
}

/// Tensors beyond the binding limit, whose windows begin at elements that are no multiple of a word.
#[test]
fn formats_are_bound_in_windows() {
    let _turn = turn();
    // 256 KiB a binding.
    let gpu = limited(|limits| limits.max_storage_buffer_binding_size = 1 << 18);
    let loss = Loss::dice().smooth(1.0).with(0.5, Loss::bce()).reduction(Reduction::Sum);
    for (index, &logits) in LOGITS.iter().enumerate() {
        for targets in 0..TARGETS {
            let dims = [&[1, 2, 100_003][..], &[5, 3, 20_001], &[1, 3, 50_001]][(targets + index) % 3];
            for parts in [0, 8] {
                let formats = Formats::random(dims, (targets + 10 * index) as u32, false);
                let batch = formats.batch(logits, targets, parts);
                let output = gpu.evaluate(&loss, &batch).unwrap();
                let name = format!("{logits:?}, {:?}, {dims:?}, parts {parts}", batch.problem().targets);
                assert_same(&name, &loss, &batch, &output);
            }
        }
    }
}
