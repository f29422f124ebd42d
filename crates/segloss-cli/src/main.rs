//! The `segloss` command.
fn main() {}
