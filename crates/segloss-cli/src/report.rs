//! Tables for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// An aligned table without rules or the space around its columns.
pub(crate) fn table<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.add_rows(rows);
    table.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect()
}

/// An aligned table of rows of any length, numbers to the right.
pub(crate) fn grid(rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.add_rows(rows);
    table.column_iter_mut().skip(1).for_each(|column| {
        column.set_cell_alignment(CellAlignment::Right);
    });
    table.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect()
}

/// With a sign for what would move the terminal's cursor.
pub(crate) fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// How many, in words that fit.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// With a comma every three digits.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// With so many decimals; of what would be a long row of digits, with an exponent.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    match value {
        value if value.is_infinite() || value.abs() < 1e15 => format!("{value:.decimals$}"),
        value => format!("{value:.decimals$e}"),
    }
}

/// JSON with a line break at the end.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, crate::failure::Failure> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| crate::failure::Failure::new(format!("the result cannot be written as JSON: {error}")))
}
