//! Values that are not usable numbers are counted, left out, and named.

use segloss::{BadValues, Batch, Error, Loss, Reduction, reference};

use crate::data::{Tensors, gpu, turn};

#[test]
fn bad_values_are_counted_and_named() {
    let _turn = turn();
    let mut tensors = Tensors::random(&[2, 3, 500], 3, false);
    for (i, bad) in [(0, f32::NAN), (700, f32::INFINITY), (2999, f32::NEG_INFINITY)] {
        tensors.logits[i] = bad;
    }
    tensors.targets[0] = f32::NAN;
    tensors.targets[1500] = f32::INFINITY;
    tensors.mask[999] = 0.5;
    tensors.mask[3] = f32::NAN;
    tensors.weights[5] = f32::NAN;
    let batch = tensors.batch(3).with_gradient();
    let counts = reference::bad_values(&batch);
    assert_eq!((counts.logits, counts.targets, counts.mask, counts.voxel_weights), (3, 2, 2, 1));
    for loss in [Loss::dice(), Loss::bce(), Loss::dice().with(1.0, Loss::bce())] {
        assert_eq!(gpu().evaluate(&loss, &batch), Err(Error::BadValues(counts)));
    }
}

#[test]
fn nothing_bad_reaches_sums_or_gradient() {
    let _turn = turn();
    use crate::buffers::{Arena, run};
    let mut tensors = Tensors::random(&[1, 2, 5000], 4, false);
    let clean = Tensors::random(&[1, 2, 5000], 4, false);
    let bad = [0, 63, 64, 4095, 4999, 5000, 9999];
    for (k, &i) in bad.iter().enumerate() {
        tensors.logits[i] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][k % 3];
    }
    // The same voxels, weighed 0 in a clean tensor.
    let mut weights = vec![1.0; tensors.shape.elements()];
    bad.iter().for_each(|&i| weights[i] = 0.0);
    let sum = Loss::dice().smooth(1.0).with(0.5, Loss::bce().reduction(Reduction::Sum));
    // A mean divides by what is left: 7 fewer of 10,000.
    for (loss, scale) in [(sum, 1.0), (Loss::bce(), 10_000.0 / 9_993.0)] {
        let expected = Batch::new(&clean.shape, &clean.logits, &clean.targets).unwrap();
        let expected = expected.with_voxel_weights(&weights).unwrap().with_gradient();
        let mut expected = reference::evaluate(&loss, &expected).unwrap().gradient.unwrap();
        expected.iter_mut().for_each(|g| *g *= scale);
        let arena = Arena::new(&tensors, 0);
        let (result, gradient) = run(gpu(), &loss, &arena);
        assert!(matches!(result, Err(Error::BadValues(BadValues { logits: 7, .. }))), "{result:?}");
        crate::data::assert_gradient("bad", &gradient, &expected, 0.0);
        bad.iter().for_each(|&i| assert_eq!(gradient[i].to_bits(), 0, "gradient[{i}] is {}", gradient[i]));
    }
}
