//! The graphics driver that native tests of the GPU engine need: any Vulkan one, if only in software.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::debian;

/// Where Linux systems list their Vulkan drivers.
const FOLDERS: [&str; 3] = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

/// Installs the software driver when a Linux system has none; other systems bring their own.
pub(crate) fn ensure() -> Result<()> {
    if !cfg!(target_os = "linux") || has_driver() {
        return Ok(());
    }
    debian::install("mesa-vulkan-drivers", "A Vulkan driver")?;
    ensure!(
        has_driver(),
        "the package mesa-vulkan-drivers did not provide a Vulkan driver: install one manually"
    );
    Ok(())
}

fn has_driver() -> bool {
    FOLDERS.iter().any(|folder| lists_driver(Path::new(folder)))
}

fn lists_driver(folder: &Path) -> bool {
    let is_driver = |path: &Path| path.extension().is_some_and(|ending| ending == "json");
    fs::read_dir(folder)
        .is_ok_and(|mut files| files.any(|file| file.is_ok_and(|file| is_driver(&file.path()))))
}
