//! Numbers as bytes, little-endian and without gaps: what parts of a batch and their results are sent as.

use std::vec::Vec;

use crate::network::Score;
use crate::statistics::{Inner, LengthMismatch, Parts, Totals, check_length};
use crate::training::{Cut, Part, Task};

/// Types whose values all have the same number of bytes.
pub trait Plain: Copy {
    /// How many.
    const BYTES: usize;
    /// Writes them.
    ///
    /// # Panics
    /// When there are not as many.
    fn write(self, bytes: &mut [u8]);
    /// Reads them.
    ///
    /// # Panics
    /// When there are not as many.
    fn read(bytes: &[u8]) -> Self;
}

/// A value's bytes.
#[must_use]
pub fn to_bytes<T: Plain>(value: T) -> Vec<u8> {
    let mut bytes = std::vec![0; T::BYTES];
    value.write(&mut bytes);
    bytes
}

/// The reverse of [`to_bytes`].
///
/// # Errors
/// When there are more or fewer bytes than such a value has.
pub fn from_bytes<T: Plain>(bytes: &[u8]) -> Result<T, LengthMismatch> {
    check_length("the bytes of a message", T::BYTES, bytes.len())?;
    Ok(T::read(bytes))
}

macro_rules! plain {
    ($($number:ty),+) => {
        $(impl Plain for $number {
            const BYTES: usize = size_of::<$number>();

            #[inline]
            fn write(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn read(bytes: &[u8]) -> Self {
                bytes.try_into().map_or_else(|_| Self::default(), Self::from_le_bytes)
            }
        })+
    };
}

plain!(f32, f64, u8, u32, i32, u64);

/// A structure of plain fields.
macro_rules! fields {
    ($type:ty { $($field:ident: $plain:ty),+ $(,)? } => $make:expr) => {
        impl Plain for $type {
            const BYTES: usize = 0 $(+ <$plain as Plain>::BYTES)+;

            fn write(self, bytes: &mut [u8]) {
                let mut writer = bytes;
                $(let (place, rest) = writer.split_at_mut(<$plain as Plain>::BYTES);
                <$plain as Plain>::write(self.$field, place);
                writer = rest;)+
                let _ = writer;
            }

            fn read(bytes: &[u8]) -> Self {
                let reader = bytes;
                $(let (place, reader) = reader.split_at(<$plain as Plain>::BYTES);
                let $field = <$plain as Plain>::read(place);)+
                let _ = reader;
                $make
            }
        }
    };
}

impl<A: Plain, B: Plain> Plain for (A, B) {
    const BYTES: usize = A::BYTES + B::BYTES;

    fn write(self, bytes: &mut [u8]) {
        let (first, second) = bytes.split_at_mut(A::BYTES);
        self.0.write(first);
        self.1.write(second);
    }

    fn read(bytes: &[u8]) -> Self {
        let (first, second) = bytes.split_at(A::BYTES);
        (A::read(first), B::read(second))
    }
}

fields!(Parts<f64> { count: u32, sum_squared_means: f64, first: (u32, f64) }
    => Self { count, sum_squared_means, first });

fields!(Totals<f64> {
    samples: u32,
    correct: u32,
    loss: f64,
    sum_squared_norms: f64,
    parts: Parts<f64>,
    moment_exponent: i32,
} => Self { samples, correct, loss, sum_squared_norms, parts, moment_exponent });

fields!(Inner<f64> {
    sum_squared_inner_products: f64,
    sum_norm_inner_products: f64,
    sum_squared_square_norms: f64,
} => Self { sum_squared_inner_products, sum_norm_inner_products, sum_squared_square_norms });

fields!(Score<f64> { loss: f64, correct: u32 } => Self { loss, correct });

impl Plain for Task {
    const BYTES: usize = 1;

    fn write(self, bytes: &mut [u8]) {
        let number: u8 = match self {
            Self::Accumulate => 0,
            Self::Project => 1,
            Self::Evaluate => 2,
        };
        number.write(bytes);
    }

    /// Any other number is a task too, so that whatever comes can be read; the parts of an evaluation change no run.
    fn read(bytes: &[u8]) -> Self {
        match u8::read(bytes) {
            0 => Self::Accumulate,
            1 => Self::Project,
            _ => Self::Evaluate,
        }
    }
}

impl Plain for Cut {
    const BYTES: usize = 2 * u32::BYTES;

    fn write(self, bytes: &mut [u8]) {
        (self.samples(), self.parts()).write(bytes);
    }

    fn read(bytes: &[u8]) -> Self {
        let (samples, parts) = <(u32, u32)>::read(bytes);
        Self::into_parts(samples, parts)
    }
}

fields!(Part { task: Task, start: u64, cut: Cut, index: u32 } => Self { task, start, cut, index });

/// Appends values to a message.
pub(in crate::owned) fn put<T: Plain>(message: &mut Vec<u8>, values: &[T]) {
    let start = message.len();
    message.resize(start + values.len() * T::BYTES, 0);
    for (place, &value) in message[start..].chunks_exact_mut(T::BYTES).zip(values) {
        value.write(place);
    }
}

/// The values at the front of a message, which are taken off it.
pub(in crate::owned) fn take<T: Plain>(message: &mut &[u8], values: &mut [T]) {
    let (these, rest) = message.split_at((values.len() * T::BYTES).min(message.len()));
    for (value, place) in values.iter_mut().zip(these.chunks_exact(T::BYTES)) {
        *value = T::read(place);
    }
    *message = rest;
}

/// All values of a message.
pub(in crate::owned) fn all<T: Plain>(message: &[u8]) -> impl Iterator<Item = T> {
    message.chunks_exact(T::BYTES).map(T::read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let totals = Totals {
            samples: 7,
            correct: 3,
            loss: 0.1,
            sum_squared_norms: f64::MIN_POSITIVE / 2.0,
            parts: Parts { count: 2, sum_squared_means: -0.0, first: (5, f64::INFINITY) },
            moment_exponent: -40,
        };
        let inner = Inner {
            sum_squared_inner_products: 1.5,
            sum_norm_inner_products: -2.5,
            sum_squared_square_norms: 3.5,
        };
        let mut message = Vec::new();
        put(&mut message, &[totals]);
        put(&mut message, &[inner]);
        put(&mut message, &[1.0_f32, f32::MAX]);
        assert_eq!(message.len(), Totals::<f64>::BYTES + Inner::<f64>::BYTES + 8);
        let mut rest = &message[..];
        let (mut read_totals, mut read_inner, mut floats) =
            ([Totals::default()], [Inner::default()], [0.0_f32; 2]);
        take(&mut rest, &mut read_totals);
        take(&mut rest, &mut read_inner);
        take(&mut rest, &mut floats);
        assert_eq!((read_totals, read_inner, floats), ([totals], [inner], [1.0, f32::MAX]));
        assert!(rest.is_empty());
    }

    #[test]
    fn a_part_is_read_from_its_bytes() {
        for task in [Task::Accumulate, Task::Project, Task::Evaluate] {
            let part = Part { task, start: 1 << 40, cut: Cut::into_parts(1000, 7), index: 6 };
            let bytes = to_bytes(part);
            assert_eq!(from_bytes(&bytes), Ok(part));
            assert!(from_bytes::<Part>(&bytes[1..]).is_err());
            assert_eq!(from_bytes(&to_bytes((part, 0.5))), Ok((part, 0.5)));
        }
    }
}
