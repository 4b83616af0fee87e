//! MPI, for training on a cluster: installed when missing.

use std::env;
use std::fs;

use anyhow::Result;

use crate::debian;

/// Makes sure that programs with MPI can be built and started: a launcher, a compiler wrapper, and the library with which
/// the crate `mpi` reads C headers.
pub(crate) fn ensure() -> Result<()> {
    if which::which("mpirun").is_err() {
        debian::install("openmpi-bin", "mpirun, which starts the ranks of a cluster,")?;
    }
    if which::which("mpicc").is_err() {
        debian::install("libopenmpi-dev", "the MPI library")?;
    }
    if !has_libclang() {
        debian::install("libclang-dev", "libclang, which reads the headers of MPI,")?;
    }
    Ok(())
}

/// Whether libclang is there, with its headers: where the environment says, or in one of the folders of LLVM.
fn has_libclang() -> bool {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    env::var_os("LIBCLANG_PATH").is_some()
        || folders.into_iter().any(|folder| folder.path().join("lib/libclang.so").exists())
}
