//! Says what memory the board has, and links by it.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    // 112 KB of the second board's 4 MB: what does not fit does not link.
    let (flash, ram) = match env::var("TARGET")?.as_str() {
        "thumbv7m-none-eabi" => ("256K", "64K"),
        "thumbv7em-none-eabihf" => ("4M", "112K"),
        _ => return Ok(()),
    };
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    let memory = format!(
        "MEMORY {{ FLASH : ORIGIN = 0, LENGTH = {flash} RAM : ORIGIN = 0x20000000, LENGTH = {ram} }}\n"
    );
    fs::write(folder.join("memory.x"), memory)?;
    println!("cargo:rustc-link-search={}", folder.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    Ok(())
}
