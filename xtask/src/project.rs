//! Where things are in the checkout.

use std::env;
use std::path::{Path, PathBuf};

/// The checkout that a command works on.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout that this program was started from by cargo, else the one it was built in.
    pub(crate) fn find() -> Self {
        let xtask = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        Self { root: xtask.parent().map_or_else(|| xtask.clone(), Path::to_path_buf) }
    }

    /// The top folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A file or folder named from the top.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The page's sources.
    pub(crate) fn www(&self) -> PathBuf {
        self.path("www")
    }

    /// The built page.
    pub(crate) fn dist(&self) -> PathBuf {
        self.path("www/dist")
    }

    /// Where tests leave screenshots, traces and inputs that broke a parser.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.path("target/artifacts")
    }

    /// Where this program remembers what each product was made of.
    pub(crate) fn stamps(&self) -> PathBuf {
        self.path("target/xtask")
    }
}
