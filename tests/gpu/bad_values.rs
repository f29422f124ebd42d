//! Values that are not usable numbers are counted, left out, and named.

use segloss::half::{bf16, f16};
use segloss::{BadValues, Batch, Error, Logits, Loss, Reduction, reference};

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

/// NaN and both infinities in logits of every format, among rows and among columns, in one dispatch and in stages: each is counted,
/// once, wherever in a word, an octet, a row or a column it lies.
#[test]
fn every_bad_logit_is_counted_in_every_format() {
    let _turn = turn();
    let rows = [Loss::dice().smooth(1.0).with(0.5, Loss::bce()), Loss::focal(2.0)];
    let columns = Loss::dice().smooth(1.0).softmax().with(0.5, Loss::cross_entropy());
    // In one dispatch, and in the stage that reads the data.
    for (dims, rows) in [[2, 3, 65], [2, 3, 2801]].into_iter().zip(rows) {
        let losses = [("rows", rows), ("columns", columns.clone())];
        let tensors = Tensors::random(&dims, 17, false);
        let (elements, voxels) = (tensors.shape.elements(), tensors.shape.voxels());
        // The first and the last, halves of one word, both sides of an octet, of a workgroup's lanes, of rows, and all classes of a
        // voxel of the second sample.
        let mut places = vec![0, 1, 7, 8, 63, 64, voxels - 1, voxels, 2 * voxels + 3, elements - 1];
        places.extend((3..6).map(|row| row * voxels + 40));
        places.extend((3000..elements).step_by(997));
        places.sort_unstable();
        places.dedup();
        for (index, bad) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().enumerate() {
            // Of each number another part of the places.
            let put = &places[index..places.len() - index];
            let mut logits = tensors.logits.clone();
            put.iter().for_each(|&place| logits[place] = bad);
            let halves: Vec<f16> = logits.iter().map(|&z| f16::from_f32(z)).collect();
            let short: Vec<bf16> = logits.iter().map(|&z| bf16::from_f32(z)).collect();
            let expected = BadValues { logits: put.len() as u32, ..BadValues::default() };
            for formatted in [Logits::F32(&logits), Logits::F16(&halves), Logits::Bf16(&short)] {
                let batch = Batch::new(&tensors.shape, formatted, &tensors.targets).unwrap();
                assert_eq!(reference::bad_values(&batch), expected);
                for (name, loss) in &losses {
                    let found = gpu().evaluate(loss, &batch);
                    let what = format!("{name}, {dims:?}, {bad} as {:?}", formatted.format());
                    assert_eq!(found, Err(Error::BadValues(expected)), "{what}");
                }
            }
        }
    }
}
