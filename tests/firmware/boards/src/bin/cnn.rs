//! See `firmware_runs::cnn`.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use firmware_runs::cnn::{self, Memory};
use firmware_runs::digits::WHOLE_LEN;

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    firmware_boards::run(WHOLE_LEN, |watch| cnn::run(MEMORY, watch))
}
