//! Samples of small integers with a scale, such as sensor or quantised data.

use crate::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use crate::real::Real;
use crate::shape::Shape;

/// Samples whose values are integers q of one or two bytes (`i8`, `u8`, `i16` or `u16`): a network sees x = scale·(q −
/// zero), as in TensorFlow Lite and ONNX. The subtraction is exact, the product is rounded once.
///
/// ```
/// use adadagrad_core::dataset::{Dataset, Targets};
/// use adadagrad_core::integers::{IntegerTargets, Integers, Quantisation};
/// use adadagrad_core::network::Shape;
///
/// // Two samples of three values of an accelerometer, in thousandths of g, each with a label.
/// let values = [0_i16, 981, -500, 250, -1000, 3];
/// let labels = IntegerTargets::Labels { labels: &[0, 1], classes: 2 };
/// let quantisation = Quantisation { scale: 0.001, zero: 0 };
/// let data = Integers::new(&values, Shape::vector(3), quantisation, labels).ok_or("not as many")?;
/// let (mut x, mut label) = ([0.0_f32; 3], [0]);
/// data.read(1.into(), &mut x, &mut Targets::labels(&mut label)).map_err(|error| error.reason)?;
/// assert_eq!((x, label), ([0.25, -1.0, 0.003], [1]));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Integers<'a, T> {
    values: &'a [T],
    quantisation: Quantisation,
    targets: IntegerTargets<'a>,
    shape: SampleShape,
    count: u32,
}

/// The scale and the zero point of integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantisation {
    /// The difference of the values of two adjacent integers.
    pub scale: f32,
    /// The integer that stands for 0.
    pub zero: i16,
}

/// What outputs are compared with.
#[derive(Clone, Copy, Debug)]
pub enum IntegerTargets<'a> {
    /// A label for each sample.
    Labels {
        /// One for each sample, below the number of classes.
        labels: &'a [u8],
        /// Number of classes.
        classes: u32,
    },
    /// Numbers for each sample.
    Numbers {
        /// Sample by sample.
        numbers: &'a [f32],
        /// How many a sample has.
        per_sample: u32,
    },
}

impl<'a, T: Copy + Into<f32>> Integers<'a, T> {
    /// Samples one after the other, of as many values as the shape says. `None` if there is no sample, the number of
    /// values or targets does not fit, or a label is not below the number of classes.
    #[must_use]
    pub fn new(
        values: &'a [T],
        input: Shape,
        quantisation: Quantisation,
        targets: IntegerTargets<'a>,
    ) -> Option<Self> {
        let (shape, count) = match targets {
            IntegerTargets::Labels { labels, classes } => {
                let fit = labels.iter().all(|&label| u32::from(label) < classes);
                (SampleShape::floats(input, classes), labels.len() * usize::from(fit))
            }
            IntegerTargets::Numbers { numbers, per_sample } => {
                let per_sample_len = usize::try_from(per_sample).ok()?;
                let count = numbers.len().checked_div(per_sample_len)?;
                let fit = count * per_sample_len == numbers.len();
                (SampleShape::numbers(input, per_sample), count * usize::from(fit))
            }
        };
        let fits = count > 0 && !input.is_empty() && count.checked_mul(input.len()) == Some(values.len());
        let count = u32::try_from(count).ok().filter(|_| fits)?;
        Some(Self { values, quantisation, targets, shape, count })
    }
}

/// Row `index` of rows of one length.
fn row<T>(values: &[T], index: u32, len: usize) -> Option<&[T]> {
    values.get(usize::try_from(index).ok()?.checked_mul(len)?..)?.get(..len)
}

impl<F: Real, T: Copy + Into<f32>> Dataset<F> for Integers<'_, T> {
    fn shape(&self) -> SampleShape {
        self.shape
    }

    fn len(&self) -> u32 {
        self.count
    }

    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        let missing = ReadError::new("there is no such sample");
        let values = row(self.values, visit.sample, self.shape.input.len()).ok_or(missing)?;
        let of = |number: f32| <F as num_traits::NumCast>::from(number).unwrap_or_default();
        let (scale, zero) = (of(self.quantisation.scale), f32::from(self.quantisation.zero));
        for (x, &q) in input.iter_mut().zip(values) {
            *x = scale * of(q.into() - zero);
        }
        match self.targets {
            IntegerTargets::Labels { labels, .. } => {
                let [label] = row(labels, visit.sample, 1).ok_or(missing)? else { return Err(missing) };
                targets.labels.fill((*label).into());
            }
            IntegerTargets::Numbers { numbers, .. } => {
                let numbers = row(numbers, visit.sample, targets.values.len()).ok_or(missing)?;
                targets.values.iter_mut().zip(numbers).for_each(|(target, &number)| *target = of(number));
            }
        }
        Ok(())
    }
}
