use super::{Node, Shape};
use crate::cut::Grain;
use crate::layer::{Conv2d, Dense, Flatten, MaxPool2d, Operation, Relu};

/// The ready-made networks, all for 28×28 grey images of ten classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Model {
    /// Softmax regression: 784 → 10, 7,850 parameters.
    Logistic,
    /// One hidden layer: 784 → 128 → ReLU → 10, 101,770 parameters.
    Mlp,
    /// The paper's: two 5×5 convolutions to 16 and 32 channels with ReLU and 2×2 max-pooling, then dense;
    /// 28,938 parameters.
    Cnn,
}

const CLASSES: u32 = 10;
const LOGISTIC: [Node; 2] =
    Node::chain([Operation::Flatten(Flatten), Operation::Dense(Dense { outputs: CLASSES })]);
const MLP: [Node; 4] = Node::chain([
    Operation::Flatten(Flatten),
    Operation::Dense(Dense { outputs: 128 }),
    Operation::Relu(Relu),
    Operation::Dense(Dense { outputs: CLASSES }),
]);
const POOL: Operation = Operation::MaxPool2d(MaxPool2d { kernel: 2, stride: 2 });
const CNN: [Node; 8] = Node::chain([
    Operation::Conv2d(Conv2d { outputs: 16, kernel: 5, stride: 1, padding: 2, bias: true }),
    Operation::Relu(Relu),
    POOL,
    Operation::Conv2d(Conv2d { outputs: 32, kernel: 5, stride: 1, padding: 2, bias: true }),
    Operation::Relu(Relu),
    POOL,
    Operation::Flatten(Flatten),
    Operation::Dense(Dense { outputs: CLASSES }),
]);

impl Model {
    /// All of them, smallest first.
    pub const ALL: [Self; 3] = [Self::Logistic, Self::Mlp, Self::Cnn];

    /// What settings and files call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Mlp => "mlp",
            Self::Cnn => "cnn",
        }
    }

    /// Shape of the input.
    #[must_use]
    pub const fn input(self) -> Shape {
        Shape::image(1, 28, 28)
    }

    /// Number of classes.
    #[must_use]
    pub const fn classes(self) -> u32 {
        CLASSES
    }

    /// How finely batches are cut: so that threads can share small ones too, but sweeping a part takes far longer
    /// than adding its gradient to the others'.
    #[must_use]
    pub const fn grain(self) -> Grain {
        match self {
            Self::Logistic => Grain { samples: 64, parts: 32 },
            Self::Mlp => Grain { samples: 128, parts: 8 },
            Self::Cnn => Grain { samples: 8, parts: 32 },
        }
    }

    /// The tape.
    #[must_use]
    pub const fn nodes(self) -> &'static [Node] {
        match self {
            Self::Logistic => &LOGISTIC,
            Self::Mlp => &MLP,
            Self::Cnn => &CNN,
        }
    }
}
