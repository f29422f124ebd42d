//! Which classes are scored, and their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::case::Class;
use super::volume::Meaning;
use crate::document;
use crate::failure::Failure;

/// The classes that a file names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) classes: Vec<Class>,
    /// The label that means that a voxel does not count.
    pub(crate) ignored: Option<i32>,
}

/// The name in which nnU-Net's datasets have what does not count.
const IGNORE: &str = "ignore";

impl Names {
    /// Reads nnU-Net's `dataset.json`, or an object of names and labels in either direction, or a list of names in the order
    /// of labels. Regions are lists of labels.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let failure = |reason: String| Failure::file(path, reason);
        let text = document::read(path, "the names of classes as JSON").map_err(failure)?;
        let json = serde_json::from_str(&text).map_err(|error| failure(format!("it is not JSON: {error}")))?;
        Self::from_json(&json).map_err(failure)
    }

    fn from_json(json: &Value) -> Result<Self, String> {
        let expected = "expected nnU-Net's dataset.json, {\"name\": label}, {\"label\": \"name\"} or [\"name\", …]";
        let classes: Option<Vec<Class>> = match json.get("labels").unwrap_or(json) {
            Value::Array(names) => {
                let class = |(label, name): (usize, &Value)| Some(Class::of_label(name.as_str()?, label as i32));
                names.iter().enumerate().map(class).collect()
            }
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| match value {
                    Value::String(name) => Some(Class::of_label(name.clone(), key.trim().parse().ok()?)),
                    value => class(key, value),
                })
                .collect(),
            _ => None,
        };
        let (ignored, classes) =
            classes.unwrap_or_default().into_iter().partition::<Vec<_>, _>(|class| class.name == IGNORE);
        // Of labels, not of channels: those may have a class that is not the background at 0.
        if classes.iter().all(|class| class.is_background(Meaning::Channels)) {
            return Err(format!("it names no classes; {expected}"));
        }
        Ok(Self { classes, ignored: ignored.first().and_then(|class| class.labels.first().copied()) })
    }
}

/// A class of one label, or a region of several.
fn class(name: &str, value: &Value) -> Option<Class> {
    let label = |value: &Value| value.as_i64().and_then(|label| i32::try_from(label).ok());
    match value {
        Value::Array(region) => {
            let labels = region.iter().map(label).collect::<Option<Vec<_>>>()?;
            (!labels.is_empty()).then(|| Class { name: name.to_owned(), labels, is_region: true })
        }
        value => Some(Class::of_label(name, label(value)?)),
    }
}

/// A class for every label that occurs, in ascending order. Where there is nothing but background, 1 is the class that nobody
/// found.
pub(crate) fn of_labels(found: &BTreeSet<i32>, background: bool) -> Vec<Class> {
    let is_class = |label: &i32| background || *label != 0;
    let mut labels: Vec<i32> = found.iter().copied().filter(is_class).collect();
    if labels.iter().all(|&label| label == 0) {
        labels.push(1);
    }
    labels.into_iter().map(|label| Class::of_label(label.to_string(), label)).collect()
}

/// A class for every channel.
pub(crate) fn of_channels(count: usize) -> Vec<Class> {
    (0..count as i32).map(|channel| Class::of_label(format!("channel {channel}"), channel)).collect()
}

/// Refuses two classes of one name, or of the same labels: they could not be told apart.
pub(crate) fn check(classes: &[Class]) -> Result<(), Failure> {
    let (mut names, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for class in classes {
        let mut labels = class.labels.clone();
        labels.sort_unstable();
        if let Some(other) = names.insert(&class.name, class) {
            let (name, a, b) = (&class.name, other.key(), class.key());
            return Err(Failure::new(format!("two classes are called {name:?}, {a} and {b}; give each its own name")));
        }
        if let Some(other) = keys.insert(labels, class) {
            let (a, b, key) = (&other.name, &class.name, class.key());
            return Err(Failure::new(format!(
                "the classes {a:?} and {b:?} have the same labels, {key}; give one of them"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Names, String> {
        Names::from_json(&serde_json::from_str(text).unwrap())
    }

    fn class(name: &str, label: i32) -> Class {
        Class::of_label(name, label)
    }

    fn region(name: &str, labels: &[i32]) -> Class {
        Class { name: name.to_owned(), labels: labels.to_vec(), is_region: true }
    }

    #[test]
    fn every_way_of_naming_is_understood() {
        let expected = [class("background", 0), class("grey", 1), class("white", 2)];
        for text in [
            r#"{"labels": {"background": 0, "grey": 1, "white": 2}, "file_ending": ".nii.gz"}"#,
            r#"{"labels": {"0": "background", "1": "grey", "2": "white"}}"#,
            r#"["background", "grey", "white"]"#,
        ] {
            assert_eq!(names(text).unwrap(), Names { classes: expected.to_vec(), ignored: None }, "{text}");
        }
        for text in [r#"{"1": "grey", "2": "white"}"#, r#"{"grey": 1, "white": 2}"#] {
            assert_eq!(names(text).unwrap().classes, expected[1..], "{text}");
        }
        assert!(expected[0].is_background(Meaning::Channels) && !expected[1].is_background(Meaning::Labels));
        let first = class("whole", 0);
        assert!(first.is_background(Meaning::Labels) && !first.is_background(Meaning::Channels));
    }

    #[test]
    fn regions_and_what_does_not_count() {
        let text = r#"{"labels": {"background": 0, "whole": [2, 1, 3], "core": [2], "ignore": 4}}"#;
        let found = names(text).unwrap();
        assert_eq!(found.ignored, Some(4));
        assert_eq!(found.classes[1..], [region("whole", &[2, 1, 3]), region("core", &[2])]);
        // As Python writes tuples.
        assert_eq!((found.classes[1].key(), found.classes[2].key()), ("(2, 1, 3)".to_owned(), "(2,)".to_owned()));
    }

    #[test]
    fn other_files_are_refused() {
        for text in [
            "3",
            "{}",
            "[]",
            r#"{"grey": "white"}"#,
            r#"{"grey": 1.5}"#,
            r#"{"grey": []}"#,
            "[1, 2]",
            r#"{"background": 0}"#,
            r#"{"background": 0, "ignore": 1}"#,
        ] {
            assert!(names(text).unwrap_err().contains("names no classes"), "{text}");
        }
        let message = check(&[class("a", 1), class("a", 2)]).unwrap_err().to_string();
        assert!(message.contains("two classes are called \"a\", 1 and 2"), "{message}");
        let message = check(&[class("a", 1), region("b", &[1])]).unwrap_err().to_string();
        assert!(message.contains("the classes \"a\" and \"b\" have the same labels, (1,)"), "{message}");
        assert!(check(&[region("a", &[1, 2]), region("b", &[2, 1])]).is_err());
    }

    #[test]
    fn labels_that_occur_are_classes() {
        let found = BTreeSet::from([0, 2, -1]);
        assert_eq!(of_labels(&found, false), [class("-1", -1), class("2", 2)]);
        assert_eq!(of_labels(&found, true).len(), 3);
        assert_eq!(of_labels(&BTreeSet::from([0]), false), [class("1", 1)]);
        assert_eq!(of_channels(2), [class("channel 0", 0), class("channel 1", 1)]);
    }
}
