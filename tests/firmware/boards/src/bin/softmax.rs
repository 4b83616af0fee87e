//! See `firmware_runs::softmax`.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use firmware_runs::digits::WHOLE_LEN;
use firmware_runs::softmax::{self, Memory};

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    firmware_boards::run(WHOLE_LEN, |watch| softmax::run(MEMORY, watch))
}
