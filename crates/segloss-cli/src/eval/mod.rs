//! `segloss eval`: predictions against truths, one pair of files or two folders of them.

mod case;
mod classes;
mod confusion;
mod csv;
mod html;
mod json;
mod labels;
mod metric;
mod pairs;
mod remarks;
mod score;
mod slice;
mod soft;
mod summary;
mod taken;
mod tally;
mod text;
mod volume;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use segloss_files::ENDINGS;

pub(crate) use self::metric::Empty;
use self::pairs::{Holding, Matched, Pair};
use self::score::{Question, Scored};
use self::summary::{Evaluation, SoftBy};
pub(crate) use self::volume::{Channels, Kind, NpzOrder};
use self::volume::{Meaning, Reading};
use crate::args::{self, TableFormat};
use crate::failure::Failure;
use crate::output::{Pending, check_places};
use crate::progress::{Bar, Progress};
use crate::report::plain;
use crate::threads;

/// The probability above which a voxel is foreground, unless another is given.
const THRESHOLD: f64 = 0.5;

/// Whether results are being written. Until then there is nothing that a sudden end could leave half done.
static WRITES: AtomicBool = AtomicBool::new(false);

/// What is handed out.
pub(crate) struct Outcome {
    pub(crate) report: String,
    pub(crate) files: Vec<Pending>,
    /// Whether some of what was asked for is missing.
    pub(crate) is_partial: bool,
}

pub(crate) fn run(args: &args::Eval, adapter: Option<&str>) -> Result<Outcome, Failure> {
    ctrlc::set_handler(stop).map_err(|error| Failure::new(format!("Ctrl-C cannot be listened to: {error}")))?;
    let outputs: Vec<&Path> = [&args.output, &args.report].into_iter().flatten().map(PathBuf::as_path).collect();
    let inputs: Vec<&Path> = [Some(&args.prediction), Some(&args.truth), args.classes.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    check_places(&outputs, &inputs)?;
    let question = question(args, adapter)?;
    if let Some(gone) = [&args.prediction, &args.truth].into_iter().find(|path| path.symlink_metadata().is_err()) {
        let is_definition = args::Surfaces::is_name(gone.as_os_str());
        let advice = if is_definition { "; as a definition of surfaces it is written --surface=" } else { "" };
        let name = if is_definition { gone.to_string_lossy() } else { "".into() };
        return Err(Failure::file(gone, format!("it cannot be read (there is no such file or folder){advice}{name}")));
    }
    match [&args.prediction, &args.truth].map(|path| path.is_dir()) {
        [true, true] => {
            let matched = pairs::of_folders(&args.prediction, &args.truth);
            check_places(&outputs, &matched.files())?;
            remarks::check_flags(args, &matched.files())?;
            let scored = threads::install(args.threads, || score_all(&question, &matched.pairs))?;
            hand_out(args, evaluation(args, &question, matched, scored)?)
        }
        [false, false] => {
            let name = args.prediction.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let pair = Pair { name, prediction: args.prediction.clone(), truth: args.truth.clone() };
            threads::install(args.threads, || of_files(args, &question, pair))?
        }
        [is_folder, _] => {
            let (folder, file) =
                if is_folder { (&args.prediction, &args.truth) } else { (&args.truth, &args.prediction) };
            let (folder, file) = (folder.display(), file.display());
            Err(Failure::new(format!("{folder} is a folder and {file} is none; expected two files or two folders")))
        }
    }
}

/// Ends the process, unless results are being written: that is done in an instant.
fn stop() {
    if !WRITES.load(Ordering::SeqCst) {
        eprintln!("segloss: interrupted; nothing was written");
        end();
    }
}

/// As the signal does where nothing listens: by itself, without functions that run at exit. Those of graphics drivers free what
/// threads are still using.
#[cfg(unix)]
fn end() -> ! {
    // Where it fails there is still the code that shells give it.
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
    std::process::exit(130)
}

#[cfg(not(unix))]
fn end() -> ! {
    std::process::exit(130)
}

fn question(args: &args::Eval, adapter: Option<&str>) -> Result<Question, Failure> {
    let names = args.classes.as_deref().map(classes::Names::read).transpose()?;
    let ignored = args.ignore_label.or(names.as_ref().and_then(|names| names.ignored));
    let classes = names.map(|names| names.classes);
    classes::check(classes.as_deref().unwrap_or_default())?;
    let named = classes.iter().flatten().flat_map(|class| class.labels.clone()).chain(ignored).collect();
    let reading = Reading {
        kind: args.kind,
        channels: args.channels,
        threshold: args.threshold.unwrap_or(THRESHOLD),
        logits: args.logits,
        png_white: args.png_white,
        npz_key: args.npz_key.clone(),
        npz_order: args.npz_order,
        named,
        ignored,
    };
    Ok(Question {
        reading,
        classes,
        background: args.background,
        ignored,
        spacing: args.spacing.clone(),
        any_space: args.any_space,
        surfaces: args.surface.map(|definition| (definition.into(), args.tolerance)),
        draws: args.report.is_some(),
        adapter: adapter.map(str::to_owned),
        engine: OnceLock::new(),
    })
}

/// Two files. Of probabilities of one class, the table is one of the soft scores first.
fn of_files(args: &args::Eval, question: &Question, pair: Pair) -> Result<Outcome, Failure> {
    remarks::check_flags(args, &[&pair.prediction, &pair.truth])?;
    let progress = Progress::new("reading");
    let contents = volume::read_pair(&pair.prediction, &pair.truth, &question.reading)?;
    drop(progress);
    let progress = Progress::new("evaluating");
    let scored = question.score_contents(&pair, contents)?;
    drop(progress);
    let alone = scored.alone.as_ref().filter(|_| !args.asks_for_masks());
    let alone = match (args.format(), alone) {
        (TableFormat::Table, Some(scores)) => Some(scores.table()),
        (TableFormat::Markdown, Some(scores)) => Some(scores.markdown()),
        _ => None,
    };
    if let Some(report) = alone {
        remarks::report(&remarks::of_scores(args, question, std::slice::from_ref(&scored)));
        return written(args, report, None, false);
    }
    let matched = Matched { pairs: vec![pair], ..Matched::default() };
    hand_out(args, evaluation(args, question, matched, vec![Ok(scored)])?)
}

/// Scores pairs side by side, each thread one after the other: files are read while others are counted.
fn score_all(question: &Question, pairs: &[Pair]) -> Vec<Result<Scored, Failure>> {
    let bar = Bar::new(pairs.len());
    let score = |pair: &Pair| {
        let scored = question.score(pair);
        bar.done(&pair.name);
        scored
    };
    pairs.par_iter().map(score).collect()
}

/// Puts the cases together, whose classes are those of all of them.
fn evaluation(
    args: &args::Eval,
    question: &Question,
    matched: Matched,
    scored: Vec<Result<Scored, Failure>>,
) -> Result<Evaluation, Failure> {
    let mut failed: Vec<(String, String)> = matched.failed;
    failed.extend(matched.ambiguous.iter().map(|(name, files)| {
        let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        (name.clone(), format!("{} could all be meant; expected one prediction and one truth", files.join(", ")))
    }));
    let mut good = vec![];
    for (pair, scored) in matched.pairs.iter().zip(scored) {
        match scored {
            Ok(scored) => good.push(scored),
            Err(failure) => failed.push((pair.name.clone(), failure.to_string())),
        }
    }
    let good = of_one_meaning(good, &mut failed);
    let good = of_one_white(good, &mut failed);
    failed.sort();
    let unmatched = matched.unmatched;
    report_failures(&failed, &unmatched, &matched.passed_over);
    let mut remarks: Vec<_> = matched.folders.iter().filter_map(remarks::of_other_kinds).collect();
    remarks::report(&remarks);
    if good.is_empty() {
        return Err(nothing_scored(args, &matched.folders, !failed.is_empty()));
    }
    let is_soft = good.iter().any(Scored::is_soft);
    let good: Vec<_> =
        if is_soft { good.into_iter().map(|scored| question.as_probabilities(scored)).collect() } else { good };
    let of_scores = remarks::of_scores(args, question, &good);
    remarks::report(&of_scores);
    remarks.extend(of_scores);
    let labels = good.iter().flat_map(Scored::labels).collect();
    let (meaning, channels) = good.first().map_or((Meaning::Labels, 1), |scored| (scored.meaning, scored.channels));
    let classes = question.classes_of(&labels, meaning, channels);
    if classes.is_empty() {
        return Err(Failure::new("--classes names nothing but the background; name a class, or give --background"));
    }
    Ok(Evaluation {
        prediction: args.prediction.clone(),
        truth: args.truth.clone(),
        cases: good.into_iter().map(|scored| scored.into_case(&classes, args.empty)).collect::<Result<_, _>>()?,
        classes,
        meaning,
        failed,
        unmatched,
        passed_over: matched.passed_over,
        remarks,
        empty: args.empty,
        surfaces: args.surface.map(|definition| (definition.name(), args.tolerance)),
        soft: is_soft.then(|| question.engine()).transpose()?.map(|engine| SoftBy {
            threshold: question.reading.threshold,
            adapter: engine.adapter(),
            kind: engine.kind(),
        }),
    })
}

/// Why there is no case at all.
fn nothing_scored(args: &args::Eval, folders: &[Holding], has_failed: bool) -> Failure {
    if has_failed {
        return Failure::file(&args.prediction, "no case could be scored");
    }
    match folders.iter().find(|holding| holding.known == 0) {
        Some(holding) => Failure::file(
            &holding.folder,
            format!("it holds no file of a known kind; expected names that end in {}", ENDINGS.join(", ")),
        ),
        None => Failure::file(&args.prediction, "no prediction has a truth of its name"),
    }
}

/// The cases that are like most: with one label a voxel, or with so many channels that overlap. The others have failed.
fn of_one_meaning(scored: Vec<Scored>, failed: &mut Vec<(String, String)>) -> Vec<Scored> {
    let kind = |scored: &Scored| match scored.meaning {
        Meaning::Labels => 0,
        Meaning::Channels => scored.channels,
    };
    let mut counts = BTreeMap::<usize, usize>::new();
    scored.iter().for_each(|scored| *counts.entry(kind(scored)).or_default() += 1);
    let Some(usual) = counts.iter().max_by_key(|(_, count)| **count).map(|(kind, _)| *kind) else { return scored };
    let said = |kind: usize| match kind {
        0 => "one label a voxel".to_owned(),
        channels => format!("{channels} overlapping channels"),
    };
    let (good, other): (Vec<_>, Vec<_>) = scored.into_iter().partition(|scored| kind(scored) == usual);
    failed.extend(other.iter().map(|other| {
        let reason = format!("it has {} and most cases have {}; evaluate them apart", said(kind(other)), said(usual));
        (other.name().to_owned(), reason)
    }));
    good
}

/// The cases in which nothing was taken for 1 that is a label in another case.
fn of_one_white(scored: Vec<Scored>, failed: &mut Vec<(String, String)>) -> Vec<Scored> {
    let reason = |case: &Scored| {
        let (other, white) = scored.iter().find_map(|other| Some((other, case.white_in(other)?)))?;
        Some(format!(
            "a file of it holds nothing but 0 and {white}, like a mask, and {} has a label {white}; give --as labels, or --as mask",
            other.name()
        ))
    };
    let reasons: Vec<_> = scored.iter().map(reason).collect();
    let mut good = vec![];
    for (case, reason) in scored.into_iter().zip(reasons) {
        match reason {
            None => good.push(case),
            Some(reason) => failed.push((case.name().to_owned(), reason)),
        }
    }
    good
}

/// On stderr, where scripts look for what went wrong.
fn report_failures(failed: &[(String, String)], unmatched: &[PathBuf], passed_over: &[PathBuf]) {
    for (name, reason) in failed {
        eprintln!("segloss: {}: {}", plain(name), plain(reason));
    }
    for path in unmatched {
        eprintln!("segloss: {}: no partner of this name", plain(&path.display().to_string()));
    }
    for path in passed_over {
        eprintln!("segloss: {}: passed over for another file of this name", plain(&path.display().to_string()));
    }
}

fn hand_out(args: &args::Eval, evaluation: Evaluation) -> Result<Outcome, Failure> {
    let report = match args.format() {
        TableFormat::Table => evaluation.text()?,
        TableFormat::Json => json::json(&evaluation)?,
        TableFormat::Csv => csv::csv(&evaluation)?,
        TableFormat::Markdown => evaluation.markdown()?,
    };
    let is_partial = !evaluation.failed.is_empty() || (!evaluation.unmatched.is_empty() && !args.subset);
    let page = args.report.is_some().then(|| html::html(&evaluation));
    written(args, report, page, is_partial)
}

/// The report, on stdout or in a file, and the page.
fn written(args: &args::Eval, report: String, page: Option<String>, is_partial: bool) -> Result<Outcome, Failure> {
    WRITES.store(true, Ordering::SeqCst);
    let mut files = vec![];
    let mut report = report;
    if let Some(path) = &args.output {
        files.push(Pending::text(path, &std::mem::take(&mut report))?);
    }
    if let (Some(path), Some(page)) = (&args.report, page) {
        files.push(Pending::text(path, &page)?);
    }
    Ok(Outcome { report, files, is_partial })
}
