//! The runs in WebAssembly: `run` makes one, by number, and `text` and `text_len` say where its lines lie.

use std::fmt::{self, Write};
use std::sync::Mutex;

use firmware_runs::{Failure, Memory, Watch, cnn, mlp, softmax};

static TEXT: Mutex<String> = Mutex::new(String::new());

struct Lines<'a>(&'a mut String);

impl Watch for Lines<'_> {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// Runs `mlp` (0), `softmax` (1), `cnn` (2) or `mlp_pairs` (3). Returns 0 when all is well.
#[allow(unsafe_code, reason = "exported by name")]
#[unsafe(no_mangle)]
pub extern "C" fn run(program: u32) -> u32 {
    let Ok(mut text) = TEXT.lock() else { return 1 };
    text.clear();
    match run_into(program, &mut text) {
        Ok(()) => 0,
        Err(failure) => {
            let _ = writeln!(text, "error: {failure}");
            1
        }
    }
}

fn run_into(program: u32, text: &mut String) -> Result<(), Failure> {
    let watch = &mut Lines(text);
    match program {
        0 => mlp::run(&mut Memory::new(), watch),
        1 => softmax::run(&mut Memory::new(), watch),
        2 => cnn::run(&mut Memory::new(), watch),
        _ => mlp::run_to_flash(&mut mlp::in_pairs(), &mut [0; mlp::PAGE], watch),
    }
}

/// Where the text begins.
#[allow(unsafe_code, reason = "exported by name")]
#[unsafe(no_mangle)]
pub extern "C" fn text() -> *const u8 {
    TEXT.lock().map_or(core::ptr::null(), |text| text.as_ptr())
}

/// Its length in bytes.
#[allow(unsafe_code, reason = "exported by name")]
#[unsafe(no_mangle)]
pub extern "C" fn text_len() -> usize {
    TEXT.lock().map_or(0, |text| text.len())
}
