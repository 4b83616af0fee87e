//! Says what memory the board has, and links by it.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// Kilobytes of stack.
const STACK: u32 = 16;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    // Kilobytes; 100 KB of the second board's 4 MB. What does not fit does not link.
    let (flash, ram) = match env::var("TARGET")?.as_str() {
        "thumbv7m-none-eabi" => (256, 64),
        "thumbv7em-none-eabihf" => (4096, 100),
        _ => return Ok(()),
    };
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    // The stack lies below everything else: one that is too small ends in a fault, not in the parameters.
    let memory = format!(
        "MEMORY {{
            FLASH : ORIGIN = 0, LENGTH = {flash}K
            STACK : ORIGIN = 0x20000000, LENGTH = {STACK}K
            RAM : ORIGIN = 0x20000000 + {STACK}K, LENGTH = {ram}K - {STACK}K
        }}
        _stack_end = ORIGIN(STACK);
        _stack_start = ORIGIN(STACK) + LENGTH(STACK);\n"
    );
    fs::write(folder.join("memory.x"), memory)?;
    println!("cargo:rustc-link-search={}", folder.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    Ok(())
}
