//! Builds the wasm package and the page, each only when its inputs changed.

use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::stamp::Stamp;
use crate::{data, npm, process, tools};

/// All that the wasm package is compiled from.
const PACKAGE_INPUTS: [&str; 6] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "core", "gpu", "web"];

/// All that the page is built from; www holds the wasm package and the packed data too.
const PAGE_INPUTS: [&str; 2] = ["www", "web/typescript"];

/// Makes www/dist what the sources say.
pub(crate) fn prepare(project: &Project) -> Result<()> {
    npm::install(project)?;
    data::prepare(project)?;
    package(project)?;
    build(project)
}

/// Compiles the crate `web` into www/pkg.
pub(crate) fn package(project: &Project) -> Result<()> {
    let compiler = process::output(Command::new("rustc").arg("-vV"))?;
    let stamp = Stamp::of(project.stamps().join("package"), project.root(), &PACKAGE_INPUTS, &compiler)?;
    let products =
        ["adadagrad_web.js", "adadagrad_web_bg.wasm"].map(|name| project.path("www/pkg").join(name));
    if stamp.is_current(&products) {
        println!("The wasm package is up to date.");
        return Ok(());
    }
    tools::target(tools::WASM)?;
    tools::wasm_pack()?;
    tools::announce_wasm_bindgen(project.root())?;
    npm::install(project)?;
    println!("Building the wasm package (web to www/pkg).");
    process::run(&mut wasm_pack(project)?).context("the wasm package could not be built")?;
    stamp.write()
}

fn wasm_pack(project: &Project) -> Result<Command> {
    let mut command = Command::new("wasm-pack");
    command
        .current_dir(project.root())
        .args(["build", "web", "--target", "web", "--release"])
        .args(["--out-dir", "../www/pkg", "--out-name", "adadagrad_web"])
        // Here is wasm-opt, from the npm package binaryen: wasm-pack looks for it on PATH.
        .env("PATH", process::path_with(&project.www().join("node_modules/.bin"))?)
        // Flags from the environment would replace those of .cargo/config.toml, which switch SIMD on.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    Ok(command)
}

/// Builds the page into www/dist.
pub(crate) fn build(project: &Project) -> Result<()> {
    let stamp = Stamp::of(project.stamps().join("page"), project.root(), &PAGE_INPUTS, "")?;
    if stamp.is_current(&[project.dist().join("index.html")]) {
        println!("The page is up to date.");
        return Ok(());
    }
    npm::install(project)?;
    println!("Building the page (www to www/dist).");
    npm::run_script(project, "build").context("the page could not be built")?;
    stamp.write()
}
