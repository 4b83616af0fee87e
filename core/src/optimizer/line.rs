//! The loop over parameters that every optimizer's line runs in.

use core::array;
use core::iter;
use core::mem::take;
use core::ops::Range;

use super::StepScalars;
use crate::real::Real;
use crate::statistics::{LengthMismatch, check_length};
use crate::subnormal::{Factor, flush};

/// What an optimizer does to one parameter, with the numbers of the step made ready: its formula, and nothing else.
/// Functions are `#[inline(always)]`: one that is called would not know the machine's vectors.
pub(super) trait Line<F, const SLOTS: usize>: Copy {
    /// The parameter and its memory after the step.
    fn after(self, parameter: F, gradient: F, memory: [F; SLOTS]) -> (F, [F; SLOTS]);

    /// Whether nothing changes where the gradient is 0.
    #[inline(always)]
    fn rests_without_gradient(self) -> bool {
        false
    }
}

/// λ of L2 regularisation, added to the gradient as λ x: PyTorch's weight decay.
#[derive(Clone, Copy)]
pub(super) struct Decayed<F, L> {
    pub(super) line: L,
    pub(super) weight_decay: Factor<F>,
}

impl<F: Real, L: Line<F, SLOTS>, const SLOTS: usize> Line<F, SLOTS> for Decayed<F, L> {
    #[inline(always)]
    fn after(self, parameter: F, gradient: F, memory: [F; SLOTS]) -> (F, [F; SLOTS]) {
        let gradient = gradient + self.weight_decay.times(parameter);
        let (parameter, memory) = self.line.after(parameter, gradient, memory);
        // A weight without a gradient of its own shrinks as memory does.
        (flush(parameter), memory)
    }
}

/// Makes a step, with L2 regularisation where λ is not 0 and parameters are not exempt from it.
pub(super) fn update_decayed<F: Real, L: Line<F, SLOTS>, const SLOTS: usize>(
    line: L,
    weight_decay: f64,
    exempt: &mut dyn Iterator<Item = Range<usize>>,
    parameters: &mut [F],
    gradient: &[F],
    memory: &mut [F],
) -> Result<(), LengthMismatch>
where
    [F; SLOTS]: Slots<F, SLOTS>,
{
    let decayed = Decayed { line, weight_decay: Factor::new(F::of(weight_decay)) };
    let mut all = iter::once(0..parameters.len());
    let exempt = if weight_decay == 0.0 { &mut all } else { exempt };
    update_both(decayed, line, exempt, parameters, gradient, memory)
}

/// Makes a step of two lines: `plain` for the ranges of exempt parameters, in ascending order, and `decayed` for what lies
/// between them.
pub(super) fn update_both<F: Real, const SLOTS: usize>(
    decayed: impl Line<F, SLOTS>,
    plain: impl Line<F, SLOTS>,
    exempt: &mut dyn Iterator<Item = Range<usize>>,
    parameters: &mut [F],
    gradient: &[F],
    memory: &mut [F],
) -> Result<(), LengthMismatch>
where
    [F; SLOTS]: Slots<F, SLOTS>,
{
    let len = parameters.len();
    let mut rest = Values::new(parameters, gradient, memory)?;
    let mut done = 0;
    // Each line is run in one place, as its loops are what takes most of an optimizer's code.
    while done < len {
        let Range { start, end } = exempt.next().unwrap_or(len..len);
        for (is_exempt, end) in [(false, start), (true, end)] {
            let (values, others) = rest.split_at(end.saturating_sub(done));
            (rest, done) = (others, done.max(end));
            if is_exempt { run(plain, values) } else { run(decayed, values) }
        }
    }
    Ok(())
}

/// Makes a step.
pub(super) fn update<F: Real, const SLOTS: usize>(
    line: impl Line<F, SLOTS>,
    parameters: &mut [F],
    gradient: &[F],
    memory: &mut [F],
) -> Result<(), LengthMismatch>
where
    [F; SLOTS]: Slots<F, SLOTS>,
{
    run(line, Values::new(parameters, gradient, memory)?);
    Ok(())
}

fn run<F: Real, const SLOTS: usize>(line: impl Line<F, SLOTS>, values: Values<'_, F, SLOTS>)
where
    [F; SLOTS]: Slots<F, SLOTS>,
{
    let lines = Lines { line, values };
    #[cfg(feature = "std")]
    crate::vectors::dispatch(lines);
    #[cfg(not(feature = "std"))]
    lines.run();
}

/// The step size, which every line multiplies by.
pub(super) fn step_size<F: Real>(scalars: &StepScalars<F>) -> Factor<F> {
    Factor::new(scalars.step_size)
}

/// ε in the float type at hand, and at least its smallest normal number: where it rounds to 0, what has no gradient
/// would become 0/0.
pub(super) fn divisor<F: Real>(epsilon: f64) -> F {
    F::of(epsilon).max(F::min_positive_value())
}

/// Parameters with their gradient and memory.
struct Values<'a, F, const SLOTS: usize> {
    parameters: &'a mut [F],
    gradient: &'a [F],
    memory: [&'a mut [F]; SLOTS],
}

impl<'a, F, const SLOTS: usize> Values<'a, F, SLOTS> {
    fn new(parameters: &'a mut [F], gradient: &'a [F], memory: &'a mut [F]) -> Result<Self, LengthMismatch> {
        check_length("the gradient", parameters.len(), gradient.len())?;
        check_length("the optimizer memory", SLOTS * parameters.len(), memory.len())?;
        let mut slots = memory.chunks_exact_mut(parameters.len().max(1));
        let memory = array::from_fn(|_| slots.next().unwrap_or_default());
        Ok(Self { parameters, gradient, memory })
    }

    /// The first `len` of them, or all, and the others.
    fn split_at(self, len: usize) -> (Self, Self) {
        let len = len.min(self.parameters.len());
        let (parameters, other_parameters) = self.parameters.split_at_mut(len);
        let (gradient, other_gradient) = self.gradient.split_at(len);
        let mut memory = self.memory.map(|slot| slot.split_at_mut(len));
        let first = array::from_fn(|slot| take(&mut memory[slot].0));
        let others = memory.map(|(_, others)| others);
        (
            Self { parameters, gradient, memory: first },
            Self { parameters: other_parameters, gradient: other_gradient, memory: others },
        )
    }
}

struct Lines<'a, F, L, const SLOTS: usize> {
    line: L,
    values: Values<'a, F, SLOTS>,
}

/// Values without a gradient that are left out together: nothing would change but time, most of which goes into roots
/// and quotients. Where images have no ink, no weight has a gradient.
const BLOCK: usize = 128;

impl<F: Real, L: Line<F, SLOTS>, const SLOTS: usize> Lines<'_, F, L, SLOTS>
where
    [F; SLOTS]: Slots<F, SLOTS>,
{
    #[inline(always)]
    fn run(self) {
        let Self { line, values: Values { parameters, gradient, memory } } = self;
        if !line.rests_without_gradient() {
            return <[F; SLOTS]>::run(line, parameters, gradient, memory);
        }
        let mut memory = memory.map(|slot| slot.chunks_mut(BLOCK));
        for (parameters, gradient) in parameters.chunks_mut(BLOCK).zip(gradient.chunks(BLOCK)) {
            let memory = array::from_fn(|slot| memory[slot].next().unwrap_or_default());
            if !gradient.iter().fold(true, |all, g| all & g.is_zero()) {
                <[F; SLOTS]>::run(line, parameters, gradient, memory);
            }
        }
    }
}

#[cfg(feature = "std")]
impl<F: Real, L: Line<F, SLOTS>, const SLOTS: usize> pulp::WithSimd for Lines<'_, F, L, SLOTS>
where
    [F; SLOTS]: Slots<F, SLOTS>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.run();
    }
}

/// The loop for each number of slots: slices that are walked through side by side, without a check inside.
pub(super) trait Slots<F, const SLOTS: usize> {
    fn run(line: impl Line<F, SLOTS>, parameters: &mut [F], gradient: &[F], memory: [&mut [F]; SLOTS]);
}

impl<F: Real> Slots<F, 0> for [F; 0] {
    #[inline(always)]
    fn run(line: impl Line<F, 0>, parameters: &mut [F], gradient: &[F], _: [&mut [F]; 0]) {
        for (x, &g) in parameters.iter_mut().zip(gradient) {
            (*x, _) = line.after(*x, g, []);
        }
    }
}

impl<F: Real> Slots<F, 1> for [F; 1] {
    #[inline(always)]
    fn run(line: impl Line<F, 1>, parameters: &mut [F], gradient: &[F], [first]: [&mut [F]; 1]) {
        for ((x, &g), a) in parameters.iter_mut().zip(gradient).zip(first) {
            (*x, [*a]) = line.after(*x, g, [*a]);
        }
    }
}

impl<F: Real> Slots<F, 2> for [F; 2] {
    #[inline(always)]
    fn run(line: impl Line<F, 2>, parameters: &mut [F], gradient: &[F], [first, second]: [&mut [F]; 2]) {
        for (((x, &g), a), b) in parameters.iter_mut().zip(gradient).zip(first).zip(second) {
            (*x, [*a, *b]) = line.after(*x, g, [*a, *b]);
        }
    }
}
