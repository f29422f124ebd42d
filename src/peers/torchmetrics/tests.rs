//! TorchMetrics' metrics against formulas written out by hand.

use super::*;
use crate::Shape;

/// TP, FP, FN of 100 voxels.
fn counts([true_positives, false_positives, false_negatives]: [u64; 3]) -> Counts {
    let true_negatives = 100 - true_positives - false_positives - false_negatives;
    Counts { true_positives, false_positives, false_negatives, true_negatives }
}

/// Two samples of three classes; class 2 is nowhere in the second.
fn table() -> CountTable {
    let rows = [[60, 10, 5], [20, 5, 10], [3, 2, 2], [80, 6, 4], [0, 7, 0], [0, 0, 0]];
    CountTable::new(2, 3, rows.map(counts).to_vec()).unwrap()
}

/// Everything empty, or predicted without being true.
fn untrue(rows: [[u64; 3]; 2]) -> CountTable {
    CountTable::new(1, 2, rows.map(counts).to_vec()).unwrap()
}

fn assert_values(what: &str, got: &Values, shape: &[usize], values: &[f64]) {
    assert_eq!(got.shape, shape, "{what}: {got:?}");
    let same = |(got, expected): (&f64, &f64)| (got.is_nan() && expected.is_nan()) || (got - expected).abs() < 1e-12;
    assert!(got.values.iter().zip(values).all(same) && got.values.len() == values.len(), "{what}: {got:?}");
}

fn dice(average: Average, aggregation_level: AggregationLevel) -> DiceScore {
    DiceScore { num_classes: 3, average: Some(average), aggregation_level, ..Default::default() }
}

#[test]
fn dice_by_every_average_and_level() {
    use AggregationLevel::{Global, Samplewise};
    let scores = [120.0 / 135.0, 40.0 / 55.0, 6.0 / 10.0, 160.0 / 170.0, 0.0];
    let [a, b, c, d, e] = scores;
    let pooled = [280.0 / 305.0, 40.0 / 62.0, 6.0 / 10.0];
    let weighted = (65.0 * a + 30.0 * b + 5.0 * c) / 100.0;
    let pooled_weighted = (149.0 * pooled[0] + 30.0 * pooled[1] + 5.0 * pooled[2]) / 184.0;
    for (average, level, value) in [
        (Average::Micro, Samplewise, (166.0 / 200.0 + 160.0 / 177.0) / 2.0),
        (Average::Micro, Global, 326.0 / 377.0),
        (Average::Macro, Samplewise, ((a + b + c) / 3.0 + (d + e) / 2.0) / 2.0),
        (Average::Macro, Global, pooled.iter().sum::<f64>() / 3.0),
        (Average::Weighted, Samplewise, (weighted + d) / 2.0),
        (Average::Weighted, Global, pooled_weighted),
    ] {
        let what = format!("{average:?}, {level:?}");
        assert_values(&what, &dice(average, level).compute(&table()).unwrap(), &[], &[value]);
    }
    let each = [(a + d) / 2.0, b / 2.0, c];
    assert_values("each", &dice(Average::None, Samplewise).compute(&table()).unwrap(), &[3], &each);
    assert_values("each", &dice(Average::None, Global).compute(&table()).unwrap(), &[3], &pooled);
    let null = DiceScore { average: None, ..dice(Average::None, Global) };
    assert_values("null", &null.compute(&table()).unwrap(), &[3], &pooled);
    let foreground = DiceScore { include_background: false, ..dice(Average::None, Global) };
    assert_values("foreground", &foreground.compute(&table()).unwrap(), &[2], &pooled[1..]);
}

#[test]
fn dice_of_what_is_empty() {
    use AggregationLevel::{Global, Samplewise};
    let [nothing, one_predicted] = [untrue([[0, 0, 0]; 2]), untrue([[0, 7, 0], [0, 0, 0]])];
    for average in [Average::Micro, Average::Macro, Average::Weighted] {
        for level in [Samplewise, Global] {
            let what = format!("{average:?}, {level:?}");
            let metric = dice(average, level);
            assert_values(&what, &metric.compute(&nothing).unwrap(), &[], &[f64::NAN]);
            assert_values(&what, &metric.compute(&one_predicted).unwrap(), &[], &[0.0]);
        }
    }
    let each = dice(Average::None, Samplewise).compute(&one_predicted).unwrap();
    assert_values("each", &each, &[2], &[0.0, f64::NAN]);
}

/// Batches are appended: the global score is that of all samples' sums.
#[test]
fn updates_are_appended_tables() {
    let mut all = CountTable::new(0, 3, vec![]).unwrap();
    for sample in table().by_sample() {
        all.append(&CountTable::new(1, 3, sample.to_vec()).unwrap()).unwrap();
    }
    for level in [AggregationLevel::Samplewise, AggregationLevel::Global] {
        let metric = dice(Average::Macro, level);
        assert_eq!(metric.compute(&all), metric.compute(&table()));
    }
}

#[test]
fn mean_iou_of_all_or_per_class() {
    let [a, b, c, d] = [60.0 / 75.0, 20.0 / 35.0, 3.0 / 7.0, 80.0 / 90.0];
    let iou = |per_class, include_background, table: &CountTable| {
        MeanIoU { per_class, include_background, ..Default::default() }.compute(table).unwrap()
    };
    assert_values("mean", &iou(false, true, &table()), &[], &[(a + b + c + d) / 5.0]);
    assert_values("foreground", &iou(false, false, &table()), &[], &[(b + c) / 3.0]);
    assert_values("each", &iou(true, true, &table()), &[3], &[(a + d) / 2.0, b / 2.0, c]);
    assert_values("each of the foreground", &iou(true, false, &table()), &[2], &[b / 2.0, c]);
    let nothing = untrue([[0, 0, 0]; 2]);
    assert_values("nothing", &iou(false, true, &nothing), &[], &[f64::NAN]);
    assert_values("nothing each", &iou(true, true, &nothing), &[2], &[-1.0; 2]);
}

/// The background is kept where it is the only class; the original then has no room for its score.
#[test]
fn one_class_without_background() {
    let one = CountTable::new(1, 1, vec![counts([3, 2, 2])]).unwrap();
    let include_background = false;
    let score = DiceScore { num_classes: 1, include_background, ..Default::default() };
    assert_values("Dice", &score.compute(&one).unwrap(), &[], &[0.6]);
    let iou = MeanIoU { include_background, ..Default::default() };
    assert_values("IoU", &iou.compute(&one).unwrap(), &[], &[f64::NAN]);
    let each = MeanIoU { per_class: true, num_classes: Some(1), ..iou };
    assert_values("IoU each", &each.compute(&one).unwrap(), &[0], &[]);
    // A list of one is a number.
    let each = MeanIoU { per_class: true, ..Default::default() };
    assert_values("IoU of one class", &each.compute(&one).unwrap(), &[], &[3.0 / 7.0]);
    let each = DiceScore { average: None, ..score };
    assert_values("Dice of one class", &each.compute(&one).unwrap(), &[], &[0.6]);
}

#[test]
fn the_number_of_classes_is_checked_where_the_original_does() {
    let problem = Problem::new(Shape::new(&[2, 3, 4, 5]).unwrap());
    let score = |num_classes, input_format| DiceScore { num_classes, input_format, ..Default::default() };
    let iou =
        |num_classes, input_format, per_class| MeanIoU { num_classes, input_format, per_class, ..Default::default() };
    use InputFormat::{Index, Mixed, OneHot};
    let cases: [(Box<dyn Metric>, Option<&str>); 11] = [
        (Box::new(score(3, OneHot)), None),
        (Box::new(score(5, OneHot)), None),
        (Box::new(score(0, OneHot)), Some("num_classes is 0")),
        (Box::new(score(5, Mixed)), Some("5 classes, but there are 3")),
        (Box::new(score(3, Index)), None),
        (Box::new(iou(None, Index, false)), Some("needs num_classes")),
        (Box::new(iou(None, Mixed, true)), None),
        (Box::new(iou(Some(0), OneHot, false)), Some("num_classes is 0")),
        (Box::new(iou(Some(2), Index, false)), Some("2 classes, but there are 3")),
        (Box::new(iou(Some(5), OneHot, false)), None),
        (Box::new(iou(Some(5), OneHot, true)), Some("5 classes, but there are 3")),
    ];
    for (metric, refusal) in &cases {
        let error = metric.counting(&problem).and_then(|_| metric.compute(&table())).map_err(|error| error.to_string());
        match refusal {
            None => drop(error.unwrap()),
            Some(part) => assert!(error.as_ref().is_err_and(|error| error.contains(part)), "{error:?}"),
        }
    }
    for (format, samples, is_known) in
        [(OneHot, 2, true), (Index, 1, true), (Index, 2, false), (Mixed, 1, false), (Mixed, 2, false)]
    {
        let line = Problem::new(Shape::new(&[samples, 3, 4]).unwrap());
        assert_eq!(iou(Some(3), format, false).counting(&line).is_ok(), is_known, "{samples} of {format:?}");
        score(3, format).counting(&line).unwrap();
    }
    let flat = Problem::new(Shape::new(&[2, 3]).unwrap());
    for metric in [&score(3, OneHot) as &dyn Metric, &iou(None, OneHot, false)] {
        assert!(metric.counting(&flat).unwrap_err().to_string().contains("spatial axis"));
    }
}

/// Two samples and two classes, (I, P − I, T − I): (6, 1, 2) and (2, 1, 0), then (3, 2, 1) and nothing true of 4 predicted.
///
/// Row 3, of an empty target, lies at 3 of the original's list by classes, where that has class 3/2 = 1, of which the largest
/// weight is that of row 1.
#[test]
fn generalized_dice_by_every_weight() {
    let rows = [[6, 1, 2], [2, 1, 0], [3, 2, 1], [0, 4, 0]].map(counts);
    let table = CountTable::new(2, 2, rows.to_vec()).unwrap();
    for (weight_type, [a, b, c, d]) in [
        (WeightType::Square, [1.0 / 64.0, 0.25, 1.0 / 16.0, 0.25]),
        (WeightType::Simple, [1.0 / 8.0, 0.5, 0.25, 0.5]),
        (WeightType::Linear, [1.0; 4]),
    ] {
        let metric = GeneralizedDiceScore { num_classes: 2, weight_type, ..Default::default() };
        let first = (12.0 * a + 4.0 * b) / (15.0 * a + 5.0 * b);
        let second = 6.0 * c / (9.0 * c + 4.0 * d);
        let what = format!("{weight_type:?}");
        assert_values(&what, &metric.compute(&table).unwrap(), &[], &[(first + second) / 2.0]);
        let each = GeneralizedDiceScore { per_class: true, ..metric.clone() };
        let [zero, one] = [(12.0 / 15.0 + 6.0 / 9.0) / 2.0, 4.0 / 5.0 / 2.0];
        assert_values(&what, &each.compute(&table).unwrap(), &[2], &[zero, one]);
        let foreground = GeneralizedDiceScore { include_background: false, ..metric };
        assert_values(&what, &foreground.compute(&table).unwrap(), &[], &[one]);
    }
}

/// The weight of an empty class is looked up by another order than its own: row 1 takes that of class 1/3 = 0 of three samples.
#[test]
fn generalized_dice_of_empty_targets() {
    let score = |table: &CountTable, num_classes| {
        GeneralizedDiceScore { num_classes, ..Default::default() }.compute(table).unwrap()
    };
    let rows = [[1, 0, 1], [0, 3, 0], [2, 2, 2], [1, 0, 0], [4, 0, 0], [1, 1, 1]].map(counts);
    let three = CountTable::new(3, 2, rows.to_vec()).unwrap();
    // Of class 0 the largest weight is 1/4, of class 1 it would be 1.
    let first = 2.0 / 4.0 / (3.0 / 4.0 + 3.0 / 4.0);
    let second = (4.0 / 16.0 + 2.0) / (8.0 / 16.0 + 2.0);
    let third = (8.0 / 16.0 + 2.0 / 4.0) / (8.0 / 16.0 + 4.0 / 4.0);
    assert_values("three", &score(&three, 2), &[], &[(first + second + third) / 3.0]);
    // Alone it weighs nothing, and neither does a sample with nothing true.
    let one = CountTable::new(1, 2, rows[..2].to_vec()).unwrap();
    assert_values("one", &score(&one, 2), &[], &[2.0 / 3.0]);
    assert_values("untrue", &score(&untrue([[0, 7, 0], [0, 0, 0]]), 2), &[], &[0.0]);
    assert_values("no sample", &score(&CountTable::new(0, 2, vec![]).unwrap(), 2), &[], &[f64::NAN]);
    // The room that the original has for scores of classes.
    let single = CountTable::new(1, 1, vec![counts([3, 2, 2])]).unwrap();
    let each =
        GeneralizedDiceScore { num_classes: 1, include_background: false, per_class: true, ..Default::default() };
    assert_values("no room", &each.compute(&single).unwrap(), &[0], &[]);
    assert_values("kept", &score(&single, 1), &[], &[0.6]);
    assert!(each.compute(&table()).unwrap_err().to_string().contains("makes 0 classes"));
    assert!(GeneralizedDiceScore::default().compute(&one).is_err());
}
