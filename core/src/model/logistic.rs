use super::tape::Tape;
use crate::layer::{Dense, Flatten};

/// Softmax regression.
pub(super) fn write(tape: &mut Tape<'_>, classes: u32) {
    tape.then(Flatten);
    tape.then(Dense { outputs: classes });
}
