//! Descriptions of what is not a regular file.

use std::fs::FileType;

/// What is said of a folder.
pub(crate) const FOLDER: &str = "is a folder, but a file is expected";

/// What is wrong with a kind of file where a regular one is expected.
#[must_use]
pub(crate) fn unexpected(kind: FileType) -> &'static str {
    if kind.is_dir() {
        return FOLDER;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "is a pipe (FIFO), but a regular file is expected";
        }
        if kind.is_socket() {
            return "is a socket, but a regular file is expected";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "is a device, but a regular file is expected";
        }
    }
    "is not a regular file"
}

/// Pipes and terminals, and whatever else takes or gives bytes one after the other.
#[cfg(not(target_family = "wasm"))]
#[must_use]
pub(crate) fn is_stream(kind: FileType) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        kind.is_fifo() || kind.is_char_device()
    }
    #[cfg(not(unix))]
    {
        let _ = kind;
        false
    }
}
