//! Tables of an evaluation, for terminals and in Markdown.

use super::case::{Case, Class};
use super::metric::Metric;
use super::score::generalized_dice;
use super::summary::Evaluation;
use crate::failure::Failure;
use crate::report::{counted, fixed, plain, thousands};

/// A table with a title: a row of heads, and rows.
pub(crate) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

/// A number as tables show it.
fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() => if value > 0.0 { "inf" } else { "-inf" }.to_owned(),
        value => fixed(value, 6),
    }
}

fn cell(metric: Metric, value: f64) -> String {
    match metric {
        Metric::PredictedVolume | Metric::TrueVolume if value.is_finite() => fixed(value, 1),
        _ if metric.is_distance() && value.is_finite() => fixed(value, 3),
        _ => number(value),
    }
}

impl Evaluation {
    /// Aligned, for people.
    pub(crate) fn text(&self) -> Result<String, Failure> {
        let tables = self.tables()?;
        let mut text = crate::report::table(self.about().map(|(name, value)| [name.to_owned(), value]));
        for table in tables {
            text += &format!("\n{}\n{}", table.title, crate::report::grid(&table.rows));
        }
        text += &self.notes().iter().map(|note| format!("\n{note}")).collect::<String>();
        Ok(if self.notes().is_empty() { text } else { text + "\n" })
    }

    pub(crate) fn markdown(&self) -> Result<String, Failure> {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|");
        let mut text = String::new();
        for (name, value) in self.about() {
            text += &format!("* {name}: {}\n", escaped(&value));
        }
        for table in self.tables()? {
            text += &format!("\n## {}\n\n", table.title);
            for (index, row) in table.rows.iter().enumerate() {
                let cells: Vec<_> = row.iter().map(|cell| escaped(cell)).collect();
                text += &format!("| {} |\n", cells.join(" | "));
                if index == 0 {
                    text += &format!("| --- |{}\n", " ---: |".repeat(row.len() - 1));
                }
            }
        }
        Ok(text + &self.notes().iter().map(|note| format!("\n* {}", escaped(note))).collect::<String>() + "\n")
    }

    fn about(&self) -> [(&'static str, String); 3] {
        let mut cases = thousands(self.cases.len() as u64);
        if !self.failed.is_empty() {
            cases += &format!(", {} failed", self.failed.len());
        }
        if !self.unmatched.is_empty() {
            cases += ", ";
            cases += &counted(self.unmatched.len() as u64, "file without a partner", "files without a partner");
        }
        [
            ("prediction", plain(&self.prediction.display().to_string())),
            ("truth", plain(&self.truth.display().to_string())),
            ("cases", cases),
        ]
    }

    fn tables(&self) -> Result<Vec<Table>, Failure> {
        if self.cases.len() == 1 {
            return Ok(vec![self.of_the_only_case()]);
        }
        Ok(vec![self.of_cases(), self.of_means(), self.of_pooled()?])
    }

    /// Metrics with the unit of those that have one.
    fn head(&self, metric: Metric) -> String {
        let unit = match self.cases.iter().filter(|case| case.voxel_volume.is_some()).count() {
            0 => "voxels",
            count if count == self.cases.len() => "mm",
            _ => "mm or voxels",
        };
        match metric {
            Metric::PredictedVolume | Metric::TrueVolume => {
                let is_area = self.cases.iter().all(|case| case.rank == 2);
                format!("{}, {}", metric.name(), if is_area { "mm²" } else { "mm³" })
            }
            _ if metric.is_distance() => format!("{}, {unit}", metric.name()),
            Metric::SurfaceDice => {
                let tolerance = self.surfaces.map_or(0.0, |(_, tolerance)| tolerance);
                format!("{} at {} {unit}", metric.name(), segloss_files::number(tolerance))
            }
            _ => metric.name().to_owned(),
        }
    }

    /// One row a class.
    fn of_the_only_case(&self) -> Table {
        let case = &self.cases[0];
        let metrics = self.metrics();
        let counts = ["TP", "FP", "FN"].map(str::to_owned);
        let mut rows = vec![head("class", metrics.iter().map(|&metric| self.head(metric)).chain(counts))];
        for (index, class) in self.classes.iter().enumerate() {
            let values = metrics.iter().map(|&metric| cell(metric, self.value(metric, case, index)));
            let counts = case.scores[index].counts;
            let counts = [counts.true_positives, counts.false_positives, counts.false_negatives].map(thousands);
            rows.push(head(&class.name, values.chain(counts)));
        }
        if self.classes.len() > 1 {
            rows.push(head("mean", metrics.iter().map(|&metric| cell(metric, self.over_classes(metric, case)))));
            rows.push(head("generalised", [number(case.generalized_dice)]));
        }
        let title = format!("{}, {}", plain(&case.name), counted(case.voxels, "voxel", "voxels"));
        Table { title, rows: even(rows) }
    }

    /// One row a case: the Dice of every class.
    fn of_cases(&self) -> Table {
        let worst = self.worst();
        let names = self.classes.iter().map(|class| format!("Dice {}", class.name));
        let mut rows = vec![head("case", names.chain(["mean".to_owned(), String::new()]))];
        for (index, case) in self.cases.iter().enumerate() {
            let values = (0..self.classes.len()).map(|class| number(self.value(Metric::Dice, case, class)));
            let mean = number(self.over_classes(Metric::Dice, case));
            let mark = if worst.contains(&index) { "worst" } else { "" };
            rows.push(head(&case.name, values.chain([mean, mark.to_owned()])));
        }
        Table { title: "Every case".to_owned(), rows }
    }

    /// One row a class: the mean over the cases.
    fn of_means(&self) -> Table {
        let metrics = self.metrics();
        let mut rows = vec![head("class", metrics.iter().map(|&metric| self.head(metric)))];
        for (index, class) in self.classes.iter().enumerate() {
            rows.push(head(&class.name, metrics.iter().map(|&metric| cell(metric, self.mean(metric, index).value))));
        }
        if self.classes.len() > 1 {
            let classes = 0..self.classes.len();
            let mean =
                |metric| super::summary::Mean::of(classes.clone().map(|class| self.mean(metric, class).value)).value;
            rows.push(head("mean", metrics.iter().map(|&metric| cell(metric, mean(metric)))));
            rows.push(head("generalised", [number(self.generalized_dice().value)]));
        }
        Table { title: "Mean over cases".to_owned(), rows: even(rows) }
    }

    /// One row a class: all voxels of all cases together.
    fn of_pooled(&self) -> Result<Table, Failure> {
        let metrics: Vec<_> = Metric::COUNTED.into_iter().filter(|&metric| self.of_pool(metric, 0).is_some()).collect();
        let counts = ["TP", "FP", "FN"].map(str::to_owned);
        let mut rows = vec![head("class", metrics.iter().map(|&metric| self.head(metric)).chain(counts))];
        for (index, class) in self.classes.iter().enumerate() {
            let values = metrics.iter().map(|&metric| cell(metric, self.of_pool(metric, index).unwrap_or(f64::NAN)));
            let counts = self.pooled(index);
            let counts = [counts.true_positives, counts.false_positives, counts.false_negatives].map(thousands);
            rows.push(head(&class.name, values.chain(counts)));
        }
        if self.classes.len() > 1 {
            rows.push(head("generalised", [number(generalized_dice(&self.all_pooled(), self.empty)?)]));
        }
        Ok(Table { title: "Pooled over all voxels".to_owned(), rows: even(rows) })
    }

    /// What means leave out: a note for all metrics that lack the same.
    fn left_out(&self) -> Vec<String> {
        let mut notes = Vec::<(Vec<&str>, String)>::new();
        let has_means = self.cases.len() > 1 || self.classes.len() > 1;
        for metric in self.metrics().into_iter().filter(|_| has_means) {
            let classes = self.classes.iter().enumerate();
            let lacking: Vec<_> = classes.filter_map(|(index, class)| self.lacking(metric, index, class)).collect();
            match notes.iter_mut().find(|(_, same)| *same == lacking.join(", ")) {
                Some((names, _)) => names.push(metric.name()),
                None => notes.push((vec![metric.name()], lacking.join(", "))),
            }
        }
        let all = if self.cases.len() > 1 { format!(" of {} cases", self.cases.len()) } else { String::new() };
        let note = |(names, lacking): (Vec<&str>, String)| {
            let (are, means) = if names.len() > 1 { ("are", "their means leave") } else { ("is", "its mean leaves") };
            format!("{} {are} not defined (NaN) {lacking}{all}, which {means} out", names.join(", "))
        };
        notes.into_iter().filter(|(_, lacking)| !lacking.is_empty()).map(note).collect()
    }

    /// In how many cases a class has no number, and in how many of these it is in one of the masks: that is no harmless gap.
    fn lacking(&self, metric: Metric, index: usize, class: &Class) -> Option<String> {
        let is_there = |case: &&Case| {
            let counts = case.scores[index].counts;
            counts.predicted() + counts.actual() > 0
        };
        let lacking: Vec<_> = self.cases.iter().filter(|case| self.value(metric, case, index).is_nan()).collect();
        let one_sided = lacking.iter().filter(|case| is_there(case)).count();
        let name = &class.name;
        Some(match (lacking.len(), self.cases.len(), one_sided) {
            (0, ..) => return None,
            (_, 1, 0) => format!("of class {name}"),
            (_, 1, _) => format!("of class {name}, missed or made up"),
            (count, _, 0) => format!("of class {name} in {count}"),
            (count, _, _) => format!("of class {name} in {count} ({one_sided} of them missed or made up)"),
        })
    }

    /// What is left out, and what else a reader should know.
    fn notes(&self) -> Vec<String> {
        let mut notes = self.left_out();
        notes.extend(self.failed.iter().map(|(name, reason)| format!("failed: {name}: {reason}")));
        notes.extend(self.unmatched.iter().map(|path| format!("without a partner: {}", path.display())));
        notes.extend(self.passed_over.iter().map(|path| format!("passed over: {}", path.display())));
        notes.extend(self.remarks.iter().cloned());
        if let Some((definition, _)) = self.surfaces {
            notes.push(format!("surface distances as {definition} defines them"));
        }
        notes.iter().map(|note| plain(note)).collect()
    }
}

/// A line of a table.
fn head(first: &str, rest: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(rest).map(|cell| plain(&cell)).collect()
}

/// Rows of the length of the first.
fn even(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let length = rows.first().map_or(0, Vec::len);
    rows.iter_mut().for_each(|row| row.resize(length, String::new()));
    rows
}
