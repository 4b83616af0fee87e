//! How much memory a program takes, by what the linker and the start-up code left.
#![allow(unsafe_code, reason = "addresses of the linker's symbols, and reading memory that nobody else uses")]

/// What cortex-m-rt paints the stack with.
const PAINT: u32 = 0xcccc_cccc;

unsafe extern "C" {
    static __sdata: u32;
    static __edata: u32;
    static __sidata: u32;
    static __ebss: u32;
    static _stack_end: u32;
    static _stack_start: u32;
}

/// Bytes of flash: code, constants (the digits among them) and the initial values of static memory.
pub(crate) fn flash() -> usize {
    (&raw const __sidata).addr() + (&raw const __edata).addr() - (&raw const __sdata).addr()
}

/// Bytes of static memory.
pub(crate) fn statics() -> usize {
    (&raw const __ebss).addr() - (&raw const __sdata).addr()
}

/// Bytes of stack that were ever used; `None` when none are left.
pub(crate) fn stack_used() -> Option<usize> {
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let words = (start.addr() - end.addr()) / size_of::<u32>();
    // SAFETY: the words between are the stack's, all of them written by the start-up code.
    let unused = (0..words).take_while(|&word| unsafe { end.add(word).read_volatile() } == PAINT).count();
    (unused > 0).then_some((words - unused) * size_of::<u32>())
}
