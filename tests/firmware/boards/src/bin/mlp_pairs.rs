//! See `firmware_runs::mlp`: with sums in pairs of `f32`, and with its parameters on a page of flash.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use firmware_runs::digits::SMALL_LEN;
use firmware_runs::mlp;

#[entry]
fn main() -> ! {
    static mut MEMORY: mlp::InPairs = mlp::in_pairs();
    static mut PAGE: [u8; mlp::PAGE] = [0; mlp::PAGE];
    firmware_boards::run(SMALL_LEN, |watch| mlp::run_to_flash(MEMORY, PAGE, watch))
}
