//! Data sets, and what a sample is.

use core::fmt;

use crate::augmentation::Placements;
use crate::loss::Loss;
use crate::real::Real;
use crate::shape::Shape;

/// What one sample of a data set is. A model builds its network from this; sizes are stated nowhere else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleShape {
    /// Shape of its values.
    pub input: Shape,
    /// How its values are stored.
    pub encoding: Encoding,
    /// Labels of one sample: 1, or one for each position of a sequence, or 0 where it has none.
    pub labels: u32,
    /// Number of classes; labels are below it. 0 where there are no labels.
    pub classes: u32,
    /// Targets of one sample that are numbers: see [`Targets::values`].
    pub values: u32,
}

impl SampleShape {
    /// What MNIST's samples are, and Fashion-MNIST's: 28×28 grey images of ten classes.
    pub const MNIST: Self = Self::image(Shape::image(1, 28, 28), 10);

    /// An image of bytes, read as byte/255, with one label.
    #[must_use]
    pub const fn image(input: Shape, classes: u32) -> Self {
        Self { input, encoding: Encoding::BYTES, labels: 1, classes, values: 0 }
    }

    /// Values in floats, with one label.
    #[must_use]
    pub const fn floats(input: Shape, classes: u32) -> Self {
        Self { input, encoding: Encoding::Floats, labels: 1, classes, values: 0 }
    }

    /// Values in floats, with `values` numbers as targets and without a label: for [`Loss::SquaredError`],
    /// [`Loss::BinaryCrossEntropy`] or your own loss.
    #[must_use]
    pub const fn numbers(input: Shape, values: u32) -> Self {
        Self { input, encoding: Encoding::Floats, labels: 0, classes: 0, values }
    }

    /// A sequence of tokens with the token behind each position as its label.
    #[must_use]
    pub const fn tokens(positions: u32, vocabulary: u32) -> Self {
        Self {
            input: Shape::sequence(1, positions),
            encoding: Encoding::Tokens { vocabulary },
            labels: positions,
            classes: vocabulary,
            values: 0,
        }
    }

    /// How many outputs a model has for it, at each position of a sequence: one for each class, or for each number where
    /// there are no labels.
    #[must_use]
    pub const fn outputs(&self) -> u32 {
        if self.labels == 0 { self.values } else { self.classes }
    }
}

/// How a data set stores the values of its samples.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Encoding {
    /// Bytes. A value of channel c is (byte/255 − mean\[c\])/deviation\[c\], for up to four channels, rounded after the
    /// subtraction and after the division.
    Bytes {
        /// Subtracted, per channel.
        mean: [f32; 4],
        /// The divisor after the subtraction, per channel.
        deviation: [f32; 4],
    },
    /// Floats, as they are.
    Floats,
    /// Tokens, which are read as whole numbers from 0: a sequence of one channel for an
    /// [`Embedding`](crate::layer::Embedding).
    Tokens {
        /// How many there are; all are below it.
        vocabulary: u32,
    },
}

impl Encoding {
    /// Bytes that are read as byte/255.
    pub const BYTES: Self = Self::Bytes { mean: [0.0; 4], deviation: [1.0; 4] };
}

#[cfg(feature = "serde")]
mod reader {
    use super::Encoding;
    use crate::fields::{Fault, Setting, Value, deserialize_setting};

    impl Setting for Encoding {
        fn of(value: Value) -> Result<Self, Fault> {
            let mut kinds = match value {
                Value::Text(kind) if kind == "floats" => return Ok(Self::Floats),
                Value::Text(kind) if kind != "bytes" && kind != "tokens" => {
                    return Err(Fault::name(&kind, &["bytes", "floats", "tokens"]));
                }
                kinds => kinds.into_fields()?,
            };
            if let Some(tokens) = kinds.required::<Option<Value>>("tokens")? {
                let mut tokens = tokens.into_fields()?;
                let encoding = Self::Tokens { vocabulary: tokens.required("vocabulary")? };
                tokens.finish(&["vocabulary"])?;
                kinds.finish(&["bytes", "tokens"])?;
                return Ok(encoding);
            }
            let mut bytes = kinds.required::<Value>("bytes")?.into_fields()?;
            let encoding =
                Self::Bytes { mean: bytes.required("mean")?, deviation: bytes.required("deviation")? };
            bytes.finish(&["mean", "deviation"])?;
            kinds.finish(&["bytes", "tokens"])?;
            Ok(encoding)
        }
    }

    deserialize_setting!(Encoding);
}

/// A visit of one sample. Random crops and flips depend on the pass over the data set, so that both sweeps of a step, a
/// resumed run and every engine see the same values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Visit {
    /// Which sample.
    pub sample: u32,
    /// Passes over the data set before this one.
    pub pass: u64,
}

/// The visit of the first pass.
impl From<u32> for Visit {
    fn from(sample: u32) -> Self {
        Self { sample, pass: 0 }
    }
}

/// Memory for the targets of a sample, with which the outputs are compared.
#[derive(Debug)]
pub struct Targets<'a, F> {
    /// Its labels, [`SampleShape::labels`] of them, each below the number of classes.
    pub labels: &'a mut [u32],
    /// Numbers, [`SampleShape::values`] of them.
    pub values: &'a mut [F],
}

impl<'a, F> Targets<'a, F> {
    /// Labels alone.
    pub fn labels(labels: &'a mut [u32]) -> Self {
        Self { labels, values: &mut [] }
    }
}

/// Why a sample could not be read, as its data set reports it. Engines return it with the number of the sample; the
/// step is then not made, and starts again when training continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// What is wrong, as part of a sentence: "the card does not answer".
    pub reason: &'static str,
    /// A number with details, such as an error code of a driver or of the system.
    pub code: Option<i32>,
}

impl ReadError {
    /// Without a number.
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self { reason, code: None }
    }

    /// With a number that gives details.
    #[must_use]
    pub const fn with_code(reason: &'static str, code: i32) -> Self {
        Self { reason, code: Some(code) }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)?;
        self.code.map_or(Ok(()), |code| write!(f, " (code {code})"))
    }
}

impl core::error::Error for ReadError {}

/// A data set that can be read in any order, and the loss that compares a network's outputs with its targets.
pub trait Dataset<F: Real> {
    /// What its samples are.
    fn shape(&self) -> SampleShape;

    /// Number of samples, N.
    fn len(&self) -> u32;

    /// Whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a sample can be read again with the same values: not from a stream, such as a sensor's. A second sweep
    /// over a stream's batch is refused, unless its activations are kept.
    fn repeats(&self) -> bool {
        true
    }

    /// The loss that compares outputs with its targets: by default softmax cross-entropy for labels, and the squared
    /// error for numbers.
    fn loss(&self) -> Loss<'_, F> {
        if self.shape().labels == 0 { Loss::SquaredError } else { Loss::SoftmaxCrossEntropy }
    }

    /// Writes the values and targets of a sample below N.
    ///
    /// # Errors
    /// Why the sample cannot be read: [`ReadError`].
    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError>;

    /// Hint that a sample below N will be read soon: its memory can be prefetched.
    fn prefetch(&self, sample: u32) {
        let _ = sample;
    }

    /// How [`read`](Self::read) places the images of visits. Code that decodes [`raw`](Self::raw) bytes applies it too.
    fn placements(&self) -> Placements {
        Placements::NONE
    }

    /// The stored bytes of all samples, one after the other, where its encoding is bytes: as they are before
    /// [`placements`](Self::placements) and normalisation.
    fn raw(&self) -> Option<&[u8]> {
        None
    }
}

impl<F: Real, T: Dataset<F> + ?Sized> Dataset<F> for &T {
    fn shape(&self) -> SampleShape {
        (**self).shape()
    }

    fn len(&self) -> u32 {
        (**self).len()
    }

    fn loss(&self) -> Loss<'_, F> {
        (**self).loss()
    }

    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        (**self).read(visit, input, targets)
    }

    fn repeats(&self) -> bool {
        (**self).repeats()
    }

    fn prefetch(&self, sample: u32) {
        (**self).prefetch(sample);
    }

    fn placements(&self) -> Placements {
        (**self).placements()
    }

    fn raw(&self) -> Option<&[u8]> {
        (**self).raw()
    }
}
