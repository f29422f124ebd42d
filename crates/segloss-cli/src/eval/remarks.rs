//! What a user should know though nothing failed: files that nobody looks at, labels that no class has, flags that change nothing.

use std::collections::BTreeSet;
use std::path::Path;

use segloss_files::{Format, is_image};

use super::pairs::Holding;
use super::score::{Question, Scored};
use super::volume::{Meaning, is_channel};
use crate::args::Eval;
use crate::failure::Failure;
use crate::report::{counted, plain};

/// Endings that are told apart at most.
const ENDINGS_SHOWN: usize = 5;

/// Refuses flags for formats that no file has.
pub(super) fn check_flags(args: &Eval, files: &[&Path]) -> Result<(), Failure> {
    let none = if args.prediction.is_dir() { "no file" } else { "neither file" };
    if args.png_white.is_some() && !files.iter().any(|path| is_image(path)) {
        return Err(Failure::new(format!("--png-white is given but {none} is a .png or .tif; leave it out")));
    }
    let is_npz = |path: &&Path| Format::of(path) == Some(Format::Npz);
    if args.npz_key.is_some() && !files.iter().any(is_npz) {
        return Err(Failure::new(format!("--npz-key is given but {none} is a .npz; leave it out")));
    }
    Ok(())
}

/// On stderr.
pub(super) fn report(remarks: &[String]) {
    for remark in remarks {
        eprintln!("segloss: {}", plain(remark));
    }
}

/// Files of a folder that nobody looks at.
pub(super) fn of_other_kinds(holding: &Holding) -> Option<String> {
    let count: usize = holding.others.values().sum();
    if count == 0 {
        return None;
    }
    let mut endings: Vec<_> = holding.others.iter().collect();
    endings.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let more = if endings.len() > ENDINGS_SHOWN { ", …" } else { "" };
    let named = |(ending, count): (&String, &usize)| {
        if ending.is_empty() { format!("{count} without an ending") } else { format!("{count} .{ending}") }
    };
    let named: Vec<_> = endings.into_iter().take(ENDINGS_SHOWN).map(named).collect();
    let files = counted(count as u64, "file of another kind is", "files of other kinds are");
    Some(format!("{}: {files} not looked at ({}{more})", holding.folder.display(), named.join(", ")))
}

/// Labels that no class has, and a threshold that nothing was compared with.
pub(super) fn of_scores(args: &Eval, question: &Question, scored: &[Scored]) -> Vec<String> {
    let mut remarks = vec![];
    if let Some(classes) = &question.classes {
        let named: BTreeSet<i32> = classes.iter().flat_map(|class| class.labels.iter().copied()).collect();
        let is_left_out = |label: &i32| *label != 0 && Some(*label) != question.ignored && !named.contains(label);
        let (what, found): (_, BTreeSet<i32>) = match scored.first().map(|scored| (scored.meaning, scored.channels)) {
            Some((Meaning::Channels, channels)) => (
                "channel",
                (0..channels as i32).filter(|channel| is_channel(*channel) && !named.contains(channel)).collect(),
            ),
            _ => ("label", scored.iter().flat_map(Scored::labels).filter(is_left_out).collect()),
        };
        let labels: Vec<_> = found.iter().map(|label| label.to_string() + &places(*label, what, scored)).collect();
        match &labels[..] {
            [] => {}
            [only] => remarks.push(format!("{what} {only} occurs and is not in --classes")),
            _ => remarks.push(format!("{what}s {} occur and are not in --classes", labels.join(", "))),
        }
    }
    let shaded: Vec<_> = scored.iter().filter(|scored| scored.has_shades).collect();
    if let [first, ..] = &shaded[..] {
        let cases = if shaded.len() > 1 {
            format!("{} and {} more", first.name(), shaded.len() - 1)
        } else {
            first.name().to_owned()
        };
        remarks
            .push(format!("{cases}: shades of grey are taken for probabilities; give --as labels if they are labels"));
    }
    if args.threshold.is_some() && !scored.iter().any(|scored| scored.has_threshold) {
        remarks.push(
            "--threshold changes nothing: no file holds probabilities of one class or of overlapping channels"
                .to_owned(),
        );
    }
    remarks
}

/// In which cases a label occurs, and whether it was predicted; nothing of channels, which all cases have.
fn places(label: i32, what: &str, scored: &[Scored]) -> String {
    let of_case = |case: &Scored| {
        let side = match case.sides(label) {
            [true, true] => "in both",
            [true, false] => "predicted",
            [false, true] => "in the truth",
            [false, false] => return None,
        };
        Some(format!("{}, {side}", case.name()))
    };
    let cases: Vec<_> = scored.iter().filter(|_| what == "label").filter_map(of_case).collect();
    match &cases[..] {
        [] => String::new(),
        [only] => format!(" ({only})"),
        [first, rest @ ..] => format!(" ({first}, and {} more)", counted(rest.len() as u64, "case", "cases")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_counted() {
        let others = [("json", 3), ("", 1), ("pkl", 40)].map(|(ending, count)| (ending.to_owned(), count)).into();
        let holding = Holding { folder: "p".into(), known: 2, others };
        let expected = "p: 44 files of other kinds are not looked at (40 .pkl, 3 .json, 1 without an ending)";
        assert_eq!(of_other_kinds(&holding).as_deref(), Some(expected));
        let one = Holding { others: [("json".to_owned(), 1)].into(), ..holding };
        assert_eq!(of_other_kinds(&one).as_deref(), Some("p: 1 file of another kind is not looked at (1 .json)"));
        assert_eq!(of_other_kinds(&Holding::default()), None);
    }
}
