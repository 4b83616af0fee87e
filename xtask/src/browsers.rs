//! The browsers that the page tests drive: Chromium for all of them, one of each other engine for the main path.

use std::path::PathBuf;

use anyhow::Result;

use crate::{chromium, firefox, webkit};

/// What was found of them.
#[derive(Default)]
pub(crate) struct Browsers {
    pub(crate) chromium: Option<PathBuf>,
    pub(crate) firefox: Option<PathBuf>,
    pub(crate) webkit_driver: Option<PathBuf>,
}

impl Browsers {
    /// Installs what is missing and can be. Chromium must be there; tests of other engines say themselves that they are skipped.
    pub(crate) fn ensure() -> Result<Self> {
        let chromium = Some(chromium::ensure()?);
        Ok(Self { chromium, firefox: found(firefox::ensure()), webkit_driver: found(webkit::ensure()) })
    }

    /// The environment variables in which tests look for them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let named = [
            ("CHROMIUM", &self.chromium),
            ("FIREFOX", &self.firefox),
            ("WEBKIT_DRIVER", &self.webkit_driver),
        ];
        named.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?)))
    }
}

/// What is missing is told, because its tests are then skipped.
fn found(browser: Result<PathBuf>) -> Option<PathBuf> {
    browser.inspect_err(|error| println!("{error:#}")).ok()
}
