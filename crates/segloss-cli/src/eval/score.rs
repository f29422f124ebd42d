//! From two files to the scores of a case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use segloss::metrics::{CountTable, Counts};
use segloss::peers::{Metric as _, monai};
use segloss_files::{Contents, Space, number, shape};
use segloss_surface::{Definition, Grid, SurfaceDistances};

use super::case::{Case, Class, Score, Soft, Surface};
use super::confusion::Confusion;
use super::metric::{Empty, Metric};
use super::pairs::Pair;
use super::soft::Probabilities;
use super::taken::{Decision, Taken};
use super::volume::{Meaning, Volume, is_channel, masks, read_pair};
use super::{slice, soft};
use crate::engine::Engine;
use crate::failure::Failure;

/// Labels of a case beyond which it is an image rather than a label map.
const MAX_LABELS: usize = 500;

/// What is asked of every case.
pub(crate) struct Question {
    pub(crate) reading: super::volume::Reading,
    /// The classes, if they are named; else those that occur.
    pub(crate) classes: Option<Vec<Class>>,
    /// Whether label 0 is a class where they are not named.
    pub(crate) background: bool,
    pub(crate) ignored: Option<i32>,
    /// Of the axes as the file has them.
    pub(crate) spacing: Option<Vec<f64>>,
    pub(crate) any_space: bool,
    /// The definition and tolerance of surface metrics.
    pub(crate) surfaces: Option<(Definition, f64)>,
    /// Whether slices are drawn.
    pub(crate) draws: bool,
    pub(crate) adapter: Option<String>,
    /// What computes soft scores, once there are any.
    pub(crate) engine: OnceLock<Result<Engine, Failure>>,
}

/// A case whose classes are those that were asked for, or that occur in it.
#[derive(Debug)]
pub(crate) struct Scored {
    pair: Pair,
    confusion: Confusion,
    rank: usize,
    pub(crate) meaning: Meaning,
    pub(crate) channels: usize,
    voxel_volume: Option<f64>,
    surfaces: BTreeMap<Vec<i32>, Surface>,
    measures_surfaces: bool,
    /// Of the classes that the predicted probabilities are of: one, but for regions.
    softs: BTreeMap<Vec<i32>, Soft>,
    /// The report on two files, where the truth has no other class than the one that is predicted.
    pub(crate) alone: Option<soft::Scores>,
    /// What would mean 1, if others made probabilities of this case.
    would_be_1: Option<f32>,
    /// Whether anything was compared with a threshold.
    pub(crate) has_threshold: bool,
    /// What was taken for 1, if it looked like a mask of 0 and this.
    white: Option<i32>,
    /// Whether shades of grey were taken for probabilities, though nobody said so.
    pub(crate) has_shades: bool,
    slice: Option<slice::Slice>,
}

impl Question {
    /// The GPU, found on first use.
    pub(super) fn engine(&self) -> Result<&Engine, Failure> {
        let engine = self.engine.get_or_init(|| Engine::choose(self.adapter.as_deref()));
        engine.as_ref().map_err(|failure| Failure::new(failure.to_string()))
    }

    /// Scores the files of a pair.
    pub(crate) fn score(&self, pair: &Pair) -> Result<Scored, Failure> {
        let contents = read_pair(&pair.prediction, &pair.truth, &self.reading)?;
        self.score_contents(pair, contents)
    }

    /// The same of files that were read.
    pub(crate) fn score_contents(&self, pair: &Pair, contents: [Contents; 2]) -> Result<Scored, Failure> {
        let decision = Decision::of(&contents, &self.reading);
        let kept = decision.is_soft.then(|| contents.clone());
        let [prediction, truth] = masks([&pair.prediction, &pair.truth], contents, &decision, &self.reading)?;
        self.check_space(pair, [&prediction.space, &truth.space], &prediction.dims)?;
        self.check_meaning(&prediction)?;
        let confusion = Confusion::new(&prediction.labels, &truth.labels).without(self.ignored);
        let spacing = self.spacing_of(&prediction, &truth)?;
        let mut surfaces = BTreeMap::new();
        let labels = confusion.labels();
        if self.classes.is_none() && prediction.meaning == Meaning::Labels && labels.len() > MAX_LABELS {
            let reason = format!(
                "prediction and truth have {} labels; expected at most {MAX_LABELS}, or the classes by --classes",
                labels.len()
            );
            return Err(Failure::file(&pair.prediction, reason));
        }
        let classes = self.classes_of(&labels, prediction.meaning, prediction.channels);
        let (mut softs, mut alone) = (BTreeMap::new(), None);
        if let Some(kept) = kept {
            let probabilities = Probabilities::of(&kept, &decision, &self.reading);
            let probabilities = probabilities.map_err(|reason| Failure::file(&pair.prediction, reason))?;
            for class in self.classes_with(decision.foreground) {
                let scores = probabilities.score(pair, &truth, &class, self)?;
                softs.insert(class.labels, scores.soft());
                let is_only = labels.iter().all(|label| [0, decision.foreground].contains(label));
                alone = Some(scores).filter(|_| is_only);
            }
        }
        if let Some((definition, tolerance)) = self.surfaces {
            let grid = grid(&prediction, spacing.as_deref())?;
            for class in &classes {
                let counts = confusion.counts(class, prediction.meaning);
                if counts.predicted() + counts.actual() > 0 {
                    let surface = self.surface(&grid, definition, tolerance, class, [&prediction, &truth])?;
                    surfaces.insert(class.labels.clone(), surface);
                }
            }
        }
        let slice = self
            .draws
            .then(|| slice::of_largest_disagreement([&prediction, &truth], &classes, self.ignored, spacing.as_deref()))
            .flatten();
        Ok(Scored {
            pair: pair.clone(),
            confusion,
            rank: prediction.dims.len(),
            meaning: prediction.meaning,
            channels: prediction.channels,
            voxel_volume: spacing.map(|spacing| spacing.iter().product()),
            surfaces,
            measures_surfaces: self.surfaces.is_some(),
            softs,
            alone,
            would_be_1: decision.would_be_1,
            has_threshold: decision.taken.contains(&Taken::Probabilities) || prediction.meaning == Meaning::Channels,
            white: decision.white,
            has_shades: decision.has_shades,
            slice,
        })
    }

    /// The classes that are named, or that these labels are.
    pub(crate) fn classes_of(&self, labels: &BTreeSet<i32>, meaning: Meaning, channels: usize) -> Vec<Class> {
        match (&self.classes, meaning) {
            (Some(named), _) => {
                let is_scored = |class: &&Class| self.background || !class.is_background(meaning);
                named.iter().filter(is_scored).cloned().collect()
            }
            (None, Meaning::Labels) => {
                let counts = labels.iter().copied().filter(|&label| Some(label) != self.ignored).collect();
                super::classes::of_labels(&counts, self.background)
            }
            (None, Meaning::Channels) => super::classes::of_channels(channels),
        }
    }

    /// The classes that a label belongs to, whether or not it occurs.
    fn classes_with(&self, label: i32) -> Vec<Class> {
        match &self.classes {
            Some(named) => named.iter().filter(|class| class.labels.contains(&label)).cloned().collect(),
            None => vec![Class::of_label(label.to_string(), label)],
        }
    }

    /// The case as one of probabilities, where it looks like labels by itself: all predictions of a folder are of one kind.
    pub(crate) fn as_probabilities(&self, scored: Scored) -> Scored {
        let is_binary = |labels: [i32; 2], white: f32| {
            (0.0..=white).contains(&(labels[0] as f32)) && (white > 1.0 || (0..=1).contains(&labels[1]))
        };
        let white = scored.would_be_1.filter(|_| scored.softs.is_empty());
        let Some(white) = white.filter(|&white| scored.confusion.pairs().all(|(labels, _)| is_binary(labels, white)))
        else {
            return scored;
        };
        let bound = self.reading.bound();
        let above = |label: i32| i32::from(label as f32 / white > bound);
        let confusion = scored.confusion.with_predictions(above);
        let soft = |class: Class| (soft::of_few(&scored.confusion, white, &class), class.labels);
        let softs = self.classes_with(1).into_iter().map(soft).map(|(soft, labels)| (labels, soft)).collect();
        if confusion == scored.confusion {
            return Scored { softs, has_threshold: true, ..scored };
        }
        // Dark shades became background: nothing is left to measure distances from, or to draw.
        let missed =
            Surface { hausdorff: f64::INFINITY, hausdorff_95: f64::INFINITY, average: f64::INFINITY, dice: 0.0 };
        let is_there = |class: &Class| {
            let counts = confusion.counts(class, scored.meaning);
            counts.predicted() + counts.actual() > 0
        };
        let classes = self.classes_of(&confusion.labels(), scored.meaning, scored.channels);
        let surfaces = classes.into_iter().filter(is_there).map(|class| (class.labels, missed)).collect();
        Scored { confusion, softs, surfaces, has_threshold: true, slice: None, ..scored }
    }

    /// Refuses volumes whose voxels lie elsewhere.
    pub(super) fn check_space(
        &self,
        pair: &Pair,
        [one, other]: [&Option<Space>; 2],
        dims: &[usize],
    ) -> Result<(), Failure> {
        let Some((one, other)) = one.as_ref().zip(other.as_ref()) else { return Ok(()) };
        match one.difference(other, dims) {
            Some(difference) if !self.any_space => {
                let affines = match [one.affine(), other.affine()] {
                    [None, None] => String::new(),
                    affines => {
                        let [one, other] = affines.map(|affine| affine.unwrap_or("none".to_owned()));
                        format!("; their affines are {one} and {other}")
                    }
                };
                let (one, other) = (pair.prediction.display(), pair.truth.display());
                Err(Failure::new(format!(
                    "{one} and {other} differ in {difference}{affines}; expected the same, or --any-space to compare voxels as \
                     they are stored"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Refuses what overlapping channels cannot have.
    fn check_meaning(&self, prediction: &Volume) -> Result<(), Failure> {
        if prediction.meaning == Meaning::Labels {
            return Ok(());
        }
        if let Some(label) = self.ignored {
            let reason = format!("its channels overlap, and have no label {label} that could be ignored");
            return Err(Failure::file(&prediction.path, reason));
        }
        let named = self.classes.iter().flatten().flat_map(|class| &class.labels);
        match named.copied().find(|&channel| !is_channel(channel) || channel as usize >= prediction.channels) {
            None => Ok(()),
            Some(channel) => Err(Failure::file(
                &prediction.path,
                format!(
                    "it has {} overlapping channels; expected --classes to name no channel {channel}",
                    prediction.channels
                ),
            )),
        }
    }

    /// In mm along every axis of the file, if it says.
    fn spacing_of(&self, prediction: &Volume, truth: &Volume) -> Result<Option<Vec<f64>>, Failure> {
        let rank = prediction.dims.len();
        if let Some(spacing) = &self.spacing {
            if spacing.len() != rank {
                let (given, dims) = (spacing.len(), shape(&prediction.dims));
                return Err(Failure::file(
                    &prediction.path,
                    format!("it has the shape {dims} and --spacing {given} numbers; expected one for every axis"),
                ));
            }
            return Ok(Some(spacing.clone()));
        }
        let known = [truth, prediction].into_iter().filter_map(|volume| volume.space.as_ref()?.spacing(rank)).next();
        Ok(known)
    }

    fn surface(
        &self,
        grid: &Grid,
        definition: Definition,
        tolerance: f64,
        class: &Class,
        [prediction, truth]: [&Volume; 2],
    ) -> Result<Surface, Failure> {
        let counts = |voxel: usize| self.ignored.is_none_or(|ignored| truth.labels.at(voxel) != ignored);
        let is_in =
            |volume: &Volume, voxel: usize| volume.meaning.is_of(volume.labels.at(voxel), class) && counts(voxel);
        let distances =
            SurfaceDistances::new(grid, definition, |voxel| is_in(prediction, voxel), |voxel| is_in(truth, voxel));
        let failure = |error: segloss_surface::Error| Failure::new(error.to_string());
        Ok(Surface {
            hausdorff: distances.hausdorff(),
            hausdorff_95: distances.hausdorff_percentile(95.0).map_err(failure)?,
            average: distances.average_symmetric(),
            dice: distances.surface_dice(tolerance).map_err(failure)?,
        })
    }
}

/// The voxels in the order of memory: the axis that varies fastest last.
fn grid(volume: &Volume, spacing: Option<&[f64]>) -> Result<Grid, Failure> {
    let unit = vec![1.0; volume.dims.len()];
    let (mut dims, mut spacing) = (volume.dims.clone(), spacing.unwrap_or(&unit).to_vec());
    let refused = |error| match error {
        // As it was given: no header has such lengths.
        segloss_surface::Error::Spacing { spacing, axis, least, most } => {
            let given: Vec<_> = spacing.iter().map(|&length| number(length)).collect();
            let (given, length) = (given.join(","), number(spacing[axis]));
            Failure::new(format!("--spacing {given} has {length}; expected lengths from {least:e} to {most:e}"))
        }
        error => Failure::file(&volume.path, error),
    };
    let grid = Grid::new(&dims, &spacing).map_err(refused)?;
    if !volume.first_axis_fastest {
        return Ok(grid);
    }
    dims.reverse();
    spacing.reverse();
    Grid::new(&dims, &spacing).map_err(refused)
}

impl Scored {
    pub(crate) fn name(&self) -> &str {
        &self.pair.name
    }

    /// Whether the prediction held probabilities of one class.
    pub(crate) fn is_soft(&self) -> bool {
        !self.softs.is_empty()
    }

    /// What was taken for 1 in a mask of 0 and this, though it is a label of this other case.
    pub(crate) fn white_in(&self, other: &Self) -> Option<i32> {
        self.white.filter(|white| other.white.is_none() && other.meaning == Meaning::Labels && other.has_label(*white))
    }

    fn has_label(&self, label: i32) -> bool {
        self.sides(label) != [false, false]
    }

    /// Whether a label occurs in the prediction, and in the truth.
    pub(crate) fn sides(&self, label: i32) -> [bool; 2] {
        [0, 1].map(|side| self.confusion.pairs().any(|(labels, _)| labels[side] == label))
    }

    pub(crate) fn labels(&self) -> BTreeSet<i32> {
        self.confusion.labels()
    }

    /// The case with a score for each of these classes, whether or not they occur in it.
    pub(crate) fn into_case(self, classes: &[Class], empty: Empty) -> Result<Case, Failure> {
        let counts: Vec<Counts> = classes.iter().map(|class| self.confusion.counts(class, self.meaning)).collect();
        let absent = Surface { hausdorff: f64::NAN, hausdorff_95: f64::NAN, average: f64::NAN, dice: f64::NAN };
        let surface =
            |class: &Class| self.measures_surfaces.then(|| self.surfaces.get(&class.labels).copied().unwrap_or(absent));
        let elsewhere = Soft { dice: f64::NAN, cross_entropy: f64::NAN };
        let soft = |class: &Class| {
            (!self.softs.is_empty()).then(|| self.softs.get(&class.labels).copied().unwrap_or(elsewhere))
        };
        let score = |(&counts, class)| Score { counts, surface: surface(class), soft: soft(class) };
        let scores = counts.iter().zip(classes).map(score).collect();
        Ok(Case {
            name: self.pair.name,
            prediction: self.pair.prediction,
            truth: self.pair.truth,
            voxels: self.confusion.voxels(),
            rank: self.rank,
            voxel_volume: self.voxel_volume,
            scores,
            generalized_dice: generalized_dice(&counts, empty)?,
            slice: self.slice,
        })
    }
}

/// By the weights 1/T² of the classes, as MONAI's GeneralizedDiceScore has it. Of nothing by nothing, where that is 1, it is what
/// Dice is.
pub(crate) fn generalized_dice(counts: &[Counts], empty: Empty) -> Result<f64, Failure> {
    let all = counts.iter().fold(Counts::default(), |sum, counts| sum.combine(*counts));
    if all.predicted() + all.actual() == 0 || (empty == Empty::NanWithoutTruth && all.actual() == 0) {
        return Ok(Metric::Dice.of_counts(&all, empty).unwrap_or(f64::NAN));
    }
    let table = CountTable::new(1, counts.len(), counts.to_vec())?;
    Ok(monai::GeneralizedDiceScore::default().compute(&table)?.values[0])
}
