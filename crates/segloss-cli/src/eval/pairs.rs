//! Which files of two folders belong together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use segloss_files::ENDINGS;
use walkdir::{DirEntry, WalkDir};

use crate::array::lower_name;

/// What names may end in (or begin with) that says what a file is, not of whom: nnU-Net's channel, BIDS' suffixes and habits.
const ROLES: [&str; 28] = [
    "0000",
    "seg",
    "segmentation",
    "pred",
    "prediction",
    "predicted",
    "predictions",
    "mask",
    "label",
    "labels",
    "labelmap",
    "dseg",
    "probseg",
    "probs",
    "prob",
    "probability",
    "gt",
    "groundtruth",
    "truth",
    "true",
    "manual",
    "ref",
    "reference",
    "target",
    "output",
    "result",
    "logits",
    "softmax",
];

/// A pair of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// What their names have in common.
    pub(crate) name: String,
    pub(crate) prediction: PathBuf,
    pub(crate) truth: PathBuf,
}

/// What two folders have for each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Matched {
    /// In the order of their names.
    pub(crate) pairs: Vec<Pair>,
    /// Files that are read but have no partner.
    pub(crate) unmatched: Vec<PathBuf>,
    /// Files beside one of the same name, in a format that is preferred.
    pub(crate) passed_over: Vec<PathBuf>,
    /// What could not be looked at, and why.
    pub(crate) failed: Vec<(String, String)>,
    /// Names for which there are several files, so that nobody knows which is meant.
    pub(crate) ambiguous: Vec<(String, Vec<PathBuf>)>,
    /// What each of both folders holds.
    pub(crate) folders: Vec<Holding>,
}

/// What a folder holds, with all folders in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) folder: PathBuf,
    /// How many files of known kinds.
    pub(crate) known: usize,
    /// How many of other kinds, by what comes after the last point of their names.
    pub(crate) others: BTreeMap<String, usize>,
}

impl Matched {
    /// All files of known kinds, whether or not they are read.
    pub(crate) fn files(&self) -> Vec<&Path> {
        let paired = self.pairs.iter().flat_map(|pair| [&pair.prediction, &pair.truth]);
        let ambiguous = self.ambiguous.iter().flat_map(|(_, files)| files);
        let others = self.unmatched.iter().chain(&self.passed_over).chain(ambiguous);
        paired.chain(others).map(PathBuf::as_path).collect()
    }
}

/// Pairs the files of two folders and of all folders in them.
pub(crate) fn of_folders(prediction: &Path, truth: &Path) -> Matched {
    let mut failed = vec![];
    let [(predictions, held), (truths, also_held)] = [prediction, truth].map(|folder| files(folder, &mut failed));
    Matched { failed, folders: vec![held, also_held], ..matched(prediction, predictions, truth, truths) }
}

/// All files in a folder, but for hidden ones, whose name says that they are read.
fn files(folder: &Path, failed: &mut Vec<(String, String)>) -> (Vec<PathBuf>, Holding) {
    let is_hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
    let (mut found, mut others) = (vec![], BTreeMap::<_, usize>::new());
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(|e| !is_hidden(e))
    {
        match entry {
            Ok(entry) if entry.file_type().is_file() && ending(entry.path()).is_some() => found.push(entry.into_path()),
            Ok(entry) if entry.file_type().is_file() => {
                let ending = entry.path().extension().map(|ending| ending.to_string_lossy().to_lowercase());
                *others.entry(ending.unwrap_or_default()).or_default() += 1;
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).display().to_string();
                let reason = error.io_error().map_or_else(|| error.to_string(), |error| error.to_string());
                failed.push((path, format!("it cannot be looked at ({reason})")));
            }
        }
    }
    let holding = Holding { folder: folder.to_owned(), known: found.len(), others };
    (found, holding)
}

fn ending(path: &Path) -> Option<usize> {
    let name = lower_name(path);
    ENDINGS.iter().position(|ending| name.len() > ending.len() && name.ends_with(ending))
}

/// The name without what says the format.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let length = ending(path).map_or(0, |ending| ENDINGS[ending].len());
    name.get(..name.len() - length).map_or(name.clone(), str::to_owned)
}

/// The stem without what says the role: `case_0000`, `case_seg` and `pred-case` are all `case`.
fn subject(stem: &str) -> String {
    let is_role = |token: &str| ROLES.contains(&token.to_lowercase().as_str());
    let mut rest = stem;
    while let Some((before, last)) = rest.rsplit_once(['_', '-', '.', ' ']) {
        if before.is_empty() || !is_role(last) {
            break;
        }
        rest = before;
    }
    while let Some((first, after)) = rest.split_once(['_', '-', '.', ' ']) {
        if after.is_empty() || !is_role(first) {
            break;
        }
        rest = after;
    }
    rest.to_owned()
}

/// What a file of a folder is called.
type Key<'a> = dyn Fn(&Path, &Path) -> String + 'a;

/// Files by what they are called: first by the whole stem, with the folders they are in or without, then by the subject, last
/// those that had a folder to themselves on either side.
fn matched(prediction: &Path, predictions: Vec<PathBuf>, truth: &Path, truths: Vec<PathBuf>) -> Matched {
    let inside = |folder: &Path, file: &Path| {
        let parent = file.strip_prefix(folder).unwrap_or(file).parent().map(Path::to_string_lossy);
        parent.filter(|parent| !parent.is_empty()).map_or(String::new(), |parent| format!("{parent}/"))
    };
    let by_path = |folder: &Path, file: &Path| inside(folder, file) + &stem(file);
    let by_stem = |_: &Path, file: &Path| stem(file);
    let by_subject_in_path = |folder: &Path, file: &Path| inside(folder, file) + &subject(&stem(file));
    let by_subject = |_: &Path, file: &Path| subject(&stem(file));
    let [in_predictions, in_truths] = [(prediction, &predictions), (truth, &truths)].map(|(folder, files)| {
        let mut counts = BTreeMap::<_, usize>::new();
        files.iter().for_each(|file| *counts.entry(inside(folder, file)).or_default() += 1);
        counts
    });
    let is_only = |folder: &Path, inside: &str| {
        let counts = if folder == prediction { &in_predictions } else { &in_truths };
        counts.get(inside) == Some(&1)
    };
    // The only file in a folder of its own, as case_7/seg.nii.gz beside case_7/pred.nii.gz.
    let by_folder = |folder: &Path, file: &Path| match inside(folder, file) {
        inside if !inside.is_empty() && is_only(folder, &inside) => inside.trim_end_matches('/').to_owned(),
        _ => file.to_string_lossy().into_owned(),
    };
    let keys: [&Key; 5] = [&by_path, &by_stem, &by_subject_in_path, &by_subject, &by_folder];
    // Without its folders a file may mean one in another folder, unless one side has none, or only more of them in front.
    let may_be_one = |prediction_file: &Path, truth_file: &Path| {
        let folders = [inside(prediction, prediction_file), inside(truth, truth_file)];
        let ends = |one: &str, other: &str| other.is_empty() || one == other || one.ends_with(&format!("/{other}"));
        ends(&folders[0], &folders[1]) || ends(&folders[1], &folders[0])
    };

    let mut found = Matched::default();
    let mut left = [predictions, truths];
    for (step, key) in keys.into_iter().enumerate() {
        // By folder nobody could be meant but by accident.
        let is_by_subject = step + 2 == keys.len();
        let grouped = [(prediction, &left[0]), (truth, &left[1])].map(|(folder, files)| {
            let mut groups = BTreeMap::<String, Vec<PathBuf>>::new();
            files.iter().for_each(|file| groups.entry(key(folder, file)).or_default().push(file.clone()));
            groups
        });
        for (name, predicted) in &grouped[0] {
            let Some(actual) = grouped[1].get(name) else { continue };
            match [preferred(predicted, actual), preferred(actual, predicted)] {
                [Some(prediction), Some(truth)] if !may_be_one(prediction, truth) => {}
                [Some(prediction), Some(truth)] => {
                    let of_pair = [prediction.clone(), truth.clone()];
                    for (files, chosen) in left.iter_mut().zip(&of_pair) {
                        files.retain(|file| file != chosen);
                    }
                    // What stands beside the chosen ones in another format is of this pair, too.
                    for (files, group) in left.iter_mut().zip([predicted, actual]) {
                        files.retain(|file| !group.contains(file));
                        found.passed_over.extend(group.iter().filter(|file| !of_pair.contains(file)).cloned());
                    }
                    let [prediction, truth] = of_pair;
                    // Two pairs of one subject are called by the prediction's whole name.
                    let is_taken = found.pairs.iter().any(|pair| pair.name == *name);
                    let name = if is_taken { stem(&prediction) } else { name.clone() };
                    found.pairs.push(Pair { name, prediction, truth });
                }
                _ if is_by_subject => {
                    let files: Vec<_> = predicted.iter().chain(actual).cloned().collect();
                    left.iter_mut().for_each(|left| left.retain(|file| !files.contains(file)));
                    found.ambiguous.push((name.clone(), files));
                }
                _ => {}
            }
        }
    }
    found.unmatched.extend(left.into_iter().flatten());
    found.unmatched.sort();
    found.pairs.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The only file, or of one stem in several formats the first format's of those that the other side has, too. `None` if several
/// are equally near.
fn preferred<'a>(files: &'a [PathBuf], others: &[PathBuf]) -> Option<&'a PathBuf> {
    let rank = |file: &PathBuf| {
        let is_common = others.iter().any(|other| ending(other) == ending(file));
        (!is_common, ending(file).unwrap_or(usize::MAX))
    };
    let best = files.iter().map(rank).min()?;
    let mut nearest = files.iter().filter(|file| rank(file) == best);
    let first = nearest.next()?;
    let is_one_stem = files.iter().all(|file| stem(file) == stem(first) && file.parent() == first.parent());
    (nearest.next().is_none() && (is_one_stem || files.len() == 1)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair_up(predictions: &[&str], truths: &[&str]) -> Matched {
        let files = |folder: &str, names: &[&str]| names.iter().map(|name| Path::new(folder).join(name)).collect();
        matched(Path::new("p"), files("p", predictions), Path::new("t"), files("t", truths))
    }

    fn names(matched: &Matched) -> Vec<&str> {
        matched.pairs.iter().map(|pair| pair.name.as_str()).collect()
    }

    #[test]
    fn names_say_of_whom_files_are() {
        for (name, expected) in [
            ("case_012", "case_012"),
            ("case_012_0000", "case_012"),
            ("BRATS_001_seg", "BRATS_001"),
            ("sub-01_space-T1w_dseg", "sub-01_space-T1w"),
            ("pred_case-7", "case-7"),
            ("case_gt_mask", "case"),
            ("mask", "mask"),
            ("pred_mask", "pred"),
        ] {
            let path = PathBuf::from(format!("{name}.nii.gz"));
            assert_eq!(subject(&stem(&path)), expected, "{name}");
        }
    }

    #[test]
    fn whole_names_come_before_subjects() {
        let found =
            pair_up(&["a.nii.gz", "a_seg.nii.gz", "b_pred.npy"], &["a.nii.gz", "a_seg.nii.gz", "b_gt.png", "c.png"]);
        assert_eq!(names(&found), ["a", "a_seg", "b"]);
        assert_eq!(found.pairs[2].truth, Path::new("t/b_gt.png"));
        assert_eq!(found.unmatched, [Path::new("t/c.png")]);
        assert!(found.ambiguous.is_empty());
    }

    #[test]
    fn pairs_have_names_of_their_own() {
        let found = pair_up(&["a.nii", "a_seg.nii"], &["a.nii", "a_gt.nii"]);
        assert_eq!(names(&found), ["a", "a_seg"]);
    }

    #[test]
    fn other_formats_of_a_prediction_are_listed() {
        let found = pair_up(&["a.nii.gz", "a.npz"], &["a.nii.gz"]);
        assert_eq!((names(&found), &found.passed_over[..]), (vec!["a"], &[PathBuf::from("p/a.npz")][..]));
        assert!(found.unmatched.is_empty());
    }

    /// The format that both sides have, rather than the first of all.
    #[test]
    fn a_format_in_common_is_preferred() {
        let found = pair_up(&["a.npy", "a.png"], &["a.npy"]);
        assert_eq!(found.pairs[0].prediction, Path::new("p/a.npy"));
        assert_eq!(found.passed_over, [Path::new("p/a.png")]);
        let found = pair_up(&["a.npy", "a.png", "a.nii"], &["a.npy", "a.png"]);
        assert_eq!((&*found.pairs[0].prediction, &*found.pairs[0].truth), (Path::new("p/a.png"), Path::new("t/a.png")));
        let found = pair_up(&["a.npy", "a.png"], &["a.nii"]);
        assert_eq!(found.pairs[0].prediction, Path::new("p/a.png"));
    }

    /// What is left of a folder once others have their partners is nobody's.
    #[test]
    fn leftovers_of_a_folder_are_no_pair() {
        let found = pair_up(&["s1/liver.npy", "s1/kidney.npy"], &["s1/liver.npy", "s1/spleen.npy"]);
        assert_eq!(names(&found), ["s1/liver"]);
        assert_eq!(found.unmatched, [Path::new("p/s1/kidney.npy"), Path::new("t/s1/spleen.npy")]);
        let found = pair_up(&["s1/kidney.npy"], &["s1/liver.npy", "s1/spleen.npy"]);
        assert_eq!((names(&found).len(), found.unmatched.len()), (0, 3));
    }

    /// The nearer folder comes first; what lies further is listed.
    #[test]
    fn the_same_folder_comes_before_others() {
        let found = pair_up(&["dup_seg.npy", "sub/dup_pred.npy"], &["dup.npy"]);
        assert_eq!(found.pairs[0].prediction, Path::new("p/dup_seg.npy"));
        assert_eq!(found.unmatched, [Path::new("p/sub/dup_pred.npy")]);
        let found = pair_up(&["one/dup_seg.npy", "sub/dup_pred.npy"], &["dup.npy"]);
        assert_eq!((found.pairs.len(), found.ambiguous[0].1.len()), (0, 3));
    }

    #[test]
    fn files_that_could_both_be_meant_are_not_chosen() {
        let found = pair_up(&["a_seg.nii.gz", "a_pred.nii.gz"], &["a_gt.nii.gz"]);
        assert!(found.pairs.is_empty() && found.unmatched.is_empty());
        assert_eq!((found.ambiguous[0].0.as_str(), found.ambiguous[0].1.len()), ("a", 3));
    }

    #[test]
    fn folders_within_tell_equal_names_apart() {
        let found = pair_up(&["s1/seg.nii", "s2/seg.nii"], &["s1/seg.nii", "s2/seg.nii"]);
        assert_eq!(names(&found), ["s1/seg", "s2/seg"]);
        let found = pair_up(&["s1/seg.nii", "s2/seg.nii"], &["s1/truth.nii", "s2/truth.nii"]);
        assert_eq!((names(&found), found.pairs[1].truth.as_path()), (vec!["s1", "s2"], Path::new("t/s2/truth.nii")));
        let found = pair_up(&["x/sub-1_dseg.nii"], &["sub-1.nii"]);
        assert_eq!(names(&found), ["sub-1"]);
        // Another patient's, though nobody else is called so.
        let found = pair_up(&["a/1.npy", "b/1.npy"], &["b/1.npy", "c/1.npy"]);
        assert_eq!((names(&found), found.unmatched.len()), (vec!["b/1"], 2));
        let found = pair_up(&["x/a/1.npy"], &["a/1.npy"]);
        assert_eq!(names(&found), ["1"]);
    }
}
