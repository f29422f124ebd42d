//! Tables in Markdown.

/// A table of these columns.
pub(crate) fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let header: Vec<_> = columns.iter().map(|&column| column.to_owned()).collect();
    let mut table = line(&header) + "|" + &"---|".repeat(columns.len()) + "\n";
    for row in rows {
        assert_eq!(row.len(), columns.len(), "{row:?}");
        table += &line(row);
    }
    table
}
