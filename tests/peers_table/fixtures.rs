//! What `tests/fixtures` says of a peer.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// What the fixtures hold of each peer, by its name.
pub(crate) struct Fixtures {
    versions: BTreeMap<String, String>,
    /// By peer and by loss or metric.
    cases: BTreeMap<(String, String), usize>,
    /// By peer, as its own code lays tensors out.
    layouts: BTreeMap<String, String>,
}

impl Fixtures {
    pub(crate) fn read() -> Self {
        let mut found = Self { versions: BTreeMap::new(), cases: BTreeMap::new(), layouts: BTreeMap::new() };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        for entry in ["peers", "classic"].iter().flat_map(|name| std::fs::read_dir(folder.join(name)).unwrap()) {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            found.add(&serde_json::from_str(&text).unwrap());
        }
        found
    }

    fn add(&mut self, file: &Value) {
        for (package, version) in file["versions"].as_object().unwrap() {
            // What stands after a plus sign says how it was built.
            let version = version.as_str().unwrap().split('+').next().unwrap_or_default();
            self.versions.insert(package.clone(), version.to_owned());
        }
        for case in file["cases"].as_array().unwrap() {
            let text = |field: &str| case[field].as_str().unwrap().to_owned();
            *self.cases.entry((text("peer"), text("loss"))).or_default() += 1;
            self.layouts.entry(text("peer")).or_insert(text("layout"));
        }
    }

    /// The version of a peer that made the numbers.
    pub(crate) fn version(&self, peer: &str) -> &str {
        let package = if peer == "pytorch" { "torch" } else { peer };
        self.versions.get(package).map_or("its formulas", String::as_str)
    }

    /// How many cases there are of a loss or metric.
    pub(crate) fn cases(&self, peer: &str, name: &str) -> usize {
        self.cases.get(&(peer.to_owned(), name.to_owned())).copied().unwrap_or_default()
    }

    /// The order of the axes that a peer's tensors have.
    pub(crate) fn layout(&self, peer: &str) -> &'static str {
        match self.layouts[peer].as_str() {
            "NC*" => "`[N, C, spatial…]`",
            "N*C" => "`[N, spatial…, C]`",
            other => panic!("{other} is no order of axes"),
        }
    }
}
