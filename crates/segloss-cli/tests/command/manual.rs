//! `segloss completions` and `segloss man`.

use crate::run::Folder;

#[test]
fn every_shell_has_its_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = folder.run(["completions", shell]);
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("segloss"), "{shell}");
        assert!(script.contains("tolerance") && script.contains("report"), "{shell}: {script}");
    }
}

#[test]
fn the_manual_page_knows_every_command() {
    let folder = Folder::new();
    let output = folder.run(["man"]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && page.contains(".TH segloss"), "{page}");
    for command in ["eval", "loss", "bench", "adapters", "completions"] {
        assert!(page.contains(&format!("segloss\\-{command}")), "{command}: {page}");
    }
}
