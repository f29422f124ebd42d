//! `docs/peers.md` is what the code says.
//!
//! The tables are made of the [`Loss`](segloss::Loss) that each class of a peer is, of what each metric makes of a few counts, and
//! of the versions and numbers of cases in `tests/fixtures`. With `SEGLOSS_WRITE_DOCS=1` the file is written anew.

mod fixtures;
mod losses;
mod markdown;
mod metrics;
mod named;
mod page;
mod words;

use std::path::Path;

#[test]
fn the_page_of_the_peers_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/peers.md");
    let page = page::page();
    if std::env::var_os("SEGLOSS_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).find(|(written, made)| written != made);
    assert!(
        written == page,
        "docs/peers.md differs from the code; SEGLOSS_WRITE_DOCS=1 cargo test --test peers_table writes it anew. The first \
         line that differs, as written and as made: {differs:#?}"
    );
}
