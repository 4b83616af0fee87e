//! The file of `--config`: settings as JSON. What it leaves out is as without the file.

use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AnyController, Constant};
use adadagrad_core::fields::{Fault, Setting};
use adadagrad_core::json;

/// The settings of a file, over those of `base`.
///
/// # Errors
/// Which setting is wrong, what the file says there, and what it may be.
pub(crate) fn read(text: &str, base: RunConfig) -> Result<RunConfig, Fault> {
    let file = json::parse(text)?;
    let names_controller = file.get("controller").is_some();
    let mut config = base;
    config.read_over(file)?;
    if config.test.is_none() && !names_controller {
        return Ok(RunConfig { controller: AnyController::Constant(Constant {}), ..config });
    }
    Ok(config)
}
