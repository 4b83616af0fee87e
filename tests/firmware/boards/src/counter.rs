//! Counts instructions. QEMU with `-icount shift=0` makes each instruction last one nanosecond of the board's time, and
//! the timer of the core (SysTick) counts that time: in ticks of some instructions, which are measured first.
#![allow(unsafe_code, reason = "a loop of a known number of instructions")]

use core::arch::asm;

use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// Instructions that are run to learn how many a tick lasts.
const KNOWN: u32 = 2_000_000;
/// The timer counts down from here.
const RELOAD: u32 = 0x00ff_ffff;

pub(crate) struct Counter {
    /// Instructions per tick.
    tick: u32,
    start: u32,
}

impl Counter {
    pub(crate) fn new() -> Self {
        let mut counter = Self { tick: 1, start: 0 };
        if let Some(mut peripherals) = Peripherals::take() {
            let timer = &mut peripherals.SYST;
            timer.set_clock_source(SystClkSource::Core);
            timer.set_reload(RELOAD);
            timer.clear_current();
            timer.enable_counter();
        }
        counter.start();
        run_instructions(KNOWN);
        let ticks = counter.ticks().max(1);
        counter.tick = (KNOWN + ticks / 2) / ticks;
        counter
    }

    /// Begins to count.
    pub(crate) fn start(&mut self) {
        self.start = SYST::get_current();
    }

    fn ticks(&self) -> u32 {
        self.start.wrapping_sub(SYST::get_current()) & RELOAD
    }

    /// Since the start: less than 0.6 s of the board's time, after which the timer begins again.
    pub(crate) fn instructions(&self) -> u64 {
        u64::from(self.ticks()) * u64::from(self.tick)
    }
}

/// Runs `count` instructions, two at a time.
fn run_instructions(count: u32) {
    // SAFETY: it changes one register.
    unsafe {
        asm!("2:", "subs {0}, #1", "bne 2b", inout(reg) count / 2 => _, options(nomem, nostack));
    }
}
