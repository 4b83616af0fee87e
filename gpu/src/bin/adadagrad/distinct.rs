//! No file has two purposes.

use std::path::Path;

use adadagrad_gpu::data::Splits;
use adadagrad_gpu::output_file::is_same;

use crate::usage::Usage;

/// A file and what it is for: its flag, in most cases.
pub(crate) type Purpose<'a> = (&'a str, &'a Path);

/// Refuses to write to a file that is another one of the command's too, whatever its spelling, or to which the shell
/// has redirected what the program prints.
pub(crate) fn refuse_shared((flag, file): Purpose<'_>, others: &[Option<Purpose<'_>>]) -> Result<(), Usage> {
    let mut others = others.iter().flatten();
    let shared = others.find(|(_, other)| is_same(file, other)).map(|(other, _)| *other);
    match shared.or_else(|| redirected_to(file)) {
        None => Ok(()),
        Some(other) => {
            Err(format!("{}: {flag} and {other} are the same file; give different files", file.display())
                .into())
        }
    }
}

/// Refuses to write over a file of the data set.
pub(crate) fn refuse_data(output: Purpose<'_>, data: &Splits) -> Result<(), Usage> {
    let data: Vec<_> = data.files.iter().map(|file| Some(("the data set", file.as_path()))).collect();
    refuse_shared(output, &data)
}

/// Which of the program's streams goes to a file.
#[cfg(unix)]
fn redirected_to(file: &Path) -> Option<&'static str> {
    use std::fs::File;
    use std::io::{stderr, stdout};
    use std::os::fd::AsFd;

    use adadagrad_gpu::output_file::is_open_as;

    let (stdout, stderr) = (stdout(), stderr());
    let streams = [("standard output", stdout.as_fd()), ("standard error", stderr.as_fd())];
    let mut streams = streams
        .into_iter()
        .filter_map(|(name, stream)| Some((name, File::from(stream.try_clone_to_owned().ok()?))));
    streams.find(|(_, stream)| is_open_as(file, stream)).map(|(name, _)| name)
}

#[cfg(not(unix))]
fn redirected_to(_: &Path) -> Option<&'static str> {
    None
}
