//! Probabilities of one class against a truth: soft Dice and cross-entropy, and what a threshold makes of them, on the GPU.

use segloss::metrics::Counts;
use segloss::{Batch, Loss, Pool, Shape};
use segloss_files::Contents;

use super::case::{Class, Soft};
use super::confusion::Confusion;
use super::pairs::Pair;
use super::score::Question;
use super::taken::{Decision, Taken};
use super::volume::{Reading, Volume};
use crate::array::fractions;
use crate::failure::Failure;
use crate::report::{self, thousands};

/// What is printed of two files. Scores of nothing by nothing are NaN.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    prediction: String,
    truth: String,
    shape: Vec<usize>,
    voxels: u64,
    adapter: String,
    soft: Soft,
    threshold: f64,
    hard: Counts,
}

/// What is kept of a pair of files while masks are made of them: all in C order.
pub(super) struct Probabilities {
    prediction: Vec<f32>,
    /// Where the truth is no mask.
    truth: Option<Vec<f32>>,
}

impl Probabilities {
    /// Of contents that masks can be made of, so that all lie in [0, 1] but for rounding.
    pub(super) fn of(contents: &[Contents; 2], decision: &Decision, reading: &Reading) -> Result<Self, String> {
        let clamped = |contents: &Contents| -> Result<Vec<f32>, String> {
            let mut values = fractions(contents.clone(), reading.png_white)?;
            values.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
            Ok(values)
        };
        let [prediction, truth] = contents;
        Ok(Self {
            prediction: if reading.logits {
                fractions(prediction.clone(), reading.png_white)?
            } else {
                clamped(prediction)?
            },
            truth: (decision.taken[1] == Taken::Probabilities).then(|| clamped(truth)).transpose()?,
        })
    }

    /// How well they fit a class of the truth.
    pub(super) fn score(
        &self,
        pair: &Pair,
        truth: &Volume,
        class: &Class,
        question: &Question,
    ) -> Result<Scores, Failure> {
        let (threshold, engine) = (question.reading.threshold, question.engine()?);
        let shape =
            Shape::new(&[&[1, 1], &truth.dims[..]].concat()).map_err(|error| Failure::file(&pair.prediction, error))?;
        let labels = truth.labels_in_c_order()?;
        let of_mask = || labels.iter().map(|label| f32::from(u8::from(truth.meaning.is_of(label, class)))).collect();
        let targets = self.truth.clone().unwrap_or_else(of_mask);
        let counting = question
            .ignored
            .map(|ignored| labels.iter().map(|label| f32::from(u8::from(label != ignored))).collect::<Vec<_>>());
        let mut batch = Batch::new(&shape, &self.prediction, &targets)?;
        if let Some(counting) = &counting {
            batch = batch.with_mask(counting)?;
        }
        let hard = Loss::dice().hard(threshold);
        let mut loss = Loss::dice().with(1.0, Loss::bce()).with(1.0, hard).pool(Pool::All);
        if !question.reading.logits {
            loss = loss.probabilities();
        }
        let numbers = engine.evaluate_one_of_many(&loss, &batch)?;
        let [soft, cross_entropy, hard] = [0, 1, 2].map(|statistic| numbers.sums[statistic][0]);
        Ok(Scores {
            prediction: pair.prediction.display().to_string(),
            truth: pair.truth.display().to_string(),
            shape: truth.dims.clone(),
            voxels: soft.count,
            adapter: engine.adapter(),
            soft: Soft {
                dice: 2.0 * soft.intersection() / (soft.prediction() + soft.target()),
                cross_entropy: (cross_entropy.values[0] + cross_entropy.values[1]) / soft.count as f64,
            },
            threshold,
            hard: Counts::from_sums(&hard)?,
        })
    }
}

/// The same of few different probabilities, by how often each occurs: labels of the prediction are shares of what means 1.
pub(super) fn of_few(confusion: &Confusion, white: f32, class: &Class) -> Soft {
    let (mut both, mut all, mut cross_entropy, mut voxels) = (0.0, 0.0, 0.0, 0.0);
    for ([predicted, actual], count) in confusion.pairs() {
        let (p, n) = (f64::from(predicted as f32 / white), count as f64);
        let is_actual = class.labels.contains(&actual);
        both += if is_actual { n * p } else { 0.0 };
        all += n * (p + f64::from(u8::from(is_actual)));
        let log = if is_actual { p.ln() } else { (-p).ln_1p() };
        cross_entropy -= n * log.max(-100.0);
        voxels += n;
    }
    Soft { dice: 2.0 * both / all, cross_entropy: cross_entropy / voxels }
}

impl Scores {
    pub(super) fn soft(&self) -> Soft {
        self.soft
    }

    pub(super) fn table(&self) -> String {
        let [about, results] = self.rows().map(report::table);
        format!("{about}\n{results}")
    }

    pub(super) fn markdown(&self) -> String {
        let [about, results] = self.rows();
        let row = |[name, text]: [String; 2]| format!("| {name} | {text} |\n");
        let results: String = results.into_iter().map(row).collect();
        let about: String = about.into_iter().map(|[name, text]| format!("* {name}: {text}\n")).collect();
        format!("{about}\n| score | value |\n| --- | ---: |\n{results}")
    }

    /// What was compared, and how it scores.
    fn rows(&self) -> [Vec<[String; 2]>; 2] {
        let dims: Vec<_> = self.shape.iter().map(usize::to_string).collect();
        let product = if dims.len() > 1 { format!("{} = ", dims.join("×")) } else { String::new() };
        let about = [
            ("prediction", report::plain(&self.prediction)),
            ("truth", report::plain(&self.truth)),
            ("voxels", product + &thousands(self.voxels)),
            ("adapter", self.adapter.clone()),
        ];
        let number = |value: f64, otherwise: &str| {
            if value.is_nan() { otherwise.to_owned() } else { format!("{value:.6}") }
        };
        let (empty, hard) = ("empty: there is no foreground in either", &self.hard);
        let results = [
            ("soft Dice".to_owned(), number(self.soft.dice, empty)),
            ("Dice loss".to_owned(), number(1.0 - self.soft.dice, empty)),
            ("BCE".to_owned(), number(self.soft.cross_entropy, "")),
            (format!("hard Dice at {}", segloss_files::number(self.threshold)), number(hard.dice(), empty)),
            ("IoU".to_owned(), number(hard.iou(), empty)),
            ("precision".to_owned(), number(hard.precision(), "nothing is predicted")),
            ("recall".to_owned(), number(hard.recall(), "nothing is true")),
            ("predicted voxels".to_owned(), thousands(hard.predicted())),
            ("true voxels".to_owned(), thousands(hard.actual())),
            ("voxels in both".to_owned(), thousands(hard.true_positives)),
        ];
        [about.map(|(name, text)| [name.to_owned(), text]).into(), results.map(|(name, text)| [name, text]).into()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::labels::Labels;
    use super::*;

    #[test]
    fn few_probabilities_by_how_often_they_occur() {
        let narrow = |labels: [u8; 4]| Labels::Narrow(labels.to_vec().into());
        let confusion = Confusion::new(&narrow([0, 51, 255, 51]), &narrow([1, 0, 1, 1]));
        let soft = of_few(&confusion, 255.0, &Class::of_label("1", 1));
        // p is 0, 0.2, 1 and 0.2; ln 0 counts as −100.
        assert!((soft.dice - 2.0 * 1.2 / (1.4 + 3.0)).abs() < 1e-7, "{soft:?}");
        let expected = (100.0 - 0.8_f64.ln() - 0.0 - 0.2_f64.ln()) / 4.0;
        assert!((soft.cross_entropy - expected).abs() < 1e-6, "{soft:?}");
    }
}
