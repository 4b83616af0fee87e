use super::tape::Tape;
use crate::layer::{Dense, Flatten, Relu};

/// Length of the hidden layer, unless another is asked for.
pub(super) const HIDDEN: u32 = 128;

/// One hidden layer.
pub(super) fn write(tape: &mut Tape<'_>, hidden: u32, classes: u32) {
    tape.then(Flatten);
    tape.then(Dense { outputs: hidden });
    tape.then(Relu);
    tape.then(Dense { outputs: classes });
}
