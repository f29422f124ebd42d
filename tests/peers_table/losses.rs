//! The rows of the tables of losses.

use segloss::loss::{
    BinaryCrossEntropy, CrossEntropy, Focal, Formula, Intersection, Measure, Modulation, Outer, Overlap, Term,
    Wasserstein,
};
use segloss::{Activation, Batch, Loss, Pool, Reduction, Shape, reference};

use crate::named::Named;
use crate::words::{self, number};

const PART: [&str; 5] = ["Peer", "Loss", "Targets", "p", "Classes"];
const OVERLAP: [&str; 6] = ["Pooled", "Score s", "Added", "Value", "Empty target", "Result"];
const POINTWISE: [&str; 5] = ["Value", "p within", "Pooled", "A mean divides by", "Result"];

/// The rows of the three tables.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) overlap: Vec<Vec<String>>,
    pub(crate) pointwise: Vec<Vec<String>>,
    pub(crate) refused: Vec<Vec<String>>,
}

impl Rows {
    pub(crate) fn of_all() -> Self {
        let mut rows = Self::default();
        for named in Named::all() {
            rows.add(&named);
        }
        rows
    }

    pub(crate) fn overlap_columns() -> Vec<&'static str> {
        [&PART[..], &OVERLAP].concat()
    }

    pub(crate) fn pointwise_columns() -> Vec<&'static str> {
        [&PART[..], &POINTWISE].concat()
    }

    fn add(&mut self, named: &Named) {
        let (peer, call) = (named.peer.to_owned(), named.call());
        let meanings = match named.meanings() {
            Ok(meanings) => meanings,
            Err(reason) => return self.refused.push(vec![peer, call, reason]),
        };
        for meaning in &meanings {
            let ignored = meaning.loss.ignore_index.map_or(String::new(), |index| format!(" but {index}"));
            let targets = format!("{}{}", meaning.targets, ignored.replace('-', "−"));
            for term in &meaning.loss.terms {
                let is_part = meaning.loss.terms.len() > 1 || term.weight != 1.0;
                let factor = if is_part { format!("{} × in ", number(term.weight)) } else { String::new() };
                let p = words::activation(term.activation).to_owned();
                let part = vec![peer.clone(), factor + &call, targets.clone(), p, words::classes(&term.classes)];
                match &term.measure {
                    Measure::Overlap(measure) => self.overlap.push([part, of_overlap(term, measure)].concat()),
                    Measure::Wasserstein(measure) => self.overlap.push([part, of_wasserstein(term, measure)].concat()),
                    Measure::BinaryCrossEntropy(measure) => self.pointwise.push([part, of_binary(measure)].concat()),
                    Measure::CrossEntropy(measure) => self.pointwise.push([part, of_classes(measure)].concat()),
                    Measure::Focal(measure) => self.pointwise.push([part, of_focal(measure)].concat()),
                }
            }
        }
    }
}

// The structs are taken apart field by field, so that a new field does not go unmentioned.

fn of_overlap(term: &Term, overlap: &Overlap) -> Vec<String> {
    let Overlap {
        squared,
        factor,
        alpha,
        beta,
        smooth_numerator,
        smooth_denominator,
        floor,
        pool,
        map,
        reduction: _,
        intersection,
        formula,
        row_weights,
        empty,
        class_weights,
        normalized,
        // It matters only where a peer's defaults have no part.
        zero_keeps_nan: _,
        outer,
        masked_is_background,
        threshold,
    } = overlap;
    let weighted = words::row_weights(row_weights).map_or(String::new(), |weights| format!(", each by {weights}"));
    let mut score = match formula {
        Formula::Ratio => ratio(*factor, *alpha, *beta, *squared),
        Formula::Matthews { .. } => "Matthews correlation".to_owned(),
    };
    let remarks = [
        (*intersection != Intersection::Product).then(|| "I = Σ min(p, t)".to_owned()),
        threshold.map(|threshold| format!("p, t > {}", number(threshold))),
        masked_is_background.then(|| "masked voxels are background".to_owned()),
    ];
    for remark in remarks.into_iter().flatten() {
        score += &format!("; {remark}");
    }
    let added = match formula {
        Formula::Ratio if *floor > 0.0 => {
            format!("{}, at least {}", added(*smooth_numerator, *smooth_denominator), number(*floor))
        }
        Formula::Ratio => added(*smooth_numerator, *smooth_denominator),
        Formula::Matthews { eps } if *eps > 0.0 => format!("{} to each count", number(*eps)),
        Formula::Matthews { .. } => format!("{} within the root", added(*smooth_numerator, *smooth_denominator)),
    };
    vec![
        words::pool(*pool).to_owned() + &weighted,
        score,
        added,
        words::map(*map),
        words::empty(*empty, of_nothing(term)),
        words::result(term, class_weights, *normalized, *outer),
    ]
}

/// The ratio f·I/(f·(I + α(P−I) + β(T−I))), as it is usually written.
fn ratio(factor: f64, alpha: f64, beta: f64, squared: bool) -> String {
    let (p, t) = if squared { ("Σp²", "Σt²") } else { ("P", "T") };
    let both = format!("{p} + {t}");
    match (factor, alpha, beta) {
        (2.0, 0.5, 0.5) => format!("2I/({both})"),
        (2.0, 1.0, 1.0) => format!("2I/2({both} − I)"),
        (1.0, 0.5, 0.5) => format!("I/½({both})"),
        (1.0, 1.0, 1.0) => format!("I/({both} − I)"),
        (1.0, ..) => format!("I/(I + {}·({p} − I) + {}·({t} − I))", number(alpha), number(beta)),
        _ => panic!("no name for a ratio of {factor}, {alpha}, {beta}"),
    }
}

/// The value of a group without anything in p and t.
fn of_nothing(term: &Term) -> f64 {
    let alone = Term { weight: 1.0, activation: Activation::None, ..term.clone() };
    let zeros = [0.0; 3];
    let batch = Batch::new(&Shape::new(&[1, 3, 1]).unwrap(), &zeros, &zeros).unwrap();
    reference::evaluate(&Loss::of(vec![alone]), &batch).unwrap().groups[0][0]
}

/// What is added to a numerator and a denominator.
fn added(above: f64, below: f64) -> String {
    match (above, below) {
        (0.0, 0.0) => "—".to_owned(),
        _ => format!("{} / {}", number(above), number(below)),
    }
}

fn of_wasserstein(term: &Term, wasserstein: &Wasserstein) -> Vec<String> {
    let Wasserstein { distances: _, label_weights, by_volume, smooth_numerator, smooth_denominator, reduction: _ } =
        wasserstein;
    let weights = words::numbers(label_weights).map_or(String::new(), |list| format!("; α = {list} by label"));
    let volumes = if *by_volume { "; α and δ by 1/(T + 1)" } else { "" };
    vec![
        words::pool(Pool::Classes).to_owned(),
        format!("2Σα(1−δ)/(2Σα(1−δ) + Σδ), δ = Σ M[label, c]·p_c{weights}{volumes}"),
        added(*smooth_numerator, *smooth_denominator),
        "1 − s".to_owned(),
        "cannot be".to_owned(),
        words::result(term, &[], false, Outer::Identity),
    ]
}

fn of_binary(bce: &BinaryCrossEntropy) -> Vec<String> {
    let BinaryCrossEntropy { positive_weights, class_weights, label_smoothing, clip, divisor, reduction } = bce;
    let value = with_remarks(
        "ℓ".to_owned(),
        [
            words::numbers(positive_weights).map(|list| format!("t's part × {list}")),
            words::numbers(class_weights).map(|list| format!("w = {list}")),
            smoothed(*label_smoothing),
        ],
    );
    let divisor = divided(*reduction, || words::divisor(*divisor));
    vec![value, within(*clip), "—".to_owned(), divisor, words::reduction(*reduction).to_owned()]
}

fn of_classes(ce: &CrossEntropy) -> Vec<String> {
    let CrossEntropy { gamma, class_weights, label_smoothing, clip, divisor, pool, nan_if_empty, reduction } = ce;
    let value = with_remarks(
        format!("−Σ_c t_c·{}ln p_c", words::power("(1−p_c)", *gamma)),
        [words::numbers(class_weights).map(|list| format!("w = {list}")), smoothed(*label_smoothing)],
    );
    let divisor = divided(*reduction, || {
        words::divisor(*divisor) + if *nan_if_empty { "; NaN of nothing" } else { "; 0 of nothing" }
    });
    vec![value, within(*clip), means(*pool), divisor, words::reduction(*reduction).to_owned()]
}

fn of_focal(focal: &Focal) -> Vec<String> {
    let Focal {
        gamma,
        modulation,
        threshold,
        positive_weights,
        negative_weights,
        class_weights,
        label_smoothing,
        clip,
        divisor,
        pool,
        group_weights,
        normalized,
        reduction,
    } = focal;
    let power = |base: &str| words::power(base, *gamma);
    let formula = match modulation {
        Modulation::Sides => format!("−t·{}ln p − (1−t)·{}ln(1−p)", power("(1−p)"), power("p")),
        Modulation::Mixture => format!("{}ℓ", power("(1 − tp − (1−t)(1−p))")),
        Modulation::Likelihood => format!("{}ℓ", power("(1 − e^−ℓ)")),
        Modulation::Margin | Modulation::MarginByOnes => format!("{}ℓ", power("σ(−z(2t−1))")),
    };
    let value = with_remarks(
        formula,
        [
            words::numbers(positive_weights).map(|list| format!("t's part × {list}")),
            words::numbers(negative_weights).map(|list| format!("the rest × {list}")),
            words::numbers(class_weights).map(|list| format!("w = {list}")),
            smoothed(*label_smoothing),
            (*threshold > 0.0).then(|| format!("reduced at {}", number(*threshold))),
        ],
    );
    let by = if *normalized { " by Σw" } else { "" };
    let weighted = words::numbers(group_weights).map_or(String::new(), |list| format!(", w = {list}"));
    let result = match means(*pool).as_str() {
        "—" => words::reduction(*reduction).to_owned(),
        _ => format!("{}{by}{weighted}", words::reduction(*reduction)),
    };
    vec![value, within(*clip), means(*pool), divided(*reduction, || words::divisor(*divisor)), result]
}

fn with_remarks<const N: usize>(value: String, remarks: [Option<String>; N]) -> String {
    remarks.into_iter().flatten().fold(value, |value, remark| format!("{value}; {remark}"))
}

fn smoothed(label_smoothing: f64) -> Option<String> {
    (label_smoothing > 0.0).then(|| format!("targets smoothed by {}", number(label_smoothing)))
}

fn within(clip: f64) -> String {
    if clip > 0.0 { format!("[{0}, 1 − {0}]", number(clip)) } else { "—".to_owned() }
}

/// The rows whose sums have one mean, where means are averaged.
fn means(pool: Pool) -> String {
    if pool == Pool::All { "—".to_owned() } else { words::pool(pool).to_owned() }
}

/// A divisor, where there is a mean.
fn divided(reduction: Reduction, divisor: impl FnOnce() -> String) -> String {
    if reduction == Reduction::Mean { divisor() } else { "—".to_owned() }
}
