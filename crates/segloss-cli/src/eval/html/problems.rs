//! What could not be scored, and what else should be known.

use crate::eval::summary::Evaluation;

use super::escape::{escape, name};

/// Files that are listed at once; longer lists unfold.
const OPEN: usize = 12;

/// Nothing where all went well.
pub(super) fn problems(evaluation: &Evaluation) -> String {
    let (failed, unmatched, remarks) = (failed(evaluation), unmatched(evaluation), remarks(evaluation));
    if failed.is_empty() && unmatched.is_empty() && remarks.is_empty() {
        return String::new();
    }
    format!(
        "<section class=\"problems\" aria-labelledby=\"problems\">\n<h2 id=\"problems\">Not in this report</h2>\n\
         {failed}{unmatched}{remarks}</section>\n"
    )
}

fn remarks(evaluation: &Evaluation) -> String {
    if evaluation.remarks.is_empty() {
        return String::new();
    }
    let rows: String = evaluation.remarks.iter().map(|remark| format!("<li>{}</li>\n", escape(remark))).collect();
    format!("<ul>\n{rows}</ul>\n")
}

fn failed(evaluation: &Evaluation) -> String {
    if evaluation.failed.is_empty() {
        return String::new();
    }
    let row = |(case, reason): &(String, String)| {
        format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", name(case), escape(reason))
    };
    let rows: String = evaluation.failed.iter().map(row).collect();
    format!(
        "<h3>{}</h3>\n<table><tbody>\n{rows}</tbody></table>\n",
        counted(evaluation.failed.len(), "case failed", "cases failed")
    )
}

fn unmatched(evaluation: &Evaluation) -> String {
    let count = evaluation.unmatched.len();
    if count == 0 {
        return String::new();
    }
    let row = |path: &std::path::PathBuf| format!("<li><code>{}</code></li>\n", name(&path.display().to_string()));
    let rows: String = evaluation.unmatched.iter().map(row).collect();
    let open = if count <= OPEN { " open" } else { "" };
    let heading = counted(count, "file without a partner, or passed over", "files without a partner, or passed over");
    format!("<details{open}><summary><h3>{heading}</h3></summary>\n<ul>\n{rows}</ul>\n</details>\n")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn failures_are_named_with_their_reasons() {
        let mut evaluation = sample::evaluation(4);
        let section = problems(&evaluation);
        assert!(section.contains("2 cases failed") && section.contains("shape 96×96×40 differs"), "{section}");
        assert!(section.contains("<details open>") && section.contains("3 files without"), "{section}");
        evaluation.failed.clear();
        evaluation.unmatched.clear();
        assert!(problems(&evaluation).contains("<li>labelsTs: 1 file of another kind is not looked at (1 .json)</li>"));
        evaluation.remarks.clear();
        assert_eq!(problems(&evaluation), "");
    }
}
