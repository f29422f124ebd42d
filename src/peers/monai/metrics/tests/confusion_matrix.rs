//! Rates.

use super::*;

/// TP = 20, FP = 5, TN = 65, FN = 10.
#[test]
fn every_rate_by_every_name() {
    let one = CountTable::new(1, 1, vec![counts([20, 5, 10])]).unwrap();
    let (tpr, tnr, ppv, npv) = (20.0 / 30.0, 65.0 / 70.0, 20.0 / 25.0, 65.0 / 75.0_f64);
    let fpr: f64 = 5.0 / 70.0;
    let expected: [(f64, &[&str]); 17] = [
        (tpr, &["sensitivity", "recall", "hit rate", "hit_rate", "True Positive Rate", "TPR"]),
        (tnr, &["specificity", "selectivity", "true negative rate", "tnr"]),
        (ppv, &["precision", "positive_predictive_value", "ppv"]),
        (npv, &["negative predictive value", "npv"]),
        (10.0 / 30.0, &["miss rate", "false negative rate", "fnr"]),
        (fpr, &["fall out", "false_positive_rate", "fpr"]),
        (5.0 / 25.0, &["false discovery rate", "fdr"]),
        (10.0 / 75.0, &["false omission rate", "for"]),
        ((f64::sqrt(tpr * fpr) - fpr) / (tpr - fpr), &["prevalence threshold", "pt"]),
        (20.0 / 35.0, &["threat score", "critical success index", "ts", "csi"]),
        (85.0 / 100.0, &["accuracy", "acc"]),
        ((tpr + tnr) / 2.0, &["balanced accuracy", "ba"]),
        (40.0 / 55.0, &["F1 score", "f1"]),
        (
            (20.0 * 65.0 - 5.0 * 10.0) / f64::sqrt(25.0 * 30.0 * 70.0 * 75.0),
            &["matthews correlation coefficient", "mcc"],
        ),
        (f64::sqrt(ppv * tpr), &["fowlkes mallows index", "fm"]),
        (tpr + tnr - 1.0, &["informedness", "bookmaker informedness", "bm", "youden index", "youden"]),
        (ppv + npv - 1.0, &["markedness", "deltaP", "mk"]),
    ];
    for (value, names) in expected {
        for name in names {
            for compute_sample in [false, true] {
                let metric = ConfusionMatrixMetric { compute_sample, ..named(&[name]) };
                assert_values(name, &metric.compute(&one).unwrap(), &[1], &[value]);
            }
        }
    }
    for unknown in ["", "dice", "f 1", "sensitivity "] {
        let error = named(&[unknown]).compute(&one).unwrap_err().to_string();
        assert!(error.contains(&format!("{unknown:?}")), "{error}");
    }
    assert!(named(&[]).compute(&one).is_err());
}

/// What has no voxels to divide by.
#[test]
fn rates_of_nothing_are_nan() {
    let rate = |name, cells| {
        let one = CountTable::new(1, 1, vec![counts(cells)]).unwrap();
        ConfusionMatrixMetric { reduction: MetricReduction::None, ..named(&[name]) }.compute(&one).unwrap().values[0]
    };
    let (empty, all) = ([0, 0, 0], [100, 0, 0]);
    for name in ["tpr", "ppv", "fnr", "fdr", "pt", "ts", "ba", "f1", "mcc", "fm", "bm", "mk"] {
        assert!(rate(name, empty).is_nan(), "{name}");
    }
    for (name, value) in [("tnr", 1.0), ("npv", 1.0), ("fpr", 0.0), ("for", 0.0), ("acc", 1.0)] {
        assert_eq!(rate(name, empty), value, "{name}");
    }
    for name in ["tnr", "npv", "fpr", "for", "pt", "ba", "mcc", "bm", "mk"] {
        assert!(rate(name, all).is_nan(), "{name}");
    }
    // Equal rates of ½ are no threshold; nothing found is one.
    assert!(rate("pt", [25, 25, 25]).is_nan());
    assert_eq!(rate("pt", [0, 10, 30]), 1.0);
    assert_eq!(rate("pt", [30, 0, 10]), 0.0);
}

/// The mean of two precisions, ⅘ and 0, is not that of the counts, 20/32.
#[test]
fn rates_are_taken_before_or_after_the_reduction() {
    let of = |compute_sample, reduction| {
        let metric = ConfusionMatrixMetric { compute_sample, reduction, get_not_nans: true, ..named(&["precision"]) };
        (metric.compute(&foreground()).unwrap(), metric.not_nans(&foreground()).unwrap().unwrap())
    };
    let rates = [20.0 / 25.0, 3.0 / 5.0, 0.0, NAN];
    let sampled: [Expected; 7] = [
        (&[2, 2], &rates, &[2, 2], &[1.0, 1.0, 1.0, 0.0]),
        (&[1], &[0.35], &[], &[2.0]),
        (&[], &[1.4], &[], &[3.0]),
        (&[2], &[0.4, 0.6], &[2], &[2.0, 1.0]),
        (&[2], &[0.8, 0.6], &[2], &[2.0, 1.0]),
        (&[2], &[0.7, 0.0], &[2], &[2.0, 1.0]),
        (&[2], &[1.4, 0.0], &[2], &[2.0, 1.0]),
    ];
    let (classes, samples) = ([20.0 / 32.0, 3.0 / 5.0], [23.0 / 30.0, 0.0]);
    let counted: [Expected; 7] = [
        (&[2, 2], &rates, &[2, 2, 4], &[1.0; 16]),
        (&[1], &[23.0 / 37.0], &[4], &[2.0; 4]),
        (&[1], &[23.0 / 37.0], &[4], &[4.0; 4]),
        (&[2], &classes, &[2, 4], &[2.0; 8]),
        (&[2], &classes, &[2, 4], &[2.0; 8]),
        (&[2], &samples, &[2, 4], &[2.0; 8]),
        (&[2], &samples, &[2, 4], &[2.0; 8]),
    ];
    for (compute_sample, expected) in [(true, sampled), (false, counted)] {
        for (reduction, (shape, values, not_nans_shape, not_nans)) in REDUCTIONS.into_iter().zip(expected) {
            let (got, found) = of(compute_sample, reduction);
            let what = format!("{reduction:?}, compute_sample {compute_sample}");
            assert_values(&what, &got, shape, values);
            assert_values(&what, &found, not_nans_shape, not_nans);
        }
    }
}

/// Of items rather than images, rates are never taken first.
#[test]
fn single_items_are_counted_together() {
    let sums = |p, t| crate::Sums { values: [p * t, p, t], count: 1 };
    let rows = [sums(1.0, 1.0), sums(1.0, 0.0), sums(1.0, 1.0)];
    let metric = ConfusionMatrixMetric { compute_sample: true, ..named(&["accuracy"]) };
    for (dims, value) in [(&[3, 1][..], 2.0 / 3.0), (&[3, 1, 1], 2.0 / 3.0)] {
        let mut items = CountTable::from_sums(&rows, &Shape::new(dims).unwrap()).unwrap();
        assert_values("items", &metric.compute(&items).unwrap(), &[1], &[value]);
        let precision = ConfusionMatrixMetric { compute_sample: true, ..named(&["recall"]) };
        assert_eq!(precision.compute(&items).unwrap().values, [1.0]);
        // One image of 100 voxels does not change that: 2/3 · 3 and 80 of 100 + 3.
        items.append(&CountTable::new(1, 1, vec![counts([40, 10, 10])]).unwrap()).unwrap();
        assert_values("an image more", &metric.compute(&items).unwrap(), &[1], &[82.0 / 103.0]);
    }
}

#[test]
fn several_rates_stand_one_after_the_other() {
    let metric = ConfusionMatrixMetric { reduction: MetricReduction::MeanBatch, ..named(&["precision", "recall"]) };
    let values = [20.0 / 32.0, 3.0 / 5.0, 20.0 / 30.0, 3.0 / 5.0];
    assert_values("two", &metric.compute(&foreground()).unwrap(), &[2, 2], &values);
}
