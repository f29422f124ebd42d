//! Result files: written whole or not at all.

use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use tempfile::{Builder, NamedTempFile};

use crate::failure::Failure;
use crate::formats::npy;

/// A result file under a temporary name beside its place.
pub(crate) struct Pending {
    path: PathBuf,
    file: NamedTempFile,
}

impl Pending {
    /// Opens the temporary file, before anything is computed in vain. `inputs` must not be overwritten.
    pub(crate) fn create(path: &Path, inputs: &[&Path]) -> Result<Self, Failure> {
        let same = |input: &&&Path| match (input.canonicalize(), path.canonicalize()) {
            (Ok(input), Ok(path)) => input == path,
            _ => false,
        };
        if let Some(input) = inputs.iter().find(same) {
            return Err(Failure::file(path, format!("it is the input {}; expected another name", input.display())));
        }
        if path.is_dir() {
            return Err(Failure::file(path, "it is a folder; expected the name of a .npy file to write"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = Builder::new();
        builder.prefix(".segloss-").suffix(".npy");
        let file = with_usual_permissions(&mut builder)
            .tempfile_in(folder)
            .map_err(|error| Failure::file(path, format!("it cannot be written ({error})")))?;
        Ok(Self { path: path.to_owned(), file })
    }

    pub(crate) fn write(&mut self, dims: &[usize], values: Vec<f32>) -> Result<(), Failure> {
        let unwritable =
            |error: &dyn std::fmt::Display| Failure::file(&self.path, format!("it cannot be written ({error})"));
        let array = ArrayD::from_shape_vec(dims, values).map_err(|error| unwritable(&error))?;
        npy::write(self.file.as_file(), &array).map_err(|error| unwritable(&error))
    }

    /// Gives the file its name.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        let path = self.path;
        match self.file.persist(&path) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::file(&path, format!("it cannot be written ({})", error.error))),
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
