//! `cargo xtask demo`: the page, in the visitor's own browser.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::Result;
use clap::Args;

use crate::page;
use crate::project::Project;
use crate::serve::Page;

/// The port that is tried first.
const FIRST_PORT: u16 = 8080;

/// Options of `cargo xtask demo`.
#[derive(Args)]
pub(crate) struct Options {
    /// Port to serve on [default: the first free one from 8080]
    #[arg(long)]
    port: Option<u16>,
    /// Print the address without opening a browser
    #[arg(long)]
    no_open: bool,
}

/// Builds what is not up to date, serves the page and opens it.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    page::prepare(project)?;
    let page = bind(&project.dist(), options.port)?;
    let address = page.address();
    println!("\nThe page is at {address} (Ctrl-C to stop).");
    if !options.no_open && !open_browser(&address) {
        println!("Open it in a browser.");
    }
    page.serve()
}

fn bind(folder: &Path, port: Option<u16>) -> Result<Page> {
    match port {
        Some(port) => Page::bind(folder, port),
        None => Page::bind_from(folder, FIRST_PORT),
    }
}

/// Asks the desktop to open an address; false when there is none to ask.
pub(crate) fn open_browser(address: &str) -> bool {
    let Some(mut command) = opener() else { return false };
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    // Some openers live as long as the browser: wait for them aside, so that none stays a zombie.
    thread::spawn(move || child.wait());
    true
}

/// The desktop's program that opens addresses.
fn opener() -> Option<Command> {
    if cfg!(target_os = "macos") {
        return Some(Command::new("open"));
    }
    if cfg!(windows) {
        let mut command = Command::new("cmd");
        command.args(["/C", "start", ""]);
        return Some(command);
    }
    // Without a screen, xdg-open would start a text browser in this very terminal.
    let screen =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|v| !v.is_empty()));
    (screen && which::which("xdg-open").is_ok()).then(|| Command::new("xdg-open"))
}
