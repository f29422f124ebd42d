//! Where results of `segloss eval` go, and what never happens there.

use serde_json::Value;

use crate::files::{Nifti, npy};
use crate::folders::{eval, folders, json};
use crate::run::Folder;

#[test]
fn results_are_written_whole_or_not_at_all() {
    let folder = folders(3);
    let (code, stdout, _) = eval(&folder, &["--format", "json", "--output", "summary.json", "--report", "report.html"]);
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    let written: Value = serde_json::from_str(&std::fs::read_to_string(folder.path("summary.json")).unwrap()).unwrap();
    assert_eq!(written, json(&folder, &[]));
    assert!(std::fs::read_to_string(folder.path("report.html")).unwrap().ends_with("</html>\n"));
    assert_eq!(folder.names(), ["p", "report.html", "summary.json", "t"]);
    let (code, stdout, stderr) = eval(&folder, &["--output", "gone/summary.json"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr[0].contains("its folder does not exist"), "{stderr:?}");
}

/// Ctrl-C, or a signal to terminate, while cases are scored: no result, no temporary file. The signal ends the process, which shells
/// give the code 130 or 143.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_behind() {
    interrupt("-INT", 2, "segloss: interrupted; nothing was written");
    // By itself: nothing is written before all is done.
    interrupt("-TERM", 15, "");
}

#[cfg(unix)]
fn interrupt(name: &str, signal: i32, message: &str) {
    let folder = folders(0);
    let labels: Vec<u8> = (0..60_u32.pow(3)).map(|i| (i.wrapping_mul(2_654_435_761) >> 30) as u8).collect();
    for case in 0..40 {
        for side in ["p", "t"] {
            let bytes = Nifti::u8(&[60, 60, 60]).bytes(&labels);
            std::fs::write(folder.path(&format!("{side}/{case}.nii")), bytes).unwrap();
        }
    }
    let mut command = folder.command();
    let child = command.args(["eval", "p", "t", "--surface", "--threads", "1", "--report", "report.html"]);
    let child = child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let kill = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let ended_by = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!((ended_by, output.stdout.len()), (Some(signal), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains(message));
    assert_eq!(folder.names(), ["p", "t"]);
}

/// Inputs are never written to.
#[test]
fn results_do_not_replace_what_is_read() {
    let folder = folders(1);
    std::fs::write(folder.path("classes.json"), "[\"background\", \"a\", \"b\"]").unwrap();
    for output in ["classes.json", "p/case_0.nii.gz", "t/case_0.nii.gz"] {
        let before = std::fs::read(folder.path(output)).unwrap();
        let (code, _, stderr) = eval(&folder, &["--classes", "classes.json", "--output", output]);
        assert_eq!(code, Some(2));
        assert!(stderr[0].contains("it is the input"), "{stderr:?}");
        assert_eq!(std::fs::read(folder.path(output)).unwrap(), before);
    }
}

/// What is not read is not written over, either.
#[test]
fn results_do_not_replace_files_of_the_folders() {
    let folder = Folder::new();
    for path in ["p/a.npy", "t/a.npy", "p/lonely.npy", "p/a.png", "p/two_seg.npy", "p/two_pred.npy", "t/two.npy"] {
        std::fs::create_dir_all(folder.path(path).parent().unwrap()).unwrap();
        npy(&folder.path(path), &[4], &[0_u8, 1, 1, 0]);
    }
    for output in ["p/lonely.npy", "p/a.png", "p/two_pred.npy", "t/two.npy"] {
        let before = std::fs::read(folder.path(output)).unwrap();
        for flag in ["--output", "--report"] {
            let message = folder.failure(["eval", "p", "t", flag, output]);
            assert!(message.contains("it is the input") && message.contains(output), "{message}");
        }
        assert_eq!(std::fs::read(folder.path(output)).unwrap(), before);
    }
}
