use super::tape::Tape;
use crate::layer::{Conv2d, Dense, Flatten, MaxPool2d, Relu};

/// The paper's for MNIST.
pub(super) fn write(tape: &mut Tape<'_>, classes: u32) {
    for outputs in [16, 32] {
        tape.then(Conv2d { outputs, kernel: 5, stride: 1, padding: 2, bias: true });
        tape.then(Relu);
        tape.then(MaxPool2d { kernel: 2, stride: 2 });
    }
    tape.then(Flatten);
    tape.then(Dense { outputs: classes });
}
