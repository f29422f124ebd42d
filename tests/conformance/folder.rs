//! A folder of conformance files.

use std::path::Path;

use serde_json::Value;

/// A case and its name, or what is wrong with a file and the file's.
pub(crate) type Entry = (String, Result<Value, String>);

/// The cases of every `.json` file in a folder, by file name. A folder without any is an error.
pub(crate) fn read(folder: &Path) -> Result<Vec<Entry>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut cases = vec![];
    for path in paths {
        match read_file(&path) {
            Ok(listed) => cases.extend(listed.into_iter().map(|case| (name(&case), Ok(case)))),
            Err(reason) => cases.push((path.display().to_string(), Err(reason))),
        }
    }
    if cases.is_empty() { Err(format!("{} holds no cases", folder.display())) } else { Ok(cases) }
}

fn read_file(path: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let cases = file.get("cases").and_then(Value::as_array).cloned();
    cases.ok_or_else(|| "it has no list of cases".to_owned())
}

fn name(case: &Value) -> String {
    case.get("id").and_then(Value::as_str).unwrap_or("a case without an id").to_owned()
}
