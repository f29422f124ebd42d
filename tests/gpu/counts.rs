//! Exact counts of hard masks.

use segloss::metrics::CountTable;
use segloss::{Batch, Error, Labels, Loss, Shape, reference};

use crate::data::{gpu, reducers, turn};
use crate::label_maps::{label_maps, one_hot};

#[test]
fn counts_are_those_of_the_label_maps() {
    let _turn = turn();
    let loss = Loss::dice().probabilities().hard(0.5);
    for (seed, dims) in
        [&[1, 2, 5][..], &[2, 3], &[3, 4, 257], &[2, 3, 65, 64], &[1, 2, 40_000], &[70, 5, 33]].into_iter().enumerate()
    {
        let shape = Shape::new(dims).unwrap();
        let (prediction, mut target) = label_maps(&shape, 100 + seed as u32);
        target.iter_mut().step_by(11).for_each(|label| *label = 255);
        let expected =
            reference::label_counts(Labels::U8(&prediction), Labels::U8(&target), &shape, Some(255)).unwrap();
        let masks = one_hot(&prediction, &shape);
        let batch = Batch::new(&shape, &masks, Labels::U8(&target)).unwrap().with_ignore_index(255);
        for gpu in reducers() {
            let counts = gpu.counts(&loss, &batch).unwrap();
            assert_eq!(counts.rows(), expected.rows(), "{dims:?}, {:?}", gpu.reducer());
        }
        assert_eq!(reference::counts(&loss, &batch).unwrap().rows(), expected.rows(), "{dims:?}");
        let per_voxel: u64 = expected.rows().iter().map(|row| row.actual()).sum();
        assert_eq!(per_voxel, target.iter().filter(|&&label| label != 255).count() as u64);
    }
}

/// Beside other terms, and of a table that the caller makes of the sums.
#[test]
fn the_term_with_a_threshold_is_the_one_that_counts() {
    let _turn = turn();
    let shape = Shape::new(&[1, 2, 4]).unwrap();
    let logits = [2.0, -1.0, 0.5, 3.0, -2.0, 1.0, 0.5, -3.0];
    let batch = Batch::new(&shape, &logits, Labels::I32(&[0, 1, 1, 0])).unwrap();
    let loss = Loss::bce().with(1.0, Loss::dice()).with(1.0, Loss::dice().hard(0.5));
    let counts = gpu().counts(&loss, &batch).unwrap();
    let cells: Vec<_> = counts
        .rows()
        .iter()
        .map(|c| [c.true_positives, c.false_positives, c.false_negatives, c.true_negatives])
        .collect();
    assert_eq!(cells, [[2, 1, 0, 1], [2, 0, 0, 2]]);
    let output = gpu().evaluate(&loss, &batch).unwrap();
    assert_eq!(CountTable::from_sums(&output.sums()[2], &shape), Ok(counts));
    assert!(matches!(CountTable::from_sums(&output.sums()[0], &shape), Err(Error::NotCounts { .. })));
    let soft = Loss::dice();
    for error in [gpu().counts(&soft, &batch).unwrap_err(), reference::counts(&soft, &batch).unwrap_err()] {
        assert!(error.to_string().contains("no term has a threshold"), "{error}");
    }
}

#[test]
fn label_maps_are_checked() {
    let shape = Shape::new(&[1, 2, 3]).unwrap();
    let count = |prediction: &[i64], target: &[i64]| {
        reference::label_counts(Labels::I64(prediction), Labels::I64(target), &shape, Some(-100))
    };
    assert_eq!(count(&[0, 1, 1], &[0, -100, 1]).unwrap().rows()[1].total(), 2);
    assert!(matches!(count(&[0, 1], &[0, 1, 1]), Err(Error::Length { found: 2, expected: 3, .. })));
    // What is not to count is said of the target alone.
    let Err(Error::BadValues(bad)) = count(&[0, -100, 7], &[-100, 2, 0]) else { panic!("bad labels pass") };
    assert_eq!((bad.predicted_labels, bad.labels), (2, 1));
}
