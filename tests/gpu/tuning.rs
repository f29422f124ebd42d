//! What a GPU runs, on whatever adapter the tests run: workgroups of 256 lanes in runs of 32 and more side by side, tiles of the
//! finest grain. And what software adapters run.

use segloss::wgpu::Features;
use segloss::{Activation, Batch, Error, Gpu, Labels, Loss, Output, Reducer, Reduction, Tuning};

use crate::buffers::{Arena, assert_arena, limited, limited_with, run};
use crate::columns::{foreground, labels, losses as coupled_losses, wasserstein};
use crate::data::{Tensors, assert_matches, conventions, losses, reducers, takes_probabilities, turn};
use crate::formats::{Formats, LOGITS, TARGETS, assert_same, in_one_buffer};

/// Voxels at the edges of GPUs' octets of a lane (8), of a run (256), of a workgroup (2048) and of its tiles, of which the last
/// runs hold less than their lanes take, or nothing. Rows of those that are multiples of four are read by quads.
const VOXELS: [usize; 13] = [1, 9, 257, 300, 2047, 2049, 2052, 2305, 4100, 5001, 9000, 16_385, 70_004];

/// Eight runs a workgroup, and two: those take several blocks to a tile. By each reducer that there is.
fn as_gpus() -> Vec<Gpu> {
    let narrow = limited_with(Features::SUBGROUP, |limits| limits.max_compute_invocations_per_workgroup = 64);
    let narrow = [Reducer::Tree, Reducer::Subgroup].into_iter().filter_map(|reducer| narrow.with_reducer(reducer));
    reducers().into_iter().chain(narrow).map(|gpu| gpu.with_tuning(Tuning::Gpu)).collect()
}

#[test]
fn rows_and_columns_match_the_reference_at_the_edges_of_gpu_workgroups() {
    let _turn = turn();
    let both = ("dice + bce", Loss::dice().smooth(1.0).with(0.5, Loss::bce()));
    let map = ("bce, map", Loss::bce().reduction(Reduction::None));
    let softmax = ("softmax", Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy()));
    let voxel_map = ("cross-entropy, map", Loss::cross_entropy().reduction(Reduction::PerVoxel));
    let losses = [both, map, softmax, voxel_map];
    let contexts = as_gpus();
    assert!(contexts.iter().all(|gpu| gpu.tuning() == Tuning::Gpu));
    for (index, voxels) in VOXELS.into_iter().enumerate() {
        for (kind, (name, loss)) in losses.iter().enumerate() {
            for (step, classes) in [1, 3].into_iter().enumerate() {
                let tensors = Tensors::random(&[2, classes, voxels], 40 + index as u32, false);
                let gpu = &contexts[(index + kind + 2 * step) % contexts.len()];
                let multiple = if voxels % 4 == 0 { 4 } else { 1 };
                assert_arena(gpu, name, loss, &Arena::aligned(&tensors, 3, multiple));
            }
        }
    }
}

/// By the context that comes next; by words and by quads.
#[test]
fn every_loss_matches_the_reference_on_gpu_workgroups() {
    let _turn = turn();
    let contexts = as_gpus();
    let all = losses().into_iter().chain(conventions()).chain(coupled_losses());
    for (index, (name, loss)) in all.enumerate() {
        let (dims, multiple) = if index % 2 == 0 { (&[2, 3, 2305], 1) } else { (&[2, 3, 2308], 4) };
        let tensors = Tensors::random(dims, index as u32, takes_probabilities(name));
        // Matthews' counts take no voxel weights.
        let parts = if name.contains("matthews") { index % 2 } else { index % 4 } as u32;
        let arena = Arena::aligned(&tensors, parts, multiple);
        assert_arena(&contexts[index / 2 % contexts.len()], name, &loss, &arena);
    }
}

/// Distances, the foreground's softmax, ignored labels and counts, in both orders of axes.
#[test]
fn labels_match_the_reference_on_gpu_workgroups() {
    let _turn = turn();
    let hard = Loss::dice().hard(0.5).activation(Activation::Argmax);
    let losses = [wasserstein(5, true).with(0.5, Loss::cross_entropy()), foreground(), hard];
    let tensors = Tensors::random(&[2, 5, 2308], 5, false);
    let labels = labels(&tensors.shape, 6);
    for (index, gpu) in as_gpus().iter().enumerate() {
        let loss = losses[index % losses.len()].clone().ignore_index(255);
        let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::I32(&labels)).unwrap();
        let batch = batch.with_mask(&tensors.mask).unwrap();
        let batch = if index % losses.len() == 2 { batch } else { batch.with_gradient() };
        for batch in [batch.clone(), batch.channel_last()] {
            let output = gpu.evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("{index} {:?}", batch.problem().axes), &loss, &batch, &output);
        }
    }
}

/// Halves and bytes whose words belong to two lanes, or to a tensor beside.
#[test]
fn every_format_matches_the_reference_on_gpu_workgroups() {
    let _turn = turn();
    let contexts = as_gpus();
    let losses = [
        Loss::dice().smooth(1.0).with(0.5, Loss::bce()),
        Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy()),
    ];
    for (index, (logits, targets)) in
        LOGITS.into_iter().flat_map(|logits| (0..TARGETS).map(move |targets| (logits, targets))).enumerate()
    {
        for dims in [&[2, 3, 2305][..], &[1, 4, 5004]] {
            let formats = Formats::random(dims, index as u32, false);
            let batch = formats.without_gradient(logits, targets, 0).with_gradient();
            let loss = losses[index % 2].clone().reduction(Reduction::Sum);
            let name = format!("{logits:?}, {:?}, {dims:?}", batch.problem().targets);
            let output = in_one_buffer(&contexts[index / 2 % contexts.len()], &name, &loss, &batch, &formats);
            assert_same(&name, &loss, &batch, &output);
        }
    }
}

/// More classes than are read once, more sums than a workgroup holds over several blocks, more rows than tiles, and planes copied
/// in chunks.
#[test]
fn many_classes_and_chunks_match_the_reference_on_gpu_workgroups() {
    let _turn = turn();
    let loss = Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy());
    let chunked = limited(|limits| limits.max_storage_buffer_binding_size = 1 << 18).with_tuning(Tuning::Gpu);
    let gpus = as_gpus();
    let [first, last] = [&gpus[0], &gpus[gpus.len() - 1]];
    for (gpu, dims) in [
        (first, &[1, 33, 5001][..]),
        (first, &[1, 300, 2305]),
        (last, &[1, 150, 2308]),
        (first, &[40_000, 2, 9]),
        (&chunked, &[2, 3, 40_001]),
        (&chunked, &[1, 40, 5004]),
    ] {
        let tensors = Tensors::random(dims, 19, false);
        assert_arena(gpu, "many", &loss, &Arena::new(&tensors, 0));
    }
}

/// Where a software adapter's loops would end too early, a plan is refused or right.
#[test]
fn loops_that_would_end_too_early_are_refused() {
    let _turn = turn();
    let loss = Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy());
    for gpu in reducers().iter().map(|gpu| gpu.with_tuning(Tuning::Gpu)) {
        for classes in [600, 800] {
            let tensors = Tensors::random(&[1, classes, 72], 23, false);
            let batch = tensors.batch(0);
            match gpu.evaluate(&loss, &batch) {
                Ok(output) => assert_matches(&format!("{classes}"), &loss, &batch, &output),
                Err(error) => assert!(matches!(error, Error::TooLarge { unit: "iterations", .. }), "{error}"),
            }
        }
    }
}

/// In the last run of the last tile, where fewer lanes have work than belong to it.
#[test]
fn bad_values_are_counted_on_gpu_workgroups() {
    let _turn = turn();
    let mut tensors = Tensors::random(&[2, 3, 2305], 29, false);
    let last = tensors.shape.elements() - 1;
    tensors.logits[last] = f32::NAN;
    tensors.logits[last - 3] = f32::INFINITY;
    for gpu in as_gpus() {
        for loss in [Loss::dice().smooth(1.0), Loss::dice().smooth(1.0).softmax()] {
            let (result, gradient) = run(&gpu, &loss, &Arena::new(&tensors, 0));
            assert!(matches!(&result, Err(Error::BadValues(bad)) if bad.logits == 2), "{result:?}");
            assert_eq!((gradient[last].to_bits(), gradient[last - 3].to_bits()), (0, 0));
            assert!(gradient[last - 1] != 0.0);
        }
    }
}

/// What is kept for one tuning is not taken for the other, whose additions have another order.
#[test]
fn both_tunings_of_a_context_keep_to_themselves() {
    let _turn = turn();
    let tensors = Tensors::random(&[1, 1, 100_003], 3, false);
    let (batch, loss) = (tensors.batch(0), Loss::bce().reduction(Reduction::Sum));
    let bits = |output: Output| output.sums()[0][0].values.map(f64::to_bits);
    let alone = |tuning| bits(limited(|_| ()).with_tuning(tuning).evaluate(&loss, &batch).unwrap());
    let expected = [Tuning::Gpu, Tuning::Cpu].map(alone);
    assert_ne!(expected[0], expected[1]);
    let shared = limited(|_| ());
    for _ in 0..2 {
        for (tuning, expected) in [Tuning::Gpu, Tuning::Cpu].into_iter().zip(expected) {
            assert_eq!(bits(shared.with_tuning(tuning).evaluate(&loss, &batch).unwrap()), expected, "{tuning:?}");
        }
    }
}
