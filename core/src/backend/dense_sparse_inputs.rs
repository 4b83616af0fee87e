//! Dense layers in `f32` on inputs that are mostly zeros, as the pixels of a digit are (four of five): nothing is
//! multiplied but what is not zero.
//!
//! Both passes add rows of a matrix, each times a value, for those of up to 64 values that are not zero: the bits of
//! a word say which. *Forward*: yᵢ = b + Σⱼ xᵢⱼ · (row j of W), a block of rows at a time, which stay in the nearest
//! cache while all samples go through them. *Backward*: row j of Σᵢ xᵢ eᵢᵀ is Σᵢ xᵢⱼ · eᵢ over a tile of samples, whose
//! eᵢ stay in the nearest cache. W lies by inputs, so that each of its rows is a handful of vectors.

use pulp::{Simd, WithSimd};

use super::DenseSizes;
use super::cache_line::{CACHE_LINE, from_cache_line};
use super::dispatch::Call;
use super::kernels::{ForwardOf, OuterProductsOf};

/// Values that a word tells apart: rows of W, or samples of a tile.
const WORD: usize = 64;
/// Bits of the words that vectors are made of.
const HALF: usize = WORD / 2;
/// Inputs that are looked through together.
const BLOCK: usize = CACHE_LINE;
/// Vectors that are summed in registers at a time.
const SUMMED: usize = 8;

pub(super) fn scratch_len(dense: DenseSizes) -> usize {
    let forward = WORD.saturating_add(dense.samples);
    let backward = WORD + 1;
    let rows = forward.max(backward);
    rows.saturating_mul(dense.outputs.next_multiple_of(CACHE_LINE)).saturating_add(CACHE_LINE)
}

impl WithSimd for Call<'_, DenseSizes, ForwardOf<'_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, of: ForwardOf { parameters, x, y }, scratch } = self;
        let DenseSizes { samples, inputs, outputs, .. } = sizes;
        let len = outputs.next_multiple_of(S::F32_LANES);
        let (weights, bias) = parameters.split_at(outputs * inputs);
        let (rows, sums) = from_cache_line(scratch).split_at_mut(WORD * len);
        let sums = &mut sums[..samples * len];
        for sums in sums.chunks_exact_mut(len) {
            pad(bias, sums);
        }
        for first in (0..inputs).step_by(WORD) {
            let width = WORD.min(inputs - first);
            for group in (0..width).step_by(BLOCK) {
                if nonzero_anywhere(&x[first + group..], inputs) {
                    let weights = weights[(first + group) * outputs..].chunks_exact(outputs);
                    let rows = rows[group * len..].chunks_exact_mut(len);
                    for (weights, row) in weights.zip(rows).take(BLOCK) {
                        pad(weights, row);
                    }
                }
            }
            for (x, sums) in x.chunks_exact(inputs).zip(sums.chunks_exact_mut(len)) {
                let x = &x[first..first + width];
                add_rows(simd, nonzero(x), x, 1, rows, sums);
            }
        }
        for (y, sums) in y.chunks_exact_mut(outputs).zip(sums.chunks_exact(len)) {
            y.copy_from_slice(&sums[..outputs]);
        }
    }
}

impl WithSimd for Call<'_, DenseSizes, OuterProductsOf<'_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes: DenseSizes { inputs, outputs, .. }, of, scratch } = self;
        let OuterProductsOf { x, dy: e, sums } = of;
        let len = outputs.next_multiple_of(S::F32_LANES);
        let (weights, bias) = sums.split_at_mut(outputs * inputs);
        let (padded, errors) = from_cache_line(scratch).split_at_mut(len);
        for (x, e) in x.chunks(WORD * inputs).zip(e.chunks(WORD * outputs)) {
            for (e, errors) in e.chunks_exact(outputs).zip(errors.chunks_exact_mut(len)) {
                pad(e, errors);
                for (sum, &e) in bias.iter_mut().zip(e) {
                    *sum += e;
                }
            }
            for (first, weights) in (0..).step_by(BLOCK).zip(weights.chunks_mut(BLOCK * outputs)) {
                let words = nonzero_by_columns(&x[first..], inputs);
                let rows = weights.chunks_exact_mut(outputs).zip(words).enumerate();
                for (k, (row, word)) in rows.filter(|(_, (_, word))| *word != 0) {
                    let x = &x[first + k..];
                    if outputs == len {
                        add_rows(simd, word, x, inputs, errors, row);
                    } else {
                        pad(row, padded);
                        add_rows(simd, word, x, inputs, errors, padded);
                        row.copy_from_slice(&padded[..outputs]);
                    }
                }
            }
        }
    }
}

/// Values, and zeros behind them.
#[inline(always)]
fn pad(values: &[f32], row: &mut [f32]) {
    let (row, padding) = row.split_at_mut(values.len());
    row.copy_from_slice(values);
    padding.fill(0.0);
}

/// Which of up to 64 values are not zero (a NaN is not).
#[inline(always)]
fn nonzero(values: &[f32]) -> u64 {
    let (chunks, rest) = values.as_chunks::<HALF>();
    let mut word = 0;
    for (chunk, first) in chunks.iter().zip((0..).step_by(HALF)) {
        // Two values to a lane, so that one vector is left to be put together.
        let mut bits = [0_u32; HALF / 2];
        let (low, high) = chunk.split_at(HALF / 2);
        for (k, (bits, (low, high))) in bits.iter_mut().zip(low.iter().zip(high)).enumerate() {
            *bits = u32::from(*low != 0.0) << k | u32::from(*high != 0.0) << (k + HALF / 2);
        }
        word |= u64::from(bits.into_iter().fold(0, |all, bits| all | bits)) << first;
    }
    for (&value, k) in rest.iter().zip(HALF * chunks.len()..) {
        word |= u64::from(value != 0.0) << k;
    }
    word
}

/// For each of the first columns of up to 64 rows, `stride` values apart: in which rows it is not zero.
#[inline(always)]
fn nonzero_by_columns(rows: &[f32], stride: usize) -> [u64; BLOCK] {
    let mut words = [0; BLOCK];
    for (rows, first) in rows.chunks(HALF * stride).zip((0..).step_by(HALF)) {
        for (word, half) in words.iter_mut().zip(nonzero_in_half(rows, stride)) {
            *word |= u64::from(half) << first;
        }
    }
    words
}

#[inline(always)]
fn nonzero_in_half(rows: &[f32], stride: usize) -> [u32; BLOCK] {
    let mut words = [0; BLOCK];
    for (i, row) in rows.chunks(stride).enumerate() {
        let Some(values) = row.first_chunk::<BLOCK>() else {
            return with_short_rows(words, i, rows, stride);
        };
        for (word, &value) in words.iter_mut().zip(values) {
            *word |= u32::from(value != 0.0) << i;
        }
    }
    words
}

/// The same for the rest of the rows, from row `i` on: the last one may end before the last column, and all where
/// there are few columns.
#[cold]
fn with_short_rows(mut words: [u32; BLOCK], i: usize, rows: &[f32], stride: usize) -> [u32; BLOCK] {
    for (i, row) in rows.chunks(stride).enumerate().skip(i) {
        for (word, &value) in words.iter_mut().zip(row) {
            *word |= u32::from(value != 0.0) << i;
        }
    }
    words
}

/// Whether one of the first columns of some rows, `stride` values apart, has a value that is not zero.
#[inline(always)]
fn nonzero_anywhere(rows: &[f32], stride: usize) -> bool {
    let mut words = [0; BLOCK];
    for row in rows.chunks(stride) {
        let Some(values) = row.first_chunk::<BLOCK>() else {
            // The last row, which ends before the last column, or any where there are few columns.
            words[0] |= u32::from(row.iter().any(|&value| value != 0.0));
            continue;
        };
        for (word, &value) in words.iter_mut().zip(values) {
            *word |= u32::from(value != 0.0);
        }
    }
    words != [0; BLOCK]
}

/// row += Σ values\[k·stride\] · (row k of a matrix of rows as long) over the bits k of a word.
// Where vectors are not found at run time, one copy for all callers will do.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
fn add_rows<S: Simd>(simd: S, word: u64, values: &[f32], stride: usize, rows: &[f32], row: &mut [f32]) {
    let ((rows, _), (row, _)) = (S::as_simd_f32s(rows), S::as_mut_simd_f32s(row));
    let len = row.len();
    let mut first = 0;
    while first < len {
        let rest = Rows { rows: &rows[first..], len };
        let row = &mut row[first..];
        first += match row.len() {
            SUMMED.. => rest.add::<SUMMED>(simd, word, values, stride, row),
            4.. => rest.add::<4>(simd, word, values, stride, row),
            3 => rest.add::<3>(simd, word, values, stride, row),
            2 => rest.add::<2>(simd, word, values, stride, row),
            _ => rest.add::<1>(simd, word, values, stride, row),
        };
    }
}

/// Rows of `len` vectors.
struct Rows<'a, V> {
    rows: &'a [V],
    len: usize,
}

impl<V: Copy> Rows<'_, V> {
    /// The first N vectors of the sum; gives N.
    #[inline(always)]
    fn add<const N: usize>(
        &self,
        simd: impl Simd<f32s = V>,
        mut word: u64,
        values: &[f32],
        stride: usize,
        row: &mut [V],
    ) -> usize {
        let Some(sums) = row.first_chunk_mut::<N>() else { return N };
        let mut local = *sums;
        while word != 0 {
            let k = word.trailing_zeros() as usize;
            word &= word - 1;
            let Some(&value) = values.get(k * stride) else { return N };
            let Some(vectors) = self.rows[k * self.len..].first_chunk::<N>() else { return N };
            let value = simd.splat_f32s(value);
            for (sum, &vector) in local.iter_mut().zip(vectors) {
                *sum = simd.mul_add_e_f32s(value, vector, *sum);
            }
        }
        *sums = local;
        N
    }
}
