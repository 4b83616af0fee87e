//! Numbers as bytes: little-endian, without gaps.

use std::vec::Vec;

use crate::network::Score;
use crate::statistics::{Inner, Parts, Totals};

/// What has a fixed number of bytes.
pub(in crate::owned) trait Plain: Copy + Default {
    /// How many.
    const BYTES: usize;
    /// Writes them.
    fn write(self, bytes: &mut [u8]);
    /// Reads them.
    fn read(bytes: &[u8]) -> Self;
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

plain!(f32, f64, u32, i32);

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

impl Plain for (u32, f64) {
    const BYTES: usize = u32::BYTES + f64::BYTES;

    fn write(self, bytes: &mut [u8]) {
        let (first, second) = bytes.split_at_mut(u32::BYTES);
        self.0.write(first);
        self.1.write(second);
    }

    fn read(bytes: &[u8]) -> Self {
        let (first, second) = bytes.split_at(u32::BYTES);
        (u32::read(first), f64::read(second))
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

/// Appends values to a message.
pub(super) fn put<T: Plain>(message: &mut Vec<u8>, values: &[T]) {
    let start = message.len();
    message.resize(start + values.len() * T::BYTES, 0);
    for (place, &value) in message[start..].chunks_exact_mut(T::BYTES).zip(values) {
        value.write(place);
    }
}

/// The values at the front of a message, which are taken off it.
pub(super) fn take<T: Plain>(message: &mut &[u8], values: &mut [T]) {
    let (these, rest) = message.split_at((values.len() * T::BYTES).min(message.len()));
    for (value, place) in values.iter_mut().zip(these.chunks_exact(T::BYTES)) {
        *value = T::read(place);
    }
    *message = rest;
}

/// All values of a message.
pub(super) fn all<T: Plain>(message: &[u8]) -> impl Iterator<Item = T> {
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
}
