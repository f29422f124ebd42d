//! What goes wrong around an evaluation: a device that is lost, memory that is short, results that several threads read,
//! work whose plan is gone, buffers of another device. Each is an error that says so, or works.

use std::sync::{Arc, OnceLock};

use segloss::wgpu::{self, BufferUsages as Usage};
use segloss::{AdapterChoice, Batch, Bound, Buffers, Error, Gpu, Loss, Plan, Problem, Shape};

use crate::data::{Tensors, assert_matches, gpu, turn};

/// A context of its own, whose device may be destroyed, on the adapter of the others.
fn own_gpu() -> Gpu {
    let own = Gpu::with_adapter(&AdapterChoice::Auto).unwrap();
    assert_eq!(own.adapter_info(), gpu().adapter_info());
    own
}

fn tensors() -> Tensors {
    Tensors::random(&[2, 1, 3000], 91, false)
}

fn loss() -> Loss {
    Loss::dice().with(0.5, Loss::bce())
}

fn buffer(gpu: &Gpu, bytes: u64) -> wgpu::Buffer {
    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false })
}

fn filled(gpu: &Gpu, data: &[f32]) -> wgpu::Buffer {
    let buffer = buffer(gpu, 4 * data.len() as u64);
    let bytes: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
    gpu.queue().write_buffer(&buffer, 0, &bytes);
    buffer
}

fn plan(gpu: &Gpu) -> Plan {
    gpu.plan(&loss(), &Problem::new(tensors().shape).with_gradient()).unwrap()
}

/// A plan bound to buffers of its own, which nothing else holds.
fn bound(gpu: &Gpu) -> Bound {
    let (tensors, plan) = (tensors(), plan(gpu));
    let [logits, targets, gradient] =
        [&tensors.logits, &tensors.targets, &tensors.logits].map(|data| filled(gpu, data));
    let scratch = buffer(gpu, plan.scratch_size());
    plan.bind(&Buffers::new(&logits, &targets).with_gradient(&gradient), (&scratch).into()).unwrap()
}

fn submit(gpu: &Gpu, bound: &Bound) {
    let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    bound.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
}

fn assert_lost<T: std::fmt::Debug>(what: &str, result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::DeviceLost { .. })), "{what}: {result:?}");
}

/// Whatever is asked of a context whose device is gone.
#[test]
fn a_device_that_is_lost() {
    let _turn = turn();
    let (gpu, tensors) = (own_gpu(), tensors());
    let batch = tensors.batch(0).with_gradient();
    // Kept plans and a bound one that has been evaluated, as in the middle of a training.
    gpu.evaluate(&loss(), &batch).unwrap();
    let mut bound = bound(&gpu);
    submit(&gpu, &bound);
    let mut output = bound.read_blocking().unwrap();
    let before = output.clone();
    submit(&gpu, &bound);
    gpu.device().destroy();
    assert_lost("read", bound.read_blocking());
    assert_lost("read_into", bound.read_into_blocking(&mut output));
    assert_eq!(output, before);
    assert_lost("evaluate, kept", gpu.evaluate(&loss(), &batch));
    assert_lost("evaluate, new", gpu.evaluate(&Loss::jaccard(), &batch));
    assert_lost("counts", gpu.counts(&Loss::dice().hard(0.5), &tensors.batch(0)));
    assert_lost("plan", gpu.plan(&Loss::bce(), batch.problem()));
    bound.set_upstream(2.0).unwrap();
    bound.set_loss(&loss()).unwrap();
    let bounds = [bound];
    assert_lost("read_all", Bound::read_all_blocking(&bounds));
    // Another device of the same adapter does not know of it.
    let another = own_gpu();
    assert_matches("another", &loss(), &batch, &another.evaluate(&loss(), &batch).unwrap());
}

/// The first to be asked after the loss says so, whoever it is: wgpu tells of it while it is polled only.
#[test]
fn a_device_that_was_lost_unnoticed() {
    let _turn = turn();
    let tensors = tensors();
    let batch = tensors.batch(0).with_gradient();
    let lost = || {
        let gpu = own_gpu();
        let plan = plan(&gpu);
        let [logits, targets, gradient] = [(), (), ()].map(|()| filled(&gpu, &tensors.logits));
        let scratch = buffer(&gpu, plan.scratch_size());
        gpu.device().destroy();
        (gpu, plan, [logits, targets, gradient], scratch)
    };
    assert_lost("evaluate", lost().0.evaluate(&loss(), &batch));
    let (gpu, plan, [logits, targets, gradient], scratch) = lost();
    let buffers = Buffers::new(&logits, &targets).with_gradient(&gradient);
    assert_lost("bind", plan.bind(&buffers, (&scratch).into()));
    assert_lost("plan", gpu.plan(&loss(), &Problem::new(tensors.shape.clone())));
}

/// A device that the library did not make, whose callbacks are its owner's: what fails says what was tried.
#[test]
fn a_device_of_the_callers_that_is_lost() {
    let _turn = turn();
    let own = own_gpu();
    let gpu = Gpu::from_wgpu(own.device().clone(), own.queue().clone()).unwrap();
    let bound = bound(&gpu);
    submit(&gpu, &bound);
    gpu.device().destroy();
    let refused = bound.read_blocking();
    assert!(matches!(refused, Err(Error::Device(_))), "{refused:?}");
    let tensors = tensors();
    let refused = gpu.evaluate(&loss(), &tensors.batch(0));
    assert!(matches!(refused, Err(Error::Device(_))), "{refused:?}");
}

/// One result may be read by one thread at a time; who comes while it is read is told, and nothing is broken for the next.
#[test]
fn threads_that_read_one_result() {
    let _turn = turn();
    let bound = bound(gpu());
    submit(gpu(), &bound);
    let expected = bound.read_blocking().unwrap();
    let mut seen = 0;
    for _ in 0..20 {
        submit(gpu(), &bound);
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| bound.read_blocking())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for result in results {
            match result {
                Ok(output) => {
                    assert_eq!(output, expected);
                    seen += 1;
                }
                Err(error) => assert_eq!(error, Error::BeingRead),
            }
        }
    }
    assert!(seen >= 20, "{seen} of 20 rounds had a reader");
    assert_eq!(bound.read_blocking().unwrap(), expected);
}

/// A reading waits for the device, and what the device is to call when its work is done is called while it waits.
#[test]
fn a_reading_within_a_reading() {
    let _turn = turn();
    let own = own_gpu();
    let bound = Arc::new(bound(&own));
    submit(&own, &bound);
    let (sender, receiver) = std::sync::mpsc::channel();
    let again = Arc::clone(&bound);
    own.queue().on_submitted_work_done(move || sender.send(again.read_blocking()).unwrap());
    let expected = bound.read_blocking().unwrap();
    assert_eq!(receiver.recv().unwrap(), Err(Error::BeingRead));
    assert_eq!(bound.read_blocking().unwrap(), expected);
}

/// What the device calls back may evaluate, too: the same thread has its turn already.
#[test]
fn an_evaluation_within_an_evaluation() {
    let _turn = turn();
    let (own, tensors) = (own_gpu(), tensors());
    let expected = own.evaluate(&loss(), &tensors.batch(0).with_gradient()).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let gpu = own.clone();
    own.queue().on_submitted_work_done(move || {
        let tensors = self::tensors();
        sender.send(gpu.evaluate(&loss(), &tensors.batch(0).with_gradient())).unwrap();
    });
    assert_eq!(own.evaluate(&loss(), &tensors.batch(0).with_gradient()).unwrap(), expected);
    assert_eq!(receiver.recv().unwrap().unwrap(), expected);
}

/// A submission is the caller's, and so is wgpu's complaint of it: a result that is being mapped cannot be written to. Reading goes on.
#[test]
fn work_that_is_submitted_while_its_result_is_read() {
    let _turn = turn();
    let own = own_gpu();
    let bound = Arc::new(bound(&own));
    submit(&own, &bound);
    let (sender, receiver) = std::sync::mpsc::channel();
    let (again, gpu) = (Arc::clone(&bound), own.clone());
    own.queue().on_submitted_work_done(move || {
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
        submit(&gpu, &again);
        sender.send(pollster::block_on(scope.pop())).unwrap();
    });
    let expected = bound.read_blocking().unwrap();
    let complaint = receiver.recv().unwrap().expect("the result is being mapped").to_string();
    assert!(complaint.contains("segloss result"), "{complaint}");
    submit(&own, &bound);
    assert_eq!(bound.read_blocking().unwrap(), expected);
}

/// The plan, its buffers and every context go while the device works for them, which takes it some ten milliseconds; the gradient that
/// was asked for arrives.
#[test]
fn a_plan_that_is_dropped_while_its_work_is_under_way() {
    let _turn = turn();
    let (own, tensors) = (own_gpu(), Tensors::random(&[1, 2, 1 << 20], 91, false));
    let (device, queue) = (own.device().clone(), own.queue().clone());
    let expected = own.evaluate(&loss(), &tensors.batch(0).with_gradient()).unwrap();
    drop(own);
    let gpu = Gpu::from_wgpu(device.clone(), queue.clone()).unwrap();
    let plan = gpu.plan(&loss(), &Problem::new(tensors.shape.clone()).with_gradient()).unwrap();
    let [logits, targets] = [&tensors.logits, &tensors.targets].map(|data| filled(&gpu, data));
    let (gradient, scratch) = (filled(&gpu, &tensors.logits), buffer(&gpu, plan.scratch_size()));
    let bound = plan.bind(&Buffers::new(&logits, &targets).with_gradient(&gradient), (&scratch).into()).unwrap();
    submit(&gpu, &bound);
    drop((bound, plan, scratch, logits, targets, gpu));
    let words = crate::buffers::download(&Gpu::from_wgpu(device, queue).unwrap(), &gradient);
    let found: Vec<f32> = words.into_iter().map(f32::from_bits).collect();
    assert!(Some(&found[..]) == expected.gradient());
}

/// Two devices of one adapter agree; the buffers of one are no use to the other.
#[test]
fn two_devices_in_one_process() {
    let _turn = turn();
    let tensors = tensors();
    let batch = tensors.batch(0).with_gradient();
    let [first, second] = two_gpus();
    let on_first = first.evaluate(&loss(), &batch).unwrap();
    assert_eq!(second.evaluate(&loss(), &batch).unwrap(), on_first);
    // Two of one instance, and two of two, whose devices compare equal.
    for gpus in [[first.clone(), second.clone()], [own_gpu(), own_gpu()]] {
        let both = [bound(&gpus[0]), bound(&gpus[1])];
        both.iter().zip(&gpus).for_each(|(bound, gpu)| submit(gpu, bound));
        let outputs = Bound::read_all_blocking(&both).unwrap();
        assert_eq!(outputs[0].value().to_bits(), on_first.value().to_bits());
        assert_eq!(outputs[1].value().to_bits(), on_first.value().to_bits());
    }
    let plan = plan(&first);
    let [logits, targets, gradient] =
        [&tensors.logits, &tensors.targets, &tensors.logits].map(|data| filled(&second, data));
    let scratch = buffer(&first, plan.scratch_size());
    let refused = plan.bind(&Buffers::new(&logits, &targets).with_gradient(&gradient), (&scratch).into());
    assert!(matches!(refused, Err(Error::Device(_))), "{:?}", refused.err());
    assert_eq!(first.evaluate(&loss(), &batch).unwrap(), on_first);
}

/// The adapter of the others, of an instance with these thresholds.
fn adapter(memory_budget_thresholds: wgpu::MemoryBudgetThresholds) -> wgpu::Adapter {
    let unrestricted = wgpu::InstanceDescriptor::new_without_display_handle();
    let descriptor = wgpu::InstanceDescriptor { memory_budget_thresholds, ..unrestricted };
    let backends = gpu().adapter_info().backend.into();
    let adapters = pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends));
    adapters.into_iter().find(|adapter| adapter.get_info().name == gpu().adapter_info().name).unwrap()
}

fn two_gpus() -> [Gpu; 2] {
    let adapter = adapter(wgpu::MemoryBudgetThresholds::default());
    [(), ()].map(|()| of_adapter(&adapter))
}

fn of_adapter(adapter: &wgpu::Adapter) -> Gpu {
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).unwrap();
    Gpu::from_wgpu(device, queue).unwrap()
}

/// Memory that is used up: the error says so, and what was there before goes on working.
#[test]
fn memory_that_is_short() {
    let _turn = turn();
    if gpu().adapter_info().device_type != wgpu::DeviceType::Cpu || !cfg!(target_os = "linux") {
        println!("skipped: only of software adapters on Linux the memory can be limited from here");
        return;
    }
    if gpu().adapter_info().driver_info.starts_with("Mesa 25") {
        println!("skipped: Mesa 25's lavapipe crashes where memory is short");
        return;
    }
    // In a process of its own, whose address space is so small that the driver gets no more.
    const LIMITED: &str = "SEGLOSS_TEST_IN_LITTLE_MEMORY";
    if std::env::var_os(LIMITED).is_none() {
        let binary = std::env::current_exe().unwrap();
        let script = format!("ulimit -v 3500000 && exec {binary:?} faults::memory_that_is_short --exact --nocapture");
        let output = std::process::Command::new("sh").args(["-c", &script]).env(LIMITED, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let (mut gpu, tensors) = (own_gpu(), tensors());
    let batch = tensors.batch(0).with_gradient();
    let expected = gpu.evaluate(&loss(), &batch).unwrap();
    // Bytes here and six times that there: refused with the first buffer, and with what is uploaded.
    for voxels in [1 << 28, 120 << 20] {
        let (shape, zeros) = (Shape::new(&[1, 1, voxels]).unwrap(), vec![0.0; voxels]);
        let refused = gpu.evaluate(&loss(), &Batch::new(&shape, &zeros, &zeros).unwrap().with_gradient());
        let error = refused.expect_err("that much does not fit");
        if gpu.adapter_info().backend == wgpu::Backend::Gl {
            // wgpu's GL backend takes a buffer that it cannot map for a device that is lost.
            assert!(matches!(error, Error::DeviceLost { .. }), "{voxels} voxels: {error}");
            gpu = own_gpu();
        } else {
            assert!(matches!(error, Error::OutOfMemory(_)), "{voxels} voxels: {error}");
        }
        assert_eq!(gpu.evaluate(&loss(), &batch).unwrap(), expected);
    }
}

/// A budget that the caller sets: where the driver tells how much there is, what takes the memory beyond it is refused. Where it is wgpu's
/// own copy of what is uploaded, wgpu gives the device up.
#[test]
fn a_budget_of_memory() {
    let _turn = turn();
    let (tensors, name) = (tensors(), &gpu().adapter_info().name);
    let batch = tensors.batch(0).with_gradient();
    // The least of the memory, in percent, that suffices for a device and what is small.
    let sufficient = (0..=100).find_map(|percent| {
        let thresholds = wgpu::MemoryBudgetThresholds { for_resource_creation: Some(percent), for_device_loss: None };
        let requested = pollster::block_on(adapter(thresholds).request_device(&wgpu::DeviceDescriptor::default()));
        let (device, queue) = requested.ok()?;
        let gpu = Gpu::from_wgpu(device, queue).unwrap();
        match gpu.evaluate(&loss(), &batch) {
            Ok(output) => Some((percent, gpu, output)),
            Err(error) => {
                assert!(matches!(error, Error::OutOfMemory(_)), "{percent} %: {error}");
                None
            }
        }
    });
    let Some((percent @ 1.., gpu, output)) = sufficient else {
        println!("skipped: {name} tells no budget");
        return;
    };
    let lost = Arc::new(OnceLock::new());
    let told = Arc::clone(&lost);
    gpu.device().set_device_lost_callback(move |_, message| drop(told.set(message)));
    assert_matches("within the budget", &loss(), &batch, &output);
    // Seven times 256 MiB, or 1 GiB if the machine has got more to give in the meantime.
    let refused = [64, 256].into_iter().find_map(|classes| {
        let (shape, zeros) = (Shape::new(&[1, classes, 1 << 20]).unwrap(), vec![0.0; classes << 20]);
        let batch = Batch::new(&shape, &zeros, &zeros).unwrap().with_gradient();
        gpu.evaluate(&loss(), &batch).err()
    });
    assert!(matches!(refused, Some(Error::OutOfMemory(_))), "{percent} %: {refused:?}");
    match gpu.evaluate(&loss(), &batch) {
        Ok(again) => assert_eq!(again, output),
        Err(error) => {
            assert!(matches!(error, Error::Device(_)), "{percent} %: {error}");
            let why = lost.get().expect("the device is lost");
            assert!(why.contains("Out of memory"), "{why}");
        }
    }
}
