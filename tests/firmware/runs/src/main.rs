//! Prints the lines of a run: `firmware-runs mlp`.

use std::error::Error;
use std::fmt;

use firmware_runs::{Memory, Watch, cnn, mlp, softmax};

struct Printer;

impl Watch for Printer {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        println!("{line}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "mlp" => mlp::run(&mut Memory::new(), &mut Printer)?,
        "mlp_pairs" => mlp::run_to_flash(&mut mlp::in_pairs(), &mut [0; mlp::PAGE], &mut Printer)?,
        "softmax" => softmax::run(&mut Memory::new(), &mut Printer)?,
        "cnn" => cnn::run(&mut Memory::new(), &mut Printer)?,
        _ => return Err(format!("`{name}` is not mlp, mlp_pairs, softmax or cnn").into()),
    }
    Ok(())
}
