//! Errors of shape, format and usage, with the values they carry: on wgpu's noop device, which validates like any other
//! and needs no adapter.

use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{
    Activation, Batch, BufferRange, Buffers, Error, Gpu, LabelFormat, Labels, LogitsFormat, Loss, Plan, Problem,
    Reduction, Shape, TargetFormat, reference, scratch_size,
};

const STORAGE: Usage = Usage::STORAGE;
const SCRATCH: Usage = Usage::STORAGE.union(Usage::COPY_SRC).union(Usage::COPY_DST);

fn device(limits: wgpu::Limits) -> (wgpu::Device, wgpu::Queue) {
    wgpu::Device::noop(&wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() })
}

fn gpu() -> Gpu {
    let (device, queue) = device(wgpu::Limits::default());
    Gpu::from_wgpu(device, queue).unwrap()
}

fn buffer(gpu: &Gpu, size: u64, usage: Usage) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

fn range(buffer: &wgpu::Buffer, offset: u64, length: u64) -> BufferRange<'_> {
    BufferRange { buffer, offset, length }
}

/// A plan of Dice on [1, 2, 10] with gradient: 80 bytes a tensor.
fn plan(gpu: &Gpu) -> Plan {
    gpu.plan(&Loss::dice(), &Problem::new(Shape::new(&[1, 2, 10]).unwrap()).with_gradient()).unwrap()
}

/// The error of binding a plan to ranges of one large buffer and a scratch buffer of its own.
fn refused<'a>(plan: &Plan, buffers: &Buffers<'a>, scratch: BufferRange<'a>) -> Error {
    plan.bind(buffers, scratch).map(|_| ()).expect_err("this is not bindable")
}

#[test]
fn arrays_of_the_wrong_length() {
    let shape = Shape::new(&[2, 3, 4]).unwrap();
    let (full, short) = ([0.0; 24], [0.0; 23]);
    let length = |what, found, expected| Error::Length { what, found, expected };
    assert_eq!(Batch::new(&shape, &short, &full).unwrap_err(), length("logits", 23, 24));
    assert_eq!(Batch::new(&shape, &full, &short).unwrap_err(), length("targets", 23, 24));
    let batch = Batch::new(&shape, &full, &full).unwrap();
    assert_eq!(batch.clone().with_mask(&full).unwrap_err(), length("mask", 24, 8));
    assert_eq!(batch.with_voxel_weights(&short).unwrap_err(), length("voxel weights", 23, 24));
}

#[test]
fn losses_that_do_not_fit_the_problem() {
    let gpu = gpu();
    let problem = Problem::new(Shape::new(&[1, 3, 4]).unwrap());
    let mut loss = Loss::bce();
    if let segloss::loss::Measure::BinaryCrossEntropy(bce) = &mut loss.terms[0].measure {
        bce.positive_weights = vec![1.0, 2.0];
    }
    let message = gpu.plan(&loss, &problem).unwrap_err().to_string();
    assert!(message.contains("positive_weights has 2 entries, give one or one per class (3)"), "{message}");
    assert_eq!(scratch_size(&loss, &problem), Err(gpu.plan(&loss, &problem).unwrap_err()));
    let hard = Loss::dice().with(1.0, Loss::dice().hard(0.5));
    gpu.plan(&hard, &problem).unwrap();
    let error = gpu.plan(&hard, &problem.with_gradient()).unwrap_err();
    assert_eq!(error, Error::NotDifferentiable { term: 1 });
}

/// A label map is of losses of probabilities, and has no gradient.
#[test]
fn label_maps_that_a_loss_cannot_take() {
    let gpu = gpu();
    let shape = Shape::new(&[1, 3, 4]).unwrap();
    let labels = Labels::I32(&[0, 1, 2, 1]);
    let batch = Batch::new(&shape, labels, labels).unwrap();
    let (problem, format) = (batch.problem(), LabelFormat::I32);
    assert_eq!(problem.logits, LogitsFormat::Labels(format));
    let dice = Loss::dice().probabilities();
    gpu.plan(&dice, problem).unwrap();
    let error = Error::NoGradientOfLabels { format };
    assert_eq!(gpu.plan(&dice, &problem.clone().with_gradient()).unwrap_err(), error);
    assert_eq!(reference::evaluate(&dice, &batch.clone().with_gradient()), Err(error));
    for activation in [Activation::Sigmoid, Activation::Argmax, Activation::Softmax] {
        let active = dice.clone().with(1.0, Loss::dice().hard(0.5).activation(activation));
        let error = Error::ActivationOfLabels { term: 1, activation, format };
        assert_eq!(gpu.plan(&active, problem).unwrap_err(), error);
        assert_eq!(scratch_size(&active, problem), Err(error.clone()));
        assert!(error.to_string().contains(&format!("term 1 takes the {activation:?} of its input")), "{error}");
    }
    let short = Batch::new(&shape, Labels::I32(&[0, 1, 2]), labels).unwrap_err();
    assert_eq!(short, Error::Length { what: "logits", found: 3, expected: 4 });
}

#[test]
fn parts_that_are_missing_or_too_many() {
    let gpu = gpu();
    let plan = plan(&gpu);
    let (pool, scratch) = (buffer(&gpu, 4096, STORAGE), buffer(&gpu, plan.scratch_size(), SCRATCH));
    let sound = Buffers::new(range(&pool, 0, 80), range(&pool, 80, 80)).with_gradient(range(&pool, 160, 80));
    plan.bind(&sound, (&scratch).into()).unwrap();
    let refused = |buffers: Buffers| refused(&plan, &buffers, (&scratch).into());
    let part = |what, found, planned| Error::Part { what, found, planned };
    assert_eq!(refused(Buffers { gradient: None, ..sound }), part("gradient", "missing", "with"));
    assert_eq!(refused(sound.with_mask(range(&pool, 240, 40))), part("mask", "given", "without"));
    assert_eq!(refused(sound.with_voxel_weights(range(&pool, 240, 80))), part("voxel weights", "given", "without"));
    assert_eq!(refused(sound.with_voxel_map(range(&pool, 240, 80))), part("voxel map", "given", "without"));
}

#[test]
fn ranges_that_do_not_fit() {
    let gpu = gpu();
    let plan = plan(&gpu);
    let (pool, scratch) = (buffer(&gpu, 4096, STORAGE), buffer(&gpu, plan.scratch_size() + 512, SCRATCH));
    let gradient = range(&pool, 160, 80);
    let with = |logits, targets| Buffers::new(logits, targets).with_gradient(gradient);
    let sound = range(&pool, 0, 80);
    let refused_logits = |logits| refused(&plan, &with(logits, sound), (&scratch).into());

    assert_eq!(refused_logits(range(&pool, 0, 76)), Error::Length { what: "logits", found: 19, expected: 20 });
    let reason = |error: Error| match error {
        Error::Range { what, offset, length, reason } => (what, offset, length, reason),
        other => panic!("{other}"),
    };
    let (what, offset, length, message) = reason(refused_logits(range(&pool, 2, 80)));
    assert_eq!((what, offset, length), ("logits", 2, 80));
    assert!(message.contains("4-byte"), "{message}");
    for offset in [4020, u64::MAX - 79] {
        let (.., message) = reason(refused_logits(range(&pool, offset, 80)));
        assert!(message.contains("outside its buffer of 4096"), "{message}");
    }
    for offset in [84, 160, 236] {
        let (what, .., message) = reason(refused_logits(range(&pool, offset, 80)));
        assert_eq!((what, message.as_str()), ("gradient", "overlaps the logits; give it a place of its own"));
    }
    plan.bind(&with(range(&pool, 80, 80), range(&pool, 240, 80)), (&scratch).into()).unwrap();

    let untouched = with(sound, range(&pool, 80, 80));
    let (what, .., message) = reason(refused(&plan, &untouched, range(&scratch, 4, plan.scratch_size())));
    assert!(what == "scratch" && message.contains("multiple of 256"), "{message}");
    let (what, .., message) = reason(refused(&plan, &untouched, range(&scratch, 0, plan.scratch_size() - 4)));
    let expected = format!("is shorter than the {} bytes of Plan::scratch_size", plan.scratch_size());
    assert_eq!((what, message), ("scratch", expected));
    let (.., message) = reason(refused(&plan, &with(range(&scratch, 0, 80), sound), (&scratch).into()));
    assert!(message.contains("scratch memory"), "{message}");
}

#[test]
fn buffers_without_the_usages_they_need() {
    let gpu = gpu();
    let plan = plan(&gpu);
    let (pool, bare) = (buffer(&gpu, 4096, STORAGE), buffer(&gpu, 4096, Usage::COPY_DST));
    let scratch = buffer(&gpu, plan.scratch_size(), SCRATCH);
    let gradient = range(&pool, 160, 80);
    let buffers = Buffers::new(range(&bare, 0, 80), range(&pool, 0, 80)).with_gradient(gradient);
    let error = refused(&plan, &buffers, (&scratch).into());
    assert_eq!(error, Error::Usage { what: "logits", missing: STORAGE });
    let scratch = buffer(&gpu, plan.scratch_size(), STORAGE);
    let buffers = Buffers::new(range(&pool, 0, 80), range(&pool, 80, 80)).with_gradient(gradient);
    let error = refused(&plan, &buffers, (&scratch).into());
    assert_eq!(error, Error::Usage { what: "scratch", missing: Usage::COPY_SRC | Usage::COPY_DST });
}

#[test]
fn devices_that_are_too_small() {
    let with = |change: fn(&mut wgpu::Limits)| {
        let mut limits = wgpu::Limits::default();
        change(&mut limits);
        let (device, queue) = device(limits);
        Gpu::from_wgpu(device, queue)
    };
    let error = with(|limits| limits.max_compute_invocations_per_workgroup = 32).unwrap_err();
    assert_eq!(error, Error::Limit { limit: "max_compute_invocations_per_workgroup", found: 32, needed: 64 });
    let error = with(|limits| limits.max_storage_buffers_per_shader_stage = 3).unwrap_err();
    assert_eq!(error, Error::Limit { limit: "max_storage_buffers_per_shader_stage", found: 3, needed: 4 });
    let error = with(|limits| limits.max_compute_workgroups_per_dimension = 0).unwrap_err();
    assert_eq!(error, Error::Limit { limit: "max_compute_workgroups_per_dimension", found: 0, needed: 1 });
    // Enough for a loss, not for one with a gradient, a mask and weights.
    let gpu = with(|limits| limits.max_storage_buffers_per_shader_stage = 4).unwrap();
    let problem = Problem::new(Shape::new(&[1, 1, 9]).unwrap());
    gpu.plan(&Loss::dice(), &problem).unwrap();
    let error = gpu.plan(&Loss::dice(), &problem.with_mask().with_voxel_weights().with_gradient()).unwrap_err();
    assert!(matches!(error, Error::Limit { found: 4, needed: 5.., .. }), "{error}");
}

#[test]
fn problems_beyond_the_device() {
    let gpu = gpu();
    // 2^28 rows need 16 GiB of sums.
    let problem = Problem::new(Shape::new(&[1 << 28, 1]).unwrap());
    let error = gpu.plan(&Loss::dice(), &problem).unwrap_err();
    let needed = scratch_size(&Loss::dice(), &problem).unwrap();
    assert!(matches!(error, Error::TooLarge { what: "the scratch memory", needed: n, .. } if n == needed), "{error}");
    // 48 bytes a row, which README and crate tell of.
    gpu.plan(&Loss::dice(), &Problem::new(Shape::new(&[2_796_201, 1]).unwrap())).unwrap();
    let error = gpu.plan(&Loss::dice(), &Problem::new(Shape::new(&[2_796_203, 1]).unwrap())).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "the scratch memory", limit: 134_217_728, .. }), "{error}");
    // On the host, evaluate refuses what no buffer holds, without uploading anything.
    let (device, queue) = device(wgpu::Limits { max_buffer_size: 1 << 20, ..wgpu::Limits::default() });
    let small = Gpu::from_wgpu(device, queue).unwrap();
    let shape = Shape::new(&[1, 1, 1 << 19]).unwrap();
    let data = vec![0.0; 1 << 19];
    let error = small.evaluate(&Loss::dice(), &Batch::new(&shape, &data, &data).unwrap()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "logits", needed: 2_097_152, limit: 1_048_576, .. }), "{error}");
}

/// Everything that is bound begins at multiples of what the device asks for, whatever that is.
#[test]
fn alignments_of_uniform_buffers() {
    for alignment in [32, 64, 128, 256] {
        let (device, queue) =
            device(wgpu::Limits { min_uniform_buffer_offset_alignment: alignment, ..wgpu::Limits::default() });
        let gpu = Gpu::from_wgpu(device, queue).unwrap();
        let plan = plan(&gpu);
        let (pool, scratch) = (buffer(&gpu, 4096, STORAGE), buffer(&gpu, plan.scratch_size(), SCRATCH));
        let buffers = Buffers::new(range(&pool, 0, 80), range(&pool, 80, 80)).with_gradient(range(&pool, 160, 80));
        plan.bind(&buffers, (&scratch).into()).unwrap();
    }
}

/// A buffer has whole words, whatever the number of its bytes.
#[test]
fn buffers_of_bytes_may_be_given_as_they_are() {
    let gpu = gpu();
    let mut problem = Problem::new(Shape::new(&[1, 3, 5]).unwrap());
    problem.targets = TargetFormat::Labels(LabelFormat::U8);
    let plan = gpu.plan(&Loss::dice().softmax(), &problem).unwrap();
    let [logits, padded, longer] = [60, 8, 12].map(|bytes| buffer(&gpu, bytes, STORAGE));
    let scratch = buffer(&gpu, plan.scratch_size(), SCRATCH);
    plan.bind(&Buffers::new(&logits, &padded), (&scratch).into()).unwrap();
    plan.bind(&Buffers::new(&logits, range(&padded, 0, 5)), (&scratch).into()).unwrap();
    plan.bind(&Buffers::new(&logits, range(&padded, 1, 7)), (&scratch).into()).unwrap();
    let error = refused(&plan, &Buffers::new(&logits, &longer), (&scratch).into());
    assert_eq!(error, Error::Length { what: "targets", found: 12, expected: 5 });
    let error = refused(&plan, &Buffers::new(&logits, range(&longer, 1, 8)), (&scratch).into());
    assert_eq!(error, Error::Length { what: "targets", found: 8, expected: 5 });
    let error = refused(&plan, &Buffers::new(&logits, range(&padded, 0, 6)), (&scratch).into());
    assert_eq!(error, Error::Length { what: "targets", found: 6, expected: 5 });
}

/// Gradients from outside that are no numbers.
#[test]
fn upstreams_that_are_not_finite() {
    let gpu = gpu();
    let shape = Shape::new(&[2, 1, 3]).unwrap();
    let data = [0.5; 6];
    let batch = Batch::new(&shape, &data, &data).unwrap();
    let upstream = |row, found: &str| Error::Upstream { row, found: found.to_owned() };
    assert_eq!(batch.clone().with_row_upstream(&[1.0, f32::NAN]).unwrap_err(), upstream(Some(1), "NaN"));
    let plan = gpu.plan(&Loss::dice(), batch.with_row_upstream(&[1.0, 0.0]).unwrap().problem()).unwrap();
    let (pool, scratch) = (buffer(&gpu, 4096, STORAGE), buffer(&gpu, plan.scratch_size(), SCRATCH));
    let buffers = Buffers::new(range(&pool, 0, 24), range(&pool, 24, 24)).with_gradient(range(&pool, 48, 24));
    let mut bound = plan.bind(&buffers, (&scratch).into()).unwrap();
    let infinite = bound.set_row_upstream(&[f32::NEG_INFINITY, 1.0]).unwrap_err();
    assert_eq!(infinite, upstream(Some(0), "-inf"));
    assert_eq!(bound.set_upstream(f32::INFINITY).unwrap_err(), upstream(None, "inf"));
    bound.set_upstream(-0.0).unwrap();
}

/// Labels that kernels do not tell from those that are none cannot be ignored; what no label can be, can.
#[test]
fn ignore_indices_that_no_kernel_meets() {
    let gpu = gpu();
    let loss = Loss::dice().softmax();
    let mut problem = Problem::new(Shape::new(&[1, 3, 4]).unwrap());
    for (format, index, is_taken) in [
        (LabelFormat::I64, i64::from(i32::MAX), true),
        (LabelFormat::I64, i64::from(i32::MAX) + 1, false),
        (LabelFormat::I64, i64::from(i32::MIN), false),
        (LabelFormat::I32, i64::from(i32::MIN) + 1, true),
        (LabelFormat::I32, i64::from(i32::MIN), false),
        (LabelFormat::I32, 1 << 40, true),
        (LabelFormat::U32, i64::from(u32::MAX), true),
        (LabelFormat::U8, -100, true),
    ] {
        problem.targets = TargetFormat::Labels(format);
        problem.ignore_index = Some(index);
        let planned = gpu.plan(&loss, &problem).map(|_| ());
        assert_eq!(planned.is_ok(), is_taken, "{format:?} {index}: {planned:?}");
        assert_eq!(planned, scratch_size(&loss, &problem).map(|_| ()));
    }
}

/// However many classes no samples have, there is nothing to hold for them.
#[test]
fn no_samples_of_many_classes() {
    let gpu = gpu();
    let plan = gpu.plan(&Loss::dice(), &Problem::new(Shape::new(&[0, 1 << 27, 1]).unwrap())).unwrap();
    let (data, scratch) = (buffer(&gpu, 4, STORAGE), buffer(&gpu, plan.scratch_size(), SCRATCH));
    let nothing = range(&data, 0, 0);
    let bound = plan.bind(&Buffers::new(nothing, nothing), (&scratch).into()).unwrap();
    assert!(bound.own_bytes() < 4096, "{}", bound.own_bytes());
}

/// What does not survive the way into f32 is refused, each by its rule.
#[test]
fn numbers_that_a_kernel_would_take_for_zero() {
    use segloss::loss::Measure;
    let refused = |change: fn(&mut segloss::Overlap)| {
        let mut loss = Loss::dice();
        if let Measure::Overlap(overlap) = &mut loss.terms[0].measure {
            change(overlap);
        }
        loss.validate().unwrap_err().to_string()
    };
    assert!(refused(|o| o.factor = 1e-300).contains("factor is 1e-300"));
    assert!(refused(|o| o.factor = 0.0).contains("factor is 0.0, it must be between 1e-18 and 1e18"));
    assert!(refused(|o| o.smooth_numerator = 1e-40).contains("it must be 0 or a positive normal f32 up to 1e18"));
    assert!(
        refused(|o| o.threshold = Some(f64::NAN)).contains("threshold is NaN, it must be 0 or a normal f32 up to 1e18")
    );
}

#[test]
fn a_bound_loss_keeps_its_structure() {
    let gpu = gpu();
    let plan = plan(&gpu);
    let (pool, scratch) = (buffer(&gpu, 4096, STORAGE), buffer(&gpu, plan.scratch_size(), SCRATCH));
    let buffers = Buffers::new(range(&pool, 0, 80), range(&pool, 80, 80)).with_gradient(range(&pool, 160, 80));
    let mut bound = plan.bind(&buffers, (&scratch).into()).unwrap();
    bound.set_loss(&Loss::dice().smooth(2.0)).unwrap();
    bound.set_loss(&Loss::tversky(0.3, 0.7)).unwrap();
    for other in [Loss::dice().squared(), Loss::bce(), Loss::dice().pool(segloss::Pool::All), Loss::of(vec![])] {
        assert!(matches!(bound.set_loss(&other), Err(Error::Loss(_))), "{other:?}");
    }
    let error = bound.set_loss(&Loss::dice().with(1.0, Loss::bce().reduction(Reduction::None))).unwrap_err();
    assert!(error.to_string().contains("one value per voxel"), "{error}");
}

#[test]
fn a_result_read_before_any_evaluation() {
    let gpu = gpu();
    let data = [0, 1, 2].map(|_| buffer(&gpu, 80, STORAGE));
    let plan = plan(&gpu);
    let scratch = buffer(&gpu, plan.scratch_size(), SCRATCH);
    let bound = plan.bind(&Buffers::new(&data[0], &data[1]).with_gradient(&data[2]), (&scratch).into()).unwrap();
    assert_eq!(bound.read_blocking(), Err(Error::NotEvaluated));
}

/// Futures that a runtime may move to another thread.
#[test]
fn futures_can_be_sent() {
    fn send<T: Send>(_: T) {}
    let gpu = gpu();
    let plan = plan(&gpu);
    let (pool, scratch) = (buffer(&gpu, 4096, STORAGE), buffer(&gpu, plan.scratch_size(), SCRATCH));
    let buffers = Buffers::new(range(&pool, 0, 80), range(&pool, 80, 80)).with_gradient(range(&pool, 160, 80));
    let bounds = [plan.bind(&buffers, (&scratch).into()).unwrap()];
    let mut output = segloss::Output::default();
    send(bounds[0].read());
    send(bounds[0].read_into(&mut output));
    send(segloss::Bound::read_all(&bounds));
    let shape = Shape::new(&[1, 1, 4]).unwrap();
    send(gpu.evaluate_async(&Loss::dice(), &Batch::new(&shape, &[0.0; 4], &[0.0; 4]).unwrap()));
}
