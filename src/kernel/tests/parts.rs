//! The table of ARCHITECTURE.md: which file is in which shader.

use std::collections::BTreeMap;

use super::{APART, Data, PLAIN, Stage, Team, Variant, params, table};

const STAGES: [Stage; 9] = [
    Stage::Accumulate,
    Stage::AccumulateColumns,
    Stage::Combine,
    Stage::Score,
    Stage::Finalize,
    Stage::Coefficients,
    Stage::Gradient,
    Stage::GradientColumns,
    Stage::Evaluate,
];

/// The rows between the marks: the files that stand for each other, what they are, and where they are.
fn rows() -> Vec<(Vec<String>, String)> {
    let text = include_str!("../../../ARCHITECTURE.md");
    let (_, rest) = text.split_once("<!-- files -->").unwrap();
    let (rows, _) = rest.split_once("<!-- end of files -->").unwrap();
    rows.lines()
        .filter_map(|line| {
            let cells: Vec<_> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
            let files = cells[0].split('`').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
            Some((files, cells[2].to_owned()))
        })
        .collect()
}

/// Losses without an overlap, which the variants that are validated have all of.
fn pointwise() -> impl Iterator<Item = Variant> {
    let statistics = [params::statistic::BINARY_CROSS_ENTROPY + params::activation::SIGMOID, 0, 0, 0];
    let data = Some(Data { statistics, ..PLAIN });
    let stages = [Stage::Accumulate, Stage::Gradient, Stage::Evaluate];
    stages.into_iter().map(move |stage| Variant { stage, team: Team::Lane, data, reach: APART })
}

/// The stages that always have one of these files, and in parentheses those of which some variants have.
fn stages(files: &[String]) -> String {
    let mut counts = BTreeMap::<&str, [usize; 2]>::new();
    for variant in table().into_iter().chain(pointwise()) {
        let [all, with] = counts.entry(variant.stage.name()).or_default();
        *all += 1;
        *with +=
            usize::from(variant.files().iter().any(|(name, _)| files.iter().any(|f| format!("{f}.wgsl") == *name)));
    }
    let named = STAGES.iter().filter_map(|stage| match counts[stage.name()] {
        [_, 0] => None,
        [all, with] if all == with => Some(stage.name().to_owned()),
        _ => Some(format!("({})", stage.name())),
    });
    let named: Vec<_> = named.collect();
    if named.len() == STAGES.len() && !named.iter().any(|name| name.starts_with('(')) {
        return "all".to_owned();
    }
    named.join(", ")
}

#[test]
fn the_table_of_files_is_true() {
    let rows = rows();
    let mut listed: Vec<_> = rows.iter().flat_map(|(files, _)| files.clone()).collect();
    listed.sort();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut there: Vec<_> = entries.map(|name| name.strip_suffix(".wgsl").unwrap().to_owned()).collect();
    there.sort();
    assert_eq!(listed, there);
    for (files, said) in rows {
        assert_eq!(said, stages(&files), "{files:?}");
    }
}
