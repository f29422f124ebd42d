//! MONAI's metrics against formulas written out by hand.

mod confusion_matrix;
mod ignore;

use super::*;
use crate::metrics::{CountTable, Counts, Values};
use crate::peers::Metric;
use crate::peers::monai::WeightType;
use crate::{Problem, Shape};

const REDUCTIONS: [MetricReduction; 7] = [
    MetricReduction::None,
    MetricReduction::Mean,
    MetricReduction::Sum,
    MetricReduction::MeanBatch,
    MetricReduction::SumBatch,
    MetricReduction::MeanChannel,
    MetricReduction::SumChannel,
];

/// Shape and values of a reduction, and of the numbers that are not NaN.
type Expected<'a> = (&'a [usize], &'a [f64], &'a [usize], &'a [f64]);

/// TP, FP, FN of 100 voxels.
fn counts([true_positives, false_positives, false_negatives]: [u64; 3]) -> Counts {
    let true_negatives = 100 - true_positives - false_positives - false_negatives;
    Counts { true_positives, false_positives, false_negatives, true_negatives }
}

/// Two samples of three classes. The second's class 1 has an empty target, its class 2 two empty masks.
fn table() -> CountTable {
    let rows = [[60, 10, 5], [20, 5, 10], [3, 2, 2], [80, 6, 4], [0, 7, 0], [0, 0, 0]];
    CountTable::new(2, 3, rows.map(counts).to_vec()).unwrap()
}

/// What there is beside class 0.
fn foreground() -> CountTable {
    table().without_background()
}

fn assert_values(what: &str, got: &Values, shape: &[usize], values: &[f64]) {
    assert_eq!(got.shape, shape, "{what}: {got:?}");
    let same = |(got, expected): (&f64, &f64)| (got.is_nan() && expected.is_nan()) || (got - expected).abs() < 1e-12;
    assert!(
        got.values.len() == values.len() && got.values.iter().zip(values).all(same),
        "{what}: {got:?}, not {values:?}"
    );
}

const NAN: f64 = f64::NAN;

fn named(names: &[&str]) -> ConfusionMatrixMetric {
    ConfusionMatrixMetric { metric_name: names.iter().map(|&name| name.to_owned()).collect(), ..Default::default() }
}

/// Every reduction of the scores ½ and ¼ of one sample, ¾ and none of another, and none of a third.
#[test]
fn every_reduction_leaves_out_what_is_nan() {
    // Dice 2·1/(2·1 + 2), 2·1/(2·1 + 6), 2·3/(2·3 + 2); without a target it is NaN.
    let rows = [[1, 1, 1], [1, 3, 3], [3, 1, 1], [0, 4, 0], [0, 0, 0], [0, 1, 0]];
    let table = CountTable::new(3, 2, rows.map(counts).to_vec()).unwrap();
    let (none, mean) = (vec![0.5, 0.25, 0.75, NAN, NAN, NAN], (0.375 + 0.75) / 2.0);
    let expected: [Expected; 7] = [
        (&[3, 2], &none, &[3, 2], &[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
        (&[1], &[mean], &[], &[2.0]),
        (&[], &[1.5], &[], &[3.0]),
        (&[2], &[0.625, 0.25], &[2], &[2.0, 1.0]),
        (&[2], &[1.25, 0.25], &[2], &[2.0, 1.0]),
        (&[3], &[0.375, 0.75, 0.0], &[3], &[2.0, 1.0, 0.0]),
        (&[3], &[0.75, 0.75, 0.0], &[3], &[2.0, 1.0, 0.0]),
    ];
    for (reduction, (shape, values, not_nans_shape, not_nans)) in REDUCTIONS.into_iter().zip(expected) {
        let metric = DiceMetric { reduction, get_not_nans: true, ..Default::default() };
        assert_values(&format!("{reduction:?}"), &metric.compute(&table).unwrap(), shape, values);
        let found = metric.not_nans(&table).unwrap().unwrap();
        assert_values(&format!("not NaN, {reduction:?}"), &found, not_nans_shape, not_nans);
        assert_eq!(DiceMetric { reduction, ..Default::default() }.not_nans(&table), Ok(None));
    }
}

#[test]
fn reductions_of_nothing_are_0() {
    let empty = CountTable::new(0, 2, vec![]).unwrap();
    let expected: [(&[usize], &[f64]); 7] =
        [(&[0, 2], &[]), (&[1], &[0.0]), (&[], &[0.0]), (&[2], &[0.0; 2]), (&[2], &[0.0; 2]), (&[0], &[]), (&[0], &[])];
    for (reduction, (shape, values)) in REDUCTIONS.into_iter().zip(expected) {
        let metric = MeanIoU { reduction, ..Default::default() };
        assert_values(&format!("{reduction:?}"), &metric.compute(&empty).unwrap(), shape, values);
    }
}

#[test]
fn dice_and_iou_of_what_is_empty() {
    let reduction = MetricReduction::None;
    let dice = |ignore_empty| DiceMetric { reduction, ignore_empty, ..Default::default() }.compute(&table()).unwrap();
    let scores = [120.0 / 135.0, 40.0 / 55.0, 6.0 / 10.0, 160.0 / 170.0];
    assert_values("Dice", &dice(true), &[2, 3], &[&scores[..], &[NAN, NAN]].concat());
    assert_values("Dice of empties", &dice(false), &[2, 3], &[&scores[..], &[0.0, 1.0]].concat());
    let iou = |ignore_empty| MeanIoU { reduction, ignore_empty, ..Default::default() }.compute(&table()).unwrap();
    let scores = [60.0 / 75.0, 20.0 / 35.0, 3.0 / 7.0, 80.0 / 90.0];
    assert_values("IoU", &iou(true), &[2, 3], &[&scores[..], &[NAN, NAN]].concat());
    assert_values("IoU of empties", &iou(false), &[2, 3], &[&scores[..], &[0.0, 1.0]].concat());
}

#[test]
fn the_background_is_left_out_unless_it_is_all_there_is() {
    let one = CountTable::new(1, 1, vec![counts([3, 2, 2])]).unwrap();
    let (include_background, reduction) = (false, MetricReduction::None);
    let dice = DiceMetric { include_background, reduction, ..Default::default() };
    let iou = MeanIoU { include_background, reduction, ..Default::default() };
    let precision = ConfusionMatrixMetric { include_background, reduction, ..named(&["precision"]) };
    let generalized = GeneralizedDiceScore { include_background, reduction, ..Default::default() };
    for (table, metric, values) in [
        (table(), &dice as &dyn Metric, &[40.0 / 55.0, 0.6, NAN, NAN][..]),
        (table(), &iou, &[20.0 / 35.0, 3.0 / 7.0, NAN, NAN]),
        (table(), &precision, &[0.8, 0.6, 0.0, NAN]),
        (table(), &generalized, &[40.0 / 55.0, 0.6, 0.0, 1.0]),
        (one.clone(), &dice, &[0.6]),
        (one.clone(), &iou, &[3.0 / 7.0]),
        (one.clone(), &precision, &[0.6]),
        // This one alone drops it, and scores 0.
        (one.clone(), &generalized, &[0.0]),
    ] {
        let shape = [table.samples(), values.len() / table.samples()];
        assert_values("without the background", &metric.compute(&table).unwrap(), &shape, values);
    }
}

#[test]
fn the_number_of_classes_selects_them() {
    let dice = |num_classes, include_background, table: &CountTable| {
        let reduction = MetricReduction::None;
        DiceMetric { num_classes, include_background, reduction, ..Default::default() }.compute(table)
    };
    let [background, first, second] = [120.0 / 135.0, 40.0 / 55.0, 0.6];
    let sample = CountTable::new(1, 3, table().rows()[..3].to_vec()).unwrap();
    for (num_classes, include_background, values) in [
        (Some(3), true, &[background, first, second][..]),
        (Some(2), true, &[background, first]),
        (Some(2), false, &[first]),
        (Some(1), true, &[first]),
        (Some(1), false, &[first]),
    ] {
        let got = dice(num_classes, include_background, &sample).unwrap();
        assert_values(&format!("{num_classes:?}"), &got, &[1, values.len()], values);
    }
    let error = dice(Some(4), true, &sample).unwrap_err().to_string();
    assert!(error.contains("num_classes is 4") && error.contains("are 3"), "{error}");
    // A mask as a label map: its background is 100 − 3 − 2 − 2 = 93 voxels in both.
    let mask = CountTable::new(1, 1, vec![counts([3, 2, 2])]).unwrap();
    assert_values("a mask", &dice(Some(1), false, &mask).unwrap(), &[1, 1], &[0.6]);
    assert_values("labels 0 and 1", &dice(Some(2), true, &mask).unwrap(), &[1, 2], &[186.0 / 190.0, 0.6]);
    assert_values("label 1", &dice(Some(2), false, &mask).unwrap(), &[1, 1], &[0.6]);
    assert!(dice(Some(3), true, &mask).is_err());
}

#[test]
fn labelled_scores_are_rounded() {
    let metric = |return_with_label| DiceMetric {
        reduction: MetricReduction::MeanBatch,
        include_background: false,
        return_with_label,
        ..Default::default()
    };
    // 40/55 and 6/10, the second sample having none of either.
    let flagged = metric(ReturnWithLabel::Flag(true));
    assert_eq!(flagged.compute(&table()).unwrap().values, [0.7273, 0.6]);
    assert_eq!(flagged.labels(2).unwrap(), ["label_1", "label_2"]);
    let names = metric(ReturnWithLabel::Names(vec!["tumour".into()]));
    assert_eq!(
        (names.compute(&table()).unwrap().values, names.labels(2).unwrap()),
        (vec![0.7273], vec!["tumour".to_owned()])
    );
    for unlabelled in [
        metric(ReturnWithLabel::Flag(false)),
        metric(ReturnWithLabel::Names(vec![])),
        DiceMetric { reduction: MetricReduction::SumBatch, ..flagged },
    ] {
        assert_eq!(unlabelled.compute(&table()).unwrap().values[0], 40.0 / 55.0);
        assert_eq!(unlabelled.labels(2), None);
    }
}

/// T = 65, 30, 5 and 84, 0, 0.
#[test]
fn generalized_dice_weighs_by_volume() {
    let score = |weight_type, table: &CountTable| {
        let metric =
            GeneralizedDiceScore { weight_type, reduction: MetricReduction::MeanChannel, ..Default::default() };
        metric.compute(table).unwrap()
    };
    // I = 60, 20, 3 and P + T = 135, 55, 10; I = 80, 0, 0 and P + T = 170, 7, 0.
    let weighted =
        |w: [f64; 3]| 2.0 * (60.0 * w[0] + 20.0 * w[1] + 3.0 * w[2]) / (135.0 * w[0] + 55.0 * w[1] + 10.0 * w[2]);
    let squares = [1.0 / 65.0_f64.powi(2), 1.0 / 30.0_f64.powi(2), 1.0 / 25.0];
    let simple = [1.0 / 65.0, 1.0 / 30.0, 1.0 / 5.0];
    for (weight_type, weights) in
        [(WeightType::Square, squares), (WeightType::Simple, simple), (WeightType::Uniform, [1.0; 3])]
    {
        // The empty targets weigh as much as the only one that is not.
        let expected = [weighted(weights), 160.0 / 177.0];
        assert_values(&format!("{weight_type:?}"), &score(weight_type, &table()), &[2], &expected);
    }
    // Nothing true, and nothing in either.
    let empty = CountTable::new(2, 2, [[0, 7, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]].map(counts).to_vec()).unwrap();
    assert_values("empty", &score(WeightType::Square, &empty), &[2], &[0.0, 1.0]);
}

/// Samples, or single classes, are scored first.
#[test]
fn generalized_dice_is_reduced_in_two_ways() {
    let reduced = |reduction| {
        let metric = GeneralizedDiceScore { reduction, weight_type: WeightType::Uniform, ..Default::default() };
        metric.compute(&table()).unwrap()
    };
    let (first, second) = (166.0 / 200.0, 160.0 / 177.0);
    let classes = [120.0 / 135.0, 40.0 / 55.0, 0.6, 160.0 / 170.0, 0.0, 1.0];
    let sums = [classes[0] + classes[3], classes[1] + classes[4], classes[2] + classes[5]];
    let expected: [(&[usize], &[f64]); 7] = [
        (&[2, 3], &classes),
        (&[1], &[(first + second) / 2.0]),
        (&[], &[first + second]),
        (&[3], &sums.map(|sum| sum / 2.0)),
        (&[3], &sums),
        (&[2], &[first, second]),
        (&[2], &[first, second]),
    ];
    for (reduction, (shape, values)) in REDUCTIONS.into_iter().zip(expected) {
        assert_values(&format!("{reduction:?}"), &reduced(reduction), shape, values);
    }
}

#[test]
fn what_is_no_image_or_not_supported_is_an_error() {
    let problem = |dims: &[usize]| Problem::new(Shape::new(dims).unwrap());
    let metrics: [&dyn Metric; 3] = [&DiceMetric::default(), &MeanIoU::default(), &GeneralizedDiceScore::default()];
    for metric in metrics {
        let error = metric.counting(&problem(&[4, 2])).unwrap_err().to_string();
        assert!(error.contains("[4, 2]"), "{error}");
        metric.counting(&problem(&[4, 2, 1])).unwrap();
    }
    ConfusionMatrixMetric::default().counting(&problem(&[4, 2])).unwrap();
    assert!(named(&["dice"]).counting(&problem(&[4, 2])).is_err());
    let components = DiceMetric { per_component: true, ..Default::default() };
    assert!(components.compute(&table()).is_err() && components.counting(&problem(&[4, 2, 9])).is_err());
}

/// Sums of f32 stop counting at 2²⁴, those of u32 at 2³².
#[test]
fn large_counts_are_exact() {
    let large =
        Counts { true_positives: 1 << 40, false_positives: 1, false_negatives: 0, true_negatives: (1 << 41) - 1 };
    let table = CountTable::new(1, 1, vec![large]).unwrap();
    let value = |metric: &dyn Metric| metric.compute(&table).unwrap().values[0];
    let more = (1_u64 << 40) as f64;
    assert_eq!(1.0 - value(&DiceMetric::default()), 1.0 - 2.0 * more / (2.0 * more + 1.0));
    assert!(value(&MeanIoU::default()) < 1.0 && value(&GeneralizedDiceScore::default()) < 1.0);
    assert_eq!(value(&named(&["fpr"])), 1.0 / (1_u64 << 41) as f64);
    assert_eq!(value(&named(&["fdr"])), 1.0 / (more + 1.0));
    let correlation = value(&named(&["mcc"]));
    assert!((correlation - 1.0).abs() < 1e-11 && correlation < 1.0, "{correlation}");
}
