//! `segloss adapters`.

use crate::files::npy;
use crate::run::{Folder, parse};

#[test]
fn the_list_says_which_adapter_is_used_and_why() {
    let folder = Folder::new();
    let listing = folder.json(["adapters", "--format", "json"]);
    let adapters = listing["adapters"].as_array().unwrap();
    assert!(!adapters.is_empty(), "the tests need an adapter");
    let chosen = listing["chosen"].as_u64().unwrap() as usize;
    assert!(!listing["reason"].as_str().unwrap().is_empty());
    let (name, backend) = (adapters[chosen]["name"].as_str().unwrap(), adapters[chosen]["backend"].as_str().unwrap());
    let table = String::from_utf8(folder.run(["adapters"]).stdout).unwrap();
    assert!(table.lines().any(|line| line.starts_with('*') && line.contains(name)), "{table}");
    assert!(table.contains("* is used: "), "{table}");

    // The last by index, which eval then uses.
    npy(&folder.path("t.npy"), &[2], &[1_u8, 0]);
    let last = (adapters.len() - 1).to_string();
    let scores =
        folder.json(["eval", "t.npy", "t.npy", "--as", "probabilities", "--format", "json", "--adapter", &last]);
    let expected = &adapters[adapters.len() - 1];
    let label = format!("{} ({})", expected["name"].as_str().unwrap(), expected["backend"].as_str().unwrap());
    assert_eq!(scores["adapter"], label);
    let by_name = folder.json(["--adapter", name, "adapters", "--format", "json"]);
    assert_eq!(by_name["adapters"][by_name["chosen"].as_u64().unwrap() as usize]["name"], name);
    assert!(!backend.is_empty());
}

#[test]
fn an_adapter_that_is_not_there() {
    let folder = Folder::new();
    let message = folder.failure(["adapters", "--adapter", "no such adapter"]);
    assert!(message.contains("whose name contains \"no such adapter\"") && message.contains("; found: "), "{message}");
    // No index, so a part of a name.
    let message = folder.failure(["adapters", "--adapter", "40999"]);
    assert!(message.contains("no GPU adapter with index 40999 or whose name contains \"40999\""), "{message}");
    assert!(message.contains("as `segloss adapters` lists them"), "{message}");
    let output = folder.run(["adapters", "--adapter", ""]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}

#[test]
fn a_machine_without_adapters() {
    let folder = Folder::new();
    let output = folder.run_without_adapter(["adapters"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    let listing = parse(&folder.run_without_adapter(["adapters", "--format", "json"]));
    assert_eq!(listing["adapters"], serde_json::json!([]));
    assert!(listing["chosen"].is_null() && listing["reason"].as_str().unwrap().contains("reference"));
}

#[test]
fn variables_that_are_empty_or_name_no_backend() {
    let folder = Folder::new();
    let with = |name, value| {
        let mut command = folder.command();
        command.args(["adapters", "--format", "json"]).env(name, value).output().unwrap()
    };
    for name in ["WGPU_BACKEND", "WGPU_ADAPTER_NAME"] {
        assert!(!parse(&with(name, ""))["adapters"].as_array().unwrap().is_empty(), "{name}");
    }
    npy(&folder.path("t.npy"), &[2], &[1_u8, 0]);
    let eval = folder
        .command()
        .args(["eval", "t.npy", "t.npy", "--as", "probabilities"])
        .env("WGPU_BACKEND", "gl,vulcan")
        .output()
        .unwrap();
    for output in [with("WGPU_BACKEND", "vulcan"), eval] {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{stderr}");
        let expected = "segloss: WGPU_BACKEND names the unknown backend \"vulcan\"; give vulkan, metal, dx12 or gl";
        assert!(stderr.starts_with(expected) && stderr.lines().count() == 1, "{stderr}");
    }
}
