//! The rates of a confusion matrix, by MONAI's names.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rate {
    TruePositive,
    TrueNegative,
    PositivePredictive,
    NegativePredictive,
    FalseNegative,
    FalsePositive,
    FalseDiscovery,
    FalseOmission,
    PrevalenceThreshold,
    ThreatScore,
    Accuracy,
    BalancedAccuracy,
    F1,
    Matthews,
    FowlkesMallows,
    Informedness,
    Markedness,
}

/// Every name, with underscores for spaces, the abbreviation last.
const NAMES: [(Rate, &[&str]); 17] = [
    (Rate::TruePositive, &["sensitivity", "recall", "hit_rate", "true_positive_rate", "tpr"]),
    (Rate::TrueNegative, &["specificity", "selectivity", "true_negative_rate", "tnr"]),
    (Rate::PositivePredictive, &["precision", "positive_predictive_value", "ppv"]),
    (Rate::NegativePredictive, &["negative_predictive_value", "npv"]),
    (Rate::FalseNegative, &["miss_rate", "false_negative_rate", "fnr"]),
    (Rate::FalsePositive, &["fall_out", "false_positive_rate", "fpr"]),
    (Rate::FalseDiscovery, &["false_discovery_rate", "fdr"]),
    (Rate::FalseOmission, &["false_omission_rate", "for"]),
    (Rate::PrevalenceThreshold, &["prevalence_threshold", "pt"]),
    (Rate::ThreatScore, &["threat_score", "critical_success_index", "csi", "ts"]),
    (Rate::Accuracy, &["accuracy", "acc"]),
    (Rate::BalancedAccuracy, &["balanced_accuracy", "ba"]),
    (Rate::F1, &["f1_score", "f1"]),
    (Rate::Matthews, &["matthews_correlation_coefficient", "mcc"]),
    (Rate::FowlkesMallows, &["fowlkes_mallows_index", "fm"]),
    (Rate::Informedness, &["informedness", "bookmaker_informedness", "youden_index", "youden", "bm"]),
    (Rate::Markedness, &["markedness", "deltap", "mk"]),
];

impl Rate {
    /// The rate of a name; capitals and spaces do not matter.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.replace(' ', "_").to_lowercase();
        NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(rate, _)| *rate)
    }

    /// The rate of true positives, false positives, true negatives and false negatives, which may be means of several.
    /// NaN where a denominator is 0.
    pub(super) fn of(self, [tp, fp, tn, fn_]: [f64; 4]) -> f64 {
        let (sensitivity, specificity) = (ratio(tp, tp + fn_), ratio(tn, tn + fp));
        let (precision, negative_predictive) = (ratio(tp, tp + fp), ratio(tn, tn + fn_));
        match self {
            Self::TruePositive => sensitivity,
            Self::TrueNegative => specificity,
            Self::PositivePredictive => precision,
            Self::NegativePredictive => negative_predictive,
            Self::FalseNegative => ratio(fn_, tp + fn_),
            Self::FalsePositive => ratio(fp, fp + tn),
            Self::FalseDiscovery => ratio(fp, fp + tp),
            Self::FalseOmission => ratio(fn_, fn_ + tn),
            Self::PrevalenceThreshold => prevalence_threshold([tp, fp, tn, fn_]),
            Self::ThreatScore => ratio(tp, tp + fn_ + fp),
            Self::Accuracy => ratio(tp + tn, tp + fp + tn + fn_),
            Self::BalancedAccuracy => (sensitivity + specificity) / 2.0,
            Self::F1 => ratio(2.0 * tp, 2.0 * tp + fn_ + fp),
            Self::Matthews => {
                let margins = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
                ratio(tp * tn - fp * fn_, margins.sqrt())
            }
            Self::FowlkesMallows => (precision * sensitivity).sqrt(),
            Self::Informedness => sensitivity + specificity - 1.0,
            Self::Markedness => precision + negative_predictive - 1.0,
        }
    }
}

/// (√(TPR·FPR) − FPR)/(TPR − FPR), and NaN where the two are equal, as MONAI has it.
///
/// The difference of two rates is rounding where they are close; divided by √TPR − √FPR it is not.
fn prevalence_threshold([tp, fp, tn, fn_]: [f64; 4]) -> f64 {
    let (true_positive, false_positive) = (ratio(tp, tp + fn_), ratio(fp, fp + tn));
    if tp * (fp + tn) == fp * (tp + fn_) {
        return f64::NAN;
    }
    ratio(false_positive.sqrt(), true_positive.sqrt() + false_positive.sqrt())
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { f64::NAN } else { part / whole }
}
