//! What every program for a board needs: lines to the host by semihosting, an exit code, and what a run costs.
#![no_std]

mod counter;
mod memory;

use core::fmt;
use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;
use firmware_runs::{Failure, Watch};

use counter::Counter;

/// Runs a program with so many bytes of digits, and leaves the emulator: with 0 where all is well.
pub fn run(digits: usize, program: impl FnOnce(&mut dyn Watch) -> Result<(), Failure>) -> ! {
    let mut board = Board { digits, counter: Counter::new(), instructions: 0, samples: 0, steps: 0 };
    match program(&mut board) {
        Ok(()) => board.report(),
        Err(failure) => {
            hprintln!("error: {}", failure);
            exit(false)
        }
    }
}

/// A run on a board.
struct Board {
    digits: usize,
    counter: Counter,
    instructions: u64,
    samples: u32,
    steps: u32,
}

impl Watch for Board {
    fn begin(&mut self) {
        self.counter.start();
    }

    fn end(&mut self, samples: u32) {
        self.instructions += self.counter.instructions();
        self.samples += samples;
        self.steps += 1;
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        hprintln!("{}", line);
    }
}

impl Board {
    fn report(&self) -> ! {
        let Some(stack) = memory::stack_used() else {
            hprintln!("error: the stack has met the static memory");
            exit(false)
        };
        hprintln!("measured flash {}", memory::flash() - self.digits);
        hprintln!("measured digits {}", self.digits);
        hprintln!("measured static {}", memory::statics());
        hprintln!("measured stack {}", stack);
        hprintln!("measured instructions_per_step {}", self.instructions / u64::from(self.steps.max(1)));
        hprintln!("measured instructions_per_sample {}", self.instructions / u64::from(self.samples.max(1)));
        exit(true)
    }
}

fn exit(well: bool) -> ! {
    loop {
        debug::exit(if well { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("error: {}", info);
    exit(false)
}

#[allow(unsafe_code, reason = "the attribute asks for it")]
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    hprintln!("error: hard fault at {:#x}", frame.pc());
    exit(false)
}
