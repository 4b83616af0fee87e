use super::tape::Tape;
use crate::layer::{Conv2d, Dense, Flatten, MaxPool2d, Relu};

/// Length of the hidden layer.
const HIDDEN: u32 = 500;

/// The one of the paper's authors for CIFAR-10.
pub(super) fn write(tape: &mut Tape<'_>, classes: u32) {
    for outputs in [16, 32, 64] {
        tape.then(Conv2d { outputs, kernel: 3, stride: 1, padding: 1, bias: true });
        tape.then(Relu);
        tape.then(MaxPool2d { kernel: 2, stride: 2 });
    }
    tape.then(Flatten);
    tape.then(Dense { outputs: HIDDEN });
    tape.then(Relu);
    tape.then(Dense { outputs: classes });
}
