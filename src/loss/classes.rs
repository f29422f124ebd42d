//! Which classes a term looks at.

use std::collections::HashSet;

/// The classes that a term is made of. The others are not seen: no score, no part in a mean, gradient 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Classes {
    /// All of them.
    #[default]
    All,
    /// All but class 0, the background.
    Foreground,
    /// Those of this list.
    Only(Vec<usize>),
}

impl Classes {
    /// Whether a class is among them.
    #[must_use]
    pub fn contains(&self, class: usize) -> bool {
        match self {
            Self::All => true,
            Self::Foreground => class > 0,
            Self::Only(list) => list.contains(&class),
        }
    }

    /// How many of `classes` classes are among them.
    #[must_use]
    pub fn number(&self, classes: usize) -> usize {
        match self {
            Self::All => classes,
            Self::Foreground => classes.saturating_sub(1),
            Self::Only(list) => list.iter().filter(|&&class| class < classes).collect::<HashSet<_>>().len(),
        }
    }

    /// Whether they make sense among so many classes.
    pub(crate) fn check(&self, classes: usize) -> Result<(), String> {
        let Self::Only(list) = self else {
            return match self.number(classes) {
                0 if classes > 0 => Err(format!("of {classes} class(es) none is left without the background")),
                _ => Ok(()),
            };
        };
        if let Some(unknown) = list.iter().find(|&&class| class >= classes) {
            return Err(format!("class {unknown} does not exist among {classes} classes"));
        }
        let mut seen = HashSet::new();
        let twice = list.iter().find(|class| !seen.insert(**class));
        match twice {
            Some(class) => Err(format!("class {class} is listed twice")),
            None if list.is_empty() => Err("the list of classes is empty".to_owned()),
            None => Ok(()),
        }
    }
}

/// A number for every class: the list's, its only number, or 1 if it is empty.
pub(crate) fn per_class(list: &[f64], class: usize) -> f64 {
    match *list {
        [] => 1.0,
        [all] => all,
        ref each => each.get(class).copied().unwrap_or(1.0),
    }
}

/// Whether a list of weights fits so many classes.
pub(crate) fn fits(what: &str, list: &[f64], classes: usize) -> Result<(), String> {
    if matches!(list.len(), 0 | 1) || list.len() == classes {
        Ok(())
    } else {
        Err(format!("{what} has {} entries, give one or one per class ({classes})", list.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections() {
        assert_eq!(Classes::All.number(3), 3);
        assert_eq!(Classes::Foreground.number(3), 2);
        assert_eq!(Classes::Foreground.number(0), 0);
        assert_eq!(Classes::Only(vec![2, 0, 2, 3]).number(3), 2);
        // Not one by one.
        assert_eq!(Classes::Foreground.number(usize::MAX), usize::MAX - 1);
        assert!(!Classes::Foreground.contains(0) && Classes::Only(vec![1]).contains(1));
        assert!(Classes::Foreground.check(1).unwrap_err().contains("none is left"));
        assert!(Classes::Only(vec![3]).check(3).unwrap_err().contains("class 3"));
        assert!(Classes::Only(vec![1, 1]).check(3).unwrap_err().contains("twice"));
        assert!(Classes::Only(vec![]).check(3).unwrap_err().contains("empty"));
        Classes::All.check(0).unwrap();
    }
}
