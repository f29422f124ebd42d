//! What `ignore_index` leaves out.

use super::super::ignore::Ignored;
use super::*;
use crate::{Batch, Error, Labels, reference};

#[test]
fn an_ignore_index_is_a_class_or_voxels() {
    use Ignored::{Class, Nothing, Voxels};
    for (index, classes, include_background, expected) in [
        (None, 3, true, Nothing),
        (Some(0), 3, true, Class(0)),
        (Some(2), 3, true, Class(2)),
        (Some(3), 3, true, Voxels(3)),
        (Some(-1), 3, true, Voxels(-1)),
        (Some(0), 3, false, Nothing),
        (Some(2), 3, false, Class(2)),
        (Some(3), 3, false, Voxels(3)),
        (Some(0), 1, true, Class(0)),
        (Some(1), 1, true, Voxels(1)),
        (Some(0), 1, false, Nothing),
        (Some(1), 1, false, Class(0)),
        (Some(2), 1, false, Voxels(2)),
    ] {
        let found = Ignored::new(index, classes, include_background);
        assert_eq!(found, expected, "{index:?} of {classes}, {include_background}");
    }
}

#[test]
fn an_ignored_class_is_empty() {
    let (reduction, ignore_index) = (MetricReduction::None, Some(2));
    let sample = CountTable::new(1, 3, table().rows()[..3].to_vec()).unwrap();
    let iou = |ignore_empty| MeanIoU { reduction, ignore_index, ignore_empty, ..Default::default() };
    let scores = [60.0 / 75.0, 20.0 / 35.0];
    for (ignore_empty, of_ignored) in [(true, NAN), (false, 1.0)] {
        let values = [&scores[..], &[of_ignored]].concat();
        assert_values("IoU", &iou(ignore_empty).compute(&sample).unwrap(), &[1, 3], &values);
    }
    let accuracy = ConfusionMatrixMetric { reduction, ignore_index, include_background: false, ..named(&["acc"]) };
    assert_values("accuracy", &accuracy.compute(&sample).unwrap(), &[1, 2], &[85.0 / 100.0, 1.0]);
    // Here it is left out, with the background or without, until nothing is left.
    let generalized = |include_background, ignore_index| GeneralizedDiceScore {
        reduction,
        ignore_index,
        include_background,
        ..Default::default()
    };
    let dice = [120.0 / 135.0, 40.0 / 55.0];
    assert_values("two", &generalized(true, ignore_index).compute(&sample).unwrap(), &[1, 2], &dice);
    assert_values("one", &generalized(false, ignore_index).compute(&sample).unwrap(), &[1, 1], &dice[1..]);
    let one = CountTable::new(1, 1, vec![counts([3, 2, 2])]).unwrap();
    assert_values("none", &generalized(true, Some(0)).compute(&one).unwrap(), &[1, 1], &[0.0]);
}

/// Six voxels of two classes; in the last neither is true, or the label is 255.
#[test]
fn ignored_voxels_are_those_of_the_target() {
    let shape = Shape::new(&[1, 2, 6]).unwrap();
    let prediction = [1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0];
    let one_hot = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0];
    let labels = [0_u8, 1, 1, 1, 0, 255];
    let dense = Batch::new(&shape, &prediction, crate::Targets::F32(&one_hot)).unwrap();
    let mapped = Batch::new(&shape, &prediction, Labels::U8(&labels)).unwrap();
    let dice = |ignore_index| DiceMetric { ignore_index, reduction: MetricReduction::None, ..Default::default() };
    let score = |metric: &DiceMetric, batch: &Batch| {
        let counts = reference::counts(&metric.counting(batch.problem())?, batch)?;
        Ok::<_, Error>(metric.compute(&counts)?.values)
    };
    // Voxels 0 to 4: two of three, and two of three.
    for index in [255, -1] {
        let mask = dice(Some(index)).mask(&dense).unwrap();
        assert_eq!(mask, [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
        let masked = dense.clone().with_mask(&mask).unwrap();
        assert_eq!(score(&dice(Some(index)), &masked), Ok(vec![4.0 / 5.0, 4.0 / 5.0]));
    }
    assert_eq!(score(&dice(Some(255)), &mapped), Ok(vec![4.0 / 5.0, 4.0 / 5.0]));
    assert_eq!(dice(Some(255)).mask(&mapped), None);
    // Without class 0's voxels that class has no target. (The last voxel, of no class, counts.)
    let mask = dice(Some(0)).mask(&dense).unwrap();
    assert_eq!(mask, [0.0, 1.0, 1.0, 1.0, 0.0, 1.0]);
    let masked = dense.clone().with_mask(&mask).unwrap();
    let values = score(&dice(Some(0)), &masked).unwrap();
    assert!(values[0].is_nan() && values[1] == 4.0 / 6.0, "{values:?}");
    // A mask of one's own is kept.
    let own = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0];
    assert_eq!(dice(Some(255)).mask(&dense.clone().with_mask(&own).unwrap()).unwrap(), [1.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
    // Without the mask it would be wrong.
    let error = score(&dice(Some(255)), &dense).unwrap_err().to_string();
    assert!(error.contains("ignore_index 255") && error.contains("Metric::mask"), "{error}");
    // Of a class these leave out no voxels.
    let iou = MeanIoU { ignore_index: Some(1), ..Default::default() };
    assert!(iou.mask(&dense).is_none() && iou.counting(dense.problem()).is_ok());
    let rates = ConfusionMatrixMetric { ignore_index: Some(255), ..Default::default() };
    assert!(rates.mask(&dense).is_some() && rates.counting(dense.problem()).is_err());
    assert_eq!(rates.counting(mapped.problem()).unwrap().ignore_index, Some(255));
}
