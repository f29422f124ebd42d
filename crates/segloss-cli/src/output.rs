//! What a command hands out: result files, written whole or not at all, and the report on stdout.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use ndarray_npy::WriteNpyExt;
use tempfile::{Builder, NamedTempFile};

use crate::failure::Failure;

/// Refuses places where no file can be, and those where a result would replace an input, another result or anything
/// but a regular file.
pub(crate) fn check_places(outputs: &[&Path], inputs: &[&Path]) -> Result<(), Failure> {
    for (index, path) in outputs.iter().enumerate() {
        let taken = match path.metadata() {
            Ok(there) if there.is_dir() => Some("it is a folder"),
            Ok(there) if !there.is_file() => Some("it is a device, a pipe or the like"),
            Err(_) if path.is_symlink() => Some("it is a link that leads to no file"),
            _ => None,
        };
        if let Some(taken) = taken {
            return Err(Failure::file(path, format!("{taken}; expected the name of a file to write")));
        }
        if !folder(path).is_dir() {
            return Err(Failure::file(path, "its folder does not exist; expected one that does"));
        }
        let same = |other: &&&Path| destination(other) == destination(path);
        if let Some(input) = inputs.iter().find(same) {
            return Err(Failure::file(path, format!("it is the input {}; expected another name", input.display())));
        }
        if outputs[..index].iter().any(|other| same(&other)) {
            return Err(Failure::file(path, "two results would be written there; expected a name for each"));
        }
    }
    Ok(())
}

/// The file that a path means, by its absolute name without links, whether or not it exists yet.
fn destination(path: &Path) -> Option<PathBuf> {
    let new = || Some(folder(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(new)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Gives the result files their names, then prints the report. Where either fails, files that are new are gone again;
/// an old one that a whole result has replaced stays replaced.
pub(crate) fn deliver(report: &str, files: Vec<Pending>, out: &mut impl Write) -> Result<(), Failure> {
    let mut new = vec![];
    let kept = files.into_iter().try_for_each(|file| {
        let (destination, is_new) = (file.destination.clone(), !file.destination.exists());
        file.keep()?;
        new.extend(is_new.then_some(destination));
        Ok(())
    });
    let delivered = kept.and_then(|()| print(report, out));
    if delivered.is_err() {
        for path in new {
            // The first failure is the one to tell.
            let _ = fs::remove_file(path);
        }
    }
    delivered
}

/// Prints a whole report. A reader that has gone away (`| head`) is not a failure.
fn print(report: &str, out: &mut impl Write) -> Result<(), Failure> {
    match out.write_all(report.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("the result cannot be printed: {error}")))
        }
        _ => Ok(()),
    }
}

/// A result file under a temporary name beside its place.
pub(crate) struct Pending {
    path: PathBuf,
    /// The same, without links: they stay what they are.
    destination: PathBuf,
    file: NamedTempFile,
}

impl Pending {
    /// Opens the temporary file, before anything is computed in vain.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let destination = destination(path).unwrap_or_else(|| path.to_owned());
        let mut builder = Builder::new();
        builder.prefix(".segloss-").suffix(".partial");
        // Only the kind: the whole message names the temporary file, which means nothing to anyone.
        let file = with_usual_permissions(&mut builder)
            .tempfile_in(folder(&destination))
            .map_err(|error| Failure::file(path, format!("it cannot be written ({})", error.kind())))?;
        Ok(Self { path: path.to_owned(), destination, file })
    }

    /// A whole text under a temporary name.
    pub(crate) fn text(path: &Path, text: &str) -> Result<Self, Failure> {
        let mut pending = Self::create(path)?;
        pending
            .file
            .write_all(text.as_bytes())
            .map_err(|error| Failure::file(path, format!("it cannot be written ({error})")))?;
        Ok(pending)
    }

    pub(crate) fn write(&mut self, dims: &[usize], values: Vec<f32>) -> Result<(), Failure> {
        let unwritable =
            |error: &dyn std::fmt::Display| Failure::file(&self.path, format!("it cannot be written ({error})"));
        let array = ArrayD::from_shape_vec(dims, values).map_err(|error| unwritable(&error))?;
        array.write_npy(io::BufWriter::new(self.file.as_file())).map_err(|error| unwritable(&error))
    }

    /// Gives the file its name.
    fn keep(self) -> Result<(), Failure> {
        match self.file.persist(&self.destination) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::file(&self.path, format!("it cannot be written ({})", error.error))),
        }
    }
}

/// Temporary files are private unless told otherwise; a result is as readable as any other new file.
#[cfg(unix)]
fn with_usual_permissions<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn with_usual_permissions<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder takes the last result's place after it was checked.
    #[test]
    fn a_result_that_cannot_take_its_place_takes_the_others_and_the_report_along() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new, last] = ["old.npy", "new.npy", "last.npy"].map(|name| folder.path().join(name));
        fs::write(&old, "old").unwrap();
        let mut files = [&old, &new, &last].map(|path| Pending::create(path).unwrap());
        for file in &mut files {
            file.write(&[2], vec![1.0, 2.0]).unwrap();
        }
        fs::create_dir_all(last.join("full")).unwrap();
        let mut out = vec![];
        let failure = deliver("report", files.into(), &mut out).unwrap_err().to_string();
        assert!(failure.starts_with(&format!("{}: it cannot be written (", last.display())), "{failure}");
        assert!(out.is_empty());
        assert!(!new.exists());
        assert_eq!(ndarray_npy::read_npy::<_, ArrayD<f32>>(&old).unwrap().as_slice(), Some(&[1.0, 2.0][..]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
