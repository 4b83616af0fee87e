//! MPI, for training on a cluster: installed when missing.

use std::env;
use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use anyhow::Result;

use crate::debian;

/// Makes sure that programs with MPI can be built and started: a launcher, a compiler wrapper, and the library with which
/// the crate `mpi` reads C headers.
pub(crate) fn ensure() -> Result<()> {
    if which::which("mpirun").is_err() {
        debian::install("openmpi-bin", "mpirun, which starts the ranks of a cluster,")?;
    }
    if !has_headers() {
        debian::install("libopenmpi-dev", "the MPI library")?;
    }
    if !has_libclang() {
        debian::install("libclang-dev", "libclang, which reads the headers of MPI,")?;
    }
    Ok(())
}

/// Whether C programs with MPI can be compiled: a compiler wrapper may be there without the headers.
fn has_headers() -> bool {
    let mut command = Command::new("mpicc");
    command.args(["-E", "-x", "c", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let compiles = |mut child: Child| {
        child.stdin.take()?.write_all(b"#include <mpi.h>\n").ok()?;
        child.wait().ok()
    };
    command.spawn().ok().and_then(compiles).is_some_and(|status| status.success())
}

/// Whether libclang is there, with its headers: where the environment says, or in one of the folders of LLVM.
fn has_libclang() -> bool {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    env::var_os("LIBCLANG_PATH").is_some()
        || folders.into_iter().any(|folder| folder.path().join("lib/libclang.so").exists())
}
