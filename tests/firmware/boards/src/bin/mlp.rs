//! See `firmware_runs::mlp`.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use firmware_runs::digits::SMALL_LEN;
use firmware_runs::mlp::{self, Memory};

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    firmware_boards::run(SMALL_LEN, |watch| mlp::run(MEMORY, watch))
}
