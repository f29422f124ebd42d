//! Weights of voxels that all classes share, against the reference.

use segloss::{BadValues, Batch, Error, Labels, Loss, Pool, Reduction, VoxelWeights, reference};

use crate::buffers::{Arena, assert_arena, limited};
use crate::data::{Tensors, assert_matches, gpu, reducers, turn};

/// The bits of [`Tensors::batch`].
const SHARED: u32 = 4;
const SHARED_AND_MASK: u32 = 5;

/// One that takes rows and one that takes columns, each with a gradient.
fn losses() -> [Loss; 2] {
    [
        Loss::dice().smooth(1.0).pool(Pool::Batch).with(0.5, Loss::bce()),
        Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy()),
    ]
}

#[test]
fn shared_weights_match_the_reference() {
    let _turn = turn();
    let shapes: [&[usize]; 7] =
        [&[2, 3], &[3, 4, 7], &[2, 3, 64], &[1, 1, 4097], &[2, 3, 50, 83], &[2, 3, 4096], &[40, 2, 65]];
    for (index, dims) in shapes.into_iter().enumerate() {
        let tensors = Tensors::random(dims, 61 + index as u32, false);
        for (position, loss) in losses().iter().enumerate() {
            let reducers = reducers();
            let gpu = &reducers[(index + position) % reducers.len()];
            let batch = tensors.batch([SHARED, SHARED_AND_MASK][position]).with_gradient();
            for batch in [batch.clone(), batch.channel_last()] {
                let output = gpu.evaluate(loss, &batch).unwrap();
                let name = format!("{dims:?} {:?} {:?}", gpu.reducer(), batch.problem());
                assert_matches(&name, loss, &batch, &output);
            }
        }
    }
}

/// Of every voxel a value, and of every element one.
#[test]
fn maps_are_weighted_by_voxels() {
    let _turn = turn();
    let tensors = Tensors::random(&[2, 3, 33, 71], 67, false);
    for reduction in [Reduction::None, Reduction::PerVoxel] {
        for loss in [Loss::bce(), Loss::cross_entropy()].map(|loss| loss.reduction(reduction)) {
            let batch = tensors.batch(SHARED);
            let output = gpu().evaluate(&loss, &batch).unwrap();
            assert_matches(&format!("{reduction:?}"), &loss, &batch, &output);
        }
    }
}

/// To the bit: the same weights, written out for every class, where both are read in the same order.
#[test]
fn shared_weights_are_those_of_every_class() {
    let _turn = turn();
    let tensors = Tensors::random(&[3, 4, 1024], 71, false);
    let each: Vec<f32> =
        (0..tensors.shape.elements()).map(|i| tensors.shared_weights[i / 4096 * 1024 + i % 1024]).collect();
    for loss in losses() {
        let shared = gpu().evaluate(&loss, &tensors.batch(SHARED).with_gradient()).unwrap();
        let batch = tensors.batch(0).with_voxel_weights(&each).unwrap().with_gradient();
        assert_eq!(shared, gpu().evaluate(&loss, &batch).unwrap());
    }
}

/// Everything in one buffer, at offsets that fit no alignment, a quad or an octet.
#[test]
fn shared_weights_lie_anywhere_in_a_buffer() {
    let _turn = turn();
    for dims in [&[2, 3, 5][..], &[1, 2, 5000], &[3, 2, 72], &[2, 3, 5001]] {
        let tensors = Tensors::random(dims, 73, false);
        for (loss, multiple) in losses().iter().flat_map(|loss| [1, 4, 8].map(|multiple| (loss, multiple))) {
            assert_arena(gpu(), "shared weights", loss, &Arena::aligned(&tensors, SHARED_AND_MASK, multiple));
        }
    }
}

#[test]
fn shared_weights_are_bound_in_windows() {
    let _turn = turn();
    // 256 KiB a binding: of columns the planes are copied in chunks, the weights are not.
    let gpu = limited(|limits| limits.max_storage_buffer_binding_size = 1 << 18);
    let [rows, columns] = losses();
    for dims in [&[1, 1, 100_003][..], &[3, 4, 9000], &[40, 3, 500], &[2, 3, 20_001]] {
        let tensors = Tensors::random(dims, 79, false);
        let batch = tensors.batch(SHARED_AND_MASK).with_gradient();
        for loss in [&rows, &columns] {
            for batch in [batch.clone(), batch.clone().channel_last()] {
                let output = gpu.evaluate(loss, &batch).unwrap();
                assert_matches(&format!("{dims:?} {:?}", batch.problem().axes), loss, &batch, &output);
            }
        }
    }
    for dims in [&[1, 1, 16_000][..], &[1, 2, 50_001], &[40, 3, 500]] {
        let tensors = Tensors::random(dims, 83, false);
        for multiple in [1, 4, 8] {
            assert_arena(&gpu, "windows of one buffer", &rows, &Arena::aligned(&tensors, SHARED, multiple));
        }
    }
}

/// A weight is one of its voxel, whatever the classes.
#[test]
fn unusable_weights_are_counted_once() {
    let _turn = turn();
    for dims in [&[2, 3, 40][..], &[2, 3, 5000]] {
        let mut tensors = Tensors::random(dims, 89, false);
        let voxels = tensors.shape.voxels();
        (tensors.shared_weights[0], tensors.shared_weights[voxels + 7]) = (f32::NAN, f32::NEG_INFINITY);
        let bad = Err(Error::BadValues(BadValues { voxel_weights: 2, ..BadValues::default() }));
        for (loss, gpu) in losses().iter().flat_map(|loss| reducers().into_iter().map(move |gpu| (loss, gpu))) {
            let batch = tensors.batch(SHARED).with_gradient();
            for batch in [batch.clone(), batch.channel_last()] {
                assert_eq!(gpu.evaluate(loss, &batch), bad);
                assert_eq!(reference::evaluate(loss, &batch).unwrap_err(), bad.clone().unwrap_err());
            }
        }
    }
}

#[test]
fn weights_have_the_length_of_what_they_weigh() {
    let tensors = Tensors::random(&[2, 3, 4], 97, false);
    let length = |found, expected| Error::Length { what: "voxel weights", found, expected };
    let labels = [0; 8];
    let batch = Batch::new(&tensors.shape, &tensors.logits, Labels::U8(&labels)).unwrap();
    assert_eq!(batch.clone().with_weights_per_voxel(&tensors.weights).unwrap_err(), length(24, 8));
    assert_eq!(batch.clone().with_voxel_weights(&tensors.shared_weights).unwrap_err(), length(8, 24));
    let batch = batch.with_weights_per_voxel(&tensors.shared_weights).unwrap();
    assert_eq!(batch.problem().voxel_weights, VoxelWeights::PerVoxel);
    // The last that were given.
    let batch = batch.with_voxel_weights(&tensors.weights).unwrap();
    assert_eq!(batch.problem().voxel_weights, VoxelWeights::PerElement);
}
