//! A folder of conformance files.

use std::path::Path;

use serde_json::Value;

/// The cases of every `.json` file in a folder, by file name. A folder without a case is an error.
pub(crate) fn read(folder: &Path) -> Result<Vec<Value>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut cases = vec![];
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut file: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let Value::Array(listed) = file["cases"].take() else {
            return Err(format!("{} has no list of cases", path.display()));
        };
        cases.extend(listed);
    }
    if cases.is_empty() { Err(format!("{} holds no cases", folder.display())) } else { Ok(cases) }
}
