//! The page in a real browser, where there is one.
//!
//! `SEGLOSS_CHROMIUM` names one that has to be there; else it is looked for by its usual names. Without one, these tests print so
//! and pass.

use std::ffi::OsString;
use std::process::Command;

use super::html;
use super::sample;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

fn chromium() -> Option<OsString> {
    let named = std::env::var_os("SEGLOSS_CHROMIUM");
    let runs =
        |name: &OsString| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let found = named.into_iter().chain(NAMES.map(OsString::from)).find(runs);
    assert!(
        found.is_some() || std::env::var_os("SEGLOSS_CHROMIUM").is_none(),
        "SEGLOSS_CHROMIUM names no browser that runs"
    );
    if found.is_none() {
        eprintln!("skipped: there is no Chromium; SEGLOSS_CHROMIUM may name one");
    }
    found
}

/// What a page becomes, and what it logs.
struct Seen {
    dom: String,
    console: Vec<String>,
}

/// Opens a page at a fragment, `None` without a browser.
fn open(page: &str, fragment: &str) -> Option<Seen> {
    let chromium = chromium()?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    std::fs::write(&path, page).unwrap();
    let address = path.display().to_string().replace('\\', "/");
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--virtual-time-budget=2000",
        ])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file:///{}{fragment}", address.trim_start_matches('/')))
        .output()
        .unwrap();
    let console = String::from_utf8_lossy(&output.stderr);
    let console = console.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Some(Seen { dom: String::from_utf8(output.stdout).unwrap(), console })
}

impl Seen {
    /// The rows of cases: the index, whether it is hidden, and the text of each cell of numbers.
    fn rows(&self) -> Vec<(usize, bool, Vec<String>)> {
        let row = |row: &str| {
            let (index, rest) = row.split_once('"').unwrap();
            let tag = rest.split_once('>').unwrap().0;
            let cells = rest.split_once("</tr>").unwrap().0.split("<td").skip(1);
            let text = |cell: &str| cell.split_once('>').unwrap().1.split_once('<').unwrap().0.to_owned();
            (index.parse().unwrap(), tag.contains("hidden"), cells.map(text).collect())
        };
        self.dom.split("<tr id=\"case-").skip(1).map(row).collect()
    }

    /// The numbers of a column from top to bottom.
    fn column(&self, column: usize) -> Vec<f64> {
        let number = |text: &str| if text == "∞" { f64::INFINITY } else { text.replace(',', "").parse().unwrap() };
        self.rows().iter().map(|(_, _, cells)| number(&cells[column])).collect()
    }
}

#[test]
fn the_script_runs_without_complaint() {
    let page = html(&sample::evaluation(40));
    let Some(seen) = open(&page, "") else { return };
    assert!(seen.dom.contains("data-ready=\"true\""), "{}", seen.dom);
    assert_eq!(seen.console, [""; 0]);
    assert_eq!(seen.rows().iter().map(|(index, ..)| *index).collect::<Vec<_>>(), (0..40).collect::<Vec<_>>());
    // What the script fills in is what stood there before it ran.
    let plain = Seen { dom: page, console: vec![] };
    assert_eq!(seen.rows(), plain.rows());
}

#[test]
fn what_a_script_logs_is_seen() {
    let page = html(&sample::evaluation(2)).replace("</body>", "<script>null.missing</script></body>");
    let Some(seen) = open(&page, "") else { return };
    assert_eq!(seen.console.len(), 1, "{:?}", seen.console);
}

#[test]
fn columns_are_sorted_with_nan_last() {
    let page = html(&sample::evaluation(40));
    let Some(up) = open(&page, "#sort=3").map(|seen| seen.column(1)) else { return };
    let numbers = up.iter().position(|value| value.is_nan()).unwrap();
    assert!(numbers < 40 && up[..numbers].is_sorted() && up[numbers..].iter().all(|value| value.is_nan()), "{up:?}");

    let seen = open(&page, "#sort=-3&metric=HD95").unwrap();
    let down = seen.column(1);
    let numbers = down.iter().position(|value| value.is_nan()).unwrap();
    assert!(down[0].is_infinite() && down[..numbers].is_sorted_by(|a, b| a >= b), "{down:?}");
    assert!(down[numbers..].iter().all(|value| value.is_nan()), "{down:?}");
    assert_eq!(seen.dom.matches("<th scope=\"col\" aria-sort=\"descending\"").count(), 1);
    assert_eq!(seen.console, [""; 0]);
}

#[test]
fn heads_sort_and_names_filter() {
    let script = "<script>
        const heads = document.querySelectorAll('#cases th button');
        heads[1].click();
        heads[1].click();
        const filter = document.getElementById('filter');
        filter.value = 'CASE_01';
        filter.dispatchEvent(new Event('input'));
        document.title = location.hash;
    </script></body>";
    let page = html(&sample::evaluation(40)).replace("</body>", script);
    let Some(seen) = open(&page, "") else { return };
    assert!(seen.column(0).is_sorted_by(|a, b| a >= b), "{:?}", seen.column(0));
    let mut shown: Vec<_> = seen.rows().iter().filter(|(_, hidden, _)| !hidden).map(|(index, ..)| *index).collect();
    shown.sort_unstable();
    // Of 10 to 19, two have other names.
    assert_eq!(shown, [10, 12, 13, 14, 15, 16, 18, 19]);
    assert!(seen.dom.contains("8 of 40 cases"));
    assert!(seen.dom.contains("<title>#sort=-2&amp;metric=Dice&amp;filter=CASE_01</title>"));
    assert_eq!(seen.console, [""; 0]);
}

#[test]
fn hostile_names_are_seen_as_text() {
    let mut evaluation = sample::evaluation(10);
    evaluation.classes[1].name = sample::HOSTILE.to_owned();
    let Some(seen) = open(&html(&evaluation), "#metric=IoU") else { return };
    assert!(!seen.dom.contains("<img src=\"x\"") && !seen.dom.contains("<script>alert"));
    assert!(seen.dom.contains("data-ready") && seen.console.is_empty(), "{:?}", seen.console);
}
